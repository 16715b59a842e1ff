"""One instrument's candles: what is kept of it, how it is saved and taken back, and its candles as events. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from consumers.candles.bars import Bar, is_sound, named
from contracts.codec import fast
from contracts.figures import as_text
from contracts.instrument import tail_symbol
from contracts.market import Candle
from contracts.timeframes import TIMEFRAMES
from runtime.bounded import SeenIds

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
FastCandle: Final = fast(Candle)


class SavedPage(msgspec.Struct):
    """One instrument's bars as kept in the bucket; `seq` is the last stream sequence that they contain.

    `since`: the first trade that was ever folded, ns UTC, 0 where that is not known.
    """

    seq: int
    arrivals: int
    venue: str
    symbol: str
    venue_symbol: str | None
    bars: dict[str, list[Bar]]
    since: int = 0


class Page:
    """One instrument: bars of the minutes since the last tick, and the candles that may still change."""

    __slots__ = ("arrivals", "bars", "changed", "minutes", "seen", "since", "symbol", "tail", "venue", "venue_symbol")

    def __init__(self, tail: str, remember: int) -> None:
        self.tail = tail
        self.venue = ""
        self.symbol = ""
        self.venue_symbol: str | None = None
        self.arrivals = 0
        self.since = 0
        self.minutes: dict[int, Bar] = {}
        self.bars: dict[str, dict[int, Bar]] = {timeframe: {} for timeframe in TIMEFRAMES}
        self.seen = SeenIds(remember)
        self.changed = False


def save_page(page: Page, seq: int) -> bytes:
    """Give the document of one instrument that contains everything up to a stream sequence."""
    bars = {timeframe: list(held.values()) for timeframe, held in page.bars.items() if held}
    return msgspec.json.encode(
        SavedPage(
            seq=seq,
            arrivals=page.arrivals,
            venue=page.venue,
            symbol=page.symbol,
            venue_symbol=page.venue_symbol,
            bars=bars,
            since=page.since,
        )
    )


def read_page(tail: str, document: bytes) -> SavedPage:
    """Read the document of one instrument; raises msgspec.MsgspecError or ValueError where it is not as it is saved."""
    saved = msgspec.json.decode(document, type=SavedPage)
    if tail_symbol(tail) != (saved.venue, saved.symbol) or not saved.bars.keys() <= TIMEFRAMES.keys():
        raise ValueError(f"{tail} holds the candles of {saved.venue} {saved.symbol} in {sorted(saved.bars)}")
    if not all(is_sound(bar) for bars in saved.bars.values() for bar in bars):
        raise ValueError(f"{tail} holds a bar with figures that no trade makes")
    return saved


def make_candle(page: Page, timeframe: str, bar: Bar) -> FastEvent:
    """Write a bar as the event that is published."""
    candle = FastCandle(
        id="",
        venue=page.venue,
        symbol=page.symbol,
        venue_symbol=page.venue_symbol,
        ts_event=bar.close_ts,
        ts_recv=bar.ts_recv,
        sim=bar.sim,
        timeframe=timeframe,
        open=format(bar.open, "f"),
        high=format(bar.high, "f"),
        low=format(bar.low, "f"),
        close=format(bar.close, "f"),
        volume=as_text(bar.volume),
        quote_volume=as_text(bar.quote_volume),
        trades=bar.trades,
        closed=bar.closed,
        start_ts=bar.start,
    )
    return named(page.tail, candle)
