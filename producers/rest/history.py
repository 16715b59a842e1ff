"""A venue's history over REST, pure: which calls fetch a span of candles, and how larger time frames are summed up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw

from contracts.codec import fast
from contracts.errors import FrameError, InvalidParameterError
from contracts.instrument import Instrument
from contracts.market import Candle, Trade
from producers.connection.frames import read_each
from producers.venue import DecodeCandles, Decoded, History, Span

FastCandle: Final = fast(Candle)
FastTrade: Final = fast(Trade)
SECOND: Final = 1_000_000_000
SECONDS: Final[dict[str, int]] = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "4h": 14400,
    "1d": 86400,
    "1w": 604800,
}
MONDAY: Final = 4 * 86400  # 1970-01-05 was one
MOST_CALLS: Final = 12
Bar = tuple[int, dict[str, Any]]  # when a candle begins (ns UTC), and the figures that it has


def start_of(timeframe: str, ts: int) -> int:
    """Return the start (ns UTC) of the candle that a time falls into; weeks begin on Monday."""
    length = SECONDS[timeframe] * SECOND
    shift = MONDAY * SECOND if timeframe == "1w" else 0
    return (ts - shift) // length * length + shift


def source_of(history: History, timeframe: str) -> str:
    """Return the time frame to request of the venue: the same, or the largest smaller one that it is made of."""
    if timeframe in history.timeframes:
        return timeframe
    length = SECONDS[timeframe]
    fitting = [name for name in history.timeframes if SECONDS[name] < length and length % SECONDS[name] == 0]
    if not fitting:
        raise InvalidParameterError(
            f"the venue has no candles that {timeframe} could be made of", parameter="timeframe"
        )
    return max(fitting, key=lambda name: SECONDS[name])


def list_spans(history: History, wanted: Span) -> list[Span]:
    """Return the spans to request, newest first; raises InvalidParameterError where that takes too many calls."""
    source = source_of(history, wanted.timeframe)
    step, length = SECONDS[source] * SECOND, SECONDS[wanted.timeframe] * SECOND
    last = start_of(wanted.timeframe, wanted.end_ts - 1) + length
    first = max(start_of(wanted.timeframe, wanted.start_ts), last - wanted.limit * length)
    found: list[Span] = []
    end = last
    while end > first:
        begin = max(first, end - history.most_candles * step)
        found.append(Span(source, begin, end, (end - begin) // step, wanted.asked_ts))
        end = begin
    if len(found) > MOST_CALLS:
        raise InvalidParameterError(
            f"{wanted.timeframe} over this span takes {len(found)} calls of the venue, at most {MOST_CALLS} are made",
            parameter="start_ts",
        )
    return found


def assemble(candles: Iterable[Decoded], wanted: Span, instrument: Instrument) -> list[Decoded]:
    """Return the wanted candles, oldest first, each start once; those of a larger time frame are summed up."""
    by_start: dict[int, Decoded] = {}
    for candle in candles:
        by_start[candle.start_ts] = candle
    ordered = [by_start[start] for start in sorted(by_start)]
    if ordered and ordered[0].timeframe != wanted.timeframe:
        ordered = list(_sum_up(ordered, wanted.timeframe, instrument))
    kept = [item for item in ordered if wanted.start_ts <= item.start_ts < wanted.end_ts]
    return kept[-wanted.limit :]


def _sum_up(ordered: Sequence[Decoded], timeframe: str, instrument: Instrument) -> Iterator[Decoded]:
    group: list[Decoded] = []
    for candle in ordered:
        if group and start_of(timeframe, candle.start_ts) != start_of(timeframe, group[0].start_ts):
            yield _one(group, timeframe, instrument)
            group = []
        group.append(candle)
    if group:
        yield _one(group, timeframe, instrument)


def _one(group: Sequence[Decoded], timeframe: str, instrument: Instrument) -> Decoded:
    first, last = group[0], group[-1]
    start = start_of(timeframe, first.start_ts)
    end = start + SECONDS[timeframe] * SECOND
    counts = [item.trades for item in group]
    return FastCandle(
        id=candle_id(instrument, timeframe, start),
        venue=first.venue,
        symbol=first.symbol,
        venue_symbol=first.venue_symbol,
        ts_event=None,
        ts_recv=last.ts_recv,
        sim=any(item.sim for item in group),
        timeframe=timeframe,
        open=first.open,
        high=max((item.high for item in group), key=Decimal),
        low=min((item.low for item in group), key=Decimal),
        close=last.close,
        volume=_sum([item.volume for item in group]),
        quote_volume=_sum([item.quote_volume for item in group]),
        trades=None if None in counts else sum(counts),
        closed=last.ts_recv >= end,
        start_ts=start,
    )


def _sum(texts: Sequence[str | None]) -> Any:
    """Add exactly; null where any part is not known."""
    known = [Decimal(text) for text in texts if text is not None]
    return None if len(known) < len(texts) else format(sum(known, Decimal(0)), "f")


def read_rows(
    rows_of: Callable[[bytes], list[Raw]], body: bytes, what: str, read: Callable[[Raw], Any]
) -> list[Decoded]:
    """Return what `read` makes of each row of a REST answer (producers.connection.frames.read_each).

    Raises FrameError that names `what` where the answer, or every row of it, cannot be read.
    """
    try:
        return read_each(rows_of(body), read)
    except (msgspec.MsgspecError, FrameError) as error:
        raise FrameError(f"{what}: {error}", field=what) from error


def candle_decoder(
    rows_of: Callable[[bytes], list[Raw]], what: str, read_bar: Callable[[Instrument, Raw], Bar]
) -> DecodeCandles:
    """Return the decoder of an answer (`what`, as errors name it) whose rows `read_bar` reads one by one."""

    def decode(body: bytes, instrument: Instrument, timeframe: str, *, ts_recv: int, sim: bool) -> list[Decoded]:
        def read(raw: Raw) -> Decoded:
            start_ts, figures = read_bar(instrument, raw)
            return make_candle(instrument, timeframe, start_ts, ts_recv=ts_recv, sim=sim, **figures)

        return read_rows(rows_of, body, f"{what} of {instrument.venue_symbol}", read)

    return decode


def candle_id(instrument: Instrument, timeframe: str, start_ts: int) -> str:
    """Return the id of a candle that came by REST."""
    return f"{instrument.tail}.candle.{timeframe}.{start_ts // SECOND}.rest"


def is_closed(timeframe: str, start_ts: int, now: int) -> bool:
    """Return whether a candle's time is over; times in ns UTC."""
    return now >= start_ts + SECONDS[timeframe] * SECOND


def make_candle(instrument: Instrument, timeframe: str, start_ts: int, *, ts_recv: int, **figures: Any) -> Decoded:
    """Make a candle that came by REST, closed where its time is over; `figures` are its other fields.

    Raises FrameError where it does not begin when ours do: then the venue's time frame is not the same as ours.
    """
    if start_ts != start_of(timeframe, start_ts):
        raise FrameError(f"a candle of {timeframe} begins at {start_ts} ns, when none of ours does", field="start")
    return FastCandle(
        **{"quote_volume": None, "trades": None, **_head(instrument), **figures},
        id=candle_id(instrument, timeframe, start_ts),
        ts_event=None,
        ts_recv=ts_recv,
        timeframe=timeframe,
        closed=is_closed(timeframe, start_ts, ts_recv),
        start_ts=start_ts,
    )


def bar_prices(row: Any, read: Callable[[Any, str], str], field: str) -> dict[str, str]:
    """Return open, high, low and close of a row that has them by these names; `read(value, field)` reads each."""
    return {name: read(getattr(row, name), f"{field}.{name}") for name in ("open", "high", "low", "close")}


def make_trade(instrument: Instrument, trade_id: str, ts_event: int, *, ts_recv: int, **figures: Any) -> Decoded:
    """Make a trade that came by REST; `figures` are its other fields."""
    return FastTrade(
        **_head(instrument),
        **figures,
        id=f"{instrument.tail}.trade.{trade_id}",
        ts_event=ts_event,
        ts_recv=ts_recv,
        trade_id=trade_id,
    )


def _head(instrument: Instrument) -> dict[str, str]:
    return {"venue": instrument.venue, "symbol": instrument.symbol, "venue_symbol": instrument.venue_symbol}
