"""An account at an exchange through CCXT, over HTTP: what it reads, what it refuses, what it sends and never sends."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from consumers.execution.venues.ccxt_client import MARKETS_NS, CcxtClient
from consumers.execution.venues.ccxt_venue import CcxtVenue
from contracts.errors import InvalidParameterError
from producers.simulator.config import SimulatorConfig
from producers.simulator.private import Wanted
from producers.simulator.server import Simulator
from runtime.credentials import Credential
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import Order
from tests.consumers.execution.stage import intent
from tests.consumers.execution.venues.matrix import AMOUNT
from tests.consumers.execution.venues.world import BEGIN, KEY, LISTED, LOW, SECRET, SYMBOL, World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
D = Decimal


def order(world: World, number: int = 1, **fields: Any) -> Order:
    made = intent(number, symbol=SYMBOL, price=LOW, amount=AMOUNT, created_ns=world.stage.now)
    return replace(made, **fields)


async def test_an_account_is_read_with_its_money_and_its_open_orders(world: World) -> None:
    venue = world.venue()
    await venue.check()
    await venue.place(order(world))
    assert await venue.open() == frozenset()
    assert [report.symbol for report in await venue.list_open()] == [SYMBOL]
    held = {name: (free, used) for name, free, used in await venue.balances()}
    assert held["BTC"] == (BEGIN["BTC"], 0)
    assert held["USDT"] == (BEGIN["USDT"] - LOW * AMOUNT, LOW * AMOUNT)
    assert (venue.fees.maker, venue.fees.taker) == (D("0.001"), D("0.001"))


@pytest.mark.parametrize(
    ("permissions", "words"),
    [({"view", "trade", "withdraw"}, "this key can withdraw"), ({"view"}, "this key cannot trade")],
)
async def test_a_key_that_may_do_too_much_or_too_little_is_refused(world: World, permissions: Any, words: str) -> None:
    world.side.exchange.add_account(KEY, SECRET, permissions, {})
    with pytest.raises(InvalidParameterError, match=words):
        await world.venue().check()


async def test_a_classic_account_is_refused_where_it_sizes_market_buys_otherwise() -> None:
    async with opened("bybit") as world:
        world.client.exchange.options.update({"enableUnifiedMargin": False, "enableUnifiedAccount": False})
        with pytest.raises(InvalidParameterError, match="only unified accounts"):
            await world.venue().check()


async def test_rules_are_the_exchange_s_and_are_read_again_after_an_hour(world: World) -> None:
    venue = world.venue()
    rules = await venue.rules(SYMBOL)
    listed = world.side.exchange.markets[LISTED]
    assert (rules.price_step, rules.amount_step) == (listed.price_step, listed.amount_step)
    assert rules.least_value == listed.least_value
    with pytest.raises(InvalidParameterError, match="does not trade DOGE/IDR"):
        await venue.rules("DOGE/IDR")
    asked = len(world.answered)
    await venue.rules(SYMBOL)
    assert len(world.answered) == asked
    world.stage.now += MARKETS_NS
    await venue.rules(SYMBOL)
    assert len(world.answered) > asked


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": D(1000)}, "there is not enough money for it|Insufficient balance"),
        ({"amount": D("0.00005")}, "NOTIONAL|lower limit"),
        ({"post_only": True, "price": D(200_000)}, "executed at once, and was not to be|LIMIT-MAKER"),
        ({"client_id": "with a space"}, "does not take the client order id"),
    ],
)
async def test_what_the_exchange_refuses_is_refused_in_words(world: World, change: dict[str, Any], words: str) -> None:
    with pytest.raises(OrderRefusedError, match=words):
        await world.venue().place(order(world, **change))
    assert world.orders() == []


async def test_a_post_only_order_that_rests_is_taken(world: World) -> None:
    report = await world.venue().place(order(world, post_only=True))
    assert report.status == "open"
    assert world.orders()[0].post_only
    assert await world.venue().find(order(world, post_only=True)) is not None


async def test_figures_are_sent_as_they_are(world: World) -> None:
    await world.venue().place(order(world, amount=D("0.01234"), price=D("61234.5")))
    there = world.orders()[0]
    assert (there.amount, there.price, there.client_id) == (D("0.01234"), D("61234.5"), "client1")


async def test_a_market_buy_is_of_its_amount_and_not_of_its_cost(world: World) -> None:
    venue = world.venue()
    bought = order(world, type="market", price=None)
    await venue.place(bought)
    report = await venue.find(bought)
    assert report is not None
    assert (report.status, report.filled) == ("filled", AMOUNT)
    assert world.orders()[0].cost is None


async def test_an_order_is_found_open_ended_and_by_its_executions_alone(world: World) -> None:
    venue = world.venue()
    mine = order(world, price=world.best("ask")[0])
    assert await venue.find(mine) is None
    accepted = await venue.place(mine)
    known = replace(mine, venue_order_id=accepted.venue_order_id)
    exchange = world.side.exchange
    there = exchange.orders[int(accepted.venue_order_id)]
    for listed in (known, mine):
        report = await venue.find(listed)
        assert report is not None
        assert (report.status, report.filled) == ("filled", AMOUNT)
    there.client_id = "forgotten"  # in no list under its id any more
    exchange._by_client_id.clear()
    assert await venue.find(mine) is None
    report = await venue.find(known)
    assert report is not None
    assert (report.status, [fill.amount for fill in report.fills]) == ("filled", [fill.amount for fill in there.fills])


async def test_an_order_of_the_same_client_id_from_before_is_not_taken_for_this_one(world: World) -> None:
    venue = world.venue()
    await venue.place(order(world))
    world.stage.advance(3600)
    assert await venue.find(order(world)) is None
    assert await venue.find(order(world, created_ns=world.stage.now - 3_600_000_000_000)) is not None


@pytest.mark.parametrize("count", [0, 1, 50, 60, 100])  # a page has 50
async def test_what_is_open_is_listed_whoever_placed_it_and_however_many(world: World, count: int) -> None:
    account = world.side.exchange.accounts[KEY]
    for number in range(count):
        wanted = Wanted(
            symbol=LISTED, side="buy", type="limit", amount=D("0.001"), price=LOW, client_id=f"web-{number}"
        )
        world.side.exchange.place(account, wanted, world.now_us + number * 1000)
    found = await world.venue().list_open()
    assert sorted(report.client_id or "" for report in found) == sorted(f"web-{number}" for number in range(count))
    assert all(report.symbol == SYMBOL for report in found)


@pytest.mark.parametrize("name", ["binance", "bybit"])
async def test_a_whole_course_on_the_simulator_that_people_run(name: str) -> None:
    async with Simulator(SimulatorConfig(venues=(name,), bases=("BTC",))) as simulator:
        exchange = simulator.private(name).exchange
        exchange.add_account(KEY, SECRET, {"view", "trade"}, BEGIN)
        client = CcxtClient(name, Credential(KEY, SECRET), url=simulator.rest_url(name))
        await client.start()
        client.exchange.enableRateLimit = False
        venue = CcxtVenue(client)
        try:
            await venue.open()
            made = intent(symbol=SYMBOL, price=LOW, amount=AMOUNT, created_ns=time.time_ns())
            accepted = await venue.place(made)
            assert [report.client_id for report in await venue.list_open()] == ["client1"]
            await venue.cancel(replace(made, venue_order_id=accepted.venue_order_id))
            found = await venue.find(made)
            assert found is not None
            assert found.status == "cancelled"
            assert exchange.imbalance() == {}
        finally:
            await client.close()
