"""The closed candles of every instrument, so many of each time frame, packed to about 160 bytes each. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Any, Final

from consumers.candles.bars import named
from contracts.codec import fast
from contracts.market import Candle
from contracts.recent import Recent

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
FastCandle: Final = fast(Candle)
KEPT: Final = 1000
SERIES: Final = 80_000  # ten thousand instruments in eight time frames


class _Series:
    """One instrument's closed candles of one time frame, by start."""

    __slots__ = ("packed", "starts", "symbol", "timeframe", "venue", "venue_symbol")

    def __init__(self, candle: FastEvent) -> None:
        self.venue, self.symbol, self.venue_symbol = candle.venue, candle.symbol, candle.venue_symbol
        self.timeframe: str = candle.timeframe
        self.starts = array("q")
        self.packed: list[bytes] = []


class CandleHistory:
    """Keeps the newest `keep` closed candles of each instrument and time frame; older ones are dropped.

    At least `series` pairs of instrument and time frame are kept, those used last, at most twice as many.
    """

    def __init__(self, keep: int = KEPT, series: int = SERIES) -> None:
        self._keep = keep
        self._series: Recent[tuple[str, str], _Series] = Recent(series)

    def __len__(self) -> int:
        return sum(len(series.packed) for series in self._series.values())

    def save(self, tail: str, candle: FastEvent) -> None:
        """Take a closed candle; of two with the same start the one of more trades is the newer."""
        key = (tail, candle.timeframe)
        series = self._series.get(key)
        if series is None:
            series = self._series.put(key, _Series(candle))
        starts, packed, start = series.starts, series.packed, candle.start_ts
        at = bisect_left(starts, start)
        if at < len(starts) and starts[at] == start:
            if candle.trades >= _trades(packed[at]):
                packed[at] = _pack(candle)
            return
        if at == 0 and len(starts) >= self._keep:
            return
        starts.insert(at, start)
        packed.insert(at, _pack(candle))
        if len(starts) > self._keep:
            del starts[0], packed[0]

    def list_candles(self, tail: str, timeframe: str) -> list[FastEvent]:
        """List what is kept, oldest first."""
        series = self._series.get((tail, timeframe))
        if series is None:
            return []
        return [_unpack(tail, series, start, row) for start, row in zip(series.starts, series.packed, strict=True)]


def _pack(candle: FastEvent) -> bytes:
    prices = f"{candle.open} {candle.high} {candle.low} {candle.close} {candle.volume} {candle.quote_volume}"
    return f"{candle.trades} {prices} {candle.ts_event} {candle.ts_recv} {candle.sim:d}".encode()


def _trades(row: bytes) -> int:
    return int(row[: row.index(b" ")])


def _unpack(tail: str, series: _Series, start: int, row: bytes) -> FastEvent:
    trades, opened, high, low, close, volume, quote_volume, ts_event, ts_recv, sim = row.decode().split(" ")
    candle = FastCandle(
        id="",
        venue=series.venue,
        symbol=series.symbol,
        venue_symbol=series.venue_symbol,
        ts_event=int(ts_event),
        ts_recv=int(ts_recv),
        sim=sim == "1",
        timeframe=series.timeframe,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        quote_volume=quote_volume,
        trades=int(trades),
        closed=True,
        start_ts=start,
    )
    return named(tail, candle)
