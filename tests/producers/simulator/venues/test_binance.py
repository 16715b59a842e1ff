"""Binance spot as a client sees it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.producers.simulator.client import Levels, drain, get, read, read_on, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

DIFF = "btcusdt@depth@100ms"


def is_diff(frame: Any) -> bool:
    return frame.get("e") == "depthUpdate"


async def test_every_answer_is_marked_as_simulated(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(f"{sim.ws_url('binance')}/ws/btcusdt@trade") as ws:
        assert ws.response is not None
        assert ws.response.headers["X-Simulated"] == "hydrophone"
    assert (await get(f"{sim.rest_url('binance')}/api/v3/time")).headers["x-simulated"] == "hydrophone"


async def test_control_messages_are_answered_in_the_venues_form(start: StartSimulator) -> None:
    sim = await start("binance", enforce_limits=False)
    async with connect(f"{sim.ws_url('binance')}/ws") as ws:
        for message, answer in (
            ({"method": "SUBSCRIBE", "params": ["btcusdt@kline_1w"], "id": 1}, {"result": None, "id": 1}),
            ({"method": "LIST_SUBSCRIPTIONS", "id": "x"}, {"result": ["btcusdt@kline_1w"], "id": "x"}),
            ({"method": "UNSUBSCRIBE", "params": ["btcusdt@kline_1w"], "id": 2}, {"result": None, "id": 2}),
            ({"method": "LIST_SUBSCRIPTIONS", "id": 3}, {"result": [], "id": 3}),
            ({"method": "SET_PROPERTY", "params": ["combined", True], "id": 4}, {"result": None, "id": 4}),
            ({"method": "GET_PROPERTY", "params": ["combined"], "id": 5}, {"result": True, "id": 5}),
        ):
            await send(ws, message)
            assert (await read_until(ws, lambda frame: "id" in frame))[-1] == answer


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"method":"NOPE","id":1}', 2),
        ('{"method":"SUBSCRIBE","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":[]}', 2),
        ('{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1),
        ('{"method":"GET_PROPERTY","params":["other"],"id":1}', 0),
        ("no json", 3),
    ],
)
async def test_bad_control_message_gets_the_venues_code(start: StartSimulator, message: str, code: int) -> None:
    sim = await start("binance")
    async with connect(f"{sim.ws_url('binance')}/ws") as ws:
        await ws.send(message)
        assert (await read(ws))["code"] == code


async def test_unknown_symbol_is_acknowledged_and_silent(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(f"{sim.ws_url('binance')}/stream") as ws:
        params = ["nope@trade", "BTCUSDT@trade", "ethusdt@bookTicker"]
        await send(ws, {"method": "SUBSCRIBE", "params": params, "id": 1})
        assert await read(ws) == {"result": None, "id": 1}
        frames = await read_some(ws, lambda frame: "stream" in frame, 4)
    assert {frame["stream"] for frame in frames} == {"ethusdt@bookTicker"}


async def test_sixth_message_within_a_second_is_cut(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(f"{sim.ws_url('binance')}/ws") as ws:
        for number in range(6):
            await send(ws, {"method": "LIST_SUBSCRIPTIONS", "id": number})
        with pytest.raises(ConnectionClosed) as closed:
            await drain(ws)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_frames_have_the_keys_of_real_frames(start: StartSimulator) -> None:
    sim = await start("binance")
    kinds = ("trade", "aggTrade", "bookTicker", "ticker", "kline_1s", "depth5@100ms")
    async with connect(f"{sim.ws_url('binance')}/stream?streams={'/'.join(f'btcusdt@{kind}' for kind in kinds)}") as ws:
        seen: dict[str, Any] = {}
        await read_until(
            ws, lambda f: bool(seen.setdefault(f["stream"].split("@", 1)[1], f["data"])) and len(seen) == 6
        )
    assert set(seen["trade"]) == {"e", "E", "s", "t", "p", "q", "T", "m", "M"}
    assert set(seen["aggTrade"]) == {"e", "E", "s", "a", "p", "q", "f", "l", "T", "m", "M"}
    assert set(seen["bookTicker"]) == {"u", "s", "b", "B", "a", "A"}
    assert set(seen["kline_1s"]["k"]) == set("tTsifLochlvnxqVQB")
    assert set(seen["depth5@100ms"]) == {"lastUpdateId", "bids", "asks"}
    assert len(seen["trade"]["p"].split(".")[1]) == 8
    assert float(seen["ticker"]["b"]) < float(seen["ticker"]["a"])


async def test_book_from_snapshot_and_chained_diffs_equals_the_truth(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(f"{sim.ws_url('binance')}/ws/{DIFF}") as ws:
        early = await read_some(ws, is_diff, 2)
        snapshot = (await get(f"{sim.rest_url('binance')}/api/v3/depth?symbol=BTCUSDT&limit=5000")).body
        later = await read_some(ws, is_diff, 5)
        sim.pause()
        expected = sim.book("binance", "spot", "BTCUSDT")
        diffs = await read_on(ws, [*early, *later], lambda frame: frame["u"] == expected["seq"])
    for before, after in pairwise(diffs):
        assert after["U"] == before["u"] + 1
    book = Levels()
    book.put(snapshot["bids"], snapshot["asks"])
    fresh = [frame for frame in diffs if frame["u"] > snapshot["lastUpdateId"]]
    assert fresh[0]["U"] <= snapshot["lastUpdateId"] + 1 <= fresh[0]["u"]
    for frame in fresh:
        book.put(frame["b"], frame["a"])
    assert book.sides() == truth(expected)


async def test_snapshot_of_a_paused_market_is_the_truth(start: StartSimulator) -> None:
    sim = await start("binance")
    sim.pause()
    body = (await get(f"{sim.rest_url('binance')}/api/v3/depth?symbol=ETHUSDT&limit=5000")).body
    expected = sim.book("binance", "spot", "ETHUSDT")
    assert body["lastUpdateId"] == expected["seq"]
    assert [tuple(row) for row in body["bids"]] == expected["bids"]


async def test_rest_answers_and_refusals(start: StartSimulator) -> None:
    sim = await start("binance")
    base = f"{sim.rest_url('binance')}/api/v3"
    info = (await get(f"{base}/exchangeInfo")).body
    assert [row["symbol"] for row in info["symbols"]] == ["BTCUSDT", "ETHUSDT"]
    klines = (await get(f"{base}/klines?symbol=BTCUSDT&interval=1m&limit=30")).body
    assert len(klines) == 30
    assert all(b[0] - a[0] == 60_000 for a, b in pairwise(klines))
    trades = (await get(f"{base}/trades?symbol=BTCUSDT&limit=5")).body
    assert [b["id"] - a["id"] for a, b in pairwise(trades)] == [1, 1, 1, 1]
    refused = await get(f"{base}/depth?symbol=NOPE")
    assert (refused.status, refused.body["code"]) == (400, -1121)
    assert (await get(f"{base}/depth")).body["code"] == -1102
    assert (await get(f"{base}/depth?symbol=BTCUSDT&limit=many")).status == 400
