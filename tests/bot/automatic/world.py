"""A managed group as its members meet it: the Bot API test server, the gateway, the community service and the bot."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import SecretStr

from bot.app import App, BotOptions, running
from bot.simulator.model import Json
from bot.simulator.params import Params
from bot.simulator.web.app import serving
from bot.simulator.web.server import BotServer
from bot.simulator.web.testing import DEEDS
from bot.simulator.world import Options
from consumers.telegram.handlers import TelegramPlan
from consumers.telegram.handlers import run as run_gateway
from consumers.telegram.sending import Ticking
from runtime.nats.bus import Bus, BusOptions
from tests.consumers.community.conftest import CALLER, own_database, serving_community
from tests.running import kept
from tests.running import running as running_consumer

TOKEN = "1234567:a-token-of-tests"
OWNER = 1
TIMEOUT = 30.0
MESSAGES = frozenset({"sendMessage", "sendPhoto"})
_groups = itertools.count(1)


@dataclass
class Shifted:
    """The bot's clock of groups, which a test sets forward."""

    by: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.by


@dataclass
class World:
    """What a test has in hand."""

    bus: Bus
    server: BotServer
    url: str
    clock: Shifted
    documents: str

    def do(self, deed: str, /, **given: Any) -> Json:
        self.server.world.moment = self.server.moment()
        return DEEDS[deed](self.server.world, Params(given))

    async def ask(self, verb: str, group_id: int, **fields: Any) -> dict[str, Any]:
        request = {"owner": "alice", "caller": CALLER, "group_id": group_id, **fields}
        body = await self.bus.request(f"cmd.v1.community.{verb}", json.dumps(request).encode(), 30.0)
        reply = json.loads(body)
        assert not (isinstance(reply.get("error"), dict)), reply
        return reply

    async def group(self, **settings: Any) -> Group:
        """A managed group, its owner inside; its settings by name."""
        chat_id = -1_001_000_000_000 - next(_groups)
        self.do("chat", chat_id=chat_id, title="Traders", chat_type="supergroup")
        self.do("member", chat_id=chat_id, user_id=OWNER, status="creator", first_name="Owner")
        await self.ask("create_group", chat_id, group={"group_id": chat_id, "name": "Traders"})
        if settings:
            await self.ask("update_settings", chat_id, changes=settings)
        return Group(self, chat_id, self.server.world.sent[-1]["seq"] if self.server.world.sent else 0)

    @asynccontextmanager
    async def bot(self, **given: Any) -> AsyncGenerator[App]:
        options = BotOptions(
            bus=BusOptions(servers=(self.bus.options.servers[0],), name="bot"),
            token=TOKEN,
            base_url=self.url,
            now=self.clock,
            speed=self.server.speed,
            **given,
        )
        async with running(options) as app:
            yield app


@dataclass
class Group:
    """One group."""

    world: World
    id: int
    since: int
    people: dict[int, str] = field(default_factory=dict[int, str])

    def write(self, user_id: int, text: str = "", **given: Any) -> int:
        return self.world.do("message", chat_id=self.id, user_id=user_id, text=text, **given)["message_id"]

    def join(self, user_id: int, **given: Any) -> None:
        self.world.do("join", chat_id=self.id, user_id=user_id, **given)

    def press(self, message_id: int, user_id: int, label: str, chat_id: int | None = None) -> str:
        chat = self.id if chat_id is None else chat_id
        return self.world.do("press", chat_id=chat, message_id=message_id, user_id=user_id, text=label)[
            "callback_query_id"
        ]

    def status(self, user_id: int) -> str:
        world = self.world.server.world
        world.moment = self.world.server.moment()
        return world.member(world.chats[self.id], user_id).status

    def sent(self, *methods: str, chat_id: int | None = None) -> list[Json]:
        chat = self.id if chat_id is None else chat_id
        wanted = frozenset(methods) or MESSAGES
        rows = self.world.server.world.sent
        return [one for one in rows if one["seq"] > self.since and one["chat_id"] == chat and one["method"] in wanted]

    def texts(self, chat_id: int | None = None) -> list[str]:
        return [str(one.get("text") or one.get("caption")) for one in self.sent(chat_id=chat_id)]

    def has(self, message_id: int) -> bool:
        return message_id in self.world.server.world.chats[self.id].messages

    async def actions(self, **wanted: Any) -> list[dict[str, Any]]:
        return (await self.world.ask("list_actions", self.id, page_size=100, **wanted))["items"]

    async def message(self, part: str = "", chat_id: int | None = None) -> Json:
        """The next message of the bot with these words."""
        found = await until(lambda: [one for one in self.sent(chat_id=chat_id) if part in str(one.get("text"))], part)
        return found[-1]

    async def note(self, query_id: str) -> str | None:
        """What a press was answered with."""

        def find() -> list[Json]:
            rows = self.world.server.world.sent
            return [
                one
                for one in rows
                if one["method"] == "answerCallbackQuery" and one.get("callback_query_id") == query_id
            ]

        return (await until(find, "answer to the press"))[0]["text"]

    async def action(self, **wanted: Any) -> dict[str, Any]:
        """The action that is logged, once it is."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            for one in await self.actions():
                if all(one[name] == value for name, value in wanted.items()):
                    return one
            await asyncio.sleep(0.03)
        raise AssertionError(f"no action {wanted}: {await self.actions()}")


async def until(look: Callable[[], Any], what: str = "", seconds: float = TIMEOUT) -> Any:
    """What `look` gives as soon as it is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


@asynccontextmanager
async def world(bus_url: str, documents_url: str, speed: float) -> AsyncGenerator[World]:
    """Everything but the bot, at a speed of Telegram's clock; no limit of Telegram may be broken."""
    documents = own_database(documents_url)
    async with AsyncExitStack() as stack:
        server, url = await stack.enter_async_context(serving(Options(token=TOKEN), speed=speed))
        await stack.enter_async_context(serving_community(bus_url, documents))
        bus = await Bus(BusOptions(servers=(bus_url,), name="telegram")).connect()
        stack.push_async_callback(bus.close)
        plan = TelegramPlan(url=url, token=SecretStr(TOKEN), ticking=Ticking(speed), lease_seconds=60.0)
        await stack.enter_async_context(running_consumer(bus, "telegram", kept(partial(run_gateway, plan=plan))))
        made = World(bus, server, url, Shifted(), documents)
        async with made.bot():
            await until(lambda: server.polling, "the bot takes updates")
            yield made
        assert list(server.world.limits.breaches) == []
