"""Reads trades from their stream, publishes candles, and keeps what it needs to go on exactly where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import msgspec
import structlog
from faststream.nats import NatsRouter

from consumers.candles.answers import CandleAnswers, CandleServer
from consumers.candles.core import CandleBook, fold_after
from consumers.candles.gaps import Gaps
from consumers.candles.history import KEPT, CandleHistory
from consumers.candles.rules import CandleRules
from contracts import codec, streams, subjects
from contracts.market import Candle
from contracts.services.candles import CandlesQuery
from runtime import clock
from runtime.app.commands import command
from runtime.app.fold import fold_each
from runtime.app.intervals import ticks
from runtime.app.resume import Mark, Start, find_start
from runtime.app.service import Consumer, Service
from runtime.app.serving import Serving
from runtime.nats.announce import Announcer
from runtime.nats.bus import Bus
from runtime.nats.deadletter import DeadLetters
from runtime.nats.kv.mirror import Mirror
from runtime.nats.kv.restore import Restored
from runtime.nats.kv.writer import BucketWriter
from runtime.nats.lanes.publisher import LanePublisher
from runtime.nats.lanes.reader import Batch, read_event
from runtime.nats.streams.reader import ALL, Row, StreamReader
from runtime.nats.streams.remade import bucket_stream, watch_remade

_log = structlog.get_logger("candles")
_POSITION: Final = "position"
_BEHIND: Final = 5000  # messages: with more waiting, time is the stream's, not the clock's
_AT_ONCE: Final = 2000  # candles a tick: what the lane takes without dropping
_OPEN_SECONDS: Final = 300  # how long streams keep an open candle: the closed one is what lasts
_SCHEMA: Final = codec.schema_of(Candle)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandlePlan:
    """Where to read and keep; seconds between ticks and between saves, messages read again to know repeated trades.

    `keep`: how many closed candles of each instrument and time frame can be requested.
    """

    rules: CandleRules = field(default_factory=CandleRules)
    stream: str = streams.MARKET
    published: tuple[str, ...] = tuple(dict.fromkeys(streams.CANDLE_STREAMS.values()))
    feeds: str = streams.FEEDS
    trades: str = subjects.ALL_TRADES
    bucket: str = streams.CANDLES
    dlq: str = streams.DLQ
    tick_seconds: float = 0.25
    save_seconds: float = 5.0
    overlap: int = 50_000
    keep: int = KEPT


class Position(msgspec.Struct):
    """Up to which message every instrument is saved, when the stream took it, and the candles' own time; ns UTC."""

    seq: int = 0
    time_ns: int = 0
    clock: int = 0


@dataclass(frozen=True, slots=True)
class _Resumed:
    position: Position
    start: Start
    floor: int = 0
    known: dict[str, int] = field(default_factory=dict[str, int])
    missed: int | None = 0


class _Reading:
    """Folds rows into the book; up to `floor`, and to `known` by subject, they were folded before the restart."""

    def __init__(
        self, book: CandleBook, letters: DeadLetters, resumed: _Resumed, on_lost: Callable[[int, int], None]
    ) -> None:
        self._on_lost = on_lost
        self.book, self.floor, self.known = book, resumed.floor, resumed.known
        self.position = resumed.position
        self.now = 0  # of the stream, while there is much to catch up with; 0 otherwise
        self.lost = 0
        self._letters = letters
        self._again_until = max([self.floor, *self.known.values()])
        if resumed.missed != 0:
            self.on_gap(resumed.missed or 0)

    def on_rows(self, rows: Sequence[Row]) -> None:
        begin, end = rows[0].position, rows[-1].position
        self.book.begin(begin.time_ns)
        if begin.stream_seq <= self._again_until:
            self._fold_again(rows)
        else:
            batch = Batch(rows, read_event, self._letters.keep)
            batch.refuse(self.book.fold(batch.events, end.stream_seq))
        if end.stream_seq > self.floor:
            self.position.seq, self.position.time_ns = end.stream_seq, end.time_ns
        self.now = end.time_ns if end.pending > _BEHIND else 0

    def _fold_again(self, rows: Sequence[Row]) -> None:
        """Fold a stretch of which some was folded before the restart, message by message."""
        for row in rows:
            seq = row.position.stream_seq
            batch = Batch([row], read_event, self._letters.keep)
            messages = [(seq, subject, trade) for subject, trade in batch.events]
            batch.refuse(fold_after(self.book, messages, self.known, self.floor))

    def on_gap(self, messages: int) -> None:
        """Messages of the stream are lost; 0: it is another stream, whose sequences say nothing of what was folded."""
        self.lost += messages
        if not messages:
            self.floor, self.known, self._again_until = 0, {}, 0
            self.book.forget_seq()
        self._on_lost(messages, self.position.time_ns)


class _State:
    """What is known of candles; it is made again with the consumer."""

    def __init__(self, plan: CandlePlan) -> None:
        self.book, self.history, self.gaps = CandleBook(plan.rules), CandleHistory(plan.keep), Gaps()
        self.answers = CandleAnswers(self.book, self.history, self.gaps)


def make_consumer(plan: CandlePlan) -> Consumer:
    """Return the consumer that folds trades until it is stopped, then saves, and replies to queries meanwhile."""
    state = _State(plan)
    router = NatsRouter()

    @router.subscriber(**command(subjects.CANDLES_LIST, "candles"))
    async def on_query(query: CandlesQuery) -> bytes:
        """Replies with our own candles."""
        return state.answers.answer(query)

    async def run(service: Service) -> None:
        await _run(service, plan, router, state)

    return Consumer(run, router)


async def _run(service: Service, plan: CandlePlan, router: NatsRouter, state: _State) -> None:
    bus, book = service.bus, state.book
    letters = DeadLetters(bus, service.name, stream=plan.dlq)
    service.keeps(lambda: book.sizes() | state.history.sizes())
    resumed = await _restore(service, book, plan, letters)
    announcer = Announcer(bus, service.name, stream=plan.feeds)

    def on_lost(messages: int, since: int) -> None:
        state.gaps.on_lost(since, clock.now_ns())
        announcer.on_missed(plan.stream, messages)

    reading = _Reading(book, letters, resumed, on_lost)
    async with AsyncExitStack() as stack:
        writer = BucketWriter(bus, plan.bucket)
        for end in (writer.close, letters.flush, announcer.flush):
            stack.push_async_callback(end)
        lane = LanePublisher(bus, on_gap=lambda _: book.touch())
        stack.callback(lane.close)
        await _serve(service, plan, resumed, _Parts(reading, state, router, letters, lane, writer))
        await _save(writer, reading)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the service works with while it serves."""

    reading: _Reading
    state: _State
    router: NatsRouter
    letters: DeadLetters
    lane: LanePublisher
    writer: BucketWriter


async def _serve(service: Service, plan: CandlePlan, resumed: _Resumed, parts: _Parts) -> None:
    bus, reading, book = service.bus, parts.reading, parts.reading.book
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    reader = StreamReader(
        bus,
        plan.stream,
        (plan.trades,),
        on_messages=reading.on_rows,
        on_gap=reading.on_gap,
        failed=failed,
        start=resumed.start,
    )
    history = parts.state.history
    server = CandleServer(bus, Serving(bus, service.broker, parts.router), parts.state.answers, failed)
    feeds = _follow_feeds(bus, parts.letters, parts.state.gaps, (plan.feeds, failed))
    saved = clock.monotonic()
    async with AsyncExitStack() as stack:
        stack.callback(failed.cancel)
        stack.callback(_watch_bucket(bus, plan.bucket, book).cancel)
        for end in (reader.close, feeds.close, server.close):
            stack.push_async_callback(end)
        await reader.open()
        await feeds.open()
        await server.open(plan.published, history)
        service.ready()
        async for _ in ticks(service.stop, plan.tick_seconds, failed):
            _publish(parts.lane, book, history, reading.now or clock.now_ns())
            _report(service, book, reading)
            if clock.monotonic() - saved >= plan.save_seconds:
                await _save(parts.writer, reading)
                saved = clock.monotonic()


def _watch_bucket(bus: Bus, bucket: str, book: CandleBook) -> asyncio.Task[None]:
    """Save every instrument again when the bucket was made again."""
    watching = watch_remade(bus, {bucket_stream(bucket): book.save_again})
    return asyncio.create_task(watching, name=f"watch of {bucket}")


def _follow_feeds(bus: Bus, letters: DeadLetters, gaps: Gaps, plan: tuple[str, asyncio.Future[None]]) -> StreamReader:
    """Read what every feed said, from as long ago as the stream holds it."""
    stream, failed = plan

    def on_rows(rows: Sequence[Row]) -> None:
        batch = Batch(rows, read_event, letters.keep)
        batch.refuse(fold_each(batch.events, lambda _subject, status: gaps.on_status(status)))

    return StreamReader(
        bus, stream, (subjects.ALL_FEEDS,), on_messages=on_rows, on_gap=lambda _: None, failed=failed, start=ALL
    )


async def _restore(service: Service, book: CandleBook, plan: CandlePlan, letters: DeadLetters) -> _Resumed:
    """Take back what was saved and find where to go on: a little earlier than it, to know repeated trades."""
    mirror = await Mirror(service.bus, plan.bucket).open()
    await mirror.close()
    entry = mirror.get(_POSITION)
    place = Restored(plan.bucket, letters.keep)
    position = None if entry is None else place.read(_POSITION, entry.value, msgspec.json.Decoder(Position).decode)
    if position is None:
        return _Resumed(Position(), ALL)
    held = {key: entry.value for key, entry in mirror.entries() if key != _POSITION}
    read = {key: place.read(key, value, partial(book.restore, key)) for key, value in held.items()}
    known = {subjects.TRADE + key: seq for key, seq in read.items() if seq is not None}
    book.clock = position.clock
    if not position.seq:
        return _Resumed(position, ALL, known=known)
    resumed = await find_start(service.bus, plan.stream, Mark(position.seq, position.time_ns, exact=True))
    start = resumed.start
    if start.sequence is None:
        return _Resumed(position, start, missed=None)
    overlapped = Start(sequence=max(1, start.sequence - plan.overlap))
    return _Resumed(position, overlapped, position.seq, known, resumed.missed)


async def _save(writer: BucketWriter, reading: _Reading) -> None:
    """Write every changed instrument, then the position: whatever ends us between, nothing counts twice."""
    book, position = reading.book, reading.position
    position.clock = book.clock
    document = msgspec.json.encode(position)
    for tail, bars in book.save().items():
        writer.put(tail, bars)
    await writer.flush()
    writer.put(_POSITION, document)


def _publish(lane: LanePublisher, book: CandleBook, history: CandleHistory, now: int) -> None:
    for subject, candle in book.tick(now, _AT_ONCE):
        lane.publish(
            subject,
            codec.encode(candle),
            schema=_SCHEMA,
            msg_id=candle.id,
            ttl=None if candle.closed else _OPEN_SECONDS,
        )
        if candle.closed:
            history.save(subject.split(".", 4)[4], candle)


def _report(service: Service, book: CandleBook, reading: _Reading) -> None:
    counts = book.counts
    service.report("folded", counts.folded)
    service.report("duplicates", counts.duplicates)
    service.report("unsized", counts.unsized)
    service.report("ahead", counts.ahead)
    service.report("amended", counts.amended)
    service.report("too_late", sum(counts.too_late.values()))
    service.report("lost", reading.lost)
    service.report("forgotten", book.forgotten)
