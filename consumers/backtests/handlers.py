"""Serves `cmd.v1.backtests.*` and works on what waits, one after another, while it holds the lease; others stand by."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

import structlog
from faststream.nats import NatsRouter

from consumers.backtests import core
from consumers.backtests.store import INDEXES, BacktestStore
from contracts import subjects
from contracts.errors import LimitReachedError, NoDataError, NotFoundError, NotReadyError
from contracts.services.responses import pages_of
from contracts.services.trading import backtests as words
from runtime import clock
from runtime.app.commands import CommandArguments, command
from runtime.app.intervals import ticks
from runtime.app.leased import hold_documents
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.backtests.job import JobResult, check
from runtime.backtests.recorded import find_exchange
from runtime.backtests.running import run_recorded
from runtime.drawing.thread import Drawing
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.streams.api import ApiRefusalError
from runtime.store import StoreError
from runtime.strategies.loading import Kinds
from runtime.tasks import end_tasks
from runtime.trading.rules import paper_rules

_log = structlog.get_logger("backtests")
_ID_BYTES: Final = 8
_UNREADABLE: Final = (TimeoutError, NoAnswerError, ApiRefusalError)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestsPlan:
    """Where the documents are, and own strategies, if there are any; seconds between looks at what waits."""

    documents: str
    own: Path | None = None
    lease: str = "backtests"
    lease_seconds: float = 15.0
    tick_seconds: float = 0.2


async def run(service: Service, plan: BacktestsPlan) -> None:
    """Serve until the service is stopped; what is being worked on then is begun again by whoever is next."""
    async with AsyncExitStack() as stack:
        opened = await hold_documents(service, stack, plan, INDEXES)
        if opened is None:
            return
        held, store = opened
        drawing = Drawing()
        stack.callback(drawing.close)
        backtests = Backtests(service.bus, BacktestStore(store), Kinds(plan.own), plan.own)
        serving = Serving(service.bus, service.broker, make_router(backtests, drawing))
        working = asyncio.create_task(_work(service, backtests, plan), name="backtests")
        try:
            await serving.open()
            service.ready()
            async for _ in ticks(service.stop, 1.0, serving.failed, held.lost, working):
                service.report("serving", 1)
        finally:
            await end_tasks([working])
            await serving.close()


async def _work(service: Service, backtests: Backtests, plan: BacktestsPlan) -> None:
    async for _ in ticks(service.stop, plan.tick_seconds):
        try:
            while not service.stop.is_set() and await backtests.work():
                pass
        except StoreError as error:
            _log.warning("backtests.behind", error=str(error) or type(error).__name__)


@dataclass(frozen=True, slots=True)
class Backtests:
    """The backtests of all owners."""

    bus: Bus
    store: BacktestStore
    kinds: Kinds
    own: Path | None

    async def create(self, request: words.CreateBacktest) -> core.Kept:
        """Keep a new one; refuses what cannot be run, and what no recorded trade is of."""
        kind = self.kinds.find(request.strategy.kind)
        paper_rules(request.strategy.symbol)
        exchange = request.exchange or await find_exchange(self.bus, request.strategy.symbol)
        if exchange is None:
            symbol = request.strategy.symbol
            raise NoDataError(f"No trades of {symbol} are recorded", symbol=symbol)
        kept = core.keep(request, secrets.token_hex(_ID_BYTES), exchange, clock.now_ns())
        check(core.job_of(kept, None), kind)
        if await self.store.count_waiting(request.owner) >= words.MOST_WAITING:
            raise LimitReachedError(
                f"{words.MOST_WAITING} backtests wait already: they are worked on one after another",
                maximum=words.MOST_WAITING,
            )
        await self.store.create(kept)
        return kept

    async def find(self, query: words.FindBacktest) -> core.Kept:
        """Return one; NotFoundError where the owner has none of that id."""
        kept = await self.store.find(query.owner, query.id)
        if kept is None:
            raise NotFoundError(f"There is no backtest {query.id}", id=query.id)
        return kept

    async def work(self) -> bool:
        """Work on the one that waits longest; returns whether there was one."""
        kept = await self.store.find_next()
        if kept is None:
            return False
        began = clock.monotonic()
        if kept.begun >= core.MOST_BEGUN:
            result = JobResult(status="failed", reason=f"it was begun {kept.begun} times and never ended")
        else:
            await self.store.begin(kept.id)
            result = await self._run(kept)
        await self.store.end(kept.id, result)
        _log.info("backtests.ended", id=kept.id, status=result.status, seconds=round(clock.monotonic() - began, 3))
        return True

    async def _run(self, kept: core.Kept) -> JobResult:
        job = core.job_of(kept, None if self.own is None else str(self.own))
        try:
            return await run_recorded(self.bus, job, self.kinds.find(job.kind))
        except _UNREADABLE as error:
            return JobResult(status="failed", reason=f"the recorded events could not be read: {error}")


def make_router(backtests: Backtests, drawing: Drawing) -> NatsRouter:
    """Return the handlers of every command."""
    router = NatsRouter()

    @router.subscriber(**_command("create"))
    async def on_create(request: words.CreateBacktest) -> words.BacktestInfo:
        async with _reachable():
            return core.describe(await backtests.create(request))

    @router.subscriber(**_command("find"))
    async def on_find(query: words.FindBacktest) -> words.BacktestInfo:
        async with _reachable():
            return core.describe(await backtests.find(query))

    @router.subscriber(**_command("equity"))
    async def on_equity(query: words.FindEquity) -> words.EquityPicture:
        async with _reachable():
            info = core.describe(await backtests.find(query))
        if info.status != "done":
            raise NotFoundError(f"The backtest {query.id} has no curve: it is {info.status}", id=query.id)
        png = await drawing.draw(_draw, info)
        return words.EquityPicture(png=base64.b64encode(png).decode())

    @router.subscriber(**_command("list"))
    async def on_list(query: words.ListBacktests) -> words.BacktestPage:
        async with _reachable():
            found, total = await backtests.store.list_backtests(query)
        return words.BacktestPage(
            items=[core.describe(kept, whole=False) for kept in found],
            total=total,
            page=query.page,
            page_size=query.page_size,
            pages=pages_of(total, query.page_size),
        )

    return router


def _draw(info: words.BacktestInfo) -> bytes:
    """Return the picture of a curve; what draws is loaded once it is needed, so that no other process carries it."""
    png: bytes = import_module("runtime.backtests.picture").draw_equity(info)
    return png


def _command(verb: str) -> CommandArguments:
    return command(subjects.BACKTESTS_COMMAND + verb, words.QUEUE)


@asynccontextmanager
async def _reachable() -> AsyncGenerator[None]:
    """Raise NotReadyError where the document store or the bus fails."""
    try:
        yield
    except (StoreError, NoAnswerError) as error:
        _log.warning("backtests.failed", error=str(error))
        raise NotReadyError("The documents or the streams are not available", waiting_for=["document store"]) from None
