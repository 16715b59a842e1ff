"""One instrument as the paper orders of one account meet it: takers eat the book, limits wait their turn. Pure.

A limit that rests stands behind what the book shows at its price then. It fills from trades that come through its
price, from trades at its price once those ahead of it are served, and from what the other side shows at its price or a
better one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT
from runtime.trading.figures import Levels, Print, Taken
from runtime.trading.order import Side
from runtime.trading.paper.ladder import Ladder

_ZERO: Final = Decimal(0)


@dataclass(slots=True)
class Resting:
    """A limit order that waits; `ahead` is what stands before it at its price, None while that is unknown."""

    id: str
    side: Side
    price: Decimal
    left: Decimal
    ahead: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """What an order executed; `maker` whether it rested."""

    order_id: str
    amount: Decimal
    price: Decimal
    maker: bool


@dataclass(slots=True)
class PaperMarket:
    """The live book as it fills this account, and the orders that rest in it, the oldest first."""

    bids: Ladder = field(default_factory=lambda: Ladder("buy"))
    asks: Ladder = field(default_factory=lambda: Ladder("sell"))
    resting: list[Resting] = field(default_factory=list[Resting])

    def on_book(self, bids: Levels, asks: Levels) -> list[Execution]:
        """Take the book as it is shown now; return what rests and is met by it."""
        self.bids.replace(bids)
        self.asks.replace(asks)
        for order in self.resting:
            self._wait_behind(order)
        return [execution for order in self._by_priority() for execution in self._meet(order)]

    def on_trade(self, trade: Print) -> list[Execution]:
        """Take a trade of others; return what rests and is filled by it."""
        if trade.side is not None:
            self._opposite(trade.side).traded(trade.price, trade.amount)
        executions: list[Execution] = []
        used = dict.fromkeys(("buy", "sell"), _ZERO)
        for order in self._by_priority():
            if trade.side == order.side or self._is_short_of(order, trade.price):
                continue
            part = min(order.left, EXACT.subtract(self._served(order, trade), used[order.side]))
            if part > 0:
                used[order.side] = EXACT.add(used[order.side], part)
                executions.append(self._fill(order, part))
        return executions

    def crosses(self, side: Side, price: Decimal) -> bool:
        """Return whether an order at this price would take at once."""
        best = self._opposite(side).best
        return best is not None and (best <= price if side == "buy" else best >= price)

    def look(self, side: Side, amount: Decimal, limit: Decimal | None) -> list[Taken]:
        """Return what an order would take now, without taking it."""
        return list(self._opposite(side).look(amount, limit))

    def take(self, order_id: str, side: Side, taken: Iterable[Taken]) -> list[Execution]:
        """Take what was looked at; return the executions."""
        executions: list[Execution] = []
        for one in taken:
            self._opposite(side).take(one)
            executions.append(Execution(order_id, one.amount, one.price, maker=False))
        return executions

    def rest(self, order: Resting) -> None:
        """Let an order wait at its price, behind what is there."""
        self._wait_behind(order)
        self.resting.append(order)

    def remove(self, order_id: str) -> None:
        """Take an order out; one that does not rest is none."""
        self.resting = [order for order in self.resting if order.id != order_id]

    def _opposite(self, side: Side) -> Ladder:
        return self.asks if side == "buy" else self.bids

    def _by_priority(self) -> Iterator[Resting]:
        """Yield what rests, the best price of each side first, then the oldest."""
        for side in ("buy", "sell"):
            orders = [order for order in self.resting if order.side == side]
            yield from sorted(orders, key=lambda order: order.price, reverse=side == "buy")  # stable: the oldest first

    def _wait_behind(self, order: Resting) -> None:
        shown = (self.bids if order.side == "buy" else self.asks).amount_at(order.price)
        if shown is not None:
            order.ahead = shown if order.ahead is None else min(order.ahead, shown)

    def _meet(self, order: Resting) -> Iterator[Execution]:
        """Fill a resting order from what the other side shows at its price or a better one, at its own price."""
        for taken in self.look(order.side, order.left, order.price):
            self._opposite(order.side).take(taken)
            yield self._fill(order, taken.amount)

    def _is_short_of(self, order: Resting, price: Decimal) -> bool:
        """Return whether a trade at this price does not reach the order."""
        return price > order.price if order.side == "buy" else price < order.price

    def _served(self, order: Resting, trade: Print) -> Decimal:
        """Return how much of a trade that reaches the order comes to it, after those ahead of it."""
        if trade.price != order.price:
            order.ahead = _ZERO
            return trade.amount
        if trade.side is None or order.ahead is None:
            return _ZERO
        served = max(_ZERO, EXACT.subtract(trade.amount, order.ahead))
        order.ahead = max(_ZERO, EXACT.subtract(order.ahead, trade.amount))
        return served

    def _fill(self, order: Resting, amount: Decimal) -> Execution:
        order.left = EXACT.subtract(order.left, amount)
        if order.left <= 0:
            self.remove(order.id)
        return Execution(order.id, amount, order.price, maker=True)
