"""What tests share: one real bus for the session, a connection a test."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from runtime.nats.bus import Bus, BusOptions
from runtime.servers.document_user import find_document_python
from runtime.servers.embedded import NatsServer, document_server, nats_server
from runtime.store import Store

pytest_plugins = ["tests.hanging"]
# How fast an example is says something of the machine, not of the code.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


def pytest_collection_finish() -> None:
    """Leave what was collected out of garbage collections: thousands of tests are looked through each time."""
    gc.collect()
    gc.freeze()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nats_session(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    """The session's bus."""
    async with nats_server(Path(tmp_path_factory.mktemp("nats"))) as server:
        yield server


@pytest.fixture
def nats(nats_session: NatsServer) -> NatsServer:
    """The session's bus, shared: use names of your own and never stop it (tests that do start their own)."""
    return nats_session


@pytest_asyncio.fixture
async def bus(nats: NatsServer) -> AsyncGenerator[Bus]:
    """A connection of the test's own to the session's bus."""
    connection = await Bus(BusOptions(servers=(nats.url,), name="test")).connect()
    yield connection
    await connection.close()


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """Wait until a check is true, and fail when it never is."""

    async def wait(check: Callable[[], bool], seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not check():  # noqa: ASYNC110  # the condition is in another process or task
                await asyncio.sleep(0.01)

    return wait


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def documents_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[str]:
    """The session's document server: the one of MONGO_URL, or an embedded one."""
    if url := os.environ.get("MONGO_URL"):
        yield url
        return
    if find_document_python() is None:
        pytest.skip("no document server for this Python, and MONGO_URL is not set")
    async with document_server(Path(tmp_path_factory.mktemp("documents"))) as server:
        yield server.url


@pytest_asyncio.fixture
async def documents(documents_url: str) -> AsyncGenerator[Store]:
    """A database of the test's own."""
    one = Store(documents_url, f"test_{uuid4().hex[:12]}")
    await one.ping()
    yield one
    async with asyncio.timeout(30):  # beside a write that a failed test left behind, the embedded server may not answer
        await one.drop_database()
    await one.close()
