"""The price that a price alert looks at, from one market's tickers in the order of their stream. Pure.

Of one exchange it is that ticker's `last`. Of all it is the consolidated ticker; where that one was silent for more
than `SILENT_NS` of stream time while exchanges spoke, the median of those that made the last one.
"""

from __future__ import annotations

from decimal import Decimal
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec

from contracts.subjects import ALL_VENUES

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
SILENT_NS: Final = 5_000_000_000
_USABLE: Final = frozenset({"live", "sim"})


class Price(NamedTuple):
    """One price: its time (ns UTC, never before an earlier one's), the event that it is from, and whether simulated."""

    ts: int
    value: Decimal
    text: str
    cause: str
    sim: bool


class FeedState(msgspec.Struct):
    """What a feed goes on from: `at` is when the consolidated price was last live, `used` who made it."""

    clock: int = 0
    at: int = 0
    used: list[str] = msgspec.field(default_factory=list[str])
    lasts: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict[str, tuple[int, str]])


class PriceFeed:
    """The prices of one tail: `all.BTC.USDT.spot`, or an exchange's."""

    __slots__ = ("not_live", "state", "tail", "venue")

    def __init__(self, tail: str, state: FeedState | None = None) -> None:
        self.tail = tail
        self.venue = tail.partition(".")[0]
        self.state = state or FeedState()
        self.not_live = 0  # consolidated tickers that were not used: stale, or with a gap

    def fold(self, venue: str, ticker: FastEvent) -> Price | None:
        """Fold one ticker of the market; return the price that it makes, None where it makes none."""
        state = self.state
        if self.venue != ALL_VENUES:
            if venue != self.venue or ticker.last is None:
                return None
            state.clock = max(state.clock, ticker.ts_recv)
            return self._price(ticker, ticker.last)
        state.clock = max(state.clock, ticker.ts_recv)
        if venue != ALL_VENUES:
            return self._fold_venue(venue, ticker)
        if ticker.last is None or ticker.quality not in _USABLE:
            self.not_live += 1
            return None
        state.at, state.used = state.clock, list(ticker.used)
        return self._price(ticker, ticker.last)

    def _fold_venue(self, venue: str, ticker: FastEvent) -> Price | None:
        state = self.state
        if ticker.last is None:
            return None
        state.lasts[venue] = (state.clock, ticker.last)
        if venue not in state.used or state.clock - state.at <= SILENT_NS:
            return None
        since = state.clock - SILENT_NS
        lasts = [state.lasts[name] for name in state.used if name in state.lasts]
        fresh = [last for at, last in lasts if at >= since]
        if 2 * len(fresh) < len(state.used):
            return None
        return self._price(ticker, format(median(map(Decimal, fresh)), "f"))

    def _price(self, ticker: FastEvent, text: str) -> Price:
        return Price(self.state.clock, Decimal(text), text, ticker.id, ticker.sim)
