"""Delivers events, any number of processes; serves `cmd.v1.webhooks.*` and matches while it holds the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from faststream.nats import NatsRouter
from nats.errors import Error as NatsError

from consumers.webhooks.delivery.answers import add_delivery_commands
from consumers.webhooks.delivery.queue import JobQueue
from consumers.webhooks.delivery.rules import DeliveryRules
from consumers.webhooks.delivery.sending import Sending
from consumers.webhooks.delivery.stored import StoredEndpoints
from consumers.webhooks.delivery.worker import Worker
from consumers.webhooks.matching.running import Matching, MatchingPlan
from consumers.webhooks.posting import Poster
from consumers.webhooks.registry.commands import add_commands
from consumers.webhooks.registry.registry import Registry, RegistryParts
from consumers.webhooks.registry.sealing import PURPOSE, Sealer
from consumers.webhooks.store import attempts, events
from consumers.webhooks.store.attempts import AttemptStore
from consumers.webhooks.store.endpoints import INDEXES, EndpointStore
from consumers.webhooks.store.events import EventStore
from consumers.webhooks.transport import Network, Transport, TransportRules
from runtime.app.documents import open_store
from runtime.app.intervals import ticks
from runtime.app.leased import hold
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.nats.deadletter import DeadLetters
from runtime.pepper import sealing_key
from runtime.store import StoreError

_log = structlog.get_logger("webhooks")
_LOOK_SECONDS: Final = 1.0
_ALL_INDEXES: Final = (*INDEXES, *events.INDEXES, *attempts.INDEXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhooksPlan:
    """Where the documents are, what reads the pepper and our own key or makes them, and what may be posted to."""

    documents: str
    pepper: Callable[[], bytes]
    key: Callable[[], Ed25519PrivateKey]
    rules: TransportRules = field(default_factory=TransportRules)
    network: Network | None = None
    enabled: bool = True
    most: int = 100
    delivery: DeliveryRules = field(default_factory=DeliveryRules)
    matching: MatchingPlan = field(default_factory=MatchingPlan)
    lease: str = "webhooks"
    lease_seconds: float = 15.0


async def run(service: Service, plan: WebhooksPlan) -> None:
    """Deliver, and serve and match while the lease is held; where webhooks are switched off, do nothing."""
    if not plan.enabled:
        service.ready()
        async for _ in ticks(service.stop, _LOOK_SECONDS):
            service.report("switched_off", 1)
        return
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(service, plan.documents, _ALL_INDEXES))
        if store is None:
            return
        pepper, key = await asyncio.to_thread(plan.pepper), await asyncio.to_thread(plan.key)
        transport = Transport(plan.rules, plan.network)
        stack.push_async_callback(transport.close)
        letters = DeadLetters(service.bus, service.name)
        stack.push_async_callback(letters.flush)
        endpoints = EndpointStore(store, Sealer(sealing_key(pepper, PURPOSE)))
        queue = JobQueue(service.bus)
        source = StoredEndpoints(endpoints, queue)
        sending = Sending(
            endpoints=source,
            events=EventStore(store),
            attempts=AttemptStore(store),
            queue=queue,
            poster=Poster(transport, key),
            letters=letters,
            rules=plan.delivery,
        )
        matching = Matching(service, sending, source, plan.matching)
        registry = Registry(
            RegistryParts(
                bus=service.bus,
                store=endpoints,
                transport=transport,
                key=key,
                on_registered=matching.subscribers.put,
                most=plan.most,
            )
        )
        router = NatsRouter()
        add_commands(router, registry)
        add_delivery_commands(router, sending, matching, endpoints)
        await _all_of(Worker(sending).run(service.stop), _lead(service, plan, registry, matching, router=router))


async def _all_of(*parts: Coroutine[Any, Any, None]) -> None:
    """Run parts together until all have ended; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def _lead(
    service: Service, plan: WebhooksPlan, registry: Registry, matching: Matching, *, router: NatsRouter
) -> None:
    """Serve the commands and match, as soon as this process has the lease."""
    async with AsyncExitStack() as stack:
        held = await hold(service, stack, plan.lease, plan.lease_seconds)
        if held is None:
            return
        serving = Serving(service.bus, service.broker, router)
        stack.push_async_callback(serving.close)
        await serving.open()
        await _all_of(matching.run(serving.failed, held.lost), _keep(service, registry))


async def _keep(service: Service, registry: Registry) -> None:
    async for _ in ticks(service.stop, _LOOK_SECONDS):
        service.report("serving", 1)
        try:
            await registry.keep()
        except (NatsError, StoreError) as error:
            registry.unsettled = True
            _log.warning("webhooks.behind", error=str(error) or type(error).__name__)
