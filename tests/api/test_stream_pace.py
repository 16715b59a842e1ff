"""Subscriptions with an interval: what is kept meanwhile, what is left out, and how it ends."""

from __future__ import annotations

import asyncio
import json

from prometheus_client import CollectorRegistry

from api.stream.backlog import Message
from api.stream.hub import Hub, StreamMetrics
from api.stream.pace import EVENTS_EACH, Pacer
from api.stream.topics import Topic
from runtime.clients.market_client import MarketClient
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.reader import read_event
from tests.api.streaming import TAIL, trade

TRADES = Topic("trades", TAIL)
SECONDS = 0.02


class Client:
    """What came, and when nothing more is awaited."""

    def __init__(self) -> None:
        self.came: list[dict[str, object]] = []
        self.changed = asyncio.Event()

    def push(self, message: Message) -> None:
        self.came.append(json.loads(message.payload))
        self.changed.set()

    async def until(self, name: str) -> None:
        async with asyncio.timeout(20):
            while not self.came or self.came[-1]["id"] != name:
                self.changed.clear()
                await self.changed.wait()


def make_hub() -> Hub:
    return Hub(
        MarketClient(Bus(BusOptions(servers=("nats://127.0.0.1:1",), name="none"))), StreamMetrics(CollectorRegistry())
    )


def publish(hub: Hub, first: int, count: int) -> None:
    for number in range(first, first + count):
        subject = f"md.v1.trade.{TAIL}"
        hub.on_event(subject, read_event(subject, trade(number).model_dump_json().encode()))
    hub.fan_out.write()


async def test_of_more_events_than_are_sent_the_newest_come_and_the_others_are_counted() -> None:
    hub, client = make_hub(), Client()
    pacer = Pacer(hub, (TRADES,), SECONDS, client.push)
    publish(hub, 0, EVENTS_EACH + 20)
    assert not client.came, "nothing before the interval is over"
    await client.until(f"t{EVENTS_EACH + 19}")
    assert [message["id"] for message in client.came] == [f"t{number}" for number in range(20, EVENTS_EACH + 20)]
    assert [message.get("dropped") for message in client.came] == [20, *[None] * (EVENTS_EACH - 1)]
    publish(hub, 500, 1)
    await client.until("t500")
    assert "dropped" not in client.came[-1]
    pacer.stop()


async def test_what_is_unsubscribed_sends_nothing_more_and_is_not_kept() -> None:
    hub, client, other = make_hub(), Client(), Client()
    ended, pacer = (Pacer(hub, (TRADES,), SECONDS, one.push) for one in (client, other))
    publish(hub, 0, 1)
    ended.stop()
    publish(hub, 1, 1)
    await other.until("t1")  # its interval began later and is over
    pacer.stop()
    assert client.came == []
