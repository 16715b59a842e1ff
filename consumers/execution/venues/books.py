"""The live books of an exchange as they are handed in from the bus: what a market's price is, what an order would take.

An exchange fills orders by itself: nothing here fills any.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from consumers.execution.paper.venue import FRESH_NS
from contracts.arithmetic.book import add_up
from contracts.arithmetic.exact import EXACT, FINE, rounded
from runtime import clock
from runtime.trading.figures import Levels, Taken
from runtime.trading.order import Order, Side

_Book = tuple[tuple[tuple[Decimal, Decimal], ...], tuple[tuple[Decimal, Decimal], ...]]
_NONE: Final[_Book] = ((), ())


class LiveBooks:
    """Books by symbol, bids and asks, the best first; one that is older than a minute is none."""

    def __init__(self, now: Callable[[], int] = clock.now_ns) -> None:
        self._now = now
        self._books: dict[str, tuple[int, _Book]] = {}

    def show(self, symbol: str, bids: Levels, asks: Levels) -> None:
        """Take a book as it is shown now."""
        self._books[symbol] = (self._now(), (tuple(bids), tuple(asks)))

    def price(self, symbol: str) -> Decimal | None:
        """Return the middle of the book; None where there is none."""
        best = [levels[0][0] for levels in self._find(symbol) if levels]
        return rounded(FINE.divide(add_up(best), Decimal(len(best)))) if best else None

    def look(self, order: Order) -> list[Taken]:
        """Return what an order would take now, the best price first, not beyond its limit."""
        bids, asks = self._find(order.symbol)
        left, taken = order.amount, list[Taken]()
        for price, shown in asks if order.side == "buy" else bids:
            if left <= 0 or _is_worse(order.side, price, order.price):
                break
            part = min(left, shown)
            taken.append(Taken(price, part))
            left = EXACT.subtract(left, part)
        return taken

    def _find(self, symbol: str) -> _Book:
        shown_ns, book = self._books.get(symbol, (0, _NONE))
        return book if self._now() - shown_ns <= FRESH_NS else _NONE


def _is_worse(side: Side, price: Decimal, limit: Decimal | None) -> bool:
    return limit is not None and (price > limit if side == "buy" else price < limit)
