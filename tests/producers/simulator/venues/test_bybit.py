"""Bybit spot and linear as a client sees them."""

from __future__ import annotations

from typing import Any

from websockets.asyncio.client import connect

from producers.simulator.config import Options
from tests.producers.simulator.client import Levels, get, read, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator


def on(topic: str) -> Any:
    return lambda frame: frame.get("topic") == topic


async def test_acknowledgements_differ_between_spot_and_linear(start: StartSimulator) -> None:
    sim = await start("bybit")
    for market, said in (("spot", "subscribe"), ("linear", "")):
        async with connect(f"{sim.ws_url('bybit')}/v5/public/{market}") as ws:
            await send(ws, {"req_id": "a1", "op": "subscribe", "args": ["publicTrade.BTCUSDT"]})
            ack = await read(ws)
            assert (ack["success"], ack["ret_msg"], ack["req_id"], ack["op"]) == (True, said, "a1", "subscribe")
            await send(ws, {"op": "ping", "req_id": "p"})
            pong = (await read_until(ws, lambda frame: frame.get("op") == "ping"))[-1]
            assert (pong["ret_msg"], pong["req_id"]) == ("pong", "p")


async def test_bad_topic_refuses_the_whole_request_unless_told_otherwise(start: StartSimulator) -> None:
    for all_or_nothing in (True, False):
        sim = await start("bybit", options=Options(bybit_all_or_nothing=all_or_nothing))
        async with connect(f"{sim.ws_url('bybit')}/v5/public/linear") as ws:
            await send(ws, {"op": "subscribe", "args": ["orderbook.50.BTCUSDT", "orderbook.50.NOPEUSDT"]})
            ack = await read(ws)
            assert ack["success"] is False
            assert "NOPEUSDT" in ack["ret_msg"]
            await send(ws, {"op": "subscribe", "args": ["tickers.ETHUSDT"]})
            frames = await read_some(ws, lambda frame: "topic" in frame, 8)
            assert any(on("orderbook.50.BTCUSDT")(frame) for frame in frames) is not all_or_nothing


async def test_more_than_ten_spot_arguments_are_refused(start: StartSimulator) -> None:
    sim = await start("bybit")
    args = [
        f"{kind}.{s}USDT" for s in ("BTC", "ETH") for kind in ("publicTrade", "tickers", "orderbook.1", "orderbook.50")
    ]
    async with connect(f"{sim.ws_url('bybit')}/v5/public/spot") as ws:
        await send(ws, {"op": "subscribe", "args": [*args, "kline.1.BTCUSDT", "kline.5.BTCUSDT", "kline.D.BTCUSDT"]})
        assert (await read(ws))["success"] is False


async def test_books_of_both_markets_equal_the_truth(start: StartSimulator) -> None:
    sim = await start("bybit")
    for market, depth in (("spot", 50), ("linear", 200)):
        topic = f"orderbook.{depth}.BTCUSDT"
        sim.resume()
        async with connect(f"{sim.ws_url('bybit')}/v5/public/{market}") as ws:
            await send(ws, {"op": "subscribe", "args": [topic]})
            frames = await read_some(ws, on(topic), 5)
            sim.pause()
            expected = truth(sim.book("bybit", market, "BTCUSDT"), depth)
            assert [frame["type"] for frame in frames] == ["snapshot"] + ["delta"] * 4
            ids = [frame["data"]["u"] for frame in frames]
            assert ids == list(range(ids[0], ids[0] + 5))
            book = Levels()
            for frame in frames:
                book.put(frame["data"]["b"], frame["data"]["a"])
            while book.sides() != expected:
                frame = (await read_until(ws, on(topic)))[-1]
                book.put(frame["data"]["b"], frame["data"]["a"])
                ids.append(frame["data"]["u"])
            assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_late_subscriber_gets_a_snapshot_that_fits_the_running_deltas(start: StartSimulator) -> None:
    sim = await start("bybit")
    topic = "orderbook.200.BTCUSDT"
    url = f"{sim.ws_url('bybit')}/v5/public/linear"
    async with connect(url) as first, connect(url) as second:
        await send(first, {"op": "subscribe", "args": [topic]})
        await read_some(first, on(topic), 4)
        await send(second, {"op": "subscribe", "args": [topic]})
        late = await read_some(second, on(topic), 3)
    assert [frame["type"] for frame in late] == ["snapshot", "delta", "delta"]
    assert late[1]["data"]["u"] == late[0]["data"]["u"] + 1


async def test_top_of_book_is_snapshots_only(start: StartSimulator) -> None:
    sim = await start("bybit")
    async with connect(f"{sim.ws_url('bybit')}/v5/public/spot") as ws:
        await send(ws, {"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]})
        frames = await read_some(ws, on("orderbook.1.BTCUSDT"), 6)
    assert {frame["type"] for frame in frames} == {"snapshot"}
    assert all(len(frame["data"]["b"]) == len(frame["data"]["a"]) == 1 for frame in frames)


async def test_linear_ticker_deltas_carry_only_what_changed(start: StartSimulator) -> None:
    sim = await start("bybit")
    async with connect(f"{sim.ws_url('bybit')}/v5/public/linear") as ws:
        await send(ws, {"op": "subscribe", "args": ["tickers.BTCUSDT"]})
        frames = await read_some(ws, on("tickers.BTCUSDT"), 4)
    assert [frame["type"] for frame in frames] == ["snapshot"] + ["delta"] * 3
    whole = set(frames[0]["data"])
    assert {"bid1Price", "fundingRate", "openInterest", "turnover24h"} <= whole
    assert all(set(frame["data"]) < whole and frame["data"]["symbol"] == "BTCUSDT" for frame in frames[1:])


async def test_spot_ticker_has_no_bid_and_ask(start: StartSimulator) -> None:
    sim = await start("bybit")
    async with connect(f"{sim.ws_url('bybit')}/v5/public/spot") as ws:
        await send(ws, {"op": "subscribe", "args": ["tickers.BTCUSDT"]})
        frames = await read_some(ws, on("tickers.BTCUSDT"), 2)
    assert all(frame["type"] == "snapshot" and "bid1Price" not in frame["data"] for frame in frames)


async def test_liquidations_are_complete_and_name_the_position(start: StartSimulator) -> None:
    sim = await start("bybit", cascade_every_s=(1.0, 2.0), bases=("BTC",))
    async with connect(f"{sim.ws_url('bybit')}/v5/public/linear") as ws:
        await send(ws, {"op": "subscribe", "args": ["publicTrade.BTCUSDT", "allLiquidation.BTCUSDT"]})
        seen: list[Any] = []

        def enough(frame: Any) -> bool:
            seen.append(frame)
            return sum(len(f["data"]) for f in seen if on("allLiquidation.BTCUSDT")(f)) >= 6

        await read_until(ws, enough)
    rows = [row for frame in seen if on("allLiquidation.BTCUSDT")(frame) for row in frame["data"]]
    trades = [row for frame in seen if on("publicTrade.BTCUSDT")(frame) for row in frame["data"]]
    rows = [row for row in rows if row["T"] > trades[0]["T"]]
    assert rows
    for row in rows:
        forced = "Sell" if row["S"] == "Buy" else "Buy"
        fills = [trade for trade in trades if trade["T"] == row["T"] and trade["S"] == forced]
        assert fills, "a liquidated long shows as Buy and its order sells"


async def test_rest_errors_are_http_200_with_a_code(start: StartSimulator) -> None:
    sim = await start("bybit")
    base = f"{sim.rest_url('bybit')}/v5/market"
    refused = await get(f"{base}/orderbook?category=linear&symbol=NOPE")
    assert (refused.status, refused.body["retCode"]) == (200, 10001)
    default = (await get(f"{base}/orderbook?category=spot&symbol=BTCUSDT")).body["result"]
    assert len(default["b"]) == 1
    rows = (await get(f"{base}/kline?category=linear&symbol=BTCUSDT&interval=5&limit=3")).body["result"]["list"]
    assert int(rows[0][0]) - int(rows[1][0]) == 300_000
    trades = (await get(f"{base}/recent-trade?category=spot&symbol=BTCUSDT")).body["result"]["list"]
    assert trades[0]["execId"].isdigit()
    info = (await get(f"{base}/instruments-info?category=linear")).body["result"]["list"]
    assert info[0]["lotSizeFilter"]["qtyStep"] == "0.001"
    assert len((await get(f"{base}/tickers?category=spot")).body["result"]["list"]) == 2
