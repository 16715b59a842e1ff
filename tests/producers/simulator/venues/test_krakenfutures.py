"""Kraken Futures as a client sees it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from producers.simulator.config import Options
from producers.simulator.hub import Heartbeat
from tests.producers.simulator.client import Levels, drain, get, read, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator


def order(feed: str, *products: str, event: str = "subscribe") -> dict[str, Any]:
    return {"event": event, "feed": feed, "product_ids": list(products)}


def feed(*names: str) -> Any:
    return lambda frame: frame.get("feed") in names and "event" not in frame


async def test_info_greets_and_one_answer_names_all_products(start: StartSimulator) -> None:
    sim = await start("krakenfutures")
    async with connect(f"{sim.ws_url('krakenfutures')}/ws/v1") as ws:
        assert await read(ws) == {"event": "info", "version": 1}
        await send(ws, order("ticker", "PF_XBTUSD", "pf_ethusd"))
        answer = (await read_until(ws, lambda frame: frame.get("event") == "subscribed"))[-1]
        assert answer == {"event": "subscribed", "feed": "ticker", "product_ids": ["PF_XBTUSD", "PF_ETHUSD"]}
        await send(ws, order("ticker", "PF_XBTUSD"))
        alert = (await read_until(ws, lambda frame: frame.get("event") == "alert"))[-1]
    assert alert["message"] == "Already subscribed to feed, re-requesting"


@pytest.mark.parametrize(("all_or_nothing", "answers"), [(True, ["error"]), (False, ["error", "subscribed"])])
async def test_unknown_product_is_refused_without_a_name(
    start: StartSimulator, *, all_or_nothing: bool, answers: list[str]
) -> None:
    sim = await start("krakenfutures", options=Options(krakenfutures_all_or_nothing=all_or_nothing))
    async with connect(f"{sim.ws_url('krakenfutures')}/ws/v1") as ws:
        await read(ws)
        await send(ws, order("trade", "PF_XBTUSD", "PF_FOOUSD"))
        found = [await read(ws) for _ in answers]
    assert [frame["event"] for frame in found] == answers
    assert found[0]["message"] == "Invalid product id"


async def test_client_that_sends_no_ping_frame_is_cut_although_data_flows(start: StartSimulator) -> None:
    sim = await start("krakenfutures", heartbeats={"krakenfutures": Heartbeat(idle_inbound=0.6)})
    url = f"{sim.ws_url('krakenfutures')}/ws/v1"
    async with connect(url, ping_interval=0.1) as polite, connect(url, ping_interval=None) as silent:
        for ws in (polite, silent):
            await send(ws, order("book", "PF_XBTUSD"))
        reader = asyncio.create_task(drain(polite, within=30.0))
        with pytest.raises(ConnectionClosed):
            await drain(silent)
        assert not reader.done()
        reader.cancel()


async def test_book_kept_level_by_level_equals_the_truth_without_a_gap(start: StartSimulator) -> None:
    sim = await start("krakenfutures")
    async with connect(f"{sim.ws_url('krakenfutures')}/ws/v1", max_size=None) as ws:
        await send(ws, order("book", "PF_XBTUSD"))
        book, seq = Levels(), 0
        frame = await next_book(ws)
        assert frame["feed"] == "book_snapshot"
        book.put(*([[level["price"], level["qty"]] for level in frame[side]] for side in ("bids", "asks")))
        seq = int(frame["seq"])
        for _ in range(40):
            seq = put_change(book, await next_book(ws), seq)
        sim.pause()
        expected = truth(sim.book("krakenfutures", "linear", "PF_XBTUSD"))
        while book.sides() != expected:
            seq = put_change(book, await next_book(ws), seq)


async def next_book(ws: ClientConnection) -> Any:
    """The next frame of the book, its numbers as texts."""
    while True:
        frame = json.loads(await asyncio.wait_for(ws.recv(), 8.0), parse_float=str, parse_int=str)
        if frame.get("feed") in {"book", "book_snapshot"} and "event" not in frame:
            return frame


def put_change(book: Levels, frame: Any, seq: int) -> int:
    assert int(frame["seq"]) == seq + 1
    row = [[frame["price"], frame["qty"]]]
    book.put(row if frame["side"] == "buy" else [], row if frame["side"] == "sell" else [])
    bids, asks = book.sides(1)
    assert float(bids[0][0]) < float(asks[0][0])
    return seq + 1


async def test_backlog_of_trades_comes_first_newest_first(start: StartSimulator) -> None:
    sim = await start("krakenfutures")
    async with connect(f"{sim.ws_url('krakenfutures')}/ws/v1") as ws:
        await send(ws, order("trade", "PF_XBTUSD"))
        backlog, first = await read_some(ws, feed("trade", "trade_snapshot"), 2)
    ids = [row["seq"] for row in backlog["trades"]]
    assert ids == sorted(ids, reverse=True)
    assert first["seq"] == ids[0] + 1


async def test_liquidations_are_trades_of_that_type_on_the_forced_side(start: StartSimulator) -> None:
    sim = await start("krakenfutures", cascade_every_s=(2.0, 3.0), rate=3.0, bases=("ETH",))
    async with connect(f"{sim.ws_url('krakenfutures')}/ws/v1") as ws:
        await send(ws, order("trade", "PF_ETHUSD"))
        found = await read_some(ws, lambda frame: frame.get("type") == "liquidation", 5)
    assert {row["side"] for row in found} <= {"buy", "sell"}
    assert all(row["qty"] > 0 for row in found)


async def test_ticker_tells_funding_and_heartbeats_are_asked_for(start: StartSimulator) -> None:
    sim = await start("krakenfutures")
    async with connect(f"{sim.ws_url('krakenfutures')}/ws/v1") as ws:
        await send(ws, order("ticker", "PF_XBTUSD"))
        ticker = (await read_until(ws, feed("ticker")))[-1]
        await send(ws, {"event": "subscribe", "feed": "heartbeat"})
        await read_until(ws, feed("heartbeat"))
    assert ticker["relative_funding_rate"] == pytest.approx(ticker["funding_rate"] / ticker["markPrice"], rel=1e-3)
    assert ticker["next_funding_rate_time"] > ticker["time"]


async def test_rest_answers_in_the_venues_envelope(start: StartSimulator) -> None:
    sim = await start("krakenfutures")
    base = f"{sim.rest_url('krakenfutures')}/derivatives/api/v3"
    listed = (await get(f"{base}/instruments")).body["instruments"]
    assert [row["symbol"] for row in listed] == ["PF_XBTUSD", "PF_ETHUSD"]
    missing = (await get(f"{base}/orderbook?symbol=PF_FOOUSD")).body
    assert (missing["result"], missing["error"]) == ("error", "contractNotFound")
    assert (await get(f"{base}/tickers/PF_XBTUSD")).body["ticker"]["symbol"] == "PF_XBTUSD"
    history = (await get(f"{base}/history?symbol=PF_XBTUSD")).body["history"]
    assert [row["trade_id"] for row in history] == list(range(1, len(history) + 1))
    assert history[0]["time"] >= history[-1]["time"]
    charts = f"{sim.rest_url('krakenfutures')}/api/charts/v1/trade/PF_XBTUSD/5m"
    candles = (await get(charts)).body["candles"]
    assert candles[1]["time"] - candles[0]["time"] == 300_000
    sim.pause()
    book = (await get(f"{base}/orderbook?symbol=PF_XBTUSD")).body["orderBook"]
    bids = [(float(price), float(amount)) for price, amount in book["bids"]]
    assert bids == [(float(p), float(a)) for p, a in sim.book("krakenfutures", "linear", "PF_XBTUSD")["bids"]]
