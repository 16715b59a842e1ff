"""Clusters on the bus: whales from their durable, clusters onto the stream of signals."""

from __future__ import annotations

from faststream.nats import NatsRouter

from consumers.clusters.core import ClusterDetector, ClusterRules
from consumers.clusters.explained import cluster_rule
from contracts import subjects
from contracts.signals import WhaleTrade
from contracts.streams import DURABLES, DurableSpec
from runtime.app.detector import Detecting, Detection
from runtime.app.explaining.commands import add_explaining
from runtime.app.service import Consumer, Service
from runtime.app.settling import durable
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.reader import read_event

DURABLE: DurableSpec = next(spec for spec in DURABLES if spec.name == "clusters")


def plan_for(rules: ClusterRules) -> Detection:
    """Give the declared plan."""
    cooldown = max(rules.cooldown.values(), default=0)
    return Detection(durable=DURABLE, signals=subjects.ALL_CLUSTERS, cooldown=cooldown, decode=read_event)


def make_consumer(rules: ClusterRules, plan: Detection | None = None) -> Consumer:
    """Return the consumer of whales that detects until it is stopped."""
    plan = plan or plan_for(rules)
    detecting = Detecting(ClusterDetector(rules), plan)
    services: list[Service] = []
    router = NatsRouter()
    add_explaining(router, "clusters", (cluster_rule(rules, plan.durable.stream),), lambda: services[-1].bus)

    @router.subscriber(**durable(plan.durable))
    async def on_whale(whale: WhaleTrade) -> None:
        """Publishes the cluster that a whale completes."""
        await detecting.fold(whale)

    async def run(service: Service) -> None:
        services.append(service)
        letters = DeadLetters(service.bus, service.name, stream=plan.dlq)
        try:
            await detecting.run(service, router, letters)
        finally:
            await letters.flush()

    return Consumer(run, router)
