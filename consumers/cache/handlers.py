"""Reads everything that has a latest state and writes it, conflated, into the STATE bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from consumers.cache.core import Faults, StateCache
from consumers.cache.producers import ProducerWatch
from contracts import streams, subjects
from contracts.schema.checking import check
from runtime import clock
from runtime.app.intervals import ticks
from runtime.app.resume import Mark, Resumed, Start, find_start
from runtime.app.service import Service
from runtime.nats.announce import Announcer
from runtime.nats.deadletter import DeadLetters
from runtime.nats.kv.mirror import Mirror
from runtime.nats.kv.restore import Restored
from runtime.nats.kv.writer import BucketWriter
from runtime.nats.lanes.publisher import LaneReader
from runtime.nats.lanes.reader import Batch, Watchers, read_event
from runtime.nats.streams.reader import ALL, Row, StreamReader
from runtime.nats.streams.remade import bucket_stream, watch_remade

_log = structlog.get_logger("cache")
_MEASURE_SECONDS: Final = 5.0
_SECOND_NS: Final = 1_000_000_000
_TOTALS_NS: Final = streams.DAY * _SECOND_NS  # liquidations are summed over a day
_BODIES: Final = (subjects.BOOK, subjects.FUNDING, subjects.INTEREST)


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePlan:
    """Where to read and write; `drain_seconds`: a key is written at most once in so many seconds."""

    liquidations: str = streams.LIQUIDATIONS
    signals: str = streams.SIGNALS
    feeds: str = streams.FEEDS
    bucket: str = streams.STATE
    dlq: str = streams.DLQ
    drain_seconds: float = 0.25


class _Liquidations:
    """Reads the last day's liquidations again at each start, so that their totals are whole."""

    def __init__(self, cache: StateCache, letters: DeadLetters) -> None:
        self.cache, self.letters = cache, letters
        self.is_whole = False

    def on_rows(self, rows: Sequence[Row]) -> None:
        batch = Batch(rows, read_event, self.letters.keep)
        batch.refuse(self.cache.fold_liquidations(batch.events, clock.now_ns() if self.is_whole else 0))
        self.is_whole = self.is_whole or rows[-1].position.pending == 0


async def run(service: Service, plan: CachePlan) -> None:
    """Fold until the service is stopped; then write what changed last."""
    bus = service.bus
    cache = StateCache()
    service.keeps(cache.sizes)
    letters = DeadLetters(bus, service.name, stream=plan.dlq)
    marks = await _restore(service, cache, plan, letters)
    async with AsyncExitStack() as stack:
        writer = BucketWriter(bus, plan.bucket)
        stack.push_async_callback(writer.close)
        stack.push_async_callback(letters.flush)
        whole = await _serve(_Following(service, cache, letters, plan, marks), writer)
        _drain(service, cache, writer, whole=whole)


async def _serve(parts: _Following, writer: BucketWriter) -> bool:
    """Fold until the service is stopped; returns whether every liquidation of the past was read by then."""
    service, cache, letters, plan = parts.service, parts.cache, parts.letters, parts.plan
    bus = service.bus
    reader = LaneReader(bus, Watchers(letters.keep, _on_gap))
    liquidations = _Liquidations(cache, letters)
    past = StreamReader(
        bus,
        plan.liquidations,
        (subjects.ALL_LIQUIDATIONS,),
        on_messages=liquidations.on_rows,
        on_gap=_on_gap,
        failed=reader.failed,
        start=Start(time_ns=clock.now_ns() - _TOTALS_NS),
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(past.close)
        stack.push_async_callback(reader.close)
        await _subscribe(reader, cache)
        followed = await _follow(parts, stack)
        watched = _watch(stack, service, cache, plan)
        await past.open()
        liquidations.is_whole = liquidations.is_whole or past.backlog == 0
        service.ready()
        measured = 0.0
        async for _ in ticks(service.stop, plan.drain_seconds, reader.failed, *followed, watched):
            _drain(service, cache, writer, whole=liquidations.is_whole)
            if clock.monotonic() - measured >= _MEASURE_SECONDS:
                measured = clock.monotonic()
                _measure(service, cache)
    return liquidations.is_whole


@dataclass(frozen=True, slots=True)
class _Following:
    service: Service
    cache: StateCache
    letters: DeadLetters
    plan: CachePlan
    marks: _Marks


def _watch(stack: AsyncExitStack, service: Service, cache: StateCache, plan: CachePlan) -> asyncio.Future[None]:
    """Watch the producers and the bucket for as long as the stack lasts; the future ends with what breaks that."""

    async def watch() -> None:
        producers = ProducerWatch(service.bus, plan.feeds)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(producers.run(), name="watch of the producers")
            tasks.create_task(watch_remade(service.bus, {bucket_stream(plan.bucket): cache.show_all}))
            while True:
                cache.on_silence_limits(producers.silence_limits())
                cache.on_publish_times(producers.publish_times())
                await clock.sleep(1.0)

    task = asyncio.ensure_future(watch())
    stack.callback(task.cancel)
    return task


async def _subscribe(reader: LaneReader, cache: StateCache) -> None:
    """Follow what only its newest counts of: what is missed while away is made up for by the next one."""
    await reader.subscribe(subjects.ALL_TICKERS, read_event, partial(_timed, cache.fold_tickers))
    await reader.subscribe(subjects.ALL_TRADES, read_event, partial(_timed, cache.fold_trades))
    for prefix in _BODIES:
        await reader.subscribe(prefix + ">", _checked, partial(_timed, partial(cache.fold_bodies, prefix)))


async def _follow(parts: _Following, stack: AsyncExitStack) -> list[asyncio.Future[None]]:
    """Follow what none may be missed of, from after what is folded already; the futures end with what breaks that."""
    cache, plan, bus = parts.cache, parts.plan, parts.service.bus
    announcer = Announcer(bus, parts.service.name, stream=plan.feeds)
    followed = (
        (plan.feeds, subjects.ALL_FEEDS, cache.fold_feeds, cache.forget_feeds_seq, parts.marks.feeds),
        (plan.signals, subjects.ALL_WHALES, cache.fold_whales, cache.forget_whales_seq, parts.marks.whales),
    )
    failed: list[asyncio.Future[None]] = []
    for stream, subject, fold, forget, mark in followed:
        on_missed = partial(_on_missed, announcer, stream, forget)
        reader = LaneReader(bus, Watchers(parts.letters.keep, on_missed))
        stack.push_async_callback(reader.close)
        resumed = Resumed(ALL) if not mark.sequence else await find_start(bus, stream, mark)
        if resumed.missed != 0:
            on_missed(resumed.missed or 0)
        await reader.stream(stream, (subject,), read_event, fold, start=resumed.start)
        failed.append(reader.failed)
    stack.push_async_callback(announcer.flush)
    return failed


def _on_missed(announcer: Announcer, stream: str, forget: Callable[[], None], messages: int) -> None:
    if not messages:
        forget()
    announcer.on_missed(stream, messages)


@dataclass(frozen=True, slots=True)
class _Marks:
    """What was folded of each stream, proved by when the documents that say so were stored."""

    feeds: Mark
    whales: Mark


async def _restore(service: Service, cache: StateCache, plan: CachePlan, letters: DeadLetters) -> _Marks:
    mirror = await Mirror(service.bus, plan.bucket).open()
    await mirror.close()
    place = Restored(plan.bucket, letters.keep)
    times = dict.fromkeys((subjects.STATE_FEED, subjects.STATE_WHALES), 0)
    for key, entry in mirror.entries():
        place.read(key, entry.value, partial(cache.restore, key))  # what is refused, the next event writes again
        for prefix, newest in times.items():
            if key.startswith(prefix):
                times[prefix] = max(newest, entry.time_ns)
    return _Marks(
        Mark(cache.find_feeds_seq(), times[subjects.STATE_FEED]),
        Mark(cache.find_whales_seq(), times[subjects.STATE_WHALES]),
    )


def _drain(service: Service, cache: StateCache, writer: BucketWriter, *, whole: bool) -> None:
    changed = cache.drain(clock.now_ns(), liquidations=whole)
    for key, document in changed.items():
        if document is None:
            writer.delete(key)
        else:
            writer.put(key, document)
    for venue, (hop, kind, nanoseconds) in cache.take_hops():
        service.hop(hop, venue, kind, nanoseconds / _SECOND_NS)
    service.report("written", len(changed))
    service.report("forgotten", cache.forgotten)


def _measure(service: Service, cache: StateCache) -> None:
    for venue, figures in cache.measure().items():
        for name, value in figures.items():
            service.measure(name, venue, value)


def _on_gap(messages: int) -> None:
    _log.warning("cache.events_missed", messages=messages)


def _checked(subject: str, body: bytes) -> bytes:
    check(subject, body, clock.now_ns())
    return body


def _timed(fold: Callable[[Any, int], Faults], batch: Sequence[tuple[str, Any]]) -> Faults:
    return fold(batch, clock.now_ns())
