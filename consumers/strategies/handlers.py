"""Serves `cmd.v1.strategies.*` and runs every strategy while it holds the lease; other processes stand by."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from faststream.nats import NatsRouter
from nats.errors import Error as NatsError

from consumers.strategies.at_work import KILLED, AtWork
from consumers.strategies.explaining import Explainer
from consumers.strategies.inbox import Inbox
from consumers.strategies.markets import Markets, read_audit
from consumers.strategies.owners import Means, Owners
from consumers.strategies.runner import Acting
from consumers.strategies.store import INDEXES, ChangedElsewhereError, StrategyStore
from contracts import subjects
from contracts.errors import NotReadyError
from contracts.services.trading import strategies as words
from runtime import clock
from runtime.app.commands import CommandArguments, command
from runtime.app.intervals import ticks
from runtime.app.leased import Held, hold_documents
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.clients.command_client import CommandClient
from runtime.nats.announce import Announcer
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.reader import LaneReader, Watchers
from runtime.store import Store, StoreError
from runtime.strategies.loading import Kinds

_log = structlog.get_logger("strategies")
KILLS: Final = f"{subjects.AUDIT}trading.kill"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategiesPlan:
    """Where the documents and own strategies are, what reads the secrets; seconds between saves and clock ticks."""

    documents: str
    directory: Path | None = None
    secrets: Callable[[], Sequence[str]] = tuple
    lease: str = "strategies"
    lease_seconds: float = 15.0
    keep_seconds: float = 0.25
    clock_seconds: float = 1.0


async def run(service: Service, plan: StrategiesPlan) -> None:
    """Serve until the service is stopped."""
    async with AsyncExitStack() as stack:
        opened = await hold_documents(service, stack, plan, INDEXES)
        if opened is None:
            return
        held, store = opened
        kinds = Kinds(plan.directory)
        for name, reason in kinds.refused.items():
            _log.warning("strategies.refused_file", name=name, reason=reason)
        parts = await _open(service, stack, (store, held, kinds), plan)
        await _serve(service, plan, parts, held)


@dataclass(frozen=True, slots=True)
class _Parts:
    at_work: AtWork
    inbox: Inbox
    markets: Markets
    audit: LaneReader
    router: NatsRouter
    killed: list[str]


async def _open(
    service: Service, stack: AsyncExitStack, given: tuple[Store, Held, Kinds], plan: StrategiesPlan
) -> _Parts:
    """Start every strategy where it was, then the readers that hand it what it is to see."""
    store, held, kinds = given
    bus, client = service.bus, CommandClient(service.bus)
    letters, announcer = DeadLetters(bus, service.name), Announcer(bus, service.name)
    for end in (letters.flush, announcer.flush):
        stack.push_async_callback(end)
    watchers = Watchers(letters.keep, lambda missed: announcer.on_missed("market", missed))
    documents = StrategyStore(store)
    markets, audit = Markets(bus, watchers), LaneReader(bus, watchers)
    stack.push_async_callback(markets.close)
    stack.push_async_callback(audit.close)
    at_work = AtWork(Acting(bus, documents, client, lambda: held.lease.token > 0), markets, kinds)
    stack.push_async_callback(at_work.close)
    inbox = Inbox(bus, watchers, on_event=at_work.on_event, on_other_stream=at_work.on_other_stream)
    stack.push_async_callback(inbox.close)
    killed: list[str] = []
    await audit.subscribe(KILLS, read_audit, lambda batch: killed.extend(event.target for _, event in batch))
    await markets.open()
    await at_work.start_all()
    await inbox.open(at_work.places())
    owners = Owners(Means(bus, client, documents, at_work, inbox, plan.secrets))
    router = make_router(owners, Explainer(documents, at_work, client))
    return _Parts(at_work, inbox, markets, audit, router, killed)


async def _serve(service: Service, plan: StrategiesPlan, parts: _Parts, held: Held) -> None:
    serving = Serving(service.bus, service.broker, parts.router)
    at_work, failing = parts.at_work, (held.lost, parts.markets.failed, parts.audit.failed)
    ticked = clock.monotonic()
    try:
        await serving.open()
        service.ready()
        async for _ in ticks(
            service.stop, plan.keep_seconds, serving.failed, at_work.failed, parts.inbox.failed, *failing
        ):
            service.report("strategies", len(at_work))
            if clock.monotonic() - ticked >= plan.clock_seconds:
                ticked = clock.monotonic()
                at_work.tick(clock.now_ns())
            await _keep(parts)
    finally:
        await serving.close()


async def _keep(parts: _Parts) -> None:
    try:
        while parts.killed:
            await parts.at_work.pause_all(parts.killed[0], KILLED)
            del parts.killed[0]
        await parts.at_work.keep(parts.inbox.place)
    except (NatsError, StoreError) as error:
        _log.warning("strategies.behind", error=str(error) or type(error).__name__)


@asynccontextmanager
async def _reachable() -> AsyncGenerator[None]:
    """Raise NotReadyError where documents or the bus fail."""
    try:
        yield
    except (StoreError, NatsError, ChangedElsewhereError) as error:
        _log.warning("strategies.failed", error=str(error) or type(error).__name__)
        raise NotReadyError(
            "It is not known how far it went: look at the strategy", waiting_for=["strategies"]
        ) from None


def make_router(owners: Owners, explainer: Explainer) -> NatsRouter:
    """Return the handlers of every command."""
    router = NatsRouter()
    _add_changes(router, owners)

    @router.subscriber(**_command("list"))
    async def on_list(query: words.ListStrategies) -> words.StrategyPage:
        async with _reachable():
            return await owners.list_strategies(query)

    @router.subscriber(**_command("find"))
    async def on_find(query: words.FindStrategy) -> words.StrategyInfo:
        async with _reachable():
            return await owners.find(query)

    @router.subscriber(**_command("why"))
    async def on_why(query: words.StrategyWhy) -> words.StrategyExplanation:
        async with _reachable():
            return await explainer.why(await owners.found(query), query.at)

    @router.subscriber(**_command("signal"))
    async def on_signal(signal: words.TakeSignal) -> words.SignalTaken:
        async with _reachable():
            return await owners.signal(signal)

    return router


def _add_changes(router: NatsRouter, owners: Owners) -> None:
    @router.subscriber(**_command("create"))
    async def on_create(request: words.CreateStrategy) -> words.StrategyShown:
        async with _reachable():
            return await owners.create(request)

    @router.subscriber(**_command("pause"))
    async def on_pause(request: words.ChangeStrategy) -> words.StrategyInfo:
        async with _reachable():
            return await owners.pause(request)

    @router.subscriber(**_command("resume"))
    async def on_resume(request: words.ChangeStrategy) -> words.StrategyInfo:
        async with _reachable():
            return await owners.resume(request)

    @router.subscriber(**_command("stop"))
    async def on_stop(request: words.ChangeStrategy) -> words.StrategyInfo:
        async with _reachable():
            return await owners.stop(request)


def _command(verb: str) -> CommandArguments:
    return command(subjects.STRATEGIES_COMMAND + verb, words.QUEUE)
