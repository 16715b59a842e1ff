"""Errors in a row stop an owner's orders at a venue or of a strategy until they are resumed; each trip is an event."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from consumers.execution.documents.journal import INDEXES
from consumers.execution.opened import Opened
from consumers.execution.publishing import BusPublisher
from consumers.execution.safety import store as trip_documents
from consumers.execution.safety.core import MOST_ERRORS
from consumers.execution.safety.permits import Permits
from contracts import streams, subjects
from contracts.services.trading.events import TradingTripped
from runtime import clock
from runtime.nats.bus import Bus
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.store import Store
from runtime.trading.order import Order
from tests.consumers.execution.links.test_tokens import LINKED
from tests.consumers.execution.safety.venue import Exchange, Heard, at_work
from tests.consumers.execution.stage import intent

STRATEGY = "5" * 16


@pytest_asyncio.fixture
async def store(documents: Store) -> Store:
    await documents.create_indexes((*INDEXES, *trip_documents.INDEXES))
    return documents


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def permits(store: Store) -> Permits:
    return Permits(store)


@pytest.fixture
def one(store: Store, exchange: Exchange, permits: Permits) -> Opened:
    return at_work(store, LINKED, exchange, permits)


def order(account: Any = LINKED, **fields: Any) -> Order:
    whose = {"account": account.id, "owner": account.owner, "venue": account.venue, "created_ns": clock.now_ns()}
    names = {"id": token_hex(8), "client_id": token_hex(4)}
    return replace(intent(), **(whose | names | fields))


async def submit(one: Opened, **fields: Any) -> str | None:
    return (await one.submit(order(one.account, **fields))).reason


async def test_errors_in_a_row_stop_the_venue_until_it_is_resumed(
    one: Opened, exchange: Exchange, permits: Permits, store: Store
) -> None:
    exchange.answer = "is silent"
    for _ in range(MOST_ERRORS):
        assert await submit(one) == "no answer within 10 s"
    exchange.answer = "accepts"
    refusal = "orders at indodax are stopped after 5 errors in a row (no answer within 10 s): resume trading first"
    assert await submit(one) == refusal
    assert exchange.orders == {}
    await permits.flush(Heard())
    again = at_work(store, LINKED, exchange, Permits(store))  # another process
    assert await submit(again) == refusal
    await permits.resume(LINKED.owner, clock.now_ns())
    assert await submit(again) is None
    assert await submit(one) is None


async def test_an_answer_between_them_begins_the_count_again(one: Opened, exchange: Exchange) -> None:
    for _ in range(3):
        exchange.answer = "is silent"
        for _ in range(MOST_ERRORS - 1):
            await submit(one)
        exchange.answer = "accepts"
        assert await submit(one) is None


async def test_a_strategy_whose_orders_are_refused_is_stopped_alone(one: Opened, exchange: Exchange) -> None:
    exchange.answer = "refuses"
    for _ in range(MOST_ERRORS):
        assert await submit(one, strategy=STRATEGY) == "not enough money"
    exchange.answer = "accepts"
    stopped = await submit(one, strategy=STRATEGY)
    assert stopped is not None
    assert stopped.startswith("orders of this strategy are stopped after 5 errors in a row (not enough money)")
    assert await submit(one, strategy="6" * 16) is None
    assert await submit(one) is None


async def test_another_owners_orders_go_on(store: Store, exchange: Exchange, permits: Permits) -> None:
    first = at_work(store, LINKED, exchange, permits)
    second = at_work(store, replace(LINKED, id="b" * 16, owner="telegram:8"), Exchange(), permits)
    exchange.answer = "is silent"
    for _ in range(MOST_ERRORS):
        await submit(first)
    assert await submit(first) is not None
    assert await submit(second) is None


async def test_each_trip_is_published_once(one: Opened, exchange: Exchange, permits: Permits) -> None:
    exchange.answer, received = "is silent", Heard()
    for _ in range(MOST_ERRORS + 3):
        await submit(one, strategy=STRATEGY)
    for _ in range(2):
        await permits.flush(received)
    assert [(trip.what, trip.strategy, trip.errors, trip.owner) for trip in received.trips] == [
        ("venue", None, 5, LINKED.owner),
        ("strategy", STRATEGY, 5, LINKED.owner),
    ]
    await permits.resume(LINKED.owner, clock.now_ns())
    for _ in range(MOST_ERRORS):
        await submit(one)
    await permits.flush(received)
    assert len({trip.id for trip in received.trips}) == 3


async def test_a_trip_that_was_resumed_before_it_was_written_stops_nothing(
    one: Opened, exchange: Exchange, permits: Permits, store: Store
) -> None:
    exchange.answer, received = "is silent", Heard()
    for _ in range(MOST_ERRORS):
        await submit(one)
    exchange.answer = "accepts"
    await permits.resume(LINKED.owner, clock.now_ns())
    await permits.flush(received)
    assert len(received.trips) == 1
    assert await submit(at_work(store, LINKED, exchange, Permits(store))) is None


async def test_a_trip_is_on_the_stream_of_trading_once(
    one: Opened, exchange: Exchange, permits: Permits, store: Store, own: Bus
) -> None:
    exchange.answer = "is silent"
    for _ in range(MOST_ERRORS):
        await submit(one)
    await permits.flush(BusPublisher(own))
    await store.collection(trip_documents.TRIPS).update_many({}, {"$set": {"published": False}})  # it fell in between
    await permits.flush(BusPublisher(own))
    (row,) = await read_past(own, streams.TRADING, (subjects.ALL_ORDERS,), ALL)
    trip = TradingTripped.model_validate_json(row.payload)
    assert row.subject.decode() == trip.subject == f"order.v1.tripped.{LINKED.id}"
    assert (trip.what, trip.venue, trip.reason) == ("venue", "indodax", "no answer within 10 s")
