"""The whole consumer: what is published as soon as a change is confirmed is matched with the endpoint as it is then."""

from __future__ import annotations

import asyncio
import json
from typing import cast

import pytest

from consumers.webhooks.delivery.rules import DigestRules
from consumers.webhooks.handlers import WebhooksPlan
from consumers.webhooks.matching.running import MatchingPlan
from consumers.webhooks.store.events import EventStore
from contracts import streams
from contracts.services.trading.orders import OrderStatus
from contracts.services.webhooks.events import OrderData
from contracts.subjects import HEADER_MESSAGE_ID
from runtime.nats.bus import Bus
from runtime.nats.signals import publish_signal
from runtime.store import Store
from tests.consumers.webhooks.conftest import Begin
from tests.consumers.webhooks.events import make_order, make_whale
from tests.consumers.webhooks.receiver import receiving
from tests.consumers.webhooks.test_registry import Asking

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
TIMES = 5


async def test_an_event_after_a_confirmed_change_is_matched_with_it(begin: Begin, own: Bus, plan: WebhooksPlan) -> None:
    await begin(matching=MatchingPlan(digests=DigestRules(seconds=0)))
    ask, events = Asking(own), EventStore(Store(plan.documents))

    async def publish(name: str) -> None:
        whale = make_whale(id=f"binance.BTC.USDT.spot.whale.{name}")
        await publish_signal(own, "signal.v1.whale.binance.BTC.USDT.spot", whale)

    async def numbered(endpoint: str, count: int) -> None:
        async with asyncio.timeout(20):
            while await events.last_sequence(endpoint) < count:  # noqa: ASYNC110  # a document of another task
                await asyncio.sleep(0.02)

    async with receiving() as receiver:
        made = []
        for number in range(TIMES):
            made.append(await ask.register(url=receiver.url, ordering="none"))
            await publish(f"registered.{number}")
        for number, endpoint in enumerate(made):
            await numbered(endpoint.id, TIMES - number)
        for number, endpoint in enumerate(made):
            await ask.change("update", endpoint.id, change={"symbols": ["ETH"]})
            await publish(f"updated.{number}")
        await numbered(made[-1].id, TIMES)
        found = {endpoint.id: await events.last_sequence(endpoint.id) for endpoint in made}
    assert found == {endpoint.id: TIMES for endpoint in made}


async def test_changes_of_an_order_reach_its_owner_and_nobody_else(begin: Begin, own: Bus) -> None:
    await begin(matching=MatchingPlan(digests=DigestRules(seconds=0)))
    ask = Asking(own)
    async with receiving() as receiver:
        await ask.register(url=receiver.url, events=("order",), symbols=("BTC",), exchanges=(), min_usd=None)
        changes = [("bob", 1, "open"), ("alice", 1, "open"), ("alice", 2, "filled"), ("alice", 2, "filled")]
        for at, (owner, number, status) in enumerate(changes):
            event = make_order(owner, number, cast("OrderStatus", status))
            headers = {HEADER_MESSAGE_ID: f"published.{at}"}  # the last comes twice
            body = event.model_dump_json().encode()
            await own.publish_acked(event.subject, body, headers=headers, stream=streams.TRADING)
        async with asyncio.timeout(20):
            while len(receiver.requests) < 2:  # noqa: ASYNC110  # posts of another task
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
    bodies = sorted((json.loads(request.body) for request in receiver.requests), key=lambda body: body["sequence"])
    assert [(body["event_type"], body["symbol"], body["sim"]) for body in bodies] == [("order", "BTC", True)] * 2
    assert [body["data"]["status"] for body in bodies] == ["open", "filled"]
    assert bodies[1]["data"] == {
        "order_id": "ord1",
        "client_id": "mine-1",
        "account": "0123456789abcdef",
        "instrument": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "status": "filled",
        "amount": 0.01,
        "filled": 0.01,
        "price": 90000,
        "average_price": 89999.5,
        "fee": None,
    }
    OrderData.model_validate(bodies[1]["data"])
