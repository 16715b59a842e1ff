"""A real bus with the streams and buckets of the contracts, and the API started against it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.app import ApiOptions
from contracts.streams import ACCESS, ANALYTICS, CACHE, IDEMPOTENCY, INSTRUMENTS, LIMITS, LIQUIDATIONS, STATE
from runtime import provision
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer, nats_server
from tests.api.world import PEPPER, Api, Start, Store, answering, api_settings, serving

PLANNED = {"stale_after_ns", "cut_after_seconds"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api_nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    """A bus of these tests' own, with the streams and buckets of the contracts."""
    async with nats_server(Path(tmp_path_factory.mktemp("api-nats"))) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="provision")).connect()
        await provision.apply(bus, provision.declared(synced=True))
        await bus.close()
        yield server


@pytest_asyncio.fixture
async def store(api_nats: NatsServer) -> AsyncGenerator[Store]:
    """Empty buckets but for the listing."""
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="writer")).connect()
    for stream in (
        f"KV_{STATE}",
        f"KV_{INSTRUMENTS}",
        f"KV_{ACCESS}",
        f"KV_{IDEMPOTENCY}",
        f"KV_{CACHE}",
        LIMITS,
        ANALYTICS,
        LIQUIDATIONS,
    ):
        await bus.jetstream().purge_stream(stream)
    written = Store(bus, api_nats.monitor_url)
    await written.put_listing()
    yield written
    await bus.close()


@pytest_asyncio.fixture
async def start(api_nats: NatsServer) -> AsyncGenerator[Start]:
    """An API for each call, given once it is ready: fields of its options and of its core's plan, settings by name."""
    async with AsyncExitStack() as stack:
        cores: list[Service] = []

        async def begin(options: dict[str, Any] | None = None, **named: Any) -> Api:
            bus = BusOptions(servers=(api_nats.url,), name="api")
            given = options or {}
            plan = {name: value for name, value in given.items() if name in PLANNED}
            if plan or not cores:
                assert not cores, "one core a test"
                cores.append(await stack.enter_async_context(answering(api_nats.url, **plan)))
            own = {name: value for name, value in given.items() if name not in PLANNED}
            fields: dict[str, Any] = {"settings": api_settings(**named), "bus": bus, "pepper": PEPPER, **own}
            made = ApiOptions(**fields)
            api = await stack.enter_async_context(serving(made))
            await api.until("/health/ready", lambda answer: answer.status_code == 200)
            return api

        yield begin
