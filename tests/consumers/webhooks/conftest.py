"""A bus and a document server of the module's own, and the webhooks' consumer on them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consumers.webhooks.handlers import WebhooksPlan, run
from consumers.webhooks.transport import TransportRules
from contracts import streams
from runtime import provision
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer, nats_server
from tests.consumers.conftest import PLAN
from tests.running import running

PEPPER = b"pepper-of-the-tests"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
Begin = Callable[..., Awaitable[Service]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def webhooks_nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    """A bus for these tests, provisioned as declared."""
    async with nats_server(tmp_path_factory.mktemp("webhooks-nats")) as server:
        setup = await Bus(BusOptions(servers=(server.url,), name="setup")).connect()
        await provision.apply(setup, PLAN)
        await setup.close()
        yield server


@pytest_asyncio.fixture
async def own(webhooks_nats: NatsServer) -> AsyncGenerator[Bus]:
    """A connection of the test's own."""
    connection = await Bus(BusOptions(servers=(webhooks_nats.url,), name="test")).connect()
    await connection.jetstream().purge_stream(streams.AUDIT)
    yield connection
    await connection.close()


def make_plan(documents_url: str, **fields: Any) -> WebhooksPlan:
    """A plan with a database of its own."""
    address, _, options = documents_url.partition("?")
    values: dict[str, Any] = {
        "documents": f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}",
        "pepper": lambda: PEPPER,
        "key": lambda: KEY,
        "rules": TransportRules(allow=frozenset({"127.0.0.1"}), seconds=2),
    }
    return WebhooksPlan(**{**values, **fields})


@pytest.fixture
def plan(documents_url: str) -> WebhooksPlan:
    return make_plan(documents_url)


@asynccontextmanager
async def serving(url: str, plan: WebhooksPlan) -> AsyncGenerator[Service]:
    """The webhooks' consumer on a bus, once it serves."""
    bus = await Bus(BusOptions(servers=(url,), name="webhooks")).connect()
    try:
        async with running(bus, "webhooks", partial(run, plan=plan)) as service:
            yield service
    finally:
        await bus.close()


@pytest_asyncio.fixture
async def begin(webhooks_nats: NatsServer, plan: WebhooksPlan) -> AsyncGenerator[Begin]:
    """Start the consumer."""
    async with AsyncExitStack() as stack:

        async def start(**fields: Any) -> Service:
            return await stack.enter_async_context(serving(webhooks_nats.url, replace(plan, **fields)))

        yield start
