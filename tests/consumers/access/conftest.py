"""A bus and a document server of the module's own, and the access consumer on them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from consumers.access.handlers import AccessPlan, run
from contracts import streams
from runtime import provision
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer, nats_server
from tests.consumers.conftest import PLAN
from tests.running import running

PEPPER = b"pepper-of-the-tests"
Begin = Callable[..., Awaitable[Service]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def access_nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    """A bus for these tests, provisioned as declared."""
    async with nats_server(tmp_path_factory.mktemp("access-nats")) as running:
        setup = await Bus(BusOptions(servers=(running.url,), name="setup")).connect()
        await provision.apply(setup, PLAN)
        await setup.close()
        yield running


@pytest_asyncio.fixture
async def own(access_nats: NatsServer) -> AsyncGenerator[Bus]:
    """A connection of the test's own, to a bus without keys."""
    connection = await Bus(BusOptions(servers=(access_nats.url,), name="test")).connect()
    for stream in (f"KV_{streams.ACCESS}", streams.AUDIT):
        await connection.jetstream().purge_stream(stream)
    yield connection
    await connection.close()


@asynccontextmanager
async def keeping(url: str, plan: AccessPlan) -> AsyncGenerator[Service]:
    """The access consumer on a bus, once it serves."""
    bus = await Bus(BusOptions(servers=(url,), name="access")).connect()
    try:
        async with running(bus, "access", partial(run, plan=plan)) as service:
            yield service
    finally:
        await bus.close()


@pytest.fixture
def plan(documents_url: str) -> AccessPlan:
    """The plan of a test, with a database of its own."""
    address, _, options = documents_url.partition("?")
    return AccessPlan(
        documents=f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}", pepper=lambda: PEPPER
    )


@pytest_asyncio.fixture
async def begin(access_nats: NatsServer, plan: AccessPlan) -> AsyncGenerator[Begin]:
    """Start the consumer."""
    async with AsyncExitStack() as stack:

        async def start(**_: Any) -> Service:
            return await stack.enter_async_context(keeping(access_nats.url, plan))

        yield start
