"""A test server, a bus and the gateway between them, both clocks equally fast."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import SecretStr

from bot.simulator.model import Json
from bot.simulator.params import Params
from bot.simulator.web.app import serving
from bot.simulator.web.server import BotServer
from bot.simulator.web.testing import DEEDS, plan_fault
from bot.simulator.world import Options
from consumers.telegram.core import Rules
from consumers.telegram.handlers import TelegramPlan, run
from consumers.telegram.sending import Ticking
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import SendMessage
from runtime.app.service import Service
from runtime.nats.bus import Bus
from runtime.nats.telegram_jobs import publish_job
from tests.running import running

TOKEN = "1234567:token-of-the-tests"
ANN, GROUP = 42, -1001234567890


@dataclass
class World:
    """What a test has in hand."""

    bus: Bus
    server: BotServer
    url: str
    speed: float
    seen: list[Any] = field(default_factory=list[Any])
    hops: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])

    def do(self, deed: str, /, **given: Any) -> Json:
        self.server.world.moment = self.server.moment()
        return DEEDS[deed](self.server.world, Params(given))

    def fail(self, **given: Any) -> None:
        plan_fault(self.server.world, Params(given))

    @property
    def sent(self) -> list[Json]:
        return list(self.server.world.sent)

    @property
    def texts(self) -> list[str]:
        return [row["text"] for row in self.sent if row["method"] == "sendMessage"]

    def plan(self, **given: Any) -> TelegramPlan:
        return TelegramPlan(url=self.url, token=SecretStr(TOKEN), ticking=Ticking(self.speed), **given)

    @asynccontextmanager
    async def gateway(self, rules: Rules | None = None, bus: Bus | None = None) -> AsyncGenerator[Service]:
        plan = self.plan(rules=rules or Rules())
        async with running(bus or self.bus, "telegram", partial(run, plan=plan), self.on_hop) as service:
            yield service

    def on_hop(self, *sample: object) -> None:
        self.hops.append(sample)

    async def queue(self, job_id: str, chat_id: int, text: str = "", **given: Any) -> TelegramJob:
        operation = given.pop("operation", None) or SendMessage(text=text or job_id)
        job = TelegramJob(id=job_id, chat_id=chat_id, operation=operation, **given)
        await publish_job(self.bus, job)
        return job


@asynccontextmanager
async def world(bus: Bus, speed: float = 20.0) -> AsyncGenerator[World]:
    async with serving(Options(token=TOKEN), speed=speed) as (server, url):
        made = World(bus, server, url, speed)
        for chat_id in (ANN, GROUP):
            made.do("chat", chat_id=chat_id)
        yield made
        assert list(server.world.limits.breaches) == []
