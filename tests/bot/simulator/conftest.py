"""A test server on a port of its own, people who use it, and the bot as python-telegram-bot makes it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest_asyncio
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.simulator.web.app import serving
from bot.simulator.web.server import BotServer
from bot.simulator.world import Options

TOKEN = "1234567:a-token-of-tests"
GROUP = -1001234567890
ANN, BOB, EVE = 42, 43, 44


@dataclass
class People:
    """The far side: what people do, through `/test/*`."""

    url: str
    server: BotServer
    client: httpx.AsyncClient

    async def do(self, deed: str, /, **given: Any) -> Any:
        answer = await self.client.post(f"/test/{deed}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def try_to(self, deed: str, /, **given: Any) -> tuple[int, str]:
        answer = await self.client.post(f"/test/{deed}", json=given)
        return answer.status_code, answer.json().get("error", "")

    async def ask(self, name: str, /, **given: Any) -> Any:
        answer = await self.client.get(f"/test/{name}", params=given)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest_asyncio.fixture
async def people() -> AsyncGenerator[People]:
    """A server without limits on how fast the bot is."""
    async with (
        serving(Options(token=TOKEN, limits=False)) as (server, url),
        httpx.AsyncClient(base_url=url) as client,
    ):
        yield People(url, server, client)


@pytest_asyncio.fixture
async def bot(people: People) -> AsyncGenerator[Bot]:
    """The bot."""
    async with Bot(
        TOKEN,
        base_url=f"{people.url}/bot",
        base_file_url=f"{people.url}/file/bot",
        request=plain_request(),
        get_updates_request=plain_request(),
    ) as made:
        yield made


def plain_request() -> HTTPXRequest:
    """Return the library's client without the certificates that it would load, which takes most of a test's time."""
    return HTTPXRequest(httpx_kwargs={"verify": False})
