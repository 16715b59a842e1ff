"""Trades that a venue numbers without holes: what number was expected, and which ones were not received. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

MOST_BEHIND: Final = 200  # numbers in a row that are lower than the newest: the numbering began again


@dataclass(frozen=True, slots=True)
class Hole:
    """Trades that were not received, in words; `first` and `last` are their numbers, None where they are not known."""

    reason: str
    first: int | None = None
    last: int | None = None


class TradeGaps:
    """Remembers the newest number of each instrument, also over connections: what a cut hid is a hole as well."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._behind: dict[str, int] = {}

    def on_trade(self, symbol: str, first: int, last: int) -> Hole | None:
        """Note a trade that carries the numbers from `first` to `last`; return what was not received before it.

        Numbers that were there already (a backlog that is sent again) are no hole.
        """
        newest = self._newest.get(symbol)
        if newest is None or last > newest:
            self._newest[symbol] = last
            if self._behind:
                self._behind.pop(symbol, None)
            return None if newest is None or first <= newest + 1 else _missing(newest + 1, first - 1)
        behind = self._behind[symbol] = self._behind.get(symbol, 0) + 1
        if behind <= MOST_BEHIND:
            return None
        self._newest[symbol] = last
        del self._behind[symbol]
        return Hole(f"the numbering began again at {first} after {newest}: what lies between is not known")

    def on_last(self, symbol: str, last: int) -> Hole | None:
        """Compare with the newest number that the venue names in a heartbeat; return what was not received."""
        newest = self._newest.get(symbol)
        if newest is not None and last <= newest:
            return None
        self._newest[symbol] = last
        return None if newest is None else _missing(newest + 1, last)


class CountedTrades:
    """The holes of a venue's trades, by what its messages count them with; without a count there are none."""

    def __init__(self, counted: Literal["trade_id", "seq"] | None) -> None:
        self.counted = counted
        self._gaps = TradeGaps()
        self._span: tuple[int, int] | None = None

    def forget_span(self) -> None:
        """Forget the span of a trade that does not come."""
        self._span = None

    def on_span(self, first: int, last: int) -> None:
        """Note the numbers that the next trade carries."""
        self._span = (first, last)

    def on_trade(self, symbol: str, trade_id: str, seq: int | None) -> Hole | None:
        """Return which trades were not received before this one."""
        span, self._span = self._span, None
        if span is None:
            number = trade_id if self.counted == "trade_id" else seq
            if number is None:
                return None
            span = (int(number), int(number))
        return self._gaps.on_trade(symbol, *span)

    def on_last(self, symbol: str, trade_id: str) -> Hole | None:
        """Return which trades were not received up to the newest one that a heartbeat names."""
        return self._gaps.on_last(symbol, int(trade_id))


def _missing(first: int, last: int) -> Hole:
    text = f"trade {first} was not received" if first == last else f"trades {first} to {last} were not received"
    return Hole(text, first, last)
