"""The closed candles of every instrument, so many of each time frame, packed to some 60 bytes each. Pure.

The newest are rows of text, some 160 bytes each; all older ones are compressed, `BLOCK` rows together.
"""

from __future__ import annotations

import sys
import zlib
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
BLOCK: Final = 32
LATE: Final = 8  # of the newest rows are never compressed: one that comes late belongs among them


class Series:
    """One instrument's closed candles of one time frame, by start: those of all blocks, then those of all rows.

    Not all series compress a block at the same minute: how many rows one keeps besides depends on its name.
    """

    __slots__ = ("blocks", "most_rows", "rows", "starts", "symbol", "timeframe", "venue", "venue_symbol")

    def __init__(self, tail: str, candle: FastEvent) -> None:
        self.venue, self.symbol, self.venue_symbol = candle.venue, candle.symbol, candle.venue_symbol
        self.timeframe: str = candle.timeframe
        self.starts = array("q")
        self.blocks: list[bytes] = []
        self.rows: list[bytes] = []
        self.most_rows = BLOCK + LATE + zlib.crc32(tail.encode()) % (BLOCK - LATE)

    def size(self) -> int:
        """Return the bytes that it takes, by its newest row and its newest block."""
        size = object.__sizeof__(self) + sum(map(sys.getsizeof, (self.starts, self.blocks, self.rows)))
        return size + sum(len(held) * sys.getsizeof(held[-1]) for held in (self.blocks, self.rows) if held)

    def list_rows(self) -> list[bytes]:
        """List the rows of all, oldest first."""
        return [*(row for block in self.blocks for row in _open(block)), *self.rows]

    def find_row(self, at: int) -> int:
        """Return where among the rows the candle at `at` is; its block, and those after it, become rows again."""
        block = at // BLOCK
        self.rows[:0] = [row for opened in self.blocks[block:] for row in _open(opened)]
        del self.blocks[block:]
        return at - len(self.blocks) * BLOCK

    def shrink(self, keep: int) -> None:
        """Compress the oldest rows where there are many, and drop what is older than the newest `keep`."""
        while len(self.rows) >= self.most_rows:
            self.blocks.append(zlib.compress(b"\n".join(self.rows[:BLOCK])))
            del self.rows[:BLOCK]
        if self.blocks:
            if len(self.starts) - BLOCK >= keep:
                del self.starts[:BLOCK], self.blocks[0]
        elif len(self.starts) > keep:
            del self.starts[0], self.rows[0]


class CandleHistory:
    """Keeps the newest `keep` closed candles of each instrument and time frame; older ones are dropped.

    At least `series` pairs of instrument and time frame are kept, those used last, at most twice as many.
    """

    def __init__(self, keep: int = KEPT, series: int = SERIES) -> None:
        self._keep = keep
        self._series: Recent[tuple[str, str], Series] = Recent(series)

    def __len__(self) -> int:
        return sum(min(len(series.starts), self._keep) for series in self._series.values())

    def sizes(self) -> dict[str, int]:
        """Return the bytes of what is kept."""
        return {"closed_candles": sum(series.size() for series in self._series.values())}

    def save(self, tail: str, candle: FastEvent) -> None:
        """Take a closed candle; of two with the same start the one of more trades is the newer."""
        key = (tail, candle.timeframe)
        series = self._series.get(key)
        if series is None:
            series = self._series.put(key, Series(tail, candle))
        starts, start = series.starts, candle.start_ts
        at = bisect_left(starts, start)
        if at == 0 and len(starts) >= self._keep and starts[0] != start:
            return
        row = series.find_row(at)
        if at < len(starts) and starts[at] == start:
            if candle.trades >= _trades(series.rows[row]):
                series.rows[row] = _pack(candle)
        else:
            starts.insert(at, start)
            series.rows.insert(row, _pack(candle))
        series.shrink(self._keep)

    def list_candles(self, tail: str, timeframe: str) -> list[FastEvent]:
        """List what is kept, oldest first."""
        series = self._series.get((tail, timeframe))
        if series is None:
            return []
        kept = list(zip(series.starts, series.list_rows(), strict=True))[-self._keep :]
        return [_unpack(tail, series, start, row) for start, row in kept]


def _open(block: bytes) -> list[bytes]:
    return zlib.decompress(block).split(b"\n")


def _pack(candle: FastEvent) -> bytes:
    prices = f"{candle.open} {candle.high} {candle.low} {candle.close} {candle.volume} {candle.quote_volume}"
    return f"{candle.trades} {prices} {candle.ts_event} {candle.ts_recv} {candle.sim:d}".encode()


def _trades(row: bytes) -> int:
    return int(row[: row.index(b" ")])


def _unpack(tail: str, series: Series, start: int, row: bytes) -> FastEvent:
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
