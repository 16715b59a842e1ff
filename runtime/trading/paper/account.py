"""A paper account: its money, its orders, and the markets that they meet. Pure: books, trades and times come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from typing import Final

from contracts.arithmetic.exact import EXACT
from contracts.instrument import split_symbol
from runtime.trading.figures import Fees, Levels, OrderRefusedError, Print, Taken
from runtime.trading.order import Fill, Order, OrderType, Report, Side, VenueStatus
from runtime.trading.paper.market import Execution, PaperMarket, Resting

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


@dataclass(slots=True, kw_only=True)
class PaperOrder:
    """An order as the paper venue has it."""

    number: int
    client_id: str
    symbol: str
    side: Side
    type: OrderType
    amount: Decimal
    price: Decimal | None
    status: VenueStatus = "open"
    reason: str | None = None
    fills: tuple[Fill, ...] = ()

    @property
    def filled(self) -> Decimal:
        """How much was executed."""
        return reduce(EXACT.add, (fill.amount for fill in self.fills), _ZERO)

    @property
    def left(self) -> Decimal:
        """How much was not."""
        return EXACT.subtract(self.amount, self.filled)

    def report(self) -> Report:
        """Return what the venue says of it."""
        return Report(
            venue_order_id=str(self.number),
            client_id=self.client_id,
            status=self.status,
            filled=self.filled,
            fills=self.fills,
            reason=self.reason,
            symbol=self.symbol,
        )


@dataclass(slots=True)
class PaperAccount:
    """The money and the orders of one account, by client id; `number` is that of its newest order.

    `ended` are those that have ended and are to be taken elsewhere by whoever keeps the account.
    """

    balances: dict[str, Decimal]
    fees: Fees
    orders: dict[str, PaperOrder] = field(default_factory=dict[str, PaperOrder])
    ended: dict[str, PaperOrder] = field(default_factory=dict[str, PaperOrder])
    markets: dict[str, PaperMarket] = field(default_factory=dict[str, PaperMarket])
    number: int = 0

    def held(self) -> Mapping[str, Decimal]:
        """Return what open orders hold of each currency."""
        held: dict[str, Decimal] = {}
        for order in self.orders.values():
            currency, amount = _needs(order, order.left, order.price or _ZERO, self.fees.higher)
            held[currency] = EXACT.add(held.get(currency, _ZERO), amount)
        return held

    def place(self, wanted: Order, now_ns: int) -> PaperOrder:
        """Take an order, and fill what it meets; raises OrderRefusedError, whose text is for its owner."""
        market = self.market(wanted.symbol)
        if market.bids.best is None and market.asks.best is None:
            raise OrderRefusedError(f"there is no live book of {wanted.symbol} now", "NO_LIVE_BOOK")
        if wanted.post_only and wanted.price is not None and market.crosses(wanted.side, wanted.price):
            raise OrderRefusedError("it would have been a taker at this price", "POST_ONLY")
        taken = market.look(wanted.side, wanted.amount, wanted.price)
        order = PaperOrder(
            number=self.number + 1,
            client_id=wanted.client_id,
            symbol=wanted.symbol,
            side=wanted.side,
            type=wanted.type,
            amount=wanted.amount,
            price=wanted.price,
        )
        self._check_funds(order, taken)
        self.number = order.number
        self.orders[order.client_id] = order
        self._book(market.take(order.client_id, order.side, taken), now_ns)
        if order.status == "open" and order.price is not None:
            market.rest(Resting(order.client_id, order.side, order.price, order.left))
        elif order.status == "open":
            self._end(order, "cancelled", "the book showed no more")
        return order

    def cancel(self, client_id: str) -> PaperOrder | None:
        """Cancel an open order; None where there is none."""
        order = self.orders.get(client_id)
        if order is not None:
            self.market(order.symbol).remove(client_id)
            self._end(order, "cancelled", None)
        return order

    def on_book(self, symbol: str, book: tuple[Levels, Levels], now_ns: int) -> list[PaperOrder]:
        """Take bids and asks as they are shown; return the orders that they filled."""
        return self._book(self.market(symbol).on_book(*book), now_ns)

    def on_trade(self, symbol: str, trade: Print, now_ns: int) -> list[PaperOrder]:
        """Take a trade of others; return the orders that it filled."""
        return self._book(self.market(symbol).on_trade(trade), now_ns)

    def market(self, symbol: str) -> PaperMarket:
        """Return the market of a symbol."""
        return self.markets.setdefault(symbol, PaperMarket())

    def _check_funds(self, order: PaperOrder, taken: Iterable[Taken]) -> None:
        currency, needed = _needs(order, order.amount, order.price or _ZERO, self.fees.higher)
        if order.price is None and order.side == "buy":
            value = reduce(EXACT.add, (EXACT.multiply(one.price, one.amount) for one in taken), _ZERO)
            needed = EXACT.multiply(value, EXACT.add(_ONE, self.fees.taker))
        free = EXACT.subtract(self.balances.get(currency, _ZERO), self.held().get(currency, _ZERO))
        if needed > free:
            message = f"it needs {_plain(needed)} {currency}; {_plain(free)} {currency} are free"
            figures = {"needed": _plain(needed), "free": _plain(free), "currency": currency}
            raise OrderRefusedError(message, "INSUFFICIENT_BALANCE", **figures)

    def _book(self, executions: Iterable[Execution], now_ns: int) -> list[PaperOrder]:
        """Write executions into orders and balances; return the orders."""
        changed: dict[str, PaperOrder] = {}
        for execution in executions:
            order = self.orders[execution.order_id]
            base, quote, _, _ = split_symbol(order.symbol)
            value = EXACT.multiply(execution.amount, execution.price)
            fee = EXACT.multiply(value, self.fees.maker if execution.maker else self.fees.taker)
            sign = _ONE if order.side == "buy" else -_ONE
            self._add(base, EXACT.multiply(sign, execution.amount))
            self._add(quote, EXACT.subtract(EXACT.multiply(-sign, value), fee))
            number = f"{order.number}-{len(order.fills) + 1}"
            order.fills += (Fill(number, execution.amount, execution.price, fee, quote, now_ns),)
            changed[order.client_id] = order
            if order.left <= 0:
                self._end(order, "filled", None)
        return list(changed.values())

    def _add(self, currency: str, amount: Decimal) -> None:
        self.balances[currency] = EXACT.add(self.balances.get(currency, _ZERO), amount)

    def _end(self, order: PaperOrder, status: VenueStatus, reason: str | None) -> None:
        order.status, order.reason = status, reason
        self.ended[order.client_id] = self.orders.pop(order.client_id)


def _needs(order: PaperOrder, amount: Decimal, price: Decimal, fee: Decimal) -> tuple[str, Decimal]:
    """Return which currency an order takes from, and how much at a price, its fee included."""
    base, quote, _, _ = split_symbol(order.symbol)
    if order.side == "sell":
        return base, amount
    return quote, EXACT.multiply(EXACT.multiply(amount, price), EXACT.add(_ONE, fee))


def _plain(value: Decimal) -> str:
    """Write an amount without zeros that say nothing."""
    return format(value.normalize(EXACT), "f")
