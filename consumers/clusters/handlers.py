"""Clusters on the bus: whales from their durable, clusters onto the stream of signals."""

from __future__ import annotations

from consumers.clusters.core import ClusterDetector, ClusterRules
from contracts import subjects
from contracts.streams import DURABLES, DurableSpec
from runtime.app.detector import Detection, detect
from runtime.app.service import Service
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.reader import read_event

DURABLE: DurableSpec = next(spec for spec in DURABLES if spec.name == "clusters")


def plan_for(rules: ClusterRules) -> Detection:
    """Give the declared plan."""
    cooldown = max(rules.cooldown.values(), default=0)
    return Detection(durable=DURABLE, signals=subjects.ALL_CLUSTERS, cooldown=cooldown, decode=read_event)


async def run(service: Service, rules: ClusterRules, plan: Detection | None = None) -> None:
    """Detect until the service is stopped."""
    plan = plan or plan_for(rules)
    letters = DeadLetters(service.bus, service.name, stream=plan.dlq)
    try:
        await detect(service, ClusterDetector(rules), plan, letters)
    finally:
        await letters.flush()
