"""Coinbase Advanced Trade as any client would see it: one number a message and socket, channels one by one."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from producers.normalize.events import Makers
from producers.registry import VENUES
from producers.simulator.config import Options
from producers.simulator.faults import Fault
from tests.producers.simulator.client import get, read, send
from tests.producers.simulator.conftest import StartSimulator

PATH = "/advanced-trade-ws"


async def _follow(ws: ClientConnection, *channels: str, product: str = "BTC-USD") -> list[Any]:
    """Subscribe to channels one by one, and return what came until each was acknowledged."""
    came: list[Any] = []
    for channel in channels:
        await send(ws, {"type": "subscribe", "product_ids": [product], "channel": channel})
        while True:
            came.append(await read(ws))
            if came[-1].get("channel") == "subscriptions" and channel in came[-1]["events"][0]["subscriptions"]:
                break
    return came


async def test_every_message_of_a_socket_is_numbered_answers_and_heartbeats_too(start: StartSimulator) -> None:
    sim = await start("coinbase")
    async with connect(sim.ws_url("coinbase") + PATH) as ws:
        came = await _follow(ws, "heartbeats", "market_trades", "level2", "ticker", "ticker_batch")
        channels = {frame["channel"] for frame in came}
        while not {"heartbeats", "market_trades", "l2_data", "ticker", "ticker_batch"} <= channels:
            came.append(await read(ws))
            channels.add(came[-1]["channel"])
    assert [frame["sequence_num"] for frame in came] == list(range(len(came)))
    beats = [frame["events"][0]["heartbeat_counter"] for frame in came if frame["channel"] == "heartbeats"]
    assert beats == list(range(1, len(beats) + 1))


async def test_a_book_begins_whole_and_trades_come_newest_first(start: StartSimulator) -> None:
    sim = await start("coinbase")
    async with connect(sim.ws_url("coinbase") + PATH) as ws:
        came = await _follow(ws, "level2", "market_trades")
        while not (
            {"l2_data", "market_trades"} <= {frame["channel"] for frame in came} and came[-1]["channel"] == "l2_data"
        ):
            came.append(await read(ws))
    books = [frame["events"][0] for frame in came if frame["channel"] == "l2_data"]
    assert books[0]["type"] == "snapshot"
    assert {row["side"] for row in books[0]["updates"]} == {"bid", "offer"}
    assert {event["type"] for event in books[1:]} <= {"update"}
    first = next(frame["events"][0] for frame in came if frame["channel"] == "market_trades")
    numbers = [int(row["trade_id"]) for row in first["trades"]]
    assert (first["type"], numbers) == ("snapshot", sorted(numbers, reverse=True))
    assert set(first["trades"][0]) == {"product_id", "trade_id", "price", "size", "time", "side"}


@pytest.mark.parametrize(("of_taker", "side"), [(True, "BUY"), (False, "SELL")])
async def test_whose_side_a_trade_names_is_an_option_of_sockets_and_rest(
    start: StartSimulator, of_taker: bool, side: str
) -> None:
    sim = await start("coinbase", options=Options(coinbase_advanced_side_is_taker=of_taker))
    async with connect(sim.ws_url("coinbase") + PATH) as ws:
        came = await _follow(ws, "market_trades")
        while came[-1]["channel"] != "market_trades":
            came.append(await read(ws))
    sim.pause()
    rest = (await get(f"{sim.rest_url('coinbase')}/api/v3/brokerage/market/products/BTC-USD/ticker?limit=500")).body
    bought = {str(x.id): x.taker_buys for x in sim.find_listing("coinbase", "spot", "BTC-USD").recent}
    for rows in (came[-1]["events"][0]["trades"], rest["trades"]):
        assert {bought[row["trade_id"]] for row in rows if row["side"] == side} == {True}
        assert {bought[row["trade_id"]] for row in rows if row["side"] != side} == {False}


async def test_our_decoder_reads_the_takers_side_of_what_is_sent(start: StartSimulator) -> None:
    sim = await start("coinbase")
    async with connect(sim.ws_url("coinbase") + PATH) as ws:
        came = await _follow(ws, "market_trades")
        while came[-1]["channel"] != "market_trades":
            came.append(await read(ws))
    sim.pause()
    venue = VENUES["coinbase"]
    decoder = venue.decoder("spot", lambda native: venue.guess("spot", native), makers=Makers(sim=True))
    events: list[Any] = [event for frame in came for event in decoder.decode(json.dumps(frame).encode(), 0)]
    read_as = {event.trade_id: event.side for event in events if getattr(event, "kind", "") == "trade"}
    bought = {str(x.id): x.taker_buys for x in sim.find_listing("coinbase", "spot", "BTC-USD").recent}
    assert set(read_as.values()) == {"buy", "sell"}
    assert read_as == {number: "buy" if bought[number] else "sell" for number in read_as}


async def test_unknown_products_channels_and_types_are_errors(start: StartSimulator) -> None:
    sim = await start("coinbase")
    async with connect(sim.ws_url("coinbase") + PATH) as ws:
        for order in (
            {"type": "subscribe", "product_ids": ["FOO-USD"], "channel": "level2"},
            {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "user"},
            {"type": "listen"},
        ):
            await send(ws, order)
            assert (await read(ws))["type"] == "error"


async def test_a_channel_that_was_left_is_silent(start: StartSimulator) -> None:
    sim = await start("coinbase")
    async with connect(sim.ws_url("coinbase") + PATH) as ws:
        await _follow(ws, "level2", "ticker")
        await send(ws, {"type": "unsubscribe", "product_ids": ["BTC-USD"], "channel": "level2"})
        while (frame := await read(ws))["channel"] != "subscriptions":
            pass
        assert frame["events"][0]["subscriptions"] == {"ticker": ["BTC-USD"]}
        assert {(await read(ws))["channel"] for _ in range(5)} == {"ticker"}


async def test_a_lost_change_leaves_a_hole_in_the_numbers(start: StartSimulator) -> None:
    sim = await start("coinbase")
    async with connect(sim.ws_url("coinbase") + PATH) as ws:
        numbers = [frame["sequence_num"] for frame in await _follow(ws, "level2")]
        numbers.append((await read(ws))["sequence_num"])
        sim.inject(Fault("coinbase", "gap", channel="depth", count=1))
        numbers.extend([(await read(ws))["sequence_num"] for _ in range(20)])
    steps = [after - before for before, after in pairwise(numbers)]
    assert (steps.count(2), set(steps)) == (1, {1, 2})
