"""Hyperliquid as a client sees it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from websockets.asyncio.client import connect

from producers.simulator.faults import Fault
from producers.simulator.hub import Heartbeat
from producers.simulator.server import Simulator
from producers.simulator.transport.bodies import read_fields, without_body
from tests.producers.simulator.client import read, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator
from tests.producers.simulator.test_keepalive import ended


def on(channel: str) -> Any:
    return lambda frame: frame["channel"] == channel


def wanted(kind: str, coin: str = "BTC", **more: str) -> dict[str, Any]:
    return {"method": "subscribe", "subscription": {"type": kind, "coin": coin, **more}}


async def ask(sim: Simulator, **question: Any) -> Any:
    """POST /info; gives (status, body)."""

    def post() -> tuple[int, Any]:
        request = urllib.request.Request(
            f"{sim.rest_url('hyperliquid')}/info",
            data=json.dumps(question).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    return await asyncio.to_thread(post)


def sides(book: Any) -> tuple[list[tuple[float, float]], ...]:
    return tuple([(float(row["px"]), float(row["sz"])) for row in side] for side in book["levels"])


def true_sides(sim: Simulator, depth: int = 20) -> tuple[list[tuple[float, float]], ...]:
    found = truth(sim.book("hyperliquid", "perp", "BTC"), depth)
    return tuple([(float(price), float(size)) for price, size in side] for side in found)


async def test_subscription_is_confirmed_once_and_ends_when_asked(start: StartSimulator) -> None:
    sim = await start("hyperliquid")
    async with connect(f"{sim.ws_url('hyperliquid')}/ws") as ws:
        await send(ws, wanted("trades"))
        confirmed = await read(ws)
        assert confirmed["data"] == wanted("trades")
        await send(ws, wanted("trades"))
        error = (await read_until(ws, on("error")))[-1]["data"]
        assert error.startswith("Already subscribed: {")
        await send(ws, {**wanted("trades"), "method": "unsubscribe"})
        left = (await read_until(ws, on("subscriptionResponse")))[-1]["data"]
        assert left["method"] == "unsubscribe"
        sim.pause()
        await send(ws, {"method": "ping"})
        assert (await read(ws))["channel"] == "pong"


@pytest.mark.parametrize("message", [wanted("trades", "NOPE"), wanted("melt"), wanted("candle", interval="7m")])
async def test_unknown_subscription_is_refused(start: StartSimulator, message: dict[str, Any]) -> None:
    sim = await start("hyperliquid")
    async with connect(f"{sim.ws_url('hyperliquid')}/ws") as ws:
        await send(ws, message)
        assert (await read(ws))["data"].startswith("Invalid subscription")
        await ws.send("nonsense")
        assert (await read(ws))["data"].startswith("Error parsing JSON")


async def test_new_subscription_repeats_recent_trades_and_goes_on_without_a_hole(start: StartSimulator) -> None:
    sim = await start("hyperliquid")
    async with connect(f"{sim.ws_url('hyperliquid')}/ws") as ws:
        await send(ws, wanted("trades"))
        frames = await read_some(ws, on("trades"), 6)
        sim.pause()
    assert len(frames[0]["data"]) > 1
    tids = [row["tid"] for frame in frames for row in frame["data"]]
    from_market = [x.id * 2_654_435_761 % 2**50 for x in sim.find_listing("hyperliquid", "perp", "BTC").recent]
    begin = from_market.index(tids[0])
    assert tids == from_market[begin : begin + len(tids)]


async def test_book_is_pushed_whole_and_equals_the_truth(start: StartSimulator) -> None:
    sim = await start("hyperliquid")
    async with connect(f"{sim.ws_url('hyperliquid')}/ws") as ws:
        await send(ws, wanted("l2Book"))
        frames = await read_some(ws, on("l2Book"), 2)
        sim.pause()
        while sides(frames[-1]["data"]) != true_sides(sim):
            frames += await read_some(ws, on("l2Book"), 1)
    assert all(len(side) == 20 for side in frames[-1]["data"]["levels"])


async def test_figures_of_perpetuals_and_of_pairs_differ(start: StartSimulator) -> None:
    sim = await start("hyperliquid")
    async with connect(f"{sim.ws_url('hyperliquid')}/ws") as ws:
        await send(ws, wanted("activeAssetCtx"))
        await send(ws, wanted("activeAssetCtx", "@142"))
        perpetual = (await read_until(ws, on("activeAssetCtx")))[-1]["data"]["ctx"]
        pair = (await read_until(ws, on("activeSpotAssetCtx")))[-1]["data"]["ctx"]
    assert {"funding", "openInterest", "oraclePx"} <= set(perpetual)
    assert not {"funding", "openInterest", "oraclePx"} & set(pair)


async def test_best_prices_and_candles_come(start: StartSimulator) -> None:
    sim = await start("hyperliquid")
    async with connect(f"{sim.ws_url('hyperliquid')}/ws") as ws:
        await send(ws, wanted("bbo"))
        bid, ask_row = (await read_until(ws, on("bbo")))[-1]["data"]["bbo"]
        assert float(bid["px"]) < float(ask_row["px"])
        await send(ws, wanted("candle", interval="1m"))
        candle = (await read_until(ws, on("candle")))[-1]["data"]
    assert candle["T"] - candle["t"] == 59_999


async def test_questions_are_answered(start: StartSimulator) -> None:
    sim = await start("hyperliquid")
    _, meta = await ask(sim, type="meta")
    assert [row["name"] for row in meta["universe"] if not row.get("isDelisted")] == ["BTC", "ETH"]
    _, spot = await ask(sim, type="spotMeta")
    assert [token["name"] for token in spot["tokens"]] == ["USDC", "UBTC"]
    assert spot["universe"] == [{"tokens": [1, 0], "name": "@142", "index": 142}]
    assert await ask(sim, type="l2Book", coin="NOPE") == (500, "null")
    assert (await ask(sim, type="novel"))[0] == 422
    sim.pause()
    _, book = await ask(sim, type="l2Book", coin="BTC")
    assert sides(book) == true_sides(sim)
    _, trades = await ask(sim, type="recentTrades", coin="BTC")
    assert trades[0]["time"] >= trades[-1]["time"]
    end = book["time"]
    request = {"coin": "BTC", "interval": "5m", "startTime": end - 3_600_000, "endTime": end}
    _, candles = await ask(sim, type="candleSnapshot", req=request)
    assert len(candles) == 12
    assert candles[1]["t"] - candles[0]["t"] == 300_000


async def test_ban_is_429_and_an_old_book_can_be_ordered(start: StartSimulator) -> None:
    sim = await start("hyperliquid")
    sim.inject(Fault("hyperliquid", "ban", count=1))
    assert (await ask(sim, type="meta"))[0] == 429
    sim.inject(Fault("hyperliquid", "stale_snapshot", symbol="BTC"))
    _, old = await ask(sim, type="l2Book", coin="BTC")
    _, new = await ask(sim, type="l2Book", coin="BTC")
    assert new["time"] > old["time"]


async def test_socket_on_which_nothing_moves_is_closed(start: StartSimulator) -> None:
    sim = await start("hyperliquid", heartbeats={"hyperliquid": Heartbeat(idle_any=0.3)})
    async with connect(f"{sim.ws_url('hyperliquid')}/ws") as ws:
        await ended(ws)


# ---- requests with a body
HEAD = b"POST /x/info HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n"
BODY = b'{"type":"l2Book","coin":"B C"}'


def test_body_is_waited_for_and_becomes_the_query() -> None:
    assert without_body(HEAD[:20]) is None
    assert without_body(HEAD + BODY[:-1]) is None
    assert without_body(HEAD + BODY) == b"POST /x/info?type=l2Book&coin=B%20C HTTP/1.1\r\nHost: x\r\n\r\n"


def test_request_without_a_body_is_handed_on_as_it_is() -> None:
    plain = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\nmore"
    assert without_body(plain) == plain
    assert without_body(b"x" * 70_000) is not None


@pytest.mark.parametrize("body", [b"nonsense", b"[1]", b"{}"])
def test_body_that_is_no_object_gives_no_fields(body: bytes) -> None:
    assert read_fields(body) == {}


def test_fields_of_inner_objects_count_too() -> None:
    assert read_fields(b'{"type":"a","req":{"coin":"BTC","n":1,"list":[]}}') == {"type": "a", "coin": "BTC", "n": "1"}
