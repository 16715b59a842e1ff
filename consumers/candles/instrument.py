"""One instrument's bars of all time frames: as they are kept, saved, restored and published. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from consumers.candles.bars import Bar, is_sound, named
from contracts.arithmetic.exact import as_text
from contracts.codec import fast
from contracts.instrument import tail_symbol
from contracts.market import Candle
from contracts.timeframes import TIMEFRAMES
from runtime.seen.ids import SeenIds

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
FastCandle: Final = fast(Candle)


class SavedBars(msgspec.Struct):
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


class InstrumentBars:
    """One instrument: bars of the minutes since the last tick, and the candles that may still change."""

    __slots__ = (
        "arrivals",
        "bar",
        "bars",
        "changed",
        "last",
        "minutes",
        "seen",
        "since",
        "symbol",
        "tail",
        "until",
        "venue",
        "venue_symbol",
        "waiting",
    )

    def __init__(self, tail: str, remember: int) -> None:
        self.tail = tail
        self.venue = ""
        self.symbol = ""
        self.venue_symbol: str | None = None
        self.arrivals = 0
        self.since = 0
        self.minutes: dict[int, Bar] = {}  # by number: the minute of ts is ts // MINUTE
        self.bar: Bar | None = None  # of these, that of the last trade
        self.until = 0  # when that one ends, ns UTC
        self.waiting: list[FastEvent] = []  # of that bar: trades in the order of time, to be folded with the batch
        self.last = 0  # when the last trade of that bar was made, ns UTC
        self.bars: dict[str, dict[int, Bar]] = {timeframe: {} for timeframe in TIMEFRAMES}
        self.seen = SeenIds(remember)
        self.changed = False


def save_bars(instrument: InstrumentBars, seq: int) -> bytes:
    """Return the document of an instrument whose bars contain the stream up to `seq`."""
    bars = {timeframe: list(held.values()) for timeframe, held in instrument.bars.items() if held}
    return msgspec.json.encode(
        SavedBars(
            seq=seq,
            arrivals=instrument.arrivals,
            venue=instrument.venue,
            symbol=instrument.symbol,
            venue_symbol=instrument.venue_symbol,
            bars=bars,
            since=instrument.since,
        )
    )


def read_saved(tail: str, document: bytes) -> SavedBars:
    """Return what a document of `save_bars` holds; raises msgspec.MsgspecError or ValueError where it is not one."""
    saved = msgspec.json.decode(document, type=SavedBars)
    if tail_symbol(tail) != (saved.venue, saved.symbol) or not saved.bars.keys() <= TIMEFRAMES.keys():
        raise ValueError(f"{tail} holds the candles of {saved.venue} {saved.symbol} in {sorted(saved.bars)}")
    if not all(is_sound(bar) for bars in saved.bars.values() for bar in bars):
        raise ValueError(f"{tail} holds a bar with figures that no trade makes")
    return saved


def restore_bars(instrument: InstrumentBars, saved: SavedBars) -> None:
    """Fill an instrument with what was saved of it."""
    instrument.arrivals, instrument.since = saved.arrivals, saved.since
    instrument.venue, instrument.symbol, instrument.venue_symbol = saved.venue, saved.symbol, saved.venue_symbol
    for timeframe, bars in saved.bars.items():
        instrument.bars[timeframe] = {bar.start: bar for bar in bars}


def candle_of(instrument: InstrumentBars, timeframe: str, bar: Bar) -> FastEvent:
    """Return the candle of a bar as it is published."""
    candle = FastCandle(
        id="",
        venue=instrument.venue,
        symbol=instrument.symbol,
        venue_symbol=instrument.venue_symbol,
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
    return named(instrument.tail, candle)
