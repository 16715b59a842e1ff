"""`market.ohlc`: candles of one instrument, with indicators where asked; `history` asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from consumers.market.answering import Composed
from consumers.market.answers.coverage import find_rests
from consumers.market.candles import indicators
from consumers.market.candles.bars import Merged, Own, Row, Shown, Window, list_needed, make_span, merge
from consumers.market.candles.history import NO_ANSWER, CandleSource, Failed
from consumers.market.price import SPOT, find_tick
from consumers.market.quality import LIVE, SIM, STALE
from consumers.market.state import MarketState, Reader
from contracts.arithmetic.moments import read_moment
from contracts.errors import HydrophoneError, InvalidParameterError, NotReadyError, TimedOutError, VenueError
from contracts.instrument import Instrument
from contracts.schema.literals import Age, decimal_number, iso, number
from contracts.services.candles import MOST_ROWS
from contracts.services.market import OhlcQuery
from contracts.timeframes import SECOND
from runtime.coverage.spans import Span, cut, join
from runtime.coverage.view import Followed

TRADE: Final = "trade"
WARM_UP: Final = 100  # candles before the first one shown that indicators begin with
_PLACES: Final[dict[str, Decimal]] = {"rsi": Decimal("0.0001"), "stochastic": Decimal("0.0001")}  # what is no price
_VOLUME_PLACES: Final = Decimal("0.00000001")
_FINER: Final = 4  # digits that an indicator has more than the price


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, with the instrument that answers it."""

    name: str
    item: Instrument
    timeframe: str
    limit: int
    indicators: tuple[str, ...]
    span: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Collected:
    """The candles, of which the newest `count` are shown, with what went wrong on the way to them."""

    merged: Merged
    window: Window
    count: int
    reasons: tuple[str, ...]


class Ohlc:
    """Answers with candles."""

    def __init__(self, state: MarketState, source: CandleSource) -> None:
        self._state, self._source = state, source

    async def compose(self, query: OhlcQuery, now_ns: int) -> Composed:
        """Ask for what is needed and compose; refusals are raised."""
        reader = Reader(self._state, now_ns)
        wanted = find_wanted(reader, query)
        return Composed(compose_ohlc(reader, wanted, await self._collect(wanted, now_ns)), wanted.name)

    async def _collect(self, query: Wanted, now_ns: int) -> Collected:
        shown = make_span(query.timeframe, now_ns, query.span, query.limit)
        window = shown.lengthen(min(MOST_ROWS - shown.count, WARM_UP) if query.indicators and shown.count else 0)
        end_ts = window.last + window.size if window.behind else None
        own = await self._source.find_own(query.item, query.timeframe, end_ts)
        listened = self._add_unknown(own.own, query.item, window, now_ns)
        needed = list_needed(window, listened)
        past = await asyncio.gather(
            *(self._source.find_past(query.item, query.timeframe, chunk, now_ns) for chunk in needed)
        )
        rows = {start: row for answer in past for start, row in answer.rows.items()}
        answered = [chunk for chunk, answer in zip(needed, past, strict=True) if answer.failed is None]
        merged = merge(window, listened, rows, answered)
        failures = [answer.failed for answer in past if answer.failed is not None]
        if not merged.shown:
            _refuse_empty(own.failed, failures)
        reasons = [
            *([] if own.failed is None else [f"own candles: {own.failed.message}"]),
            *(["own candles of before a restart are still being read"] if own.loading else []),
            *(f"history of {query.item.venue}: {failed.code}: {failed.message}" for failed in failures),
        ]
        return Collected(merged, window, shown.count, tuple(dict.fromkeys(reasons)))

    def _add_unknown(self, own: Own, item: Instrument, window: Window, now_ns: int) -> Own:
        """Return our own candles with the gaps that the ledger of coverage has beside those of the candles."""
        ledger = self._state.ledger
        if ledger is None or not window.starts:
            return own
        covered = ledger.find(Followed(item.venue, item.symbol, TRADE), (window.starts[0], window.end), now_ns)
        if covered.since is None:
            return own
        unknown = cut(covered.unknown, covered.since, now_ns)
        return replace(own, gaps=tuple(join((*own.gaps, *unknown))))


def find_wanted(reader: Reader, query: OhlcQuery) -> Wanted:
    """Find the instrument that a request means; refusals name the parameter at fault."""
    listed = reader.state.find_listed(query.symbol, query.exchange)
    item = decide_instrument(reader, listed.instruments)
    names = tuple(dict.fromkeys(query.indicators))
    return Wanted(listed.name, item, query.timeframe, query.limit, names, read_span(query))


def read_span(query: OhlcQuery) -> tuple[int | None, int | None]:
    """Return the span of a request, ns UTC; raises InvalidParameterError where it ends before it begins."""
    since, until = (None if text is None else read_moment(text) for text in (query.from_, query.to))
    if since is not None and until is not None and until <= since:
        raise InvalidParameterError("Parameter to must be later than from", parameter="to")
    return since, until


def decide_instrument(reader: Reader, instruments: Sequence[Instrument]) -> Instrument:
    """Choose what has data and is not stale, spot before contracts, then what is traded most."""

    def worth(item: Instrument) -> tuple[bool, bool, bool, Decimal]:
        ticker = reader.find_ticker(item)
        if ticker is None:
            return False, False, item.contract == SPOT, Decimal(-1)
        fresh = reader.quality(ticker, item, "ticker") != STALE
        return True, fresh, item.contract == SPOT, Decimal(ticker.volume_24h or 0)

    return max(instruments, key=worth)


def compose_ohlc(reader: Reader, query: Wanted, collected: Collected) -> dict[str, Any]:
    """The plain answer: the newest `limit` candles oldest first, what of them is missing, indicators."""
    window, reasons = collected.window, list(collected.reasons)
    first = window.last - (collected.count - 1) * window.size
    shown = [item for item in collected.merged.shown if item.row.start_ts >= first]
    holes = [hole for hole in collected.merged.holes if hole.end >= first]
    cut = Merged(tuple(shown), tuple(holes))
    if any(not item.whole for item in shown):
        reasons.append(
            "own candles that are not whole began before the first trade received, or the feed was interrupted"
        )
    newest = max((item.row.ts_recv for item in shown), default=None)
    sim = any(item.row.sim for item in shown)
    quality = STALE if newest is None else reader.quality_of(SIM if sim else LIVE, newest, query.item, TRADE)
    extra = {"indicators": list_indicators(query, collected.merged.shown, len(shown))} if query.indicators else {}
    return {
        "symbol": query.name,
        "exchange": query.item.venue,
        "instrument": query.item.symbol,
        "quote": query.item.quote,
        "market": query.item.contract,
        "timeframe": query.timeframe,
        "candles": [_candle(item) for item in shown],
        "complete": cut.complete,
        "reasons": reasons,
        "holes": [
            {
                "from": iso(max(hole.start, first)),
                "to": iso(hole.end),
                "count": (hole.end - max(hole.start, first)) // window.size + 1,
                "reason": hole.reason,
            }
            for hole in holes
        ],
        "coverage": _rests(reader, query.item, (first, window.last + window.size)),
        **extra,
        "age": None if newest is None else Age(newest),
        "quality": quality,
        "sim": sim,
    }


def _rests(reader: Reader, item: Instrument, span: Span) -> dict[str, Any] | None:
    """Return what candles of a span rest on, as far as it is over; None where that is not known."""
    ledger, start, end = reader.state.ledger, span[0], min(span[1], reader.now_ns - reader.now_ns % SECOND)
    if ledger is None or start >= end:
        return None
    return find_rests(ledger, [Followed(item.venue, item.symbol, TRADE)], (start, end), reader.now_ns)


def list_indicators(query: Wanted, shown: Sequence[Shown], last: int) -> dict[str, Any]:
    """The asked indicators over all candles that are there, cut to the last ones; holes are passed over."""
    closes = [Decimal(item.row.close) for item in shown]
    tick = find_tick(closes).scaleb(-_FINER) if closes else Decimal(1)
    prices = indicators.Prices(
        high=[float(item.row.high) for item in shown],
        low=[float(item.row.low) for item in shown],
        close=list(map(float, closes)),
        volume=[float(item.row.volume) for item in shown],
    )
    series: dict[str, Any] = {}
    for name in query.indicators:
        places = _VOLUME_PLACES if name == "obv" else _PLACES.get(name, tick)
        found = indicators.compute(name, prices, last)
        if isinstance(found, dict):
            series[name] = {member: _round(values, places) for member, values in found.items()}
        else:
            series[name] = _round(found, places)
    return series


def _round(series: indicators.Series, places: Decimal) -> list[Any]:
    return [None if value is None else decimal_number(indicators.rounded(value, places)) for value in series]


def _candle(item: Shown) -> dict[str, Any]:
    row: Row = item.row
    return {
        "timestamp": iso(row.start_ts),
        "open": number(row.open),
        "high": number(row.high),
        "low": number(row.low),
        "close": number(row.close),
        "volume": number(row.volume),
        "quote_volume": number(row.quote_volume),
        "trades": row.trades,
        "closed": row.closed,
        "source": item.source,
        "whole": item.whole,
    }


def _refuse_empty(own: Failed | None, failures: Sequence[Failed]) -> None:
    """Refuse where there is no candle at all and somebody who might have one did not answer."""
    error: HydrophoneError | None = None
    for failed in failures:
        if failed.code == "VENUE_TIMEOUT":
            error = TimedOutError(failed.message)
        elif failed.code == "VENUE_ERROR":
            error = VenueError(failed.message)
    if error is None and own is not None and own.code == NO_ANSWER and failures and failures[0].code == NO_ANSWER:
        error = NotReadyError("Nobody who knows candles answers", waiting_for=["candles"])
    if error is not None:
        raise error
