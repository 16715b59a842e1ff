"""What the streams recorded of an instrument, in the order in which they took it, a few minutes at a time.

Books are read where they are sampled: the stream of books keeps only the newest of each instrument.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from contracts import streams, subjects
from contracts.instrument import make_instrument
from runtime.backtests.job import Row
from runtime.nats.bus import Bus
from runtime.nats.streams.api import call, parse_rfc3339
from runtime.nats.streams.past import scan_past
from runtime.nats.streams.reader import Row as StreamRow

PART_NS: Final = 600 * 10**9


@dataclass(frozen=True, slots=True)
class Source:
    """Subjects of one stream."""

    stream: str
    subjects: tuple[str, ...]


def sources_of(exchange: str, symbol: str, reads: Sequence[str]) -> list[Source]:
    """Return what is read of an instrument, for a strategy that reads `reads`; SymbolSyntaxError for no symbol."""
    tail = make_instrument(exchange, symbol, symbol).tail
    found = [
        Source(streams.FEEDS, (f"{subjects.FEED}{exchange}",)),
        Source(streams.SAMPLES, (f"{subjects.SAMPLE_BOOK}{tail}",)),
        Source(streams.MARKET, (f"{subjects.TRADE}{tail}", f"{subjects.TICKER}{tail}")),
    ]
    for read in reads:
        if read.startswith("candle."):
            timeframe = read.partition(".")[2]
            found.append(Source(streams.CANDLE_STREAMS[timeframe], (f"{subjects.CANDLE}{timeframe}.{tail}",)))
    return found


async def find_exchange(bus: Bus, symbol: str) -> str | None:
    """Return the exchange with most recorded trades of a symbol; None where there are none."""
    tail = make_instrument("any", symbol, symbol).tail.partition(".")[2]
    body = json.dumps({"subjects_filter": f"{subjects.TRADE}*.{tail}"}).encode()
    state = (await call(bus, f"STREAM.INFO.{streams.MARKET}", body))["state"]
    counts = cast("dict[str, int]", cast("dict[str, Any]", state).get("subjects") or {})
    if not counts:
        return None
    most = max(sorted(counts), key=lambda subject: counts[subject])
    return most.removeprefix(subjects.TRADE).partition(".")[0]


async def read_recorded(bus: Bus, sources: Sequence[Source], span: tuple[int, int]) -> AsyncIterator[list[Row]]:
    """Yield the rows of a span (ns UTC) by the time at which their streams took them, part by part.

    TimeoutError names a stream that cannot be read.
    """
    since, until = span
    since = max(since, await _first_ns(bus, sources, until))
    while since < until:
        end = min(since + PART_NS, until)
        rows: list[tuple[int, int, int, Row]] = []
        for number, source in enumerate(sources):
            take = partial(_keep, rows, number)
            await scan_past(bus, source.stream, source.subjects, (since, end - 1), on_rows=take)
        rows.sort(key=lambda row: row[:3])
        if rows:
            yield [row for *_, row in rows]
        since = end


def _keep(rows: list[tuple[int, int, int, Row]], number: int, found: Sequence[StreamRow]) -> None:
    for row in found:
        place = row.position
        rows.append((place.time_ns, number, place.stream_seq, (row.subject.decode(), row.payload, place.time_ns)))


async def _first_ns(bus: Bus, sources: Sequence[Source], until: int) -> int:
    """Return when the oldest message of the streams came; `until` where there is none."""
    firsts = [until]
    for source in sources:
        state = cast("dict[str, Any]", (await call(bus, f"STREAM.INFO.{source.stream}"))["state"])
        if state["messages"]:
            firsts.append(parse_rfc3339(str(state["first_ts"])))
    return min(firsts)
