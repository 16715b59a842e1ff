"""One world for the tests of a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import nats_server
from tests.bot.automatic.world import World, world
from tests.consumers.conftest import PLAN

SPEED = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def groups(tmp_path_factory: pytest.TempPathFactory, documents_url: str) -> AsyncGenerator[World]:
    """A bot in groups, with everything that it needs; Telegram's clock runs twenty times as fast."""
    async with nats_server(Path(tmp_path_factory.mktemp("groups-nats"))) as server:
        setup = await Bus(BusOptions(servers=(server.url,), name="setup")).connect()
        await provision.apply(setup, PLAN)
        await setup.close()
        async with world(server.url, documents_url, SPEED) as made:
            yield made
