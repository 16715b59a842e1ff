"""An exchange in memory with one account: it can be made unclear or refusing, and counts down by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from consumers.execution.account import Account
from consumers.execution.documents.journal import DocumentJournal
from consumers.execution.executor import Executor
from consumers.execution.gate import AccountGate
from consumers.execution.opened import Opened
from consumers.execution.ports import Ports, UnclearError
from consumers.execution.publishing import BusPublisher
from consumers.execution.safety.permits import Permits
from consumers.execution.safety.watched import WatchedVenue
from contracts.services.trading.events import OrderChanged, OrderFilled, TradingTripped
from runtime import clock
from runtime.store import Store
from runtime.trading.figures import Fees, Levels, OrderRefusedError, Print, Taken
from runtime.trading.order import Order, Report, VenueStatus
from runtime.trading.rules import TradingRules

ZERO = Decimal(0)
STEP = Decimal("0.00000001")


@dataclass
class Exchange:
    """What the exchange has; `answer` says how it takes the next requests."""

    answer: str = "accepts"
    orders: dict[str, VenueStatus] = field(default_factory=dict[str, VenueStatus])
    countdowns: list[tuple[tuple[str, ...], float]] = field(default_factory=list[tuple[tuple[str, ...], float]])
    open_for_orders: asyncio.Event = field(default_factory=asyncio.Event)
    fees: Fees = field(default_factory=lambda: Fees(maker=ZERO, taker=ZERO))

    def __post_init__(self) -> None:
        self.open_for_orders.set()

    async def place(self, order: Order) -> Report:
        await self.open_for_orders.wait()
        self._answer()
        self.orders[order.client_id] = "open"
        return self._report(order)

    async def find(self, order: Order) -> Report | None:
        if self.answer == "is silent":
            raise UnclearError("no answer within 10 s")
        return self._report(order) if order.client_id in self.orders else None

    async def cancel(self, order: Order) -> Report | None:
        self._answer()
        if self.orders.get(order.client_id) != "open":
            raise OrderRefusedError("there is no such open order")
        self.orders[order.client_id] = "cancelled"
        return self._report(order)

    async def list_open(self) -> Sequence[Report]:
        self._answer()
        return []

    async def count_down(self, symbols: Sequence[str], seconds: float) -> None:
        self.countdowns.append((tuple(symbols), seconds))

    async def open(self) -> frozenset[str]:
        return frozenset()

    async def close(self) -> None:
        return

    async def rules(self, symbol: str) -> TradingRules:
        base, quote = symbol.split("/")
        return TradingRules(base, quote, STEP, STEP)

    async def flush(self) -> Sequence[Report]:
        return []

    async def balances(self) -> Sequence[tuple[str, Decimal, Decimal]]:
        return []

    async def look(self, order: Order) -> Sequence[Taken]:
        return []

    def price(self, symbol: str) -> Decimal | None:
        return Decimal(100)

    def on_book(self, symbol: str, bids: Levels, asks: Levels) -> None:
        return

    def on_trade(self, symbol: str, trade: Print) -> None:
        return

    def _answer(self) -> None:
        if self.answer == "is silent":
            raise UnclearError("no answer within 10 s")
        if self.answer == "refuses":
            raise OrderRefusedError("not enough money")

    def _report(self, order: Order) -> Report:
        status = self.orders[order.client_id]
        return Report(venue_order_id=f"v-{order.client_id}", client_id=order.client_id, status=status)


class Heard(BusPublisher):
    """The bus: what was published on it."""

    def __init__(self) -> None:
        self.trips: list[TradingTripped] = []
        self.orders: list[OrderChanged | OrderFilled] = []

    async def publish(self, order: Order) -> None:
        return

    async def publish_trip(self, event: TradingTripped) -> None:
        self.trips.append(event)


def at_work(
    store: Store, account: Account, exchange: Exchange, permits: Permits, now: Callable[[], int] = clock.now_ns
) -> Opened:
    """Return an account at work on the exchange, as execution opens one."""
    journal = DocumentJournal(store, account.id, lambda: 1)
    watched = WatchedVenue(exchange, account, permits.breaker)
    gate = AccountGate(account, journal, permits, lambda: True, exchange.price, now)
    publisher = Heard()
    executor = Executor(Ports(watched, journal, gate, publisher, now))
    return Opened(account, exchange, watched, journal, executor, publisher)
