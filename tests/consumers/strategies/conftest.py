"""A bus with execution on it, a paper account on a market that the test moves, and strategies as a process to kill."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from consumers.execution.handlers import ExecutionPlan
from consumers.execution.handlers import run as run_execution
from contracts import codec, streams, subjects
from contracts.market import FeedStatus
from contracts.services.trading import orders
from contracts.services.trading import strategies as words
from contracts.services.trading.strategy_events import (
    StrategyChanged,
    StrategyDecided,
    StrategyEvent,
    StrategyRefused,
    StrategySignalled,
)
from runtime import clock, provision
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import nats_server
from tests.consumers.conftest import PLAN, make_ticker
from tests.consumers.execution.conftest import BTC, CALLER, TAIL, User
from tests.running import running

PROCESS = Path(__file__).with_name("process.py")
ROOT = Path(__file__).parents[3]
SECRET = "a-secret-of-these-tests-that-is-long-enough"
EVENTS: dict[str, type[StrategyEvent]] = {
    "changed": StrategyChanged,
    "decided": StrategyDecided,
    "refused": StrategyRefused,
    "signalled": StrategySignalled,
}


async def until(find: Callable[[], Awaitable[Any]], seconds: float = 20.0) -> Any:
    """Return what is found once something is; what was seen last is said where nothing comes."""
    found: Any = None
    try:
        async with asyncio.timeout(seconds):
            while not (found := await find()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s; seen last: {found!r}") from None
    return found


class Process:
    """Strategies in a process of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def start(self) -> None:
        """Return when it serves."""
        await self._tell("start", b"ready\n")

    async def kill(self) -> None:
        """Kill it; it has ended on return."""
        await self._tell("kill", b"killed\n")

    async def freeze(self) -> None:
        """Let it stand still."""
        await self._tell("freeze", b"frozen\n")

    async def thaw(self) -> None:
        """Let it go on."""
        await self._tell("thaw", b"thawed\n")

    async def close(self) -> None:
        """Kill what is left of it."""
        await self.kill()
        self._process.kill()
        await self._process.wait()

    async def _tell(self, what: str, answer: bytes) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n".encode())
        async with asyncio.timeout(60):
            while (line := await self._process.stdout.readline()) != answer:
                assert line, f"strategies ended before they were {answer!r}"


async def make_process(bus: str, documents: str, lease_seconds: float = 15.0, *more: str) -> Process:
    """Return a process of strategies; `more` is another consumer's name and the file of a clock."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "APP_SECRET_KEY": SECRET}
    pipe = asyncio.subprocess.PIPE
    made = await asyncio.create_subprocess_exec(
        sys.executable, str(PROCESS), bus, documents, str(lease_seconds), *more, env=environ, stdin=pipe, stdout=pipe
    )
    return Process(made)


@dataclass
class Owner(User):
    """An owner with strategies on the paper account."""

    shown: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    async def price(self, price: str, ask: str | None = None, size: str = "1000") -> None:
        """Show a book at a price, and then a ticker of it."""
        await self.show([(price, size)], [(ask or price, size)])
        event = make_ticker(clock.now_ns(), bid=price, ask=ask or price, last=price, venue="binance", symbol=BTC)
        await self.bus.client.publish(f"{subjects.TICKER}{TAIL}", codec.encode(event))
        await self.bus.client.flush()

    async def feed(self, state: str) -> None:
        """Publish what the feed says of itself."""
        now = clock.now_ns()
        values: dict[str, Any] = {"id": f"binance.feed.{now}", "venue": "binance", "state": state, "ts_recv": now}
        values |= dict.fromkeys(("symbol", "venue_symbol", "ts_event", "channel"))
        event = codec.fast(FeedStatus)(**values, reason="a test", sim=False)
        await self.bus.client.publish(f"{subjects.FEED}binance", codec.encode(event))
        await self.bus.client.flush()

    async def create(self, kind: str, params: dict[str, Any], **fields: Any) -> words.StrategyShown:
        values: dict[str, Any] = {"account": "paper", "kind": kind, "symbol": BTC, "params": params}
        request = words.CreateStrategy(caller=CALLER, owner=self.owner, **(values | fields))
        return await self.strategies("create", request, words.StrategyShown)

    async def strategies(self, verb: str, request: Any, reply: Any) -> Any:
        return await CommandClient(self.bus).request(f"strategies.{verb}", request, reply)

    async def strategy(self, strategy_id: str) -> words.StrategyInfo:
        query = words.FindStrategy(owner=self.owner, id=strategy_id)
        return await self.strategies("find", query, words.StrategyInfo)

    async def turn(self, verb: str, strategy_id: str) -> words.StrategyInfo:
        request = words.ChangeStrategy(caller=CALLER, owner=self.owner, id=strategy_id)
        return await self.strategies(verb, request, words.StrategyInfo)

    async def orders(self, status: str | None = None) -> list[orders.OrderInfo]:
        query: Any = orders.ListOrders(owner=self.owner, status=status, page_size=100)  # type: ignore[arg-type]
        return (await self.ask("list_orders", query, orders.OrderPage)).items

    async def open_prices(self, side: str) -> list[Decimal]:
        found = await self.orders("open")
        return sorted(order.price for order in found if order.side == side and order.price is not None)

    async def all_open(self, count: int) -> None:
        """Return once so many orders are open."""

        async def there() -> bool:
            return len(await self.orders("open")) == count

        await until(there)

    async def seen(self, what: str, strategy_id: str) -> list[Any]:
        """What the stream of trading has of a strategy."""
        subject = f"{subjects.STRATEGY}{what}.{strategy_id}"
        rows = await read_past(self.bus, streams.TRADING, (subject,), ALL)
        return [EVENTS[what].model_validate_json(row.payload) for row in rows]


def database(documents_url: str) -> str:
    """The URL of a database of the test's own."""
    address, _, options = documents_url.partition("?")
    return f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"


@dataclass
class World:
    """What runs in these tests."""

    bus: Bus
    process: Process
    url: str
    documents: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(request: pytest.FixtureRequest, tmp_path_factory: Any, documents_url: str) -> AsyncGenerator[World]:
    """A bus, execution on it, and strategies in a process, whose lease holds the module's LEASE_SECONDS."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(nats_server(tmp_path_factory.mktemp("strategies-nats")))
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        stack.push_async_callback(bus.close)
        await provision.apply(bus, PLAN)
        executing = await Bus(BusOptions(servers=(server.url,), name="execution")).connect()
        stack.push_async_callback(executing.close)
        documents = database(documents_url)
        plan = ExecutionPlan(documents=documents)
        await stack.enter_async_context(running(executing, "execution", partial(run_execution, plan=plan)))
        process = await make_process(server.url, documents, getattr(request.module, "LEASE_SECONDS", 15.0))
        stack.push_async_callback(process.close)
        await process.start()
        yield World(bus, process, server.url, documents)


@pytest_asyncio.fixture(loop_scope="module")
async def owner(world: World) -> Owner:
    """An owner of the test's own, with money on paper."""
    made = Owner(world.bus, f"owner-{token_hex(4)}")
    await made.price("100.5", "100.7")
    await made.open(balance={"USDT": Decimal(100_000)})
    return made
