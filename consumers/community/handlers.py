"""Serves `cmd.v1.community.*` from documents, and drops what it keeps of them when an event says that it changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import structlog
from faststream.nats import NatsRouter
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from pydantic import ValidationError

from consumers.community.caching import Caches
from consumers.community.services.actions import ActionService
from consumers.community.services.context import Context
from consumers.community.services.groups import GroupService
from consumers.community.services.moderation import ModerationService
from consumers.community.services.roles import RoleService
from consumers.community.services.rules import RuleService
from consumers.community.services.settings import SettingsService
from consumers.community.services.undoing import UndoService
from consumers.community.services.users import UserService
from consumers.community.store.changes import Changes
from consumers.community.store.migrations import migrate
from contracts.errors import NotReadyError
from contracts.services.community.commands import QUEUE
from contracts.services.community.events import CommunityEvent
from contracts.services.community.requests import COMMANDS
from contracts.subjects import ALL_COMMUNITY
from runtime.app.commands import command
from runtime.app.documents import open_store
from runtime.app.intervals import ticks
from runtime.app.service import Consumer, Service
from runtime.app.serving import Serving
from runtime.store import StoreError

_log = structlog.get_logger("community")
_LOOK_SECONDS: Final = 1.0
_JUDGED_AT_ONCE: Final = 64  # messages and joins: as many as a bot handles at once
Handle = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class CommunityPlan:
    """The document store's URL."""

    documents: str


def make_consumer(plan: CommunityPlan) -> Consumer:
    """Return the consumer that serves until it is stopped, once its documents are there and in their newest form."""
    contexts: list[Mapping[str, Handle]] = []
    router = make_router(lambda: contexts[-1])

    async def run(service: Service) -> None:
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(open_store(service, plan.documents, ()))
            if store is None:
                return
            await migrate(store)
            caches = Caches()
            stack.push_async_callback(caches.close)
            changes = Changes(service.bus, store, caches, transactions=await store.has_transactions())
            stack.push_async_callback(changes.close)
            await _follow(service, caches, stack)
            context = Context(store, changes, caches)
            contexts.append(make_handles(context))
            await _serve(service, router, context)

    return Consumer(run, router)


def make_handles(context: Context) -> dict[str, Handle]:
    """Return what serves each command, by its verb."""
    kinds = (
        *(GroupService, RoleService, RuleService, SettingsService),
        *(ActionService, UndoService, UserService, ModerationService),
    )
    services = [kind(context) for kind in kinds]
    return {
        command.verb: next(getattr(service, command.verb) for service in services if hasattr(service, command.verb))
        for command in COMMANDS
    }


def make_router(handles: Callable[[], Mapping[str, Handle]]) -> NatsRouter:
    """Return a router that serves every command; `handles()` are what serves each, by its verb."""
    router = NatsRouter()
    for served in COMMANDS:
        serve = _serving(served.verb, handles)
        serve.__annotations__ = {"request": served.request, "return": served.reply}
        more = {"at_once": _JUDGED_AT_ONCE} if served.verb == "judge" else {}
        router.subscriber(**command(served.subject, QUEUE, **more))(serve)
    return router


def _serving(verb: str, handles: Callable[[], Mapping[str, Handle]]) -> Handle:
    async def serve(request: Any) -> Any:
        try:
            return await handles()[verb](request)
        except StoreError as error:
            _log.warning("community.store_failed", error=str(error))
            raise NotReadyError("The documents are not available", waiting_for=["document store"]) from None

    return serve


async def _follow(service: Service, caches: Caches, stack: AsyncExitStack) -> None:
    """Drop what changed elsewhere; after the bus was away everything, as events were missed."""

    async def on_event(message: Msg) -> None:
        try:
            caches.drop(CommunityEvent.model_validate_json(message.data))
        except ValidationError as error:
            _log.warning("community.event_refused", subject=message.subject, error=str(error).splitlines()[0])

    subscription = await service.bus.client.subscribe(ALL_COMMUNITY, cb=on_event)
    stack.push_async_callback(subscription.unsubscribe)
    stack.callback(service.bus.listen_reconnect(caches.clear))


async def _serve(service: Service, router: NatsRouter, context: Context) -> None:
    serving = Serving(service.bus, service.broker, router)
    try:
        await serving.open()
        service.ready()
        async for _ in ticks(service.stop, _LOOK_SECONDS, serving.failed):
            service.report("cache_hits", context.caches.hits)
            service.report("cache_misses", context.caches.misses)
            await _keep(context)
    finally:
        await serving.close()


async def _keep(context: Context) -> None:
    """Publish what waits, and carry on with deletions."""
    try:
        for document in await context.changes.keep():
            await context.groups.finish_deletion(document["_id"])
    except (NatsError, StoreError) as error:
        _log.warning("community.behind", error=str(error) or type(error).__name__)
