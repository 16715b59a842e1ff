"""Reads everything that has a latest state and writes it, conflated, into the STATE bucket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from consumers.cache.core import StateCache
from contracts import codec, streams, subjects
from contracts.market import Liquidation, Ticker, Trade
from runtime import clock
from runtime.bucket_writer import BucketWriter
from runtime.deadletter import DeadLetters
from runtime.kv import Mirror
from runtime.lane import LaneReader
from runtime.lane_reader import UNDECODABLE, Watchers
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
        self._decode = codec.decoder(Liquidation).decode

    def on_rows(self, rows: Sequence[Row]) -> None:
        batch: list[tuple[str, Any]] = []
        for row in rows:
            subject = row.subject.decode()
            try:
                batch.append((subject, self._decode(row.payload)))
            except UNDECODABLE as error:
                self.letters.keep(subject, row.payload, error)
        self.cache.fold_liquidations(batch, clock.now_ns() if self.is_whole else 0)
        self.is_whole = self.is_whole or rows[-1].position.pending == 0


async def run(service: Service, plan: CachePlan) -> None:
    """Fold until the service is stopped; then write what changed last."""
    bus = service.bus
    cache = StateCache()
    await _restore(service, cache, plan)
    letters = DeadLetters(bus, service.name, stream=plan.dlq)
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
    writer = BucketWriter(bus, plan.bucket)
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
    _drain(service, cache, writer, whole=liquidations.is_whole)
    await letters.flush()
    await writer.close()


async def _subscribe(reader: LaneReader, cache: StateCache) -> None:
    """Follow what only its newest counts of: what is missed while away is made up for by the next one."""
    folds: tuple[tuple[str, Any, Callable[[Any, int], None]], ...] = (
        (subjects.TICKER, codec.decoder(Ticker).decode, cache.fold_tickers),
        (subjects.TRADE, codec.decoder(Trade).decode, cache.fold_trades),
    )
    for prefix, decode, fold in folds:
        await reader.subscribe(prefix + ">", partial(_decoded, decode), partial(_timed, fold))
    for prefix in _BODIES:
        await reader.subscribe(prefix + ">", _as_it_is, partial(_timed, partial(cache.fold_bodies, prefix)))


async def _follow(service: Service, reader: LaneReader, cache: StateCache, plan: CachePlan) -> None:
    """Follow what none may be missed of, from after what is folded already."""
    feeds = await _go_on(service, plan.feeds, cache.find_feeds_seq(), ALL)
    await reader.stream(plan.feeds, (subjects.ALL_FEEDS,), codec.decode, cache.fold_feeds, start=feeds)
    whales = await _go_on(service, plan.signals, cache.find_whales_seq(), ALL)
    await reader.stream(plan.signals, (subjects.ALL_WHALES,), codec.decode, cache.fold_whales, start=whales)


async def _go_on(service: Service, stream: str, seq: int, first: Start) -> Start:
    """Give where to go on in a stream: after `seq`, or at `first` where the stream is not the one that was folded."""
    if seq == 0:
        return first
    last = int((await call(service.bus, f"STREAM.INFO.{stream}"))["state"]["last_seq"])
    if last < seq:
        _log.warning("cache.other_stream", stream=stream, saved=seq, last=last)
        return first
    return Start(sequence=seq + 1)


async def _restore(service: Service, cache: StateCache, plan: CachePlan) -> None:
    mirror = await Mirror(service.bus, plan.bucket).open()
    await mirror.close()
    for key, entry in mirror.entries():
        try:
            cache.restore({key: entry.value})
        except (*UNDECODABLE, TypeError) as error:  # of an older version: the next event writes it anew
            _log.warning("cache.not_restored", key=key, error=f"{type(error).__name__}: {error}")


def _drain(service: Service, cache: StateCache, writer: BucketWriter, *, whole: bool) -> None:
    changed = cache.drain(clock.now_ns(), liquidations=whole)
    for key, document in changed.items():
        writer.put(key, document)
    service.report("written", len(changed))


def _measure(service: Service, cache: StateCache) -> None:
    for venue, figures in cache.measure().items():
        for name, nanoseconds in figures.items():
            if nanoseconds is not None:
                service.measure(name, venue, nanoseconds / _SECOND_NS)


def _on_gap(messages: int) -> None:
    _log.warning("cache.events_missed", messages=messages)


def _decoded(decode: Callable[[bytes], Any], _subject: str, body: bytes) -> Any:  # a fast struct
    return decode(body)


def _as_it_is(_subject: str, body: bytes) -> bytes:
    return body


def _timed(fold: Callable[[Any, int], None], batch: Sequence[tuple[str, Any]]) -> None:
    fold(batch, clock.now_ns())
