"""A grid and a DCA through simulated hours on the bus: real executor, strategies and documents, processes killed.

The time is the test's: a step of ten seconds every few milliseconds. What the strategies say that they made, and what
the accounts have, is what the executions sum to, exactly; every decision is there once, with its orders and no others.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from contracts import streams, subjects
from contracts.arithmetic.exact import EXACT
from contracts.services.trading import orders
from contracts.services.trading import strategies as words
from contracts.services.trading.events import OrderChanged, OrderFilled
from contracts.services.trading.strategy_events import StrategyDecided, StrategyRefused
from runtime import clock, provision
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import nats_server
from tests.consumers.conftest import PLAN
from tests.consumers.strategies.conftest import Owner, Process, database, make_process, until
from tests.consumers.strategies.shared_clock import SharedClock, make_clock

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]
D = Decimal
SECOND = 1_000_000_000
STEP_SECONDS = 10
PACE_SECONDS = 0.008
MOST_WAITS = 1000  # of 40 ms
HOUR_STEPS = 360
GRID: dict[str, Any] = {"lower": "95", "upper": "105", "levels": 11, "spacing": "arithmetic", "amount": "1"}
DCA: dict[str, Any] = {
    "amount": "1",
    "interval_seconds": 1800,
    "safety_orders": {"count": 3, "step_percent": "1", "volume_scale": "1.5"},
    "take_profit_percent": "1",
}
BEGIN = D(100_000)


@dataclass
class Market:
    """Two owners, one process each of execution and strategies, and a price that walks."""

    bus: Bus
    time: SharedClock
    processes: dict[str, Process]
    owners: list[Owner]
    now_ns: int
    tenths: int = 1000
    wanted: set[str] = field(default_factory=set[str])  # orders, by client id
    known: set[str] = field(default_factory=set[str])  # of them those that the venue has, or nobody ever will

    async def listen(self) -> None:
        """Note from now on which orders are wanted, and which of them are known."""
        for subject, take in (
            (f"{subjects.STRATEGY}decided.>", self._on_decided),
            (f"{subjects.STRATEGY}refused.>", self._on_refused),
            (f"{subjects.ORDER}changed.>", self._on_order),
        ):
            await self.bus.client.subscribe(subject, cb=take)

    async def _on_decided(self, message: Any) -> None:
        wanted = StrategyDecided.model_validate_json(message.data).wanted
        self.wanted |= {one.client_id for one in wanted if one.what == "place"}
        self.known |= {one.client_id for one in wanted if one.what == "cancel"}  # it may never be sent then

    async def _on_refused(self, message: Any) -> None:
        self.known.add(StrategyRefused.model_validate_json(message.data).client_id)

    async def _on_order(self, message: Any) -> None:
        order = OrderChanged.model_validate_json(message.data)
        if order.status != "pending":
            self.known.add(order.client_id)

    async def show(self, seconds: float, size: str = "1000") -> None:
        """Let time pass, and show the book."""
        self.now_ns += int(seconds * SECOND)
        self.time.set(self.now_ns)
        await self.owners[0].price(str(D(self.tenths) / 10), str(D(self.tenths + 1) / 10), size)

    async def step(self, chance: random.Random) -> None:
        """Ten seconds later the price is another one; it waits for orders that are on their way."""
        self.tenths = min(1090, max(910, self.tenths + chance.randint(-4, 4)))
        await self.show(STEP_SECONDS, chance.choice(["0.4", "3", "1000"]))
        await asyncio.sleep(PACE_SECONDS)
        for _ in range(MOST_WAITS):
            await self.keep_pace()
            if self.wanted <= self.known:
                return
            await self.show(1)
            await asyncio.sleep(PACE_SECONDS * 5)
        raise AssertionError(f"wanted and never placed: {self.wanted - self.known}; {await self.stand()}")

    async def keep_pace(self) -> None:
        """Wait until both processes answer, and let go on, as its owner does, a strategy that paused itself.

        It does where orders were not sent within 30 s of this time: the one of a busy machine is slower.
        """
        await asyncio.gather(*(one for owner in self.owners for one in (owner.balances(), self.resume(owner))))

    async def resume(self, owner: Owner) -> None:
        page = await owner.strategies("list", words.ListStrategies(owner=owner.owner), words.StrategyPage)
        for one in page.items:
            if one.status == "paused":
                assert str(one.reason).endswith("were refused: it could not be sent in time"), one.reason
                await owner.turn("resume", one.id)

    async def stand(self) -> list[tuple[str, str, str | None]]:
        """Return how the strategies stand."""
        found: list[tuple[str, str, str | None]] = []
        for owner in self.owners:
            page = await owner.strategies("list", words.ListStrategies(owner=owner.owner), words.StrategyPage)
            found += [(one.kind, one.status, one.reason) for one in page.items]
        return found

    async def restart(self, name: str, chance: random.Random) -> None:
        """Kill a process and start it again; the market goes on for half a minute meanwhile."""
        await self.processes[name].kill()
        starting = asyncio.create_task(self.processes[name].start())
        for _ in range(3):
            self.tenths += chance.randint(-4, 4)
            await self.show(STEP_SECONDS)
        await starting


@pytest_asyncio.fixture(loop_scope="module")
async def market(tmp_path_factory: Any, documents_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Market]:
    """A bus and documents of the test's own, on a time of its own that began two days ago."""
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("day")
        server = await stack.enter_async_context(nats_server(folder / "nats"))
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        stack.push_async_callback(bus.close)
        await provision.apply(bus, PLAN)
        begin = time.time_ns() - 48 * 3600 * SECOND
        shared = make_clock(folder / "clock", begin)
        monkeypatch.setattr(clock, "now_ns", shared)
        documents, processes = database(documents_url), dict[str, Process]()
        for name in ("execution", "strategies"):
            more = (name, str(folder / "clock"))
            processes[name] = await make_process(server.url, documents, 15.0, *more)
            stack.push_async_callback(processes[name].close)
        await asyncio.gather(*(process.start() for process in processes.values()))
        owners = [Owner(bus, f"owner-{token_hex(4)}") for _ in range(2)]
        for owner in owners:
            await owner.open(balance={"USDT": BEGIN})
        yield Market(bus, shared, processes, owners, begin)


def exactly(*values: Decimal) -> Decimal:
    return reduce(EXACT.add, values, D(0))


async def all_of(owner: Owner, verb: str, query: Any, page: Any) -> list[Any]:
    """Return every page of a list."""
    found: list[Any] = []
    for number in range(1, 1000):
        answer = await owner.ask(verb, query(owner=owner.owner, page=number, page_size=100), page)
        found += answer.items
        if number >= answer.pages:
            break
    return found


async def published_fills(market: Market, owner: Owner) -> dict[str, OrderFilled]:
    rows = await read_past(market.bus, streams.TRADING, (f"{subjects.ORDER}filled.>",), ALL)
    events = [OrderFilled.model_validate_json(row.payload) for row in rows]
    mine = [event for event in events if event.owner == owner.owner]
    assert len({event.id for event in mine}) == len(mine)
    return {event.id: event for event in mine}


async def check(market: Market, owner: Owner, made: words.StrategyShown) -> int:
    """Recompute what was made from the executions alone, and hold all others to it; return how many there were."""
    price = D(market.tenths) / 10
    fills: list[orders.FillInfo] = []

    async def said_the_same() -> Any:
        """Its figures follow the executions and the last price at a small distance."""
        nonlocal fills
        await owner.price(str(price), str(D(market.tenths + 1) / 10))
        fills = await all_of(owner, "list_fills", orders.ListFills, orders.FillPage)
        signs = {"buy": D(1), "sell": D(-1)}
        held = exactly(*(EXACT.multiply(signs[one.side], one.amount) for one in fills))
        paid = exactly(*(EXACT.multiply(signs[one.side], EXACT.multiply(one.amount, one.price)) for one in fills))
        fees = exactly(*(one.fee for one in fills))
        has = await owner.balances()
        profit = (await owner.strategy(made.id)).profit
        last = exactly(profit.realized, profit.unrealized or D(0))
        wanted = {
            "BTC": held,
            "USDT": exactly(BEGIN, -paid, -fees),
            "fees": fees,
            "pnl": exactly(EXACT.multiply(held, price), -paid),
        }
        found = {
            "BTC": sum(has.get("BTC", (D(0), D(0)))),
            "USDT": sum(has["USDT"]),
            "fees": profit.fees,
            "pnl": last,
        }
        differ = {name: (found[name], wanted[name]) for name in wanted if abs(found[name] - wanted[name]) > D("1e-18")}
        exact = all(found[name] == wanted[name] for name in ("BTC", "USDT", "fees"))
        return True if exact and not differ else [differ]

    async def settled() -> bool:
        return await said_the_same() is True

    await until(settled, 30)
    on_the_bus = await published_fills(market, owner)
    assert {f"{one.order_id}.fill.{one.id}": (one.amount, one.price, one.fee) for one in fills} == {
        name: (one.amount, one.price, one.fee) for name, one in on_the_bus.items()
    }
    await check_decisions(owner, made)
    return len(fills)


async def check_decisions(owner: Owner, made: words.StrategyShown) -> None:
    """Hold decisions to it: each number once and none missing, an order for each that was wanted and no other."""
    placed: list[Any] = []
    decided: list[Any] = []
    wanted = Counter[str]()

    async def all_known() -> bool:
        """What was decided is published; what was wanted is placed or never will be, and nothing else is placed."""
        nonlocal placed, decided, wanted
        decided = await owner.seen("decided", made.id)
        wanted = Counter(one.client_id for each in decided for one in each.wanted if one.what == "place")
        never = {event.client_id for event in await owner.seen("refused", made.id)}
        never |= {one.client_id for each in decided for one in each.wanted if one.what == "cancel"}
        placed = await all_of(owner, "list_orders", orders.ListOrders, orders.OrderPage)
        ids = {order.client_id for order in placed}
        published = len(decided) > 0 and decided[-1].number == len(decided)
        return published and set(wanted) - never <= ids <= set(wanted)

    await until(all_known, 30)
    assert len({order.client_id for order in placed}) == len(placed)
    open_now = Counter(order.price for order in placed if order.status == "open")
    assert max(open_now.values(), default=0) <= 1
    assert [one.number for one in decided] == list(range(1, len(decided) + 1))
    assert max(wanted.values()) == 1
    query = words.StrategyWhy(owner=owner.owner, id=made.id)
    assert (await owner.strategies("why", query, words.StrategyExplanation)).same


async def live(market: Market, hours: int, restarts: int, seed: int) -> None:
    """Walk a price for hours while processes are killed and started again, then hold everything to the executions."""
    chance = random.Random(seed)
    await market.listen()
    await market.step(chance)
    made = [
        await market.owners[0].create("grid", GRID),
        await market.owners[1].create("dca", DCA),
    ]
    steps = hours * HOUR_STEPS
    stops = set(chance.sample(range(steps), restarts))
    for number in range(steps):
        await market.step(chance)
        if number in stops:
            await market.restart(chance.choice(("execution", "strategies")), chance)
    executed = [await check(market, owner, one) for owner, one in zip(market.owners, made, strict=True)]
    print(f"{hours} hours, {restarts} killed processes: {executed} executions")
    assert min(executed) > hours


@pytest.mark.timeout(180)
async def test_hours_with_killed_processes_are_accounted_for_exactly(market: Market) -> None:
    await live(market, 2, 3, seed=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_a_day_with_fifty_killed_processes_is_accounted_for_exactly(market: Market) -> None:
    await live(market, 24, 50, seed=2)
