"""A bus of these tests' own with trading, the portfolio and a market core on it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from secrets import token_hex

import pytest_asyncio

from consumers.execution.handlers import ExecutionPlan
from consumers.execution.handlers import run as run_execution
from consumers.portfolio.handlers import make_consumer
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.world import Store as Market
from tests.api.world import answering
from tests.consumers.conftest import server as server  # noqa: PLC0414
from tests.consumers.execution.conftest import User
from tests.running import running

LISTED = (
    ("binance", "BTC/USDT", "BTCUSDT"),
    ("binance", "BNB/USDT", "BNBUSDT"),
    ("indodax", "BTC/IDR", "btcidr"),
    ("indodax", "USDT/IDR", "usdtidr"),
)


def database(documents_url: str) -> str:
    """The URL of a database of the test's own."""
    address, _, options = documents_url.partition("?")
    return f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"


@asynccontextmanager
async def portfolio(server: NatsServer, documents: str) -> AsyncGenerator[None]:
    """The portfolio, serving."""
    bus = await Bus(BusOptions(servers=(server.url,), name="portfolio")).connect()
    async with running(bus, "portfolio", make_consumer(documents).run):
        yield
    await bus.close()


@pytest_asyncio.fixture
async def market(server: NatsServer, documents_url: str) -> AsyncGenerator[Market]:
    """Trading and a market core, and what producers and the cache would have written."""
    async with AsyncExitStack() as stack:
        bus = await Bus(BusOptions(servers=(server.url,), name="execution")).connect()
        stack.push_async_callback(bus.close)
        plan = ExecutionPlan(documents=database(documents_url))
        await stack.enter_async_context(running(bus, "execution", partial(run_execution, plan=plan)))
        found = Market(bus)
        await found.put_listing(LISTED)
        for venue, symbol, last in (
            ("binance", "BTC/USDT", "120"),
            ("indodax", "BTC/IDR", "1900000"),
            ("indodax", "USDT/IDR", "16000"),
        ):
            await found.put_ticker(venue, symbol, last)
        await stack.enter_async_context(answering(server.url))
        yield found


@pytest_asyncio.fixture
async def user(own: Bus) -> User:
    """An owner of the test's own."""
    return User(own, f"owner-{token_hex(4)}")
