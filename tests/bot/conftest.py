"""A bot on a real bus with a market core, and the Bot API test server that it talks to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack

import httpx
import pytest
import pytest_asyncio

from bot.app import App, BotOptions, running
from bot.simulator.web.app import serving
from bot.simulator.world import Options
from runtime.app.service import Service
from runtime.nats.bus import BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.conftest import api_nats, start, store
from tests.api.world import Store, answering
from tests.bot.world import ANN, TOKEN, Person, StartBot, fill

__all__ = ["api_nats", "start", "store"]


@pytest_asyncio.fixture
async def far_side() -> AsyncGenerator[httpx.AsyncClient]:
    """The test server, which counts no limits."""
    async with (
        serving(Options(token=TOKEN, limits=False)) as (_, url),
        httpx.AsyncClient(base_url=url, timeout=20) as client,
    ):
        yield client


@pytest_asyncio.fixture
async def start_bot(far_side: httpx.AsyncClient, api_nats: NatsServer, store: Store) -> AsyncGenerator[StartBot]:
    """A bot for each call, once it takes updates: fields of its options by name. The market is filled and served."""
    await fill(store)
    async with AsyncExitStack() as stack:
        cores: list[Service] = []

        async def begin(bus: str = api_nats.url, *, core: bool = True, **named: object) -> App:
            if core and not cores:
                cores.append(await stack.enter_async_context(answering(api_nats.url)))
            fields: dict[str, object] = {"token": TOKEN, "base_url": str(far_side.base_url), "speed": 20.0, **named}
            made = BotOptions(bus=BusOptions(servers=(bus,), name="bot"), **fields)  # type: ignore[arg-type]
            return await stack.enter_async_context(running(made))

        yield begin


@pytest.fixture
def person(far_side: httpx.AsyncClient) -> Callable[..., Person]:
    """Somebody by id, in their own chat where no other is named."""

    def make(user_id: int = ANN, chat_id: int | None = None, **more: object) -> Person:
        return Person(far_side, user_id, user_id if chat_id is None else chat_id, dict(more))

    return make
