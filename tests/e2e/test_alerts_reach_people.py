"""From the bus to a chat and a webhook through the real consumers, whatever becomes of the API meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from secrets import token_hex
from time import monotonic
from typing import Any, TypeVar

import httpx
import pytest
import pytest_asyncio
from pydantic import BaseModel, SecretStr

from bot.app import BotOptions
from bot.app import running as running_bot
from bot.simulator.web.app import serving as serving_telegram
from bot.simulator.world import Options
from consumers.alerts.handlers import AlertsPlan
from consumers.alerts.handlers import run as run_alerts
from consumers.chats.handlers import ChatsPlan
from consumers.chats.handlers import make_consumer as make_chats
from consumers.telegram.handlers import TelegramPlan
from consumers.telegram.handlers import run as run_telegram
from consumers.telegram.sending import Ticking
from contracts import codec
from contracts.errors import NotReadyError
from contracts.services.access import Caller
from contracts.services.alerts import (
    AlertWhyQuery,
    CreateAlert,
    Deliver,
    FiredPage,
    FiredQuery,
    PriceAlert,
    PriceRule,
)
from contracts.services.chats import AlertFilter, SaveSubscription, Subscription
from contracts.services.explaining import Explanation
from contracts.services.webhooks.endpoints import EndpointShown, RegisterEndpoint
from runtime.clients.command_client import CommandClient
from runtime.clock import now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.signals import publish_signal
from runtime.servers.embedded import NatsServer
from tests.api.conftest import api_nats, store
from tests.api.test_connections import api_process
from tests.api.world import READ_KEY, Store, answering
from tests.bot.world import ANN, BOB, TOKEN, Person, fill, text_of
from tests.consumers.alerts.conftest import RULES, consolidated
from tests.consumers.alerts.test_explaining import whale
from tests.consumers.webhooks.conftest import make_plan
from tests.consumers.webhooks.conftest import serving as serving_webhooks
from tests.consumers.webhooks.receiver import Receiver, receiving
from tests.running import running

__all__ = ["api_nats", "store"]
pytestmark = [pytest.mark.nats, pytest.mark.timeout(240)]
OWNER = f"telegram:{ANN}"
SPEED = 20.0  # of Telegram's time
MOST_SECONDS = 5.0  # from a price to its message, and from a command to its reply, on a busy machine
PATIENCE_SECONDS = 30.0  # until something that has no limit of its own here
R = TypeVar("R", bound=BaseModel)
T = TypeVar("T")


@dataclass
class People:
    """Everything between the bus and people but for the API."""

    bus: Bus
    client: httpx.AsyncClient

    def person(self, user_id: int) -> Person:
        return Person(self.client, user_id, user_id)

    async def texts(self, chat_id: int) -> list[str]:
        rows = (await self.client.get("/test/sent", params={"chat_id": chat_id})).json()
        return [text_of(row) for row in rows if row["method"] == "sendMessage"]

    async def until_text(self, chat_id: int, part: str) -> None:
        await until(lambda: self.texts(chat_id), lambda texts: any(part in text for text in texts))

    async def ask(self, name: str, query: BaseModel, reply: type[R]) -> R:
        async with asyncio.timeout(30):
            while True:
                try:
                    return await CommandClient(self.bus).request(name, query, reply)
                except NotReadyError:  # nobody has the lease yet
                    await asyncio.sleep(0.05)

    async def put_price(self, price: str) -> None:
        subject, event = consolidated(now_ns(), price)
        await self.bus.jetstream().publish(subject, codec.encode(event))

    async def create(self, value: int, **deliver: Any) -> PriceAlert:
        rule = PriceRule(symbol="BTC/USDT", condition="above", value=str(value))
        request = CreateAlert(owner=OWNER, rule=rule, deliver=Deliver(telegram=ANN, **deliver))
        return await self.ask("alerts.create", request, PriceAlert)


@pytest_asyncio.fixture
async def people(api_nats: NatsServer, store: Store, documents_url: str) -> AsyncGenerator[People]:
    """The consumers of alerts, chats, Telegram and webhooks, the market core and the bot, each with its own bus."""
    await fill(store)
    address, _, options = documents_url.partition("?")
    documents = f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        _, url = await enter(serving_telegram(Options(token=TOKEN, limits=False), speed=SPEED))
        await enter(answering(api_nats.url))
        alerts = AlertsPlan(documents=documents, rules=RULES, save_seconds=0.2, tick_seconds=0.02)
        telegram = TelegramPlan(url=url, token=SecretStr(TOKEN), ticking=Ticking(SPEED))
        consumers = {
            "alerts": partial(run_alerts, plan=alerts),
            "chats": make_chats(ChatsPlan(documents)).run,
            "telegram": partial(run_telegram, plan=telegram),
        }
        for name, run in consumers.items():
            bus = await Bus(BusOptions(servers=(api_nats.url,), name=name)).connect()
            stack.push_async_callback(bus.close)
            await enter(running(bus, name, run))
        await enter(serving_webhooks(api_nats.url, make_plan(documents_url)))
        await enter(
            running_bot(BotOptions(bus=BusOptions(servers=(api_nats.url,), name="bot"), token=TOKEN, base_url=url))
        )
        client = await enter(httpx.AsyncClient(base_url=url, timeout=20))
        yield People(store.bus, client)


async def until(look: Callable[[], Awaitable[T]], enough: Callable[[T], bool]) -> T:
    """What was seen as soon as it is enough; fails with what was seen last."""
    deadline = monotonic() + PATIENCE_SECONDS
    while not enough(seen := await look()):
        assert monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {seen}"
        await asyncio.sleep(0.02)
    return seen


async def bodies_of(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in receiver.requests]


async def subscribe(people: People, chat_id: int, *kinds: str) -> None:
    meant = AlertFilter.model_validate({"kinds": kinds})
    asked = SaveSubscription(chat_id=chat_id, user_id=chat_id, filter=meant)
    await people.ask("chats.subscription_save", asked, Subscription)


async def register(people: People, url: str) -> str:
    fields = {"owner": OWNER, "url": url, "events": ["whale", "price_alert"]}
    caller = Caller(actor="ann", address=None, request_id=None)
    request = RegisterEndpoint.model_validate({**fields, "caller": caller.model_dump()}, strict=False)
    return (await people.ask("webhooks.register", request, EndpointShown)).id


async def deliveries(people: People, alert_id: str) -> set[tuple[str, str, str]]:
    why = await people.ask("alerts.why", AlertWhyQuery(id=alert_id, owner=OWNER), Explanation)
    assert not any("deliveries" in line for line in why.missing), why
    return {(one.to, one.target, one.state) for one in why.deliveries}


async def test_a_whale_is_one_message_and_one_post_and_why_names_both(people: People) -> None:
    for chat_id, kinds in ((ANN, ()), (BOB, ("whale",))):
        await people.person(chat_id).do("message", text="hello")
        await subscribe(people, chat_id, *kinds)
    async with receiving() as receiver:
        endpoint = await register(people, receiver.url)
        subject, event = whale(1, now_ns())
        for _ in range(2):
            await publish_signal(people.bus, subject, event)
        await people.until_text(ANN, "1,300,000")
        await people.create(70_000, webhooks=True)
        await people.put_price("69999")
        await people.put_price("70001")
        await people.until_text(ANN, "70,000")
        bodies = await until(lambda: bodies_of(receiver), lambda found: len(found) >= 2)
    whales = [text for text in await people.texts(ANN) if "1,300,000" in text]
    assert len(whales) == 1
    assert [text for text in await people.texts(BOB) if "1,300,000" in text] == whales
    assert sorted(body["event_type"] for body in bodies) == ["price_alert", "whale"]
    page = await people.ask("alerts.fired", FiredQuery(owner=OWNER), FiredPage)
    ids = {one.alert.alert: one.alert.id for one in page.items}
    posted, shown = ("webhook", endpoint, "done"), ("telegram", str(ANN), "done")
    await until(lambda: deliveries(people, ids["price_alert"]), lambda found: {posted, shown} < found)
    found = await deliveries(people, ids["whale"])
    assert {to for to, _, _ in found} == {"bus", "telegram", "webhook"}
    assert {posted, shown, ("telegram", "1 chat", "done")} < found


async def ask_price(people: People) -> float:
    """Return the seconds in which the bot replies to /price."""
    began = monotonic()
    reply = await people.person(BOB).say("/price BTC")
    assert "90,981.13 USDT" in text_of(reply)
    return monotonic() - began


async def fire(people: People, value: int) -> float:
    """Return the seconds from a price that meets an alert to the message about it."""
    await people.create(value)
    await people.put_price(str(value - 1))
    began = monotonic()
    await people.put_price(f"{value}.5")
    await people.until_text(ANN, f"{value:,}")
    return monotonic() - began


async def test_the_bot_and_the_alerts_do_not_notice_what_becomes_of_the_api(
    people: People, api_nats: NatsServer
) -> None:
    await people.person(ANN).do("message", text="hello")
    took: dict[str, tuple[float, float]] = {}

    async def use(state: str) -> None:
        value = 71_000 + 100 * len(took)
        took[state] = (await fire(people, value), await ask_price(people))

    async with api_process(api_nats) as (port, pid):
        headers = {"Authorization": f"Bearer {READ_KEY}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as api:
            assert (await api.get("/gpt/raw?symbol=BTC")).status_code == 200
            await use("there")
            os.kill(pid, signal.SIGSTOP)
            slow = asyncio.create_task(api.get("/gpt/raw?symbol=BTC"))
            await use("frozen")
            os.kill(pid, signal.SIGCONT)
            assert (await slow).status_code == 200
            os.kill(pid, signal.SIGKILL)
            await use("killed")
    async with api_process(api_nats):
        await use("started again")
    print({state: tuple(f"{seconds:.2f}" for seconds in both) for state, both in took.items()})
    assert max(seconds for both in took.values() for seconds in both) < MOST_SECONDS, took
    texts = await people.texts(ANN)
    assert [sum(f"{71_000 + 100 * number:,}" in text for text in texts) for number in range(4)] == [1] * 4
