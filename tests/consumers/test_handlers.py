"""Handlers without a server: FastStream's test broker calls them as the bus would, by subject."""

from __future__ import annotations

import json
from typing import Any

from faststream.nats import NatsRouter, TestNatsBroker
from prometheus_client import CollectorRegistry

from consumers.candles import handlers as candles
from contracts import codec, subjects
from contracts.market import Liquidation
from contracts.streams import DURABLES
from runtime.app.application import make_broker
from runtime.app.settling import durable
from runtime.nats.broker import Broker
from runtime.nats.bus import Bus, BusOptions

STORMS = next(spec for spec in DURABLES if spec.name == "storms")


def broker_of(router: NatsRouter | None) -> Broker:
    assert router is not None
    broker = make_broker(Bus(BusOptions(servers=("nats://127.0.0.1:1",), name="test")), "test", CollectorRegistry())
    broker.include_router(router)
    return broker


async def test_a_query_for_candles_is_replied_to() -> None:
    async with TestNatsBroker(broker_of(candles.make_consumer(candles.CandlePlan()).router)) as broker:
        query = {"venue": "okx", "symbol": "BTC/USDT", "timeframe": "1m"}
        reply = json.loads((await broker.request(json.dumps(query).encode(), subjects.CANDLES_LIST)).body)
    assert (reply["candles"], reply["loading"], reply["error"]) == ([], True, None)


async def test_an_event_reaches_its_handler_as_its_model(liquidation: Any) -> None:
    router, received = NatsRouter(), []

    @router.subscriber(**durable(STORMS))
    async def on_liquidation(event: Liquidation) -> None:
        received.append(event)

    sent = liquidation(1)
    async with TestNatsBroker(broker_of(router)) as broker:
        subject = subjects.LIQUIDATION + "bybit.BTC.USDT.perp"
        await broker.publish(codec.encode(sent), subject, stream=STORMS.stream)
    [event] = received
    assert codec.encode(sent) == event.model_dump_json().encode()
