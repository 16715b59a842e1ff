"""Serves `cmd.v1.access.*` and keeps the audit trail from its stream, while it holds the lease; others stand by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import structlog
from faststream.nats import NatsRouter
from nats.errors import Error as NatsError

from consumers.access import core
from consumers.access.changes import KeyChanges, reachable_store
from consumers.access.store import INDEXES, AccessStore
from contracts import streams, subjects
from contracts.arithmetic.moments import as_datetime
from contracts.services.access import (
    QUEUE,
    AuditEntry,
    AuditPage,
    AuditQuery,
    CreateKey,
    FindKey,
    KeyInfo,
    KeyPage,
    KeyShown,
    ListKeys,
    RevokeKey,
    RotateKey,
)
from contracts.services.audit import AuditEvent
from contracts.services.responses import pages_of
from contracts.streams import DURABLES, DurableSpec
from runtime import clock
from runtime.app.commands import CommandArguments, command
from runtime.app.intervals import ticks
from runtime.app.leased import hold_documents
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.app.settling import durable
from runtime.nats.kv.mirror import Mirror
from runtime.store import StoreError

_log = structlog.get_logger("access")
DURABLE: Final[DurableSpec] = next(spec for spec in DURABLES if spec.name == "audit")
_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPlan:
    """Where the documents are, and what reads the pepper, or makes it."""

    documents: str
    pepper: Callable[[], bytes]
    lease: str = "access"
    lease_seconds: float = 15.0


async def run(service: Service, plan: AccessPlan) -> None:
    """Serve until the service is stopped."""
    async with AsyncExitStack() as stack:
        opened = await hold_documents(service, stack, plan, INDEXES)
        if opened is None:
            return
        held, store = opened
        documents = AccessStore(store)
        mirror = Mirror(service.bus, streams.ACCESS)
        stack.push_async_callback(mirror.close)
        await mirror.open()
        pepper = await asyncio.to_thread(plan.pepper)
        changes = KeyChanges(service.bus, documents, mirror, pepper)
        await changes.open()
        await _serve(service, changes, make_router(changes, documents), held.lost, mirror.failed)


async def _serve(service: Service, changes: KeyChanges, router: NatsRouter, *failing: asyncio.Future[None]) -> None:
    serving = Serving(service.bus, service.broker, router)
    try:
        await serving.open()
        service.ready()
        async for _ in ticks(service.stop, _LOOK_SECONDS, serving.failed, *failing):
            service.report("keys", len(changes))
            await _keep(changes)
    finally:
        await serving.close()


async def _keep(changes: KeyChanges) -> None:
    try:
        await changes.keep()
    except (NatsError, StoreError) as error:
        changes.unsettled = True
        _log.warning("access.behind", error=str(error) or type(error).__name__)


def make_router(changes: KeyChanges, documents: AccessStore) -> NatsRouter:
    """Return the handlers of every command, and of the audit stream."""
    router = NatsRouter()

    @router.subscriber(**_command("create"))
    async def on_create(request: CreateKey) -> KeyShown:
        return await changes.create(request)

    @router.subscriber(**_command("rotate"))
    async def on_rotate(request: RotateKey) -> KeyShown:
        return await changes.rotate(request)

    @router.subscriber(**_command("revoke"))
    async def on_revoke(request: RevokeKey) -> KeyInfo:
        return await changes.revoke(request)

    @router.subscriber(**_command("find"))
    async def on_find(request: FindKey) -> KeyInfo:
        async with reachable_store():
            return core.describe(core.found(await documents.find(request.id), request.id), clock.now_ns())

    @router.subscriber(**_command("list"))
    async def on_list(query: ListKeys) -> KeyPage:
        async with reachable_store():
            keys, total = await documents.list_keys(query)
        items = [core.describe(key, clock.now_ns()) for key in keys]
        pages = pages_of(total, query.page_size)
        return KeyPage(items=items, total=total, page=query.page, page_size=query.page_size, pages=pages)

    _add_audit(router, documents)
    return router


def _add_audit(router: NatsRouter, documents: AccessStore) -> None:
    @router.subscriber(**durable(DURABLE))
    async def on_audit(event: AuditEvent) -> None:
        await documents.save_audit(event)

    @router.subscriber(**_command("audit"))
    async def on_query(query: AuditQuery) -> AuditPage:
        async with reachable_store():
            events, total = await documents.list_audit(query)
        pages = pages_of(total, query.page_size)
        items = [_entry(event) for event in events]
        return AuditPage(items=items, total=total, page=query.page, page_size=query.page_size, pages=pages)


def _command(verb: str) -> CommandArguments:
    return command(subjects.ACCESS_COMMAND + verb, QUEUE)


def _entry(event: AuditEvent) -> AuditEntry:
    fields = event.model_dump(exclude={"ts"})
    return AuditEntry(**fields, timestamp=as_datetime(event.ts))
