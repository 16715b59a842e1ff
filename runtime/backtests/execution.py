"""Orders of a backtest, taken through the steps of live ones on a paper account, at the time that is given. Pure.

Live, an executor does the same around documents and the bus. It also asks the venue again and again what it has; here
the answer is always what the venue has said by itself, so that nobody asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from contracts.arithmetic.book import add_up
from contracts.arithmetic.exact import FINE, rounded
from contracts.errors import InvalidParameterError, NoDataError
from contracts.services.trading.accounts import PAPER
from contracts.services.trading.events import OrderChanged, OrderFilled
from contracts.services.trading.strategy_events import StrategyRefused, WantedOrder
from runtime.trading import order as steps
from runtime.trading.figures import Levels, OrderRefusedError, Print
from runtime.trading.order import SECOND, Order, Report, next_step
from runtime.trading.order_events import changed, fills_of, order_id_of
from runtime.trading.paper.account import PaperAccount, PaperOrder
from runtime.trading.rules import Figures, TradingRules, fit, paper_rules

FRESH_NS: Final = 60 * SECOND  # how old a book may be for an order to be placed on it
_MOST_STEPS: Final = 16
OwnEvent = OrderChanged | OrderFilled | StrategyRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """What names the orders: the account's id, its exchange and owner, the strategy's id and symbol."""

    account: str
    exchange: str
    owner: str
    strategy: str
    symbol: str


class PaperExecution:
    """The orders of one strategy on one paper account, by client id."""

    def __init__(self, whose: Whose, account: PaperAccount) -> None:
        self.account = account
        self._whose = whose
        self._rules: TradingRules = paper_rules(whose.symbol)
        self._orders: dict[str, Order] = {}
        self._said: dict[str, Report] = {}
        self._fills: dict[str, int] = {}  # how many executions of an order are published
        self._events: list[OwnEvent] = []
        self._best: list[Decimal] = []
        self._book_ns: int | None = None

    def on_book(self, bids: Levels, asks: Levels, now_ns: int) -> None:
        """Take a live book as it is shown now."""
        sides = tuple(bids), tuple(asks)
        self._best, self._book_ns = [levels[0][0] for levels in sides if levels], now_ns
        self._note(self.account.on_book(self._whose.symbol, sides, now_ns))

    def on_trade(self, trade: Print, now_ns: int) -> None:
        """Take a trade of others."""
        self._note(self.account.on_trade(self._whose.symbol, trade, now_ns))

    def price(self, now_ns: int) -> Decimal | None:
        """Return the middle of the live book; None where there is none."""
        if not self._best or not self._is_fresh(now_ns):
            return None
        return rounded(FINE.divide(add_up(self._best), Decimal(len(self._best))))

    def place(self, wanted: WantedOrder, now_ns: int) -> None:
        """Place an order; what cannot be one is refused. NoDataError while there is no live book."""
        try:
            order = self._order(wanted, now_ns)
        except InvalidParameterError as error:
            self._events.append(self._refused(wanted, error, now_ns))
            return
        self._go_on(order, now_ns)

    def cancel(self, client_id: str, now_ns: int) -> None:
        """Cancel an order; one that is none, or has ended, is left as it is."""
        order = self._orders.get(client_id)
        if order is not None:
            self._go_on(steps.on_cancel_wanted(order, now_ns), now_ns)

    def flush(self, now_ns: int) -> list[OwnEvent]:
        """Bring what the venue did by itself into the orders; return what is published since the last call."""
        said, self._said = self._said, {}
        for client_id, report in said.items():
            self._go_on(steps.on_report(self._orders[client_id], report, now_ns), now_ns)
        events, self._events = self._events, []
        return events

    def _order(self, wanted: WantedOrder, now_ns: int) -> Order:
        whose, side, amount = self._whose, wanted.side, wanted.amount
        price = self.price(now_ns)
        if price is None:
            raise NoDataError(f"There is no live book of {whose.symbol} on {whose.exchange}", symbol=whose.symbol)
        if side is None or amount is None or wanted.type is None:
            raise ValueError(f"{wanted.client_id} says no side, type or amount")
        figures = fit(Figures(side, amount, wanted.price), self._rules, price)
        return Order(
            id=order_id_of(whose.account, wanted.client_id),
            client_id=wanted.client_id,
            account=whose.account,
            owner=whose.owner,
            venue=PAPER,
            symbol=whose.symbol,
            side=side,
            type=wanted.type,
            amount=figures.amount,
            price=figures.price,
            post_only=wanted.post_only,
            reduce_only=wanted.reduce_only,
            strategy=whose.strategy,
            created_ns=now_ns,
        )

    def _refused(self, wanted: WantedOrder, error: InvalidParameterError, now_ns: int) -> StrategyRefused:
        whose = self._whose
        return StrategyRefused(
            id=f"{whose.strategy}.refused.{wanted.client_id}",
            ts=now_ns,
            strategy=whose.strategy,
            owner=whose.owner,
            account=PAPER,
            symbol=whose.symbol,
            client_id=wanted.client_id,
            code=error.code,
            reason=error.message,
        )

    def _go_on(self, order: Order, now_ns: int) -> None:
        for _ in range(_MOST_STEPS):
            match next_step(order, now_ns):
                case "send":
                    order = self._send(steps.on_sending(order, now_ns), now_ns)
                case "cancel":
                    order = self._cancel(steps.on_cancelling(order, now_ns), now_ns)
                case _:
                    break
        self._keep(order)

    def _send(self, order: Order, now_ns: int) -> Order:
        try:
            if not self._is_fresh(now_ns):
                raise OrderRefusedError(f"there is no live book of {order.symbol} now", "NO_LIVE_BOOK")
            placed = self.account.place(order, now_ns)
        except OrderRefusedError as error:
            return steps.on_refused(order, error.refusal, now_ns)
        self._note([placed])
        return steps.on_report(order, placed.report(), now_ns)

    def _cancel(self, order: Order, now_ns: int) -> Order:
        cancelled = self.account.cancel(order.client_id)
        if cancelled is None:
            return steps.on_unclear(order, "there is no such open order", now_ns)
        self._note([cancelled])
        return steps.on_report(order, cancelled.report(), now_ns)

    def _keep(self, order: Order) -> None:
        """Keep an order, and publish what is new of it."""
        if order.published < order.version:
            known = self._fills.get(order.client_id, 0)
            self._events += list(fills_of(order))[known:]
            self._fills[order.client_id] = len(order.fills)
            self._events.append(changed(order))
            order = steps.on_published(order, order.version)
        self._orders[order.client_id] = order

    def _note(self, orders: Iterable[PaperOrder]) -> None:
        self._said.update((order.client_id, order.report()) for order in orders)

    def _is_fresh(self, now_ns: int) -> bool:
        return self._book_ns is not None and now_ns - self._book_ns <= FRESH_NS
