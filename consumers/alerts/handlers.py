"""Serves `cmd.v1.alerts.*` and makes alerts while it holds the lease; other processes stand by."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import structlog
from faststream.nats import NatsRouter
from nats.errors import Error as NatsError

from consumers.alerts.changes import PRICES, AlertChanges
from consumers.alerts.everybody import Everybody, EverybodyRules
from consumers.alerts.explaining.answers import Answers
from consumers.alerts.explaining.everybody import EverybodyExplainer
from consumers.alerts.explaining.prices import PriceExplainer
from consumers.alerts.outbox import Outbox
from consumers.alerts.reading import EverybodyReader, PriceReader, Reading, find_end
from consumers.alerts.store import INDEXES, AlertStore
from consumers.alerts.watching import Watchlist
from contracts import streams, subjects
from contracts.services import alerts
from contracts.services.alerts import QUEUE
from contracts.services.explaining import Explanation
from runtime import clock
from runtime.app.commands import CommandArguments, command
from runtime.app.intervals import ticks
from runtime.app.leased import hold_documents
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.nats.announce import Announcer
from runtime.nats.bus import NoAnswerError
from runtime.nats.deadletter import DeadLetters
from runtime.store import StoreError

_log = structlog.get_logger("alerts")
_EXPLAINED_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsPlan:
    """Where the documents are, the rules of alerts for everybody, and seconds between looks and between saves."""

    documents: str
    rules: EverybodyRules
    lease: str = "alerts"
    lease_seconds: float = 15.0
    tick_seconds: float = 0.05
    save_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class _Parts:
    """What runs together while the lease is held."""

    store: AlertStore
    outbox: Outbox
    changes: AlertChanges
    prices: PriceReader
    everybody: tuple[EverybodyReader, ...]
    reading: Reading

    async def settle(self) -> bool:
        """Publish what waits; False where that failed and comes again."""
        if not self.outbox.waits:
            return True
        try:
            await self.outbox.settle()
        except (NatsError, NoAnswerError, StoreError) as error:
            _log.warning("alerts.behind", error=str(error) or type(error).__name__)
            return False
        return True

    async def save(self) -> None:
        """Keep how far everything was read, behind what was decided of it."""
        saved = [reader.saved() for reader in self.everybody]
        try:
            await self.outbox.keep()
            await self.changes.keep()
            for one in saved:
                await self.store.save_silences(*one)
        except StoreError as error:
            _log.warning("alerts.not_saved", error=str(error))


async def run(service: Service, plan: AlertsPlan) -> None:
    """Serve until the service is stopped."""
    async with AsyncExitStack() as stack:
        opened = await hold_documents(service, stack, plan, INDEXES)
        if opened is None:
            return
        held, store = opened
        documents = AlertStore(store, held.lease.token)
        letters = DeadLetters(service.bus, service.name)
        announcer = Announcer(service.bus, service.name)
        for end in (letters.flush, announcer.flush):
            stack.push_async_callback(end)
        reading = Reading(service.bus, letters.keep, announcer.on_missed)
        stack.callback(reading.failed.cancel)
        parts = await _begin(plan, documents, reading, Outbox(service.bus, documents, letters))
        stack.push_async_callback(parts.prices.close)
        for reader in parts.everybody:
            stack.push_async_callback(reader.close)
        await _serve(service, plan, parts, held.lost)


async def _begin(plan: AlertsPlan, store: AlertStore, reading: Reading, outbox: Outbox) -> _Parts:
    """Take back what was saved, and go on from there."""
    watchlist = Watchlist()
    prices = PriceReader(reading, watchlist, outbox)
    changes = AlertChanges(reading.bus, store, watchlist, prices)
    await changes.load()
    await outbox.recover()
    seq, seq_ns, _ = await store.load_silences(PRICES)
    if not seq_ns:
        seq, seq_ns = await find_end(reading.bus, PRICES)
        await store.save_silences(PRICES, seq, seq_ns, "{}")
    await prices.begin(seq, seq_ns)
    everybody = Everybody(plan.rules)
    readers = tuple(
        EverybodyReader(reading, everybody, outbox, stream) for stream in (streams.SIGNALS, streams.LIQUIDATIONS)
    )
    for reader in readers:
        await reader.begin(store)
    return _Parts(store, outbox, changes, prices, readers, reading)


async def _serve(service: Service, plan: AlertsPlan, parts: _Parts, lost: asyncio.Future[None]) -> None:
    explainers = (
        PriceExplainer(service.bus, parts.store),
        EverybodyExplainer(service.bus, parts.store, plan.rules),
    )
    answers = Answers(service.bus, parts.store, parts.changes, explainers)
    serving = Serving(service.bus, service.broker, make_router(parts.changes, answers))
    saved = clock.monotonic()
    try:
        await serving.open()
        service.ready()
        async for _ in ticks(service.stop, plan.tick_seconds, serving.failed, lost, parts.reading.failed):
            settled = await parts.settle()
            if clock.monotonic() - saved >= plan.save_seconds:
                await parts.save()
                service.report("sent", parts.outbox.sent)
                service.report("folded", parts.prices.folded)
                service.report("behind", int(not settled))
                saved = clock.monotonic()
        await parts.prices.close()
        await parts.settle()
        await parts.save()
    finally:
        await serving.close()


def make_router(changes: AlertChanges, answers: Answers) -> NatsRouter:
    """Return the handlers of every command."""
    router = NatsRouter()

    @router.subscriber(**_command("create"))
    async def on_create(request: alerts.CreateAlert) -> alerts.PriceAlert:
        return await changes.create(request)

    @router.subscriber(**_command("list"))
    async def on_list(query: alerts.ListAlerts) -> alerts.AlertPage:
        return await changes.list(query)

    @router.subscriber(**_command("find"))
    async def on_find(request: alerts.FindAlert) -> alerts.PriceAlert:
        return await changes.show(request)

    @router.subscriber(**_command("update"))
    async def on_update(request: alerts.UpdateAlert) -> alerts.PriceAlert:
        return await changes.update(request)

    @router.subscriber(**_command("snooze"))
    async def on_snooze(request: alerts.SnoozeAlert) -> alerts.PriceAlert:
        return await changes.snooze(request)

    @router.subscriber(**_command("delete"))
    async def on_delete(request: alerts.DeleteAlert) -> alerts.Deleted:
        return await changes.delete(request)

    _add_answers(router, answers)
    return router


def _add_answers(router: NatsRouter, answers: Answers) -> None:
    @router.subscriber(**_command("fired"))
    async def on_fired(query: alerts.FiredQuery) -> alerts.FiredPage:
        return await answers.fired(query)

    @router.subscriber(**_command("why", at_once=_EXPLAINED_AT_ONCE))
    async def on_why(query: alerts.AlertWhyQuery) -> Explanation:
        return await answers.why(query)

    @router.subscriber(**_command("why_not", at_once=_EXPLAINED_AT_ONCE))
    async def on_why_not(query: alerts.AlertWhyNotQuery) -> Explanation:
        return await answers.why_not(query)

    @router.subscriber(**_command("dry_run", at_once=_EXPLAINED_AT_ONCE))
    async def on_dry_run(query: alerts.AlertDryRunQuery) -> alerts.AlertDryRun:
        return await answers.dry_run(query)


def _command(verb: str, at_once: int = 16) -> CommandArguments:
    return command(subjects.ALERTS_COMMAND + verb, QUEUE, at_once=at_once)
