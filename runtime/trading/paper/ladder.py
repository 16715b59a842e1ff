"""One side of a live book as paper orders see it: what it shows, and how much of that has not filled us yet. Pure.

What is shown at a price fills us once. When it grows, what has come is there for us; when it shrinks, at most what is
left there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT
from runtime.trading.figures import Taken
from runtime.trading.order import Side

MOST_REMEMBERED: Final = 1000  # prices beyond what the book shows, where something has filled us
_ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Shown:
    """What is shown at a price, and what of it may fill us still."""

    amount: Decimal
    left: Decimal


class Ladder:
    """One side of a book: `buy` for the bids, `sell` for the asks."""

    def __init__(self, side: Side, touched: Mapping[Decimal, Shown] | None = None) -> None:
        self._side = side
        self._levels: dict[Decimal, Shown] = dict(touched or {})
        self._visible: list[Decimal] = []  # best first

    @property
    def best(self) -> Decimal | None:
        """The best price that is shown."""
        return self._visible[0] if self._visible else None

    def touched(self) -> dict[Decimal, Shown]:
        """Return the levels where something has filled us: what has to outlive the process."""
        return {price: shown for price, shown in self._levels.items() if shown.left < shown.amount}

    def amount_at(self, price: Decimal) -> Decimal | None:
        """Return what is shown at a price; None where the book does not reach so far."""
        if not self._visible or self._beyond(price):
            return None
        return self._levels[price].amount if price in self._levels else _ZERO

    def replace(self, levels: Iterable[tuple[Decimal, Decimal]]) -> None:
        """Take the levels as they are shown now, best first."""
        shown = {price: amount for price, amount in levels if amount > 0}
        self._visible = list(shown)
        for price, amount in shown.items():
            self._show(price, amount)
        gone = [price for price in self._levels if price not in shown and self._is_gone(price)]
        for price in gone:
            del self._levels[price]
        self._forget()

    def traded(self, price: Decimal, amount: Decimal) -> None:
        """Take that others have traded at a price: it does not fill us any more."""
        shown = self._levels.get(price)
        if shown is not None:
            shown.left = max(_ZERO, EXACT.subtract(shown.left, amount))

    def look(self, amount: Decimal, limit: Decimal | None) -> Iterator[Taken]:
        """Yield what an order of the other side would take, best price first, not beyond its limit."""
        for price in self._visible:
            if amount <= 0 or (limit is not None and self._is_worse(price, limit)):
                return
            part = min(amount, self._levels[price].left)
            if part > 0:
                amount = EXACT.subtract(amount, part)
                yield Taken(price, part)

    def take(self, taken: Taken) -> None:
        """Count what was taken: it fills nobody again."""
        shown = self._levels[taken.price]
        shown.left = EXACT.subtract(shown.left, taken.amount)

    def _show(self, price: Decimal, amount: Decimal) -> None:
        known = self._levels.get(price)
        if known is None:
            self._levels[price] = Shown(amount, amount)
            return
        grown = EXACT.subtract(amount, known.amount)
        known.left = EXACT.add(known.left, grown) if grown > 0 else min(known.left, amount)
        known.amount = amount

    def _is_gone(self, price: Decimal) -> bool:
        """Return whether a price that is not shown is empty, or untouched and out of sight: remembered for nothing."""
        level = self._levels[price]
        return not self._visible or not self._beyond(price) or level.left >= level.amount

    def _forget(self) -> None:
        beyond = sorted(self._levels.keys() - set(self._visible), reverse=self._side == "buy")
        for price in beyond[MOST_REMEMBERED:]:
            del self._levels[price]

    def _beyond(self, price: Decimal) -> bool:
        return self._is_worse(price, self._visible[-1])

    def _is_worse(self, price: Decimal, than: Decimal) -> bool:
        return price < than if self._side == "buy" else price > than
