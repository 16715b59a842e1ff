"""Profiles and subscriptions over the bus, and alerts that become jobs of the gateway, on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from consumers.chats.handlers import ChatsPlan, make_consumer
from consumers.chats.store import INDEXES, ChatStore
from contracts.alerts import Alert
from contracts.services.chats import (
    AlertFilter,
    DeleteSubscription,
    FindProfile,
    FindSubscription,
    Profile,
    SaveProfile,
    SaveSubscription,
    SnoozeSubscription,
    Subscription,
)
from contracts.services.telegram.jobs import ChatBlocked, ChatMigrated, TelegramJob
from contracts.services.telegram.operations import SendMessage
from contracts.services.trading.events import ForeignOrder, OrderFilled
from contracts.streams import JOBS, OWN_ALERTS, SIGNALS, TELEGRAM, TRADING
from contracts.subjects import HEADER_MESSAGE_ID
from runtime import provision
from runtime.clients.command_client import CommandClient
from runtime.clock import now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import nats_server
from runtime.store import Store
from tests.consumers.chats.test_core import alert
from tests.consumers.chats.test_orders import FILL, REJECTED, TRIP, event
from tests.running import running

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
SECONDS = 15.0


@pytest_asyncio.fixture
async def chats(tmp_path: Any, documents_url: str) -> AsyncGenerator[Bus]:
    """A bus with the streams of the contracts, and the consumer on it with empty documents."""
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="chats")).connect()
        await provision.apply(bus, provision.declared(synced=True))
        store = Store(documents_url)
        for name in ("telegram_profiles", "telegram_subscriptions"):
            await store.collection(name).delete_many({})
        consumer = make_consumer(ChatsPlan(documents_url))
        async with running(bus, "chats", consumer.run):
            yield bus
        await store.close()
        await bus.close()


async def publish(bus: Bus, event: Alert | ChatBlocked | ChatMigrated, stream: str) -> None:
    subject = event.subject if not isinstance(event, Alert) else f"alert.v1.{event.alert}.binance.BTC.USDT.spot"
    headers = {HEADER_MESSAGE_ID: uuid4().hex}  # a second copy of an event has another one: it is delivered again
    await bus.publish_acked(subject, event.model_dump_json().encode(), headers=headers, stream=stream)


async def jobs(bus: Bus, count: int) -> list[TelegramJob]:
    """Wait for so many jobs and return them."""
    async with asyncio.timeout(SECONDS):
        while True:
            info = await bus.jetstream().stream_info(JOBS)
            if info.state.messages >= count:
                break
            await asyncio.sleep(0.05)
    found = [await bus.jetstream().get_msg(JOBS, seq) for seq in range(info.state.first_seq, info.state.last_seq + 1)]
    return [TelegramJob.model_validate_json(one.data or b"") for one in found]


def fresh(kind: str = "whale", **parts: Any) -> Alert:
    return alert(kind, fired_at=now_ns(), id=f"{kind}.{now_ns()}", **parts)


async def test_a_profile_is_kept_and_changed_in_parts(chats: Bus) -> None:
    client = CommandClient(chats)
    asked = FindProfile(user_id=42)
    assert await client.request("chats.profile_find", asked, Profile) == Profile(user_id=42)
    await client.request("chats.profile_save", SaveProfile(user_id=42, language="id"), Profile)
    await client.request("chats.profile_save", SaveProfile(user_id=42, zone="Asia/Jakarta"), Profile)
    found = await client.request("chats.profile_find", asked, Profile)
    assert found == Profile(user_id=42, language="id", zone="Asia/Jakarta")


async def save(bus: Bus, chat_id: int, **parts: Any) -> Subscription:
    meant = AlertFilter.model_validate(parts.pop("filter", {}))
    asked = SaveSubscription(chat_id=chat_id, user_id=1, filter=meant, **parts)
    return await CommandClient(bus).request("chats.subscription_save", asked, Subscription)


async def test_an_alert_becomes_a_job_for_each_chat_that_wants_it(chats: Bus) -> None:
    await save(chats, 1)
    await save(chats, 2, filter={"kinds": ["storm"]})
    await save(chats, -100, filter={"symbols": ["BTC"]}, thread_id=7, language="id")
    found = fresh()
    await publish(chats, found, SIGNALS)
    await publish(chats, found, SIGNALS)
    await publish(chats, fresh("storm"), SIGNALS)
    sent = await jobs(chats, 5)
    assert sorted(job.chat_id for job in sent) == [-100, -100, 1, 1, 2]
    assert {job.thread_id for job in sent if job.chat_id == -100} == {7}


async def test_snoozed_and_unsubscribed_chats_get_nothing(chats: Bus) -> None:
    client = CommandClient(chats)
    for chat_id in (1, 2, 3):
        await save(chats, chat_id)
    snoozed = await client.request(
        "chats.subscription_snooze", SnoozeSubscription(chat_id=1, seconds=3600), Subscription
    )
    assert snoozed.snoozed_until is not None
    gone = await client.request("chats.subscription_delete", DeleteSubscription(chat_id=2), Subscription)
    assert gone.active is False
    await publish(chats, fresh(), SIGNALS)
    assert [job.chat_id for job in await jobs(chats, 1)] == [3]
    woken = await client.request("chats.subscription_snooze", SnoozeSubscription(chat_id=1, seconds=0), Subscription)
    assert woken.snoozed_until is None


async def test_a_price_alert_reaches_its_owner(chats: Bus) -> None:
    await CommandClient(chats).request("chats.profile_save", SaveProfile(user_id=42, language="id"), Profile)
    own = fresh("price_alert", owner="telegram:42", telegram=42, condition="above", threshold="90000", price="91000")
    await publish(chats, own, OWN_ALERTS)
    (job,) = await jobs(chats, 1)
    assert job.chat_id == 42
    assert "Peringatan harga" in job.model_dump()["operation"]["text"]


async def find(bus: Bus, chat_id: int, thread_id: int | None = None) -> Subscription:
    asked = FindSubscription(chat_id=chat_id, thread_id=thread_id)
    return await CommandClient(bus).request("chats.subscription_find", asked, Subscription)


async def test_a_blocked_chat_is_unsubscribed_and_a_migrated_one_keeps_everything(chats: Bus) -> None:
    await save(chats, 1)
    before = await save(chats, -5, filter={"kinds": ["whale"], "symbols": ["BTC"]}, thread_id=3, zone="Asia/Jakarta")
    await publish(chats, ChatBlocked(chat_id=1, reason="blocked", ts=now_ns()), TELEGRAM)
    await publish(chats, ChatMigrated(chat_id=-5, new_chat_id=-100500, ts=now_ns()), TELEGRAM)
    async with asyncio.timeout(SECONDS):
        while (await find(chats, 1)).active or not (await find(chats, -100500, 3)).active:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await find(chats, -100500, 3) == before.model_copy(update={"chat_id": -100500})
    assert (await find(chats, -5, 3)).active is False


async def test_indexes_serve_the_reads(documents: Store) -> None:
    await documents.create_indexes(INDEXES)
    store = ChatStore(documents)
    await store.save(SaveSubscription(chat_id=1, user_id=1))
    assert [one.chat_id for one in await store.active()] == [1]
    await store.move_chat(1, 2)
    await store.move_chat(1, 2)
    assert [one.chat_id for one in await store.active()] == [2]
    chosen = SaveSubscription(chat_id=2, user_id=1, filter=AlertFilter.model_validate({"kinds": ["whale"]}))
    await store.save(SaveSubscription(chat_id=1, user_id=1))
    await store.save(chosen)
    await store.move_chat(1, 2)
    (kept,) = await store.active()
    assert (kept.chat_id, kept.filter) == (2, chosen.filter), "what was chosen in the chat that it became is newer"
    await store.drop_chat(2)
    assert await store.active() == []


async def test_what_becomes_of_an_owners_orders_is_said_in_the_owners_chat_once(chats: Bus) -> None:
    await CommandClient(chats).request("chats.profile_save", SaveProfile(user_id=7, language="id"), Profile)
    for found in (FILL, TRIP, REJECTED, event(ForeignOrder), event(OrderFilled, owner="alice")):
        fresh_one: Any = found.model_copy(update={"ts": now_ns()})
        for _ in range(2):
            headers = {HEADER_MESSAGE_ID: uuid4().hex}
            body = fresh_one.model_dump_json().encode()
            await chats.publish_acked(fresh_one.subject, body, headers=headers, stream=TRADING)
    sent = await jobs(chats, 4)
    assert [job.chat_id for job in sent] == [7] * 4
    assert any(isinstance(job.operation, SendMessage) and "dijual" in job.operation.text for job in sent)
