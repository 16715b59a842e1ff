"""People in groups, what the bot did there, and what the community service has logged of it."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex
from typing import Any

import httpx
from pydantic import SecretStr

from bot.app import App, BotOptions
from bot.app import running as running_bot
from bot.simulator.web.app import serving
from bot.simulator.web.server import BotServer
from bot.simulator.world import Options
from consumers.community.handlers import CommunityPlan, make_consumer
from consumers.telegram.handlers import TelegramPlan
from consumers.telegram.handlers import run as run_gateway
from consumers.telegram.sending import Ticking
from contracts import streams
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from runtime.tracing.tracing import OFF, Tracing
from tests.bot.world import TOKEN, Person
from tests.consumers.community.conftest import own_database
from tests.running import kept, running

SPEED = 500.0
BOT = 1234567
SECONDS = 20.0
_numbers = itertools.count(1)


@asynccontextmanager
async def staged(nats: NatsServer, documents_url: str, tracing: Tracing = OFF) -> AsyncGenerator[Stage]:
    """Telegram, its gateway and the community service, with documents of their own, and no bot yet."""
    bus = await Bus(BusOptions(servers=(nats.url,), name="groups"), tracing=tracing).connect()
    for stream in (streams.JOBS, streams.TELEGRAM, streams.COMMUNITY):
        await bus.jetstream().purge_stream(stream)
    plan = CommunityPlan(own_database(documents_url))
    async with serving(Options(token=TOKEN), speed=SPEED) as (server, url):
        gateway = TelegramPlan(
            url=url, token=SecretStr(TOKEN), ticking=Ticking(SPEED), lease=f"telegram_{token_hex(4)}"
        )
        async with (
            httpx.AsyncClient(base_url=url, timeout=20) as client,
            running(bus, "telegram", kept(partial(run_gateway, plan=gateway))),
            running(bus, "community", make_consumer(plan).run),
        ):
            yield Stage(client, bus, server, url)
    await bus.close()


@dataclass
class Stage:
    """What a test has in hand."""

    client: httpx.AsyncClient
    bus: Bus
    server: BotServer
    url: str
    application: App | None = None

    @asynccontextmanager
    async def bot(self, tracing: Tracing = OFF) -> AsyncGenerator[App]:
        """A bot in the groups."""
        place = BusOptions(servers=(self.bus.options.servers[0],), name="bot")
        options = BotOptions(bus=place, token=TOKEN, base_url=self.url, speed=SPEED, tracing=tracing)
        async with running_bot(options) as application:
            yield application

    async def group(self, **more: Any) -> Group:
        """A group of one's own, to which its owner has added the bot."""
        number, added = next(_numbers), more.pop("added", None)
        made = Group(self, int(more.pop("group_id", -1_001_000_000_000 - number)), 10_000 + 100 * number)
        await made.post("chat", title=f"Group {number}", **more)
        if added is not None:  # by a key, before the bot came
            await added(made)
        await made.member(made.owner, "creator")
        await made.add_bot(made.owner)
        await made.until(made.is_managed)
        return made


@dataclass
class Group:
    """One group and its people, whose ids begin with `base`."""

    stage: Stage
    group_id: int
    base: int
    language: str = "en"
    names: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def owner(self) -> int:
        return self.base

    def person(self, user_id: int | None = None, **more: Any) -> Person:
        """Somebody who writes here; the owner where nobody is named."""
        user_id = self.owner if user_id is None else user_id
        fields = {"language_code": self.language, "first_name": f"P{user_id}", **more}
        return Person(self.stage.client, user_id, self.group_id, fields)

    async def post(self, deed: str, **given: Any) -> dict[str, Any]:
        answer = await self.stage.client.post(f"/test/{deed}", json={"chat_id": self.group_id, **given})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def member(self, user_id: int, status: str = "member", **more: Any) -> None:
        """Let Telegram say what somebody is."""
        await self.post("member", user_id=user_id, status=status, **more)

    async def add_bot(self, by: int) -> None:
        """Let somebody add the bot, as an administrator with every right."""
        await self.member(BOT, "left")
        await self.member(BOT, "administrator", by_id=by)

    async def is_managed(self) -> bool:
        return "error" not in await self.ask("find_group")

    async def new(self, status: str = "member", at: int | None = None, **more: Any) -> int:
        """Somebody new, of a status, who has written."""
        user_id = self.base + (at if at is not None else 1 + len(self.names))
        self.names[str(user_id)] = user_id
        await self.member(user_id, status, **more)
        return user_id

    async def write(self, user_id: int, text: str = "hello", **given: Any) -> int:
        """The number of a message that somebody wrote."""
        return (await self.person(user_id).do("message", text=text, **given))["message_id"]

    async def say(self, text: str, by: int | None = None, **given: Any) -> str:
        """What the bot answers to a message."""
        return str((await self.person(by).say(text, **given))["text"])

    async def told(self, user_id: int, username: str) -> None:
        """Let somebody be seen with an @name, until it leads to them."""
        await self.person(user_id).do("message", text="I am here", username=username)
        async with asyncio.timeout(SECONDS):
            while True:
                found = await self.ask("find_user", owner=f"telegram:{self.owner}", username=username)
                if found.get("user_id") == user_id:
                    return
                await asyncio.sleep(0.02)

    async def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        """The reply of the community service."""
        request = {"group_id": self.group_id, "caller": {"actor": "tests"}, **fields}
        return json.loads(await self.stage.bus.request(f"cmd.v1.community.{verb}", json.dumps(request).encode(), 10.0))

    async def log(self, **query: Any) -> list[dict[str, Any]]:
        """The actions that are logged, the newest first."""
        return (await self.ask("list_actions", page_size=100, **query)).get("items", [])

    async def did(self, *methods: str) -> list[dict[str, Any]]:
        """What the bot asked of Telegram here."""
        answer = await self.stage.client.get("/test/sent", params={"chat_id": self.group_id})
        return [row for row in answer.json() if row["method"] in methods]

    async def status(self, user_id: int) -> dict[str, Any]:
        """What Telegram says of somebody."""
        chat = (await self.stage.client.get("/test/chat", params={"chat_id": self.group_id})).json()
        return next(one for one in chat["members"] if one["user"]["id"] == user_id)

    async def until(self, check: Callable[[], Awaitable[object]]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(SECONDS):
            while not await check():  # noqa: ASYNC110  # what is waited for is in another process or task
                await asyncio.sleep(0.02)

    async def is_deleted(self, number: int) -> bool:
        return all(one["message_id"] != number for one in (await self.chat())["messages"])

    async def html(self, text: str) -> str:
        """The newest answer as HTML: text with its mentions, as links."""
        answer = await self.person().say(text)
        return json.dumps(answer)

    async def chat(self) -> dict[str, Any]:
        return (await self.stage.client.get("/test/chat", params={"chat_id": self.group_id})).json()
