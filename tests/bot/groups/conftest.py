"""The bot with Telegram's gateway and the community service, as they run: one of each for the tests of a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer, nats_server
from tests.bot.groups.stage import Stage, staged


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def groups_nats(tmp_path_factory: object) -> AsyncGenerator[NatsServer]:
    """A bus of these tests' own, with the streams and buckets of the contracts."""
    async with nats_server(tmp_path_factory.mktemp("groups-nats")) as server:  # type: ignore[attr-defined]
        bus = await Bus(BusOptions(servers=(server.url,), name="provision")).connect()
        await provision.apply(bus, provision.declared(synced=True))
        await bus.close()
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(groups_nats: NatsServer, documents_url: str) -> AsyncGenerator[Stage]:
    """Everything, with documents of the file's own; Telegram's limits hold, on a clock that runs faster."""
    async with staged(groups_nats, documents_url) as made, made.bot() as application:
        made.application = application
        yield made
        assert list(made.server.world.limits.breaches) == []
