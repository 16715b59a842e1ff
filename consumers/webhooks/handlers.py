"""Serves `cmd.v1.webhooks.*` while it holds the lease; others stand by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from faststream.nats import NatsRouter
from nats.errors import Error as NatsError

from consumers.webhooks.registry.commands import add_commands
from consumers.webhooks.registry.registry import Registry, RegistryParts
from consumers.webhooks.registry.sealing import PURPOSE, Sealer
from consumers.webhooks.store.endpoints import INDEXES, EndpointStore
from consumers.webhooks.transport import Network, Transport, TransportRules
from runtime.app.documents import open_store
from runtime.app.intervals import ticks
from runtime.app.leased import hold
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.pepper import sealing_key
from runtime.store import StoreError

_log = structlog.get_logger("webhooks")
_LOOK_SECONDS: Final = 1.0


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
    lease: str = "webhooks"
    lease_seconds: float = 15.0


async def run(service: Service, plan: WebhooksPlan) -> None:
    """Serve until the service is stopped; where webhooks are switched off, do nothing until then."""
    if not plan.enabled:
        service.ready()
        async for _ in ticks(service.stop, _LOOK_SECONDS):
            service.report("switched_off", 1)
        return
    async with AsyncExitStack() as stack:
        held = await hold(service, stack, plan.lease, plan.lease_seconds)
        if held is None:
            return
        store = await stack.enter_async_context(open_store(service, plan.documents, INDEXES))
        if store is None:
            return
        pepper, key = await asyncio.to_thread(plan.pepper), await asyncio.to_thread(plan.key)
        transport = Transport(plan.rules, plan.network)
        stack.push_async_callback(transport.close)
        endpoints = EndpointStore(store, Sealer(sealing_key(pepper, PURPOSE)))
        registry = Registry(
            RegistryParts(bus=service.bus, store=endpoints, transport=transport, key=key, most=plan.most)
        )
        await _serve(service, registry, held.lost)


async def _serve(service: Service, registry: Registry, lost: asyncio.Future[None]) -> None:
    router = NatsRouter()
    add_commands(router, registry)
    serving = Serving(service.bus, service.broker, router)
    try:
        await serving.open()
        service.ready()
        async for _ in ticks(service.stop, _LOOK_SECONDS, serving.failed, lost):
            service.report("serving", 1)
            await _keep(registry)
    finally:
        await serving.close()


async def _keep(registry: Registry) -> None:
    try:
        await registry.keep()
    except (NatsError, StoreError) as error:
        registry.unsettled = True
        _log.warning("webhooks.behind", error=str(error) or type(error).__name__)
