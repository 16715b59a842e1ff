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
SHELVES: Final = 80_000  # ten thousand instruments in eight time frames


class _Shelf:
    """One instrument's closed candles of one time frame, by start."""

    __slots__ = ("packed", "starts", "symbol", "timeframe", "venue", "venue_symbol")

    def __init__(self, candle: FastEvent) -> None:
        self.venue, self.symbol, self.venue_symbol = candle.venue, candle.symbol, candle.venue_symbol
        self.timeframe: str = candle.timeframe
        self.starts = array("q")
        self.packed: list[bytes] = []


class Past:
    """Keeps the newest `keep` closed candles of each instrument and time frame; older ones are dropped.

    At least `shelves` pairs of instrument and time frame are kept, those used last, at most twice as many.
    """

    def __init__(self, keep: int = KEPT, shelves: int = SHELVES) -> None:
        self._keep = keep
        self._shelves: Recent[tuple[str, str], _Shelf] = Recent(shelves)

    def __len__(self) -> int:
        return sum(len(shelf.packed) for shelf in self._shelves.values())

    def save(self, tail: str, candle: FastEvent) -> None:
        """Take a closed candle; of two with the same start the one of more trades is the newer."""
        key = (tail, candle.timeframe)
        shelf = self._shelves.get(key)
        if shelf is None:
            shelf = self._shelves.put(key, _Shelf(candle))
        starts, packed, start = shelf.starts, shelf.packed, candle.start_ts
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
        shelf = self._shelves.get((tail, timeframe))
        if shelf is None:
            return []
        return [_unpack(tail, shelf, start, row) for start, row in zip(shelf.starts, shelf.packed, strict=True)]


def _pack(candle: FastEvent) -> bytes:
    prices = f"{candle.open} {candle.high} {candle.low} {candle.close} {candle.volume} {candle.quote_volume}"
    return f"{candle.trades} {prices} {candle.ts_event} {candle.ts_recv} {candle.sim:d}".encode()


def _trades(row: bytes) -> int:
    return int(row[: row.index(b" ")])


def _unpack(tail: str, shelf: _Shelf, start: int, row: bytes) -> FastEvent:
    trades, opened, high, low, close, volume, quote_volume, ts_event, ts_recv, sim = row.decode().split(" ")
    candle = FastCandle(
        id="",
        venue=shelf.venue,
        symbol=shelf.symbol,
        venue_symbol=shelf.venue_symbol,
        ts_event=int(ts_event),
        ts_recv=int(ts_recv),
        sim=sim == "1",
        timeframe=shelf.timeframe,
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
