"""A bot over a bus with execution and the portfolio, a book to trade on, and people in their own chats."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from functools import partial
from secrets import randbelow, token_hex
from typing import Any

import pytest_asyncio

from consumers.execution.handlers import ExecutionPlan
from consumers.execution.handlers import run as run_execution
from consumers.portfolio.handlers import make_consumer
from contracts import streams
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.world import Store
from tests.bot.conftest import api_nats, far_side, person, start, start_bot, store
from tests.bot.world import Person
from tests.consumers.execution.conftest import User
from tests.running import running

__all__ = ["api_nats", "far_side", "person", "start", "start_bot", "store"]
SECRET = "s" * 40


def database(documents_url: str) -> str:
    """The URL of a database of the test's own."""
    address, _, options = documents_url.partition("?")
    return f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"


@pytest_asyncio.fixture
async def trading(api_nats: NatsServer, store: Store, documents_url: str) -> AsyncGenerator[User]:
    """Execution and the portfolio, serving; the book that is shown is the one that the market core has."""
    for stream in (streams.BOOKS, streams.TRADING):
        await store.bus.jetstream().purge_stream(stream)
    async with AsyncExitStack() as stack:
        runs: dict[str, Any] = {
            "execution": partial(run_execution, plan=ExecutionPlan(documents=database(documents_url))),
            "portfolio": make_consumer(database(documents_url)).run,
        }
        for name, run in runs.items():
            bus = await Bus(BusOptions(servers=(api_nats.url,), name=name)).connect()
            stack.push_async_callback(bus.close)
            await stack.enter_async_context(running(bus, name, run))
        user = User(store.bus, "market")
        await user.show([("90980.25", "1.5"), ("90979.25", "2.5")], [("90981.75", "1.25"), ("90982.75", "2.25")])
        yield user


def somebody() -> int:
    """Return the id of a user of the test's own."""
    return 1_000_000 + randbelow(1_000_000_000)


async def deleted(person: Person) -> set[int]:
    """Return the messages of a chat that the bot has deleted."""
    found = await person.sent(0)
    return {int(one["message_id"]) for one in found if one["method"] == "deleteMessage"}
