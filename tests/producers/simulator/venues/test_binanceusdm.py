"""Binance USD-M as a client sees it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from websockets.asyncio.client import connect

from producers.simulator.config import SimulatorConfig
from tests.producers.simulator.client import Levels, get, read, read_on, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

VENUE = "binanceusdm"


def is_diff(frame: Any) -> bool:
    return frame.get("e") == "depthUpdate"


async def test_stream_on_the_wrong_path_is_acknowledged_and_silent(start: StartSimulator) -> None:
    sim = await start(VENUE)
    async with connect(f"{sim.ws_url(VENUE)}/market/stream") as ws:
        await send(ws, {"method": "SUBSCRIBE", "params": ["btcusdt@bookTicker", "btcusdt@markPrice@1s"], "id": 1})
        assert await read(ws) == {"result": None, "id": 1}
        frames = await read_some(ws, lambda frame: "stream" in frame, 1)
        await send(ws, {"method": "LIST_SUBSCRIPTIONS", "id": 2})
        listed = (await read_until(ws, lambda frame: frame.get("id") == 2))[-1]
    assert {frame["stream"] for frame in frames} == {"btcusdt@markPrice@1s"}
    assert listed["result"] == ["btcusdt@bookTicker", "btcusdt@markPrice@1s"]


async def test_book_from_snapshot_and_diffs_chained_by_pu_equals_the_truth(start: StartSimulator) -> None:
    sim = await start(VENUE)
    async with connect(f"{sim.ws_url(VENUE)}/public/ws/btcusdt@depth@100ms") as ws:
        early = await read_some(ws, is_diff, 2)
        snapshot = (await get(f"{sim.rest_url(VENUE)}/fapi/v1/depth?symbol=BTCUSDT&limit=1000")).body
        later = await read_some(ws, is_diff, 5)
        sim.pause()
        expected = sim.book(VENUE, "linear", "BTCUSDT")
        diffs = await read_on(ws, [*early, *later], lambda frame: frame["u"] == expected["seq"])
    for before, after in pairwise(diffs):
        assert after["pu"] == before["u"]
        assert after["U"] > after["pu"] + 1
    book = Levels()
    book.put(snapshot["bids"], snapshot["asks"])
    known = snapshot["lastUpdateId"]
    fresh = [frame for frame in diffs if frame["u"] > known]
    assert fresh[0]["pu"] == known or fresh[0]["U"] <= known <= fresh[0]["u"]
    for frame in fresh:
        book.put(frame["b"], frame["a"])
    assert book.sides() == truth(expected)


async def test_forced_orders_come_at_most_once_a_second_per_symbol(start: StartSimulator) -> None:
    sim = await start(VENUE, cascade_every_s=(0.4, 0.8), bases=("BTC",))
    async with connect(f"{sim.ws_url(VENUE)}/market/ws/!forceOrder@arr") as ws:
        frames = await read_some(ws, lambda frame: frame.get("e") == "forceOrder", 2)
    order = frames[0]["o"]
    assert set(order) == {"s", "S", "o", "f", "q", "p", "ap", "X", "l", "z", "T", "ps", "st"}
    is_sell = order["S"] == "SELL"
    assert (float(order["p"]) < float(order["ap"])) == is_sell
    for before, after in pairwise(frames):
        assert after["E"] - before["E"] >= 999


async def test_futures_frames_and_rest_have_their_own_keys(start: StartSimulator) -> None:
    sim = await start(VENUE)
    streams = "btcusdt@aggTrade/!ticker@arr/btcusdt@markPrice@1s/!miniTicker@arr"
    async with connect(f"{sim.ws_url(VENUE)}/market/stream?streams={streams}") as ws:
        seen: dict[str, Any] = {}
        await read_until(ws, lambda f: bool(seen.setdefault(f["stream"], f["data"])) and len(seen) == 4)
    assert set(seen["btcusdt@aggTrade"]) == {"e", "E", "a", "s", "p", "q", "nq", "f", "l", "T", "m", "st", "ps"}
    assert set(seen["btcusdt@markPrice@1s"]) == {"e", "E", "s", "p", "ap", "i", "P", "r", "T", "st", "ps"}
    assert len(seen["!miniTicker@arr"]) == 2
    base = f"{sim.rest_url(VENUE)}/fapi/v1"
    assert (await get(f"{base}/depth?symbol=BTCUSDT&limit=7")).body["code"] == -4021
    assert (await get(f"{base}/exchangeInfo")).body["symbols"][0]["contractType"] == "PERPETUAL"
    assert (await get(f"{base}/openInterest?symbol=BTCUSDT")).body["symbol"] == "BTCUSDT"


def test_keepalive_defaults_are_the_documented_ones() -> None:
    rules = SimulatorConfig().heartbeats
    assert (rules["binance"].ping_every, rules["binance"].pong_within) == (20, 60)
    assert (rules[VENUE].ping_every, rules[VENUE].pong_within) == (180, 600)
    assert rules["bybit"].idle_inbound == 600
    assert rules["okx"].idle_any == 30
    assert rules["coinbase"].subscribe_within == 5
