"""The bot with Telegram's gateway and the community service, as they run: one of each for the tests of a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from secrets import token_hex

import httpx
import pytest_asyncio
from pydantic import SecretStr

from bot.app import BotOptions
from bot.app import running as running_bot
from bot.simulator.web.app import serving
from bot.simulator.world import Options
from consumers.community.handlers import CommunityPlan, make_consumer
from consumers.telegram.handlers import TelegramPlan
from consumers.telegram.handlers import run as run_gateway
from consumers.telegram.sending import Ticking
from contracts import streams
from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer, nats_server
from tests.bot.groups.stage import SPEED, Stage
from tests.bot.world import TOKEN
from tests.running import running


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
    """Everything, with documents of the file's own; limits are the gateway's business and count for nothing here."""
    address, _, more = documents_url.partition("?")
    documents = f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{more}"
    bus = await Bus(BusOptions(servers=(groups_nats.url,), name="groups")).connect()
    for stream in (streams.JOBS, streams.TELEGRAM, streams.COMMUNITY):
        await bus.jetstream().purge_stream(stream)
    async with serving(Options(token=TOKEN, limits=False)) as (server, url):
        plan = TelegramPlan(url=url, token=SecretStr(TOKEN), ticking=Ticking(SPEED), lease=f"telegram_{token_hex(4)}")
        async with (
            httpx.AsyncClient(base_url=url, timeout=20) as client,
            running(bus, "telegram", partial(run_gateway, plan=plan)),
            running(bus, "community", make_consumer(CommunityPlan(documents)).run),
            running_bot(
                BotOptions(bus=BusOptions(servers=(groups_nats.url,), name="bot"), token=TOKEN, base_url=url)
            ) as application,
        ):
            yield Stage(client, bus, server, application)
    await bus.close()
