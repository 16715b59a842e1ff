"""An executor's surroundings in memory, stepped by hand: each await is a place where a test can interrupt.

What is on disk (the journal), at the venue and on the bus outlives the executor that a test drops.
"""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from consumers.execution.executor import Executor
from consumers.execution.ports import ChangedElsewhereError, NotAllowedError, Ports, UnclearError
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Fill, Order, Report, VenueStatus

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


@types.coroutine
def pause(place: str) -> Generator[str]:
    """Give the stepper the name of this await; it may raise here, or never come back."""
    yield place


class CrashError(BaseException):
    """The process is gone."""


@dataclass
class VenueOrder:
    """One order as the venue has it."""

    number: int
    client_id: str
    amount: Decimal
    price: Decimal
    status: VenueStatus = "open"
    fills: list[Fill] = field(default_factory=list[Fill])
    hidden: int = 0  # of its newest fills are not listed yet

    @property
    def filled(self) -> Decimal:
        return sum((fill.amount for fill in self.fills), Decimal(0))

    def fill(self, amount: Decimal, now: int) -> None:
        """Execute some of it, if it is open."""
        amount = min(amount, self.amount - self.filled)
        if self.status != "open" or amount <= 0:
            return
        name = f"{self.number}-{len(self.fills) + 1}"
        self.fills.append(Fill(name, amount, self.price, Decimal("0.1"), "USDT", now))
        if self.filled == self.amount:
            self.status = "filled"

    def report(self) -> Report:
        listed = tuple(self.fills[: len(self.fills) - self.hidden])
        return Report(
            venue_order_id=str(self.number),
            client_id=self.client_id,
            status=self.status,
            filled=self.filled,
            fills=listed,
        )


@dataclass
class Stage:
    """A venue, a journal, a bus and a clock. `on_place` and `on_cancel` say what the venue does then."""

    now: int = START
    orders: list[VenueOrder] = field(default_factory=list[VenueOrder])
    kept: dict[str, Order] = field(default_factory=dict[str, Order])
    published: dict[str, Order] = field(default_factory=dict[str, Order])
    requests: Counter[str] = field(default_factory=Counter[str])
    late: list[tuple[int, Order]] = field(default_factory=list[tuple[int, Order]])
    on_place: Callable[[Stage, VenueOrder], None] = lambda _stage, _order: None
    on_cancel: Callable[[Stage, VenueOrder], None] = lambda _stage, _order: None
    allowed: bool = True
    holder: int = 1

    def executor(self) -> Executor:
        """Return an executor of a new process, which takes the account over."""
        self.holder += 1
        return Executor(
            Ports(StageVenue(self), StageJournal(self), StageGate(self, self.holder), StageBus(self), self.clock)
        )

    def clock(self) -> int:
        return self.now

    def accept(self, order: Order) -> VenueOrder:
        """Have the order, as a venue does that knows nothing of client ids."""
        made = VenueOrder(len(self.orders) + 1, order.client_id, order.amount, order.price or Decimal(100))
        self.orders.append(made)
        self.on_place(self, made)
        return made

    def advance(self, seconds: float) -> None:
        """Let time pass, and what is late arrive."""
        self.now += int(seconds * SECOND)
        due = [order for at, order in self.late if at <= self.now]
        self.late = [(at, order) for at, order in self.late if at > self.now]
        for order in due:
            self.accept(order)

    def written(self, client_id: str = "client1") -> Order | None:
        """The order of a client id in the journal."""
        return next((order for order in self.kept.values() if order.client_id == client_id), None)

    def of(self, client_id: str) -> list[VenueOrder]:
        return [order for order in self.orders if order.client_id == client_id]


class StageVenue:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def place(self, order: Order) -> Report:
        self._stage.requests["place"] += 1
        await pause("venue.place before")
        made = self._stage.accept(order)
        await pause("venue.place after")
        return made.report()

    async def find(self, order: Order) -> Report | None:
        await pause("venue.find before")
        found = self._stage.of(order.client_id)
        report = found[-1].report() if found else None
        for one in found:  # listed from the next question on
            one.hidden = 0
        await pause("venue.find after")
        return report

    async def cancel(self, order: Order) -> Report | None:
        await pause("venue.cancel before")
        for one in self._stage.of(order.client_id):
            self._stage.on_cancel(self._stage, one)
            if one.status != "open":
                raise OrderRefusedError("there is no such open order")
            one.status = "cancelled"
        await pause("venue.cancel after")
        found = self._stage.of(order.client_id)
        return found[-1].report() if found else None

    async def list_open(self) -> Sequence[Report]:
        await pause("venue.list before")
        found = [order.report() for order in self._stage.orders if order.status == "open"]
        await pause("venue.list after")
        return found


class StageJournal:
    def __init__(self, stage: Stage) -> None:
        self._kept = stage.kept

    async def insert(self, order: Order) -> Order:
        await pause("journal.insert before")
        known = next((one for one in self._kept.values() if one.client_id == order.client_id), None)
        if known is None:
            known = self._kept[order.id] = order
        await pause("journal.insert after")
        return known

    async def save(self, order: Order, before: Order) -> None:
        await pause("journal.save before")
        if self._kept[order.id].version != before.version:
            raise ChangedElsewhereError(order.id)
        self._kept[order.id] = order
        await pause("journal.save after")

    async def find(self, order_id: str) -> Order | None:
        await pause("journal.find")
        return self._kept.get(order_id)

    async def find_client_id(self, client_id: str) -> Order | None:
        await pause("journal.find_client_id")
        return next((one for one in self._kept.values() if one.client_id == client_id), None)

    async def list_unfinished(self) -> Sequence[Order]:
        await pause("journal.list")
        return [order for order in self._kept.values() if not order.is_finished]


class StageGate:
    def __init__(self, stage: Stage, number: int) -> None:
        self._stage, self._number = stage, number

    async def check(self, order: Order) -> None:
        await pause("gate.check")
        if not self._stage.allowed:
            raise NotAllowedError("switched off", "TRADING_STOPPED")

    def holds(self) -> bool:
        return self._stage.holder == self._number


class StageBus:
    def __init__(self, stage: Stage) -> None:
        self._published = stage.published

    async def publish(self, order: Order) -> None:
        await pause("bus before")
        self._published.setdefault(f"{order.id}.{order.version}", order)
        await pause("bus after")


Interrupt = Callable[[int, str], BaseException | None]


def never(_number: int, _place: str) -> BaseException | None:
    """Interrupt nowhere."""
    return None


class Stepper:
    """Runs coroutines await by await; `interrupt(number, place)` says what is raised at one, CrashError drops it."""

    def __init__(self, interrupt: Interrupt = never) -> None:
        self.interrupt, self.number = interrupt, 0
        self.places: list[str] = []

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Return what the work returns; raise what it raises, CrashError where it was dropped."""
        error: BaseException | None = None
        while True:
            try:
                place: Any = work.send(None) if error is None else work.throw(error)
            except StopIteration as done:
                return done.value
            self.places.append(place)
            error = self.interrupt(self.number, place)
            self.number += 1
            if isinstance(error, CrashError):
                work.close()
                raise error


def unclear() -> UnclearError:
    return UnclearError("no answer in time")


def intent(number: int = 1, **fields: Any) -> Order:
    """Buy 10 at 100."""
    order = Order(
        id=f"order{number}",
        client_id=f"client{number}",
        account="paper",
        owner="alice",
        venue="stage",
        symbol="BTC/USDT",
        side="buy",
        type="limit",
        amount=Decimal(10),
        price=Decimal(100),
        created_ns=START,
    )
    return replace(order, **fields)
