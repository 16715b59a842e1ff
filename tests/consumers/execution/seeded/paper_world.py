"""Orders on paper in memory: the product's executor, journal and paper venue, on a clock that tests set."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from nats.errors import Error as NatsError

from consumers.execution.documents.journal import ORDERS, DocumentJournal, read
from consumers.execution.executor import Executor
from consumers.execution.opened import PAPER_FEES
from consumers.execution.paper.store import ACCOUNTS, ENDED, PaperStore, read_order
from consumers.execution.paper.venue import PaperVenue
from consumers.execution.ports import ChangedElsewhereError, Ports, UnclearError
from runtime.store import Store, StoreError
from runtime.trading.figures import Print
from runtime.trading.order import Order
from runtime.trading.paper.account import PaperOrder
from tests.consumers.execution.seeded.memory import MemoryStore
from tests.consumers.execution.stage import SECOND, START, CrashError, intent

D = Decimal
BEGIN = {"USDT": D(10_000), "BTC": D(10)}
AMOUNT = D(10)
REST = (1, 3, 10, 30, 60, 300, 1800, 3600)
PLACES = 70  # awaits of a course among which faults strike; some courses have fewer
CALM = (StoreError, NatsError, ChangedElsewhereError, UnclearError, asyncio.CancelledError)


@dataclass
class PaperWorld:
    """What outlives the process: documents, the bus, the market; and the process that acts now."""

    strikes: dict[int, str] = field(default_factory=dict[int, str])
    now: int = START
    token: int = 0
    number: int = 0  # of awaits
    struck: int = 0
    published: dict[str, Order] = field(default_factory=dict[str, Order])
    book: tuple[list[tuple[Decimal, Decimal]], list[tuple[Decimal, Decimal]]] = field(
        default_factory=lambda: ([(D(99), D(50))], [(D(101), D(4)), (D(102), D(50))])
    )
    cancel_wanted: bool = False

    def __post_init__(self) -> None:
        self.documents = MemoryStore(self.reach)
        self.make()

    def make(self) -> None:
        """Begin a process: it acts for the account from now on, and what another one believes is over."""
        self.token += 1
        token, store = self.token, cast("Store", self.documents)
        self.venue = PaperVenue(PaperStore(store, "paper", PAPER_FEES, lambda: token), BEGIN, self.clock, latency=0)
        self.journal = DocumentJournal(store, "paper", lambda: token)
        self.executor = Executor(Ports(self.venue, self.journal, Gate(self, token), self, self.clock))
        self.opened = False

    def clock(self) -> int:
        return self.now

    async def reach(self, place: str) -> None:
        """Let what is to happen at this await happen."""
        self.number += 1
        kind = self.strikes.pop(self.number, None)
        if kind is None:
            return
        self.struck += 1
        match kind:
            case "away":
                raise NatsError("away") if place.startswith("bus") else StoreError("away")
            case "ended":
                raise asyncio.CancelledError
            case "crash":
                raise CrashError
            case _:  # another process acts for a while, and this one goes on then
                self.make()
                for seconds in (0, 1, 3):
                    await self.later(seconds)

    async def publish(self, order: Order) -> None:
        """Take an order's version as the bus does: once."""
        await self.reach("bus before")
        self.published.setdefault(f"{order.id}.{order.version}", order)
        await self.reach("bus after")

    async def do(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do it; a process that dies is started again, and what fails is gone on with later."""
        try:
            if not self.opened:
                await self.open()
            await work()
        except CrashError:
            self.make()
        except CALM:
            pass

    async def open(self) -> None:
        """Take the account over, as OpenedAccounts does."""
        await self.journal.claim()
        await self.venue.open()
        self.opened = True
        self.show()

    def show(self) -> None:
        self.venue.on_book("BTC/USDT", *self.book)

    async def submit(self, **fields: Any) -> None:
        order = intent(created_ns=self.now, **fields)
        await self.do(lambda: self.executor.submit(order))

    async def cancel(self) -> None:
        order = self.written()
        if order is not None:
            await self.do(lambda: self.executor.cancel(order.id))
            after = self.written()
            self.cancel_wanted |= after is not None and after.cancel_ns is not None

    async def trade(self, amount: int, price: int = 99) -> None:
        """Have others sell at a price below the order's."""
        self.venue.on_trade("BTC/USDT", Print(D(price), D(amount), "sell"))
        await self.do(self.flush)

    async def flush(self) -> None:
        for report in await self.venue.flush():
            await self.executor.take(report)

    async def later(self, seconds: float) -> None:
        """Let time pass and the rounds of an account go on; the book is shown again."""
        self.now += int(seconds * SECOND)
        await self.do(self.flush)
        self.show()
        await self.do(self.flush)
        await self.do(self.executor.settle)

    async def rest(self) -> None:
        """Let hours pass without a fault."""
        self.strikes.clear()
        for seconds in REST:
            await self.later(seconds)
            await self.do(self.executor.reconcile)
        await self.later(0)

    def written(self) -> Order | None:
        """Return the order as the journal has it."""
        return next(iter(read(document) for document in self.documents.documents(ORDERS)), None)

    def there(self) -> list[PaperOrder]:
        """Return the orders that the paper account has."""
        [account] = self.documents.documents(ACCOUNTS) or [{"orders": [], "ended": []}]
        ended = {document["client_id"]: document for document in self.documents.documents(ENDED)}
        ended |= {document["client_id"]: document for document in account["ended"]}
        return [read_order(one) for one in (*account["orders"], *ended.values())]

    def balances(self) -> dict[str, Decimal]:
        """Return what is written of the account's money."""
        accounts = self.documents.documents(ACCOUNTS)
        return {name: D(text) for name, text in accounts[0]["balances"]} if accounts else dict(BEGIN)


@dataclass(frozen=True)
class Gate:
    """Lets every order pass; says no more that it holds once another process acts."""

    world: PaperWorld
    token: int

    async def check(self, order: Order) -> None:
        await self.world.reach(f"gate {order.id}")

    def holds(self) -> bool:
        return self.world.token == self.token


async def _rests_then_cancelled(world: PaperWorld) -> None:
    await world.submit()
    await world.later(1)
    await world.cancel()
    await world.later(2)


async def _filled_at_once(world: PaperWorld) -> None:
    await world.submit(price=D(102))
    await world.later(1)
    await world.later(5)


async def _filled_in_parts(world: PaperWorld) -> None:
    await world.submit()
    await world.trade(3)
    await world.later(5)
    await world.trade(7)
    await world.later(5)


async def _filled_in_part_then_cancelled(world: PaperWorld) -> None:
    await world.submit()
    await world.trade(4)
    await world.cancel()
    await world.trade(4)
    await world.later(2)


async def _market_order(world: PaperWorld) -> None:
    await world.submit(type="market", price=None)
    await world.later(1)
    await world.later(5)


async def _submitted_twice(world: PaperWorld) -> None:
    await world.submit(id="order1")
    await world.submit(id="order2")
    await world.later(1)
    await world.trade(10)
    await world.submit(id="order3")


async def _process_dies(world: PaperWorld) -> None:
    await world.submit()
    world.make()
    await world.later(1)
    await world.trade(6)
    world.make()
    await world.cancel()
    await world.later(5)


COURSES = (
    _rests_then_cancelled,
    _filled_at_once,
    _filled_in_parts,
    _filled_in_part_then_cancelled,
    _market_order,
    _submitted_twice,
    _process_dies,
)
FAULTS = ("away", "away", "crash", "ended", "takeover")


async def play(seed: object) -> int:
    """Play one seeded course with up to three faults and hold its end to what is promised; return how many struck."""
    chance = random.Random(f"paper {seed}")
    places = chance.sample(range(1, PLACES), chance.randint(1, 3))
    world = PaperWorld({place: chance.choice(FAULTS) for place in places})
    await chance.choice(COURSES)(world)
    await world.rest()
    check(world)
    return world.struck


def check(world: PaperWorld) -> None:
    """Hold the end to it: one order at most, each execution once, and the money as the executions have it."""
    order, there = world.written(), world.there()
    assert len(there) <= 1
    assert len(world.documents.documents(ORDERS)) <= 1
    expected = there[0].fills if there else ()
    left = dict(BEGIN)
    for fill in expected:
        left["BTC"] += fill.amount  # every order of these courses buys
        left["USDT"] -= fill.amount * fill.price + fill.fee
    assert world.balances() == left
    if order is None:
        assert not there
        return
    assert sorted(fill.id for fill in order.fills) == sorted(fill.id for fill in expected)
    assert order.filled == sum((fill.amount for fill in expected), D(0))
    assert world.published[f"{order.id}.{order.version}"].fills == order.fills
    assert (order.error is not None) == (order.status == "rejected")
    if not there:
        assert order.status in {"rejected", "cancelled"}
        assert order.is_finished
        return
    assert order.status == there[0].status
    assert order.is_finished == (there[0].status != "open")
    assert not (world.cancel_wanted and there[0].status == "open")
