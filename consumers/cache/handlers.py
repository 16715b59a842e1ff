"""Reads everything that has a latest state and writes it, conflated, into the STATE bucket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from consumers.cache.core import Faults, StateCache
from contracts import streams, subjects
from contracts.checking import check
from runtime import clock
from runtime.bucket_writer import BucketWriter
from runtime.deadletter import DeadLetters
from runtime.kv import Mirror
from runtime.lane import LaneReader
from runtime.lane_reader import Batch, Watchers, read_event
from runtime.restoring import Restored
from runtime.service import Service
from runtime.stream_api import call
from runtime.stream_reader import ALL, Row, Start, StreamReader
from runtime.turns import turns

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
    """Reads the last day's liquidations anew at each start, so that their totals are whole."""

    def __init__(self, cache: StateCache, letters: DeadLetters) -> None:
        self.cache, self.letters = cache, letters
        self.is_whole = False

    def on_rows(self, rows: Sequence[Row]) -> None:
        batch = Batch([(row.subject, row.payload) for row in rows], read_event, self.letters.keep)
        batch.refuse(self.cache.fold_liquidations(batch.events, clock.now_ns() if self.is_whole else 0))
        self.is_whole = self.is_whole or rows[-1].position.pending == 0


async def run(service: Service, plan: CachePlan) -> None:
    """Fold until the service is stopped; then write what changed last."""
    bus = service.bus
    cache = StateCache()
    letters = DeadLetters(bus, service.name, stream=plan.dlq)
    await _restore(service, cache, plan, letters)
    async with AsyncExitStack() as stack:
        writer = BucketWriter(bus, plan.bucket)
        stack.push_async_callback(writer.close)
        stack.push_async_callback(letters.flush)
        whole = await _serve(service, plan, cache, (letters, writer))
        _drain(service, cache, writer, whole=whole)


async def _serve(
    service: Service, plan: CachePlan, cache: StateCache, outputs: tuple[DeadLetters, BucketWriter]
) -> bool:
    """Fold until the service is stopped; whether every liquidation of the past was read by then."""
    bus, (letters, writer) = service.bus, outputs
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
    try:
        await _subscribe(reader, cache)
        await _follow(service, reader, cache, plan)
        await past.open()
        liquidations.is_whole = liquidations.is_whole or past.backlog == 0
        service.ready()
        measured = 0.0
        async for _ in turns(service.stop, plan.drain_seconds, reader.failed):
            _drain(service, cache, writer, whole=liquidations.is_whole)
            if clock.monotonic() - measured >= _MEASURE_SECONDS:
                measured = clock.monotonic()
                _measure(service, cache)
    finally:
        await past.close()
        await reader.close()
    return liquidations.is_whole


async def _subscribe(reader: LaneReader, cache: StateCache) -> None:
    """Follow what only its newest counts of: what is missed while away is made up for by the next one."""
    await reader.subscribe(subjects.ALL_TICKERS, read_event, partial(_timed, cache.fold_tickers))
    await reader.subscribe(subjects.ALL_TRADES, read_event, partial(_timed, cache.fold_trades))
    for prefix in _BODIES:
        await reader.subscribe(prefix + ">", _checked, partial(_timed, partial(cache.fold_bodies, prefix)))


async def _follow(service: Service, reader: LaneReader, cache: StateCache, plan: CachePlan) -> None:
    """Follow what none may be missed of, from after what is folded already."""
    feeds = await _go_on(service, plan.feeds, cache.find_feeds_seq(), ALL)
    await reader.stream(plan.feeds, (subjects.ALL_FEEDS,), read_event, cache.fold_feeds, start=feeds)
    whales = await _go_on(service, plan.signals, cache.find_whales_seq(), ALL)
    await reader.stream(plan.signals, (subjects.ALL_WHALES,), read_event, cache.fold_whales, start=whales)


async def _go_on(service: Service, stream: str, seq: int, first: Start) -> Start:
    """Give where to go on in a stream: after `seq`, or at `first` where the stream is not the one that was folded."""
    if seq == 0:
        return first
    last = int((await call(service.bus, f"STREAM.INFO.{stream}"))["state"]["last_seq"])
    if last < seq:
        _log.warning("cache.other_stream", stream=stream, saved=seq, last=last)
        return first
    return Start(sequence=seq + 1)


async def _restore(service: Service, cache: StateCache, plan: CachePlan, letters: DeadLetters) -> None:
    mirror = await Mirror(service.bus, plan.bucket).open()
    await mirror.close()
    place = Restored(plan.bucket, letters.keep)
    for key, entry in mirror.entries():
        place.read(key, entry.value, partial(cache.restore, key))  # what is refused, the next event writes anew


def _drain(service: Service, cache: StateCache, writer: BucketWriter, *, whole: bool) -> None:
    changed = cache.drain(clock.now_ns(), liquidations=whole)
    for key, document in changed.items():
        if document is None:
            writer.delete(key)
        else:
            writer.put(key, document)
    service.report("written", len(changed))
    service.report("forgotten", cache.forgotten)


def _measure(service: Service, cache: StateCache) -> None:
    for venue, figures in cache.measure().items():
        for name, nanoseconds in figures.items():
            if nanoseconds is not None:
                service.measure(name, venue, nanoseconds / _SECOND_NS)


def _on_gap(messages: int) -> None:
    _log.warning("cache.events_missed", messages=messages)


def _checked(subject: str, body: bytes) -> bytes:
    check(subject, body, clock.now_ns())
    return body


def _timed(fold: Callable[[Any, int], Faults], batch: Sequence[tuple[str, Any]]) -> Faults:
    return fold(batch, clock.now_ns())
