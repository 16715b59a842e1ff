"""Candles of one instrument: a smooth invented past up to the start, then exactly what was traded."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

MINUTE_US = 60_000_000
KEPT_MINUTES = 3000
WEEK_US = 7 * 1440 * MINUTE_US
MONDAY_US = 4 * 1440 * MINUTE_US  # the first one after 1970-01-01


@dataclass(slots=True)
class Candle:
    """One candle in the instrument's whole units; `start_us` is its opening time."""

    start_us: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    quote: int = 0
    trades: int = 0
    buy_volume: int = 0
    buy_quote: int = 0


class Candles:
    """One-minute candles of what was traded since `started_us`, over a deterministic past that ends at `price`."""

    __slots__ = ("_live", "_minute_volume", "_phase", "_price", "_started_us")

    def __init__(self, price: int, minute_volume: int, started_us: int, phase: float) -> None:
        self._price = price
        self._minute_volume = minute_volume
        self._started_us = started_us
        self._phase = phase
        self._live: OrderedDict[int, Candle] = OrderedDict()

    def fold(self, price: int, amount: int, ts_us: int, *, taker_buys: bool) -> None:
        """Counts one trade into its minute."""
        start = ts_us - ts_us % MINUTE_US
        candle = self._live.get(start)
        if candle is None:
            candle = self._live[start] = Candle(start, price, price, price, price)
            if len(self._live) > KEPT_MINUTES:
                self._live.popitem(last=False)
        candle.high = max(candle.high, price)
        candle.low = min(candle.low, price)
        candle.close = price
        candle.volume += amount
        candle.quote += price * amount
        candle.trades += 1
        if taker_buys:
            candle.buy_volume += amount
            candle.buy_quote += price * amount

    def find(self, start_us: int, length_us: int) -> Candle:
        """The candle that opens at `start_us`; what lies before the start of the simulation is invented."""
        parts = self._traded(start_us, length_us)
        past_until = min(start_us + length_us, self._started_us - self._started_us % MINUTE_US)
        if past_until > start_us:
            parts.insert(0, self._past(start_us, past_until))
        if not parts:
            return self._flat(start_us)
        return Candle(
            start_us,
            parts[0].open,
            max(c.high for c in parts),
            min(c.low for c in parts),
            parts[-1].close,
            sum(c.volume for c in parts),
            sum(c.quote for c in parts),
            sum(c.trades for c in parts),
            sum(c.buy_volume for c in parts),
            sum(c.buy_quote for c in parts),
        )

    def list_candles(self, length_us: int, until_us: int, limit: int) -> list[Candle]:
        """The last `limit` candles that open at or before `until_us`, oldest first."""
        shift = MONDAY_US if length_us == WEEK_US else 0  # weeks open on Monday
        last = until_us - (until_us - shift) % length_us
        return [self.find(last - i * length_us, length_us) for i in range(limit - 1, -1, -1)]

    def _traded(self, start_us: int, length_us: int) -> list[Candle]:
        """The minutes within a candle that were traded in."""
        first = -(-start_us // MINUTE_US) * MINUTE_US
        if length_us // MINUTE_US < len(self._live):
            return [self._live[at] for at in range(first, start_us + length_us, MINUTE_US) if at in self._live]
        return [c for at, c in self._live.items() if start_us <= at < start_us + length_us]

    def _flat(self, start_us: int) -> Candle:
        before = [c.close for at, c in self._live.items() if at < start_us]
        price = before[-1] if before else self._price
        return Candle(start_us, price, price, price, price)

    def _past(self, start_us: int, end_us: int) -> Candle:
        points = [self._past_price(start_us + (end_us - start_us) * i // 6) for i in range(7)]
        minutes = max(1, (end_us - start_us) // MINUTE_US)
        volume = int(self._minute_volume * minutes * (1.2 + math.sin(start_us / 7.3e9 + self._phase)) / 1.2) + 1
        buys = volume * 52 // 100
        middle = sum(points) // 7
        wick = max(1, middle // 5000)
        trades = minutes * 40
        high, low = max(points) + wick, min(points) - wick
        return Candle(start_us, points[0], high, low, points[-1], volume, volume * middle, trades, buys, buys * middle)

    def _past_price(self, at_us: int) -> int:
        return max(1, round(self._price * math.exp(self._wave(at_us) - self._wave(self._started_us))))

    def _wave(self, at_us: int) -> float:
        minutes = at_us / MINUTE_US
        waves = ((0.012, 1440.0), (0.006, 331.0), (0.003, 67.0), (0.0012, 13.0), (0.03, 20_160.0))
        return sum(size * math.sin(6.2831853 * minutes / period + self._phase * size * 1e3) for size, period in waves)
