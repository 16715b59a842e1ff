"""Serves `cmd.v1.market.*` from the mirrored state, and publishes the consolidated market while it holds the lease.

A few lines over the usual length of a file: every question with what answers it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from faststream import Response
from faststream.nats import NatsMessage, NatsRouter
from pydantic import BaseModel

from consumers.market import answering
from consumers.market.answering import Answer, Answerer, Composed, read_query
from consumers.market.answers.coverage import compose_coverage
from consumers.market.answers.sentiment import compose_sentiment
from consumers.market.candles.fetched import FetchCache
from consumers.market.candles.history import CandleSource
from consumers.market.candles.ohlc import Ohlc
from consumers.market.core import VERBS, Inside, compose_status
from consumers.market.liquidations.maps import LiquidationMaps
from consumers.market.liquidations.reading import LiquidationReader
from consumers.market.mirrors import Listing, MirroredBucket
from consumers.market.past.answering import PastAnswers, Recordings, is_past, read_maps
from consumers.market.past.listing import PastListing
from consumers.market.past.reading import Recording
from consumers.market.publishing import Consolidator
from consumers.market.sentiment.core import read_analyzer
from consumers.market.state import MarketState, Reader
from contracts import codec, streams, subjects
from contracts.consolidated import ConsolidatedBook, ConsolidatedTicker
from contracts.services.coverage import CoverageQuery
from contracts.services.market import QUEUE, LiquidationMapQuery, OhlcQuery, StatusQuery
from contracts.services.sentiment import LONGEST_TEXT, SentimentQuery
from runtime import clock
from runtime.app.commands import command
from runtime.app.fold import Fault, fold_each
from runtime.app.intervals import ticks
from runtime.app.service import OnHop, Service
from runtime.app.serving import Serving
from runtime.clients.cache_drops import serve_drops
from runtime.coverage.view import LedgerView
from runtime.nats.bus import Bus
from runtime.nats.lanes.publisher import LanePublisher, LaneReader
from runtime.nats.lanes.reader import Watchers, read_event
from runtime.nats.leases.lease import Lease
from runtime.tasks import end_tasks

_log = structlog.get_logger("market")
_LOOK_SECONDS: Final = 1.0
_AT_ONCE: Final = 256
_MEASURED_EVERY: Final = 8  # questions of a verb
_MOST_TEXT_BYTES: Final = 12 * LONGEST_TEXT + 256  # each character may be two escapes
Find = Callable[[bytes], Awaitable[Answer]]
_BUDGET_SECONDS: Final = 0.025  # of each turn: what does not fit waits for the next one
_SCHEMAS: Final = {
    subjects.CONSOLIDATED_TICKER: codec.schema_of(ConsolidatedTicker),
    subjects.CONSOLIDATED_BOOK: codec.schema_of(ConsolidatedBook),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPlan:
    """What is mirrored; when data is stale (ns); seconds without the bus after which all of it is; what is kept.

    `turn_seconds`: a market is published at most once in so many; `lease_seconds`: after a silent publisher another
    one begins.
    """

    state: str = streams.STATE
    instruments: str = streams.INSTRUMENTS
    coverage: str = streams.COVERAGE
    past: str = streams.PAST
    past_books: str = streams.PAST_BOOKS
    past_trades: str = streams.PAST_TRADES
    liquidations: str = streams.LIQUIDATIONS
    stale_after_ns: int = 30_000_000_000
    cut_after_seconds: float = 20.0
    fetched: bool = True
    turn_seconds: float = 0.1
    lease: str = "market.consolidated"
    lease_seconds: float = 5.0


class Core:
    """What answers: the mirrors, the state over them, and what is kept of it."""

    def __init__(self, bus: Bus, plan: MarketPlan) -> None:
        self._bus, self._plan = bus, plan
        self.bucket = MirroredBucket(bus, plan.state, self._on_state)
        self.instruments = MirroredBucket(bus, plan.instruments, self._on_listing)
        self.state = MarketState(self.bucket, plan.stale_after_ns, self._is_current, _on_unreadable)
        self.coverage = MirroredBucket(bus, plan.coverage, lambda _: None)
        self._ledger = LedgerView(self.coverage.get)
        self.listing = Listing(self._listed, self._save_symbols)
        self.consolidator = Consolidator(self.state)
        self.answerer = Answerer(self.state)
        self.fetched = FetchCache(enabled=plan.fetched)
        self.analyzer = read_analyzer()
        self.ohlc = Ohlc(self.state, CandleSource(bus, self.fetched))
        self.maps = LiquidationMaps(bus, plan.liquidations, self.state)
        self.past = PastAnswers(
            self.state,
            Recordings(
                trades=Recording(bus, plan.past_trades, plan.state),
                books=Recording(bus, plan.past_books, plan.state),
                rest=Recording(bus, plan.past, plan.state),
            ),
            (self.bucket, self.coverage),
            (
                PastListing(bus, self.instruments, lambda: self.state.listed),
                read_maps(partial(LiquidationReader, bus, plan.liquidations)),
            ),
        )

    @property
    def is_ready(self) -> bool:
        """Whether everything was read once, and what was listed is indexed."""
        indexed = bool(self.state.symbols.instruments) or not self.listing.behind
        return self.bucket.loaded and self.instruments.loaded and indexed

    def take_ledger(self) -> None:
        """Answer by the ledger of coverage from when it was read on."""
        if self.coverage.loaded:
            self.state.ledger = self._ledger

    async def find(self, model: type[BaseModel], compose: Callable[..., Composed], body: bytes) -> Answer:
        """Answer from memory, or as it was; refusals are raised."""
        if is_past(body) and (answer := await self.past.answer(model, compose, body)) is not None:
            return answer
        return self.answerer.answer(model, compose, body, clock.now_ns())

    async def find_candles(self, body: bytes) -> Answer:
        """Answer with candles."""
        query = read_query(OhlcQuery, body)
        composed = await self.ohlc.compose(query, clock.now_ns())
        return answering.encode(composed).render(clock.now_ns())

    async def find_coverage(self, body: bytes) -> Answer:
        """Answer how much was received."""
        query, now_ns = read_query(CoverageQuery, body), clock.now_ns()
        return answering.encode(compose_coverage(Reader(self.state, now_ns), query)).render(now_ns)

    async def find_map(self, body: bytes) -> Answer:
        """Answer with a liquidation map, or with one as it was."""
        if is_past(body) and (answer := await self.past.answer(LiquidationMapQuery, None, body)) is not None:
            return answer
        query = read_query(LiquidationMapQuery, body)
        composed = await self.maps.compose(query)
        return answering.encode(composed).render(clock.now_ns())

    async def find_sentiment(self, body: bytes) -> Answer:
        """Answer about a text."""
        query = read_query(SentimentQuery, body, _MOST_TEXT_BYTES)
        now_ns = clock.now_ns()
        return answering.encode(Composed(compose_sentiment(self.analyzer, query, now_ns))).render(now_ns)

    async def find_status(self, body: bytes) -> Answer:
        """Answer about this core itself."""
        read_query(StatusQuery, body)
        mirrors = {self.bucket.name: self.bucket, self.instruments.name: self.instruments}
        inside = Inside(self.state, self.answerer, mirrors, self.fetched.describe(), self.listing.behind)
        now_ns = clock.now_ns()
        return answering.encode(Composed(compose_status(inside, now_ns))).render(now_ns)

    def _is_current(self) -> bool:
        """Whether what is in memory is what is on the bus."""
        return self._bus.connected and self.bucket.age() <= self._plan.cut_after_seconds

    def _on_state(self, key: str) -> None:
        self.consolidator.on_state(key)

    def _on_listing(self, key: str) -> None:
        self.listing.on_change(key)

    def _save_symbols(self, symbols: Any) -> None:
        self.state.save_symbols(symbols)
        self.consolidator.on_listing()

    def _listed(self) -> dict[str, bytes]:
        return {key: body for key in self.instruments.keys() if (body := self.instruments.get(key)) is not None}  # noqa: SIM118


async def run(service: Service, plan: MarketPlan) -> None:
    """Answer and publish until the service is stopped."""
    core = Core(service.bus, plan)
    service.keeps(core.maps.history.sizes)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(core.fetched.close)
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stack.callback(failed.cancel)
        followed = (core.bucket, core.instruments, core.coverage, core.listing, core.maps)
        for work in [one.run() for one in followed]:
            stack.push_async_callback(_end, _begin(work, failed))
        async for _ in ticks(service.stop, 0.02, failed):
            core.take_ledger()
            if core.is_ready:
                break
        if service.stop.is_set():
            return
        reader = LaneReader(service.bus, Watchers(_on_bad, lambda _: None))
        stack.push_async_callback(reader.close)
        await reader.subscribe(subjects.ALL_TICKERS, read_event, partial(_fold, core.consolidator))
        serving = Serving(service.bus, service.broker, make_router(core, service.hop))
        stack.push_async_callback(serving.close)
        await serving.open()
        await serve_drops(service.bus, "market", core.fetched.drop_meant)
        stack.callback(service.bus.listen_reconnect(core.fetched.clear))  # a drop may have been missed meanwhile
        stack.push_async_callback(_end, _begin(_publish(service, core, plan), failed))
        service.ready()
        async for _ in ticks(service.stop, _LOOK_SECONDS, failed, reader.failed):
            core.take_ledger()
            core.consolidator.look(clock.now_ns())
            _report(service, core)


def make_router(core: Core, hop: OnHop) -> NatsRouter:
    """Return the handlers of every question; they take the request's bytes, by which answers are kept."""
    router = NatsRouter()
    serving: dict[str, Find] = {verb: partial(core.find, entry.query, entry.compose) for verb, entry in VERBS.items()}
    serving |= {"status": core.find_status, "ohlc": core.find_candles, "sentiment": core.find_sentiment}
    serving["coverage"] = core.find_coverage
    serving["liqmap"] = core.find_map
    for verb, find in serving.items():
        arguments = command(subjects.MARKET_COMMAND + verb, QUEUE, at_once=_AT_ONCE)
        router.subscriber(**arguments, decoder=_as_bytes)(_replying(find, partial(hop, "reply", "all", verb)))
    return router


def _replying(find: Find, on_reply: Callable[[float], None]) -> Callable[[bytes], Awaitable[Response]]:
    asked = itertools.count()

    async def on_question(body: bytes) -> Response:
        began = clock.monotonic()
        answer = await find(body)
        if next(asked) % _MEASURED_EVERY == 0:
            on_reply(clock.monotonic() - began)
        return Response(answer.body, headers=dict(answer.headers))

    return on_question


async def _as_bytes(message: NatsMessage) -> bytes:
    return message.body


async def _publish(service: Service, core: Core, plan: MarketPlan) -> None:
    """Publish what changed while the lease is ours; wait for it whenever it is not."""
    lease = Lease(service.bus, plan.lease, on_lost=core.consolidator.forget, ttl=plan.lease_seconds)
    lane = LanePublisher(service.bus, on_gap=lambda _: core.consolidator.forget())
    try:
        while True:
            await lease.acquire()
            core.consolidator.forget()
            while lease.held:
                await _publish_changed(core.consolidator, lane)
                await clock.sleep(plan.turn_seconds)
    finally:
        await lease.release()
        lane.close()


async def _publish_changed(consolidator: Consolidator, lane: LanePublisher) -> None:
    """Publish for a part of the turn at most; commands are answered between."""
    until = clock.monotonic() + _BUDGET_SECONDS
    for number, output in enumerate(consolidator.drain(clock.now_ns())):
        if output is not None:
            subject, name, body = output
            lane.publish(subject, body, schema=_schema_of(subject), msg_id=name)
        if number % 16 == 15:  # noqa: PLR2004  # others may go on
            await clock.sleep(0)
        if clock.monotonic() >= until:
            return


def _schema_of(subject: str) -> str:
    return next(schema for prefix, schema in _SCHEMAS.items() if subject.startswith(prefix))


def _fold(consolidator: Consolidator, batch: Sequence[tuple[str, Any]]) -> Sequence[Fault]:
    return fold_each(batch, consolidator.on_ticker)


def _on_bad(_subject: str, _payload: bytes, _error: Exception) -> None:
    """What cannot be read is kept as a dead letter by the cache, which reads the same subjects."""


def _on_unreadable(key: str, error: Exception) -> None:
    _log.error("state.undecodable", document=key, error=str(error))


def _report(service: Service, core: Core) -> None:
    service.report("answers_kept", core.answerer.hits)
    service.report("answers_made", core.answerer.misses)
    service.report("markets_waiting", core.consolidator.waiting)
    service.report("liquidations_held", len(core.maps.history))


def _begin(work: Any, failed: asyncio.Future[None]) -> asyncio.Task[None]:
    """Begin a part; what ends it with an error ends the service."""
    task: asyncio.Task[None] = asyncio.create_task(work)

    def on_done(ended: asyncio.Task[None]) -> None:
        if not ended.cancelled() and (error := ended.exception()) is not None and not failed.done():
            failed.set_exception(error)

    task.add_done_callback(on_done)
    return task


async def _end(task: asyncio.Task[None]) -> None:
    await end_tasks([task])
