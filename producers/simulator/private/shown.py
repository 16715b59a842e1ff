"""The book that the venue shows, as orders of its customers take from it: what is shown fills once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from producers.simulator.private.figures import EXACT
from producers.simulator.private.orders import Side

Levels = Iterable[tuple[Decimal, Decimal]]


@dataclass(slots=True)
class _Half:
    """One side: price -> amount as it is shown, and what of it is taken already."""

    levels: list[tuple[Decimal, Decimal]] = field(default_factory=list[tuple[Decimal, Decimal]])
    taken: dict[Decimal, tuple[Decimal, Decimal]] = field(default_factory=dict[Decimal, tuple[Decimal, Decimal]])

    def show(self, levels: Levels) -> None:
        self.levels = [level for level in levels if level[1] > 0]
        amounts = dict(self.levels)
        self.taken = {price: kept for price, kept in self.taken.items() if amounts.get(price) == kept[0]}

    def left(self) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield what may be taken still, the best price first."""
        for price, shown in self.levels:
            left = EXACT.subtract(shown, self.taken[price][1]) if price in self.taken else shown
            if left > 0:
                yield price, left

    def take(self, price: Decimal, amount: Decimal) -> None:
        shown = next(there for at, there in self.levels if at == price)
        before = self.taken.get(price, (shown, Decimal(0)))[1]
        self.taken[price] = (shown, EXACT.add(before, amount))


@dataclass(slots=True)
class Shown:
    """Both sides of one market."""

    bids: _Half = field(default_factory=_Half)
    asks: _Half = field(default_factory=_Half)

    def show(self, bids: Levels, asks: Levels) -> None:
        """Take the book as it is shown now, each side best first."""
        self.bids.show(bids)
        self.asks.show(asks)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever shown."""
        return not self.bids.levels and not self.asks.levels

    def offers(self, side: Side, limit: Decimal | None) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield what an order of a side can take at its limit or better, the best price first."""
        half = self.asks if side == "buy" else self.bids
        for price, left in list(half.left()):
            if limit is not None and (price > limit if side == "buy" else price < limit):
                return
            yield price, left

    def take(self, side: Side, price: Decimal, amount: Decimal) -> None:
        """Count what an order of a side has taken."""
        (self.asks if side == "buy" else self.bids).take(price, amount)
