"""KuCoin, spot and futures, as a client sees it."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from producers.simulator.config import Options
from producers.simulator.faults import Fault
from producers.simulator.hub import Heartbeat
from producers.simulator.server import Simulator
from tests.producers.simulator.client import Levels, drain, get, read, read_on, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

SPOT, FUTURES = "kucoin", "kucoinfutures"


async def bullet(sim: Simulator, venue: str) -> dict[str, Any]:
    """A token with its server, as the venue gives it."""
    url = f"{sim.rest_url(venue)}/api/v1/bullet-public"
    request = urllib.request.Request(url, method="POST")
    answer = await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=5).read())
    return json.loads(answer)["data"]


async def url(sim: Simulator, venue: str) -> str:
    given = await bullet(sim, venue)
    return f"{given['instanceServers'][0]['endpoint']}?token={given['token']}&connectId=mine"


async def ask(ws: ClientConnection, *topics: str) -> None:
    """Subscribes and reads the acks."""
    assert await read(ws) == {"id": "mine", "type": "welcome"}
    for number, topic in enumerate(topics):
        await send(ws, {"id": str(number), "type": "subscribe", "topic": topic, "response": True})
        assert await read_until(ws, lambda frame, ref=str(number): frame == {"id": ref, "type": "ack"})


def on(topic: str) -> Any:
    return lambda frame: frame.get("topic", "").startswith(topic)


async def test_token_comes_by_post_and_opens_one_kind_of_socket(start: StartSimulator) -> None:
    sim = await start(SPOT, FUTURES)
    given = await bullet(sim, SPOT)
    server = given["instanceServers"][0]
    assert server["endpoint"] == f"ws://127.0.0.1:{sim.port}/kucoin/"
    assert (server["pingInterval"], server["pingTimeout"]) == (18000, 10000)
    assert (await get(f"{sim.rest_url(SPOT)}/api/v1/bullet-public")).status == 404
    for bad in (f"{sim.ws_url(SPOT)}?token=none", f"{sim.ws_url(FUTURES)}?token={given['token']}"):
        async with connect(bad) as ws:
            assert (await read(ws))["data"] == "token is expired"
            with pytest.raises(ConnectionClosed):
                await drain(ws)


async def test_client_pings_are_answered_and_needed(start: StartSimulator) -> None:
    sim = await start(SPOT, heartbeats={SPOT: Heartbeat(idle_inbound=0.8)})
    async with connect(await url(sim, SPOT)) as silent, connect(await url(sim, SPOT)) as polite:
        for number in range(6):
            await send(polite, {"id": f"p{number}", "type": "ping"})
            pong = (await read_until(polite, lambda frame: frame["type"] == "pong"))[-1]
            assert pong["id"] == f"p{number}"
            await asyncio.sleep(0.25)
        with pytest.raises(ConnectionClosed):
            await drain(silent)
        await send(polite, {"id": "last", "type": "ping"})
        assert (await read_until(polite, lambda frame: frame["type"] == "pong"))[-1]["id"] == "last"


async def test_errors_are_the_venues(start: StartSimulator) -> None:
    sim = await start(SPOT)
    async with connect(await url(sim, SPOT)) as ws:
        await ask(ws)
        for order, code in (
            ({"id": "1", "type": "subscribe", "topic": "/market/moon:BTC-USDT"}, 404),
            ({"id": "2", "type": "subscribe", "topic": "/market/match:BTC-USDT,NO-SUCH"}, 404),
            ({"id": "3", "type": "openTunnel"}, 415),
            ({"id": "4", "type": "subscribe", "topic": "/market/match:" + ",".join(map(str, range(101)))}, 400),
        ):
            await send(ws, order)
            answer = await read(ws)
            assert (answer["id"], answer["type"], answer["code"]) == (order["id"], "error", code)
        for number in range(100):
            await send(ws, {"id": str(number), "type": "ping"})
        assert (await read_until(ws, lambda frame: frame["type"] == "error"))[-1]["code"] == 509
    other = await start(SPOT, options=Options(kucoin_unknown_symbol_is_error=False))
    async with connect(await url(other, SPOT)) as ws:
        await ask(ws, "/market/match:BTC-USDT,NO-SUCH")


async def test_spot_book_of_a_partial_snapshot_and_its_changes_is_the_truth(start: StartSimulator) -> None:
    sim = await start(SPOT)
    async with connect(await url(sim, SPOT)) as ws:
        await ask(ws, "/market/level2:BTC-USDT")
        early = await read_some(ws, on("/market/level2"), 2)
        path = "/api/v1/market/orderbook/level2_100?symbol=BTC-USDT"
        seed = (await get(f"{sim.rest_url(SPOT)}{path}")).body["data"]
        later = await read_some(ws, on("/market/level2"), 4)
        sim.pause()
        expected = sim.book(SPOT, "spot", "BTC-USDT")
        frames = await read_on(ws, [*early, *later], lambda frame: frame["data"]["sequenceEnd"] == expected["seq"])
    updates = [frame["data"] for frame in frames]
    assert all(after["sequenceStart"] == before["sequenceEnd"] + 1 for before, after in pairwise(updates))
    rows = [(row, update) for update in updates for side in ("asks", "bids") for row in update["changes"][side]]
    assert all(update["sequenceStart"] <= int(row[2]) <= update["sequenceEnd"] for row, update in rows)
    assert any(row[0] == "0" for row, _ in rows)
    book = Levels()
    book.put(seed["bids"], seed["asks"])
    assert len(seed["bids"]) == 100
    for update in updates:
        if update["sequenceEnd"] > int(seed["sequence"]):
            kept = [[row for row in update["changes"][side] if row[0] != "0"] for side in ("bids", "asks")]
            book.put(*kept)
    assert book.sides(40) == truth(expected, 40)


async def test_futures_book_moves_by_single_steps_and_never_crosses(start: StartSimulator) -> None:
    sim = await start(FUTURES)
    async with connect(await url(sim, FUTURES)) as ws:
        await ask(ws, "/contractMarket/level2:XBTUSDTM")
        early = await read_some(ws, on("/contractMarket/level2"), 5)
        seed = (await get(f"{sim.rest_url(FUTURES)}/api/v1/level2/snapshot?symbol=XBTUSDTM")).body["data"]
        later = await read_some(ws, on("/contractMarket/level2"), 60)
        sim.pause()
        expected = sim.book(FUTURES, "linear", "XBTUSDTM")
        frames = await read_on(ws, [*early, *later], lambda frame: frame["data"]["sequence"] == expected["seq"])
    steps = [frame["data"] for frame in frames]
    assert all(after["sequence"] == before["sequence"] + 1 for before, after in pairwise(steps))
    book = Levels()
    book.put(*([[str(p), str(a)] for p, a in seed[side]] for side in ("bids", "asks")))
    for step in steps:
        if step["sequence"] <= seed["sequence"]:
            continue
        price, side, size = step["change"].split(",")
        book.put([[price, size]] if side == "buy" else [], [[price, size]] if side == "sell" else [])
        bids, asks = book.sides(1)
        assert float(bids[0][0]) < float(asks[0][0])
    assert book.sides() == truth(expected)


async def test_every_topic_speaks_in_the_venues_form(start: StartSimulator) -> None:
    sim = await start(SPOT, FUTURES, rate=30.0)
    spot = ("market/match", "market/ticker", "market/snapshot", "spotMarket/level1", "spotMarket/level2Depth5")
    futures = ("execution", "tickerV2", "snapshot", "level2Depth50")
    wanted = {
        SPOT: [*(f"/{name}:BTC-USDT" for name in spot), "/market/candles:BTC-USDT_1min"],
        FUTURES: [
            *(f"/contractMarket/{name}:XBTUSDTM" for name in futures),
            *("/contract/instrument:XBTUSDTM", "/contractMarket/limitCandle:XBTUSDTM_1min"),
        ],
    }
    seen: dict[str, Any] = {}
    for venue, topics in wanted.items():
        async with connect(await url(sim, venue)) as ws:
            await ask(ws)
            for topic in topics:
                await send(ws, {"id": topic, "type": "subscribe", "topic": topic})  # asks for no ack
            found: set[str] = set()

            def complete(frame: Any, found: set[str] = found, count: int = len(topics)) -> bool:
                seen[frame["topic"]] = frame
                found.add(frame["topic"])
                return len(found) == count

            await read_until(ws, complete)
    assert seen["/market/match:BTC-USDT"]["data"]["type"] == "match"
    assert len(seen["/market/match:BTC-USDT"]["data"]["time"]) == 19
    assert seen["/market/snapshot:BTC-USDT"]["data"]["data"]["lastTradedPrice"] > 0
    assert len(seen["/market/candles:BTC-USDT_1min"]["data"]["candles"]) == 7
    assert isinstance(seen["/contractMarket/execution:XBTUSDTM"]["data"]["size"], int)
    assert seen["/contract/instrument:XBTUSDTM"]["subject"] in {"funding.rate", "mark.index.price"}


async def test_contracts_and_pairs_are_listed_with_what_they_are_worth(start: StartSimulator) -> None:
    sim = await start(SPOT, FUTURES, bases=("BTC", "DOGE"))
    rows = (await get(f"{sim.rest_url(FUTURES)}/api/v1/contracts/active")).body["data"]
    assert {row["symbol"]: (row["baseCurrency"], row["multiplier"]) for row in rows} == {
        "XBTUSDTM": ("XBT", 0.001),
        "DOGEUSDTM": ("DOGE", 100.0),
    }
    pairs = (await get(f"{sim.rest_url(SPOT)}/api/v2/symbols")).body["data"]
    assert [row["symbol"] for row in pairs if row["enableTrading"]] == ["BTC-USDT", "DOGE-USDT"]
    spot, futures = f"{sim.rest_url(SPOT)}/api", f"{sim.rest_url(FUTURES)}/api/v1"
    assert (await get(f"{spot}/v3/market/orderbook/level2?symbol=BTC-USDT")).body["code"] == "400001"
    assert (await get(f"{spot}/v1/market/orderbook/level2_100")).body["code"] == "400100"
    assert (await get(f"{spot}/v1/market/orderbook/level1?symbol=NO-SUCH")).body == {"code": "200000", "data": None}
    assert (await get(f"{futures}/level2/snapshot?symbol=NOSUCHM")).body["code"] == "900001"


async def test_candles_and_trades_over_rest(start: StartSimulator) -> None:
    sim = await start(SPOT, FUTURES)
    spot, futures = f"{sim.rest_url(SPOT)}/api/v1/market", f"{sim.rest_url(FUTURES)}/api/v1"
    rows = (await get(f"{spot}/candles?symbol=BTC-USDT&type=1min")).body["data"]
    starts = [int(row[0]) for row in rows]
    assert starts == sorted(starts, reverse=True)
    for _, opened, closed, high, low, *_ in rows:
        assert float(high) >= max(float(opened), float(closed)) >= min(float(opened), float(closed)) >= float(low)
    rows = (await get(f"{futures}/kline/query?symbol=XBTUSDTM&granularity=1")).body["data"]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    for _, opened, high, low, closed, _ in rows:
        assert high >= max(opened, closed) >= min(opened, closed) >= low
    assert len((await get(f"{spot}/histories?symbol=BTC-USDT")).body["data"][0]["sequence"]) > 0
    assert (await get(f"{futures}/trade/history?symbol=XBTUSDTM")).body["data"][0]["size"] > 0


async def test_token_that_ends_is_reported_and_cannot_be_used_again(start: StartSimulator) -> None:
    sim = await start(SPOT)
    address = await url(sim, SPOT)
    async with connect(address) as ws:
        await ask(ws)
        sim.inject(Fault(venue=SPOT, kind="notice", seconds=0.2))
        assert (await read(ws))["data"] == "token is expired"
        with pytest.raises(ConnectionClosed):
            await drain(ws)
    async with connect(address) as ws:
        assert (await read(ws))["type"] == "error"


async def test_ban_and_trouble_have_the_venues_bodies(start: StartSimulator) -> None:
    sim = await start(FUTURES)
    sim.inject(Fault(venue=FUTURES, kind="ban"))
    answer = await get(f"{sim.rest_url(FUTURES)}/api/v1/timestamp")
    assert (answer.status, answer.body["code"]) == (429, "429000")
    assert int(answer.headers["gw-ratelimit-reset"]) > 0
    sim.inject(Fault(venue=FUTURES, kind="rest_error"))
    answer = await get(f"{sim.rest_url(FUTURES)}/api/v1/timestamp")
    assert (answer.status, answer.body["code"]) == (503, "503")


async def test_part_of_a_topic_may_be_subscribed_only(start: StartSimulator) -> None:
    sim = await start(SPOT)
    sim.inject(Fault(venue=SPOT, kind="partial_ack"))
    async with connect(await url(sim, SPOT)) as ws:
        await ask(ws, "/market/ticker:BTC-USDT,ETH-USDT")
        frames = await read_some(ws, on("/market/ticker"), 6)
    assert {frame["topic"] for frame in frames} == {"/market/ticker:BTC-USDT"}
