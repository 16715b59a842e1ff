"""Live books as an account at an exchange uses them: prices, and what an order would take. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from contracts.arithmetic.book import add_up
from contracts.arithmetic.exact import EXACT, FINE, rounded
from runtime.trading.figures import Levels, Taken
from runtime.trading.order import SECOND, Order

FRESH_NS: Final = 60 * SECOND
_Side = tuple[tuple[Decimal, Decimal], ...]


class LiveBooks:
    """The newest book of each symbol. `now` gives ns UTC; a book that is older than a minute is none."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._books: dict[str, tuple[_Side, _Side]] = {}
        self._book_ns: dict[str, int] = {}

    def on_book(self, symbol: str, bids: Levels, asks: Levels) -> None:
        """Take a live book as it is shown now."""
        self._books[symbol], self._book_ns[symbol] = (tuple(bids), tuple(asks)), self._now()

    def price(self, symbol: str) -> Decimal | None:
        """Return the middle of the live book; None where there is none."""
        best = [levels[0][0] for levels in self._fresh(symbol) if levels]
        return rounded(FINE.divide(add_up(best), Decimal(len(best)))) if best else None

    def look(self, order: Order) -> list[Taken]:
        """Return what an order would take of the live book now."""
        bids, asks = self._fresh(order.symbol)
        taken: list[Taken] = []
        left = order.amount
        for price, shown in asks if order.side == "buy" else bids:
            is_worse = order.price is not None and (price > order.price if order.side == "buy" else price < order.price)
            if is_worse or left <= 0:
                break
            part = min(left, shown)
            taken.append(Taken(price, part))
            left = EXACT.subtract(left, part)
        return taken

    def _fresh(self, symbol: str) -> tuple[_Side, _Side]:
        if self._now() - self._book_ns.get(symbol, 0) > FRESH_NS:
            return (), ()
        return self._books[symbol]
