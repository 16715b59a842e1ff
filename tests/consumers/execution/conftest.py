"""A bus of these tests' own, books and trades on it, and trading asked by command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from secrets import token_hex
from typing import Any, TypeVar

import pytest_asyncio
from pydantic import BaseModel

from contracts import codec, streams, subjects
from contracts.market import BookSnapshot
from contracts.services.access import Caller
from contracts.services.trading import accounts, orders
from contracts.services.trading.events import OrderChanged, OrderFilled
from runtime import clock, provision
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer, nats_server
from tests.consumers.conftest import PLAN, make_trade

CALLER = Caller(actor="test")
BTC = "BTC/USDT"
TAIL = "binance.BTC.USDT.spot"
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def execution_nats(tmp_path_factory: Any) -> AsyncGenerator[NatsServer]:
    """A bus for these tests, provisioned as declared."""
    async with nats_server(tmp_path_factory.mktemp("execution-nats")) as running:
        setup = await Bus(BusOptions(servers=(running.url,), name="setup")).connect()
        await provision.apply(setup, PLAN)
        await setup.close()
        yield running


@pytest_asyncio.fixture
async def own(execution_nats: NatsServer) -> AsyncGenerator[Bus]:
    """A connection of the test's own, to a bus without books and orders."""
    connection = await Bus(BusOptions(servers=(execution_nats.url,), name="test")).connect()
    for stream in (streams.BOOKS, streams.TRADING, streams.AUDIT):
        await connection.jetstream().purge_stream(stream)
    yield connection
    await connection.close()


async def until(find: Callable[[], Awaitable[T | None]], seconds: float = 15.0) -> T:
    """Return what is found once something is."""
    async with asyncio.timeout(seconds):
        while not (found := await find()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


@dataclass
class User:
    """One owner with one account, and the market that the account trades on."""

    bus: Bus
    owner: str

    async def ask(self, verb: str, request: BaseModel, reply: type[M]) -> M:
        return await CommandClient(self.bus).request(f"trading.{verb}", request, reply)

    async def open(self, **fields: Any) -> accounts.AccountInfo:
        values: dict[str, Any] = {"name": "paper", "exchange": "binance", "balance": {"USDT": Decimal(10_000)}}
        request = accounts.CreateAccount(caller=CALLER, owner=self.owner, **(values | fields))
        return await self.ask("create_account", request, accounts.AccountInfo)

    def terms(self, **fields: Any) -> dict[str, Any]:
        values = {"side": "buy", "type": "limit", "amount": Decimal(2), "price": Decimal(100), "symbol": BTC}
        return {"owner": self.owner, "account": "paper"} | values | fields

    async def order(self, **fields: Any) -> orders.OrderInfo:
        return await self.ask("create_order", orders.CreateOrder(**self.terms(**fields)), orders.OrderInfo)

    async def find(self, order_id: str) -> orders.OrderInfo:
        return await self.ask("find_order", orders.FindOrder(owner=self.owner, id=order_id), orders.OrderInfo)

    async def cancel(self, order_id: str) -> orders.OrderInfo:
        return await self.ask("cancel_order", orders.CancelOrder(owner=self.owner, id=order_id), orders.OrderInfo)

    async def fills(self) -> list[orders.FillInfo]:
        return (await self.ask("list_fills", orders.ListFills(owner=self.owner), orders.FillPage)).items

    async def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        found = await self.ask("list_accounts", accounts.ListAccounts(owner=self.owner), accounts.AccountList)
        return {one.currency: (one.free, one.held) for one in found.items[0].balances}

    async def filled(self, order_id: str, amount: int) -> orders.OrderInfo:
        """Return the order once so much of it is filled."""

        async def find() -> orders.OrderInfo | None:
            order = await self.find(order_id)
            return order if order.filled >= amount else None

        return await until(find)

    async def show(self, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        """Publish a live book."""
        now = clock.now_ns()
        values: dict[str, Any] = dict.fromkeys(BookSnapshot.model_fields)
        values |= {"id": f"{TAIL}.book.{now}", "venue": "binance", "symbol": BTC, "ts_recv": now, "sim": False}
        values |= {"bids": bids, "asks": asks, "quality": "live", "unit": "base"}
        await self.bus.client.publish(f"{subjects.BOOK}{TAIL}", codec.encode(codec.fast(BookSnapshot)(**values)))
        await self.bus.client.flush()

    async def trade(self, number: int, price: str, amount: str, side: str = "sell") -> None:
        """Publish a trade of others."""
        event = make_trade(number, clock.now_ns(), price=price, amount=amount, side=side)
        await self.bus.client.publish(f"{subjects.TRADE}{TAIL}", codec.encode(event))
        await self.bus.client.flush()

    async def events(self) -> tuple[list[OrderChanged], list[OrderFilled]]:
        """Return what the stream of trading has of the owner."""
        rows = await read_past(self.bus, streams.TRADING, (subjects.ALL_ORDERS,), ALL)
        changed = [OrderChanged.model_validate_json(row.payload) for row in rows if b".changed." in row.subject]
        filled = [OrderFilled.model_validate_json(row.payload) for row in rows if b".filled." in row.subject]
        return (
            [event for event in changed if event.owner == self.owner],
            [event for event in filled if event.owner == self.owner],
        )


@pytest_asyncio.fixture
async def user(own: Bus) -> User:
    """An owner of the test's own."""
    return User(own, f"owner-{token_hex(4)}")
