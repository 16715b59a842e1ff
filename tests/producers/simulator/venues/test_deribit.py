"""Deribit as a client sees it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from producers.simulator.faults import Fault
from producers.simulator.hub import Heartbeat
from producers.simulator.server import Simulator
from tests.producers.simulator.client import Levels, drain, get, read, read_on, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

MARKETS = {"BTC-PERPETUAL": "linear", "BTC_USDC-PERPETUAL": "linear", "BTC_USDC": "spot"}


def url(sim: Simulator) -> str:
    return f"{sim.ws_url('deribit')}/ws/api/v2"


def on(channel: str) -> Any:
    return lambda frame: frame.get("method") == "subscription" and frame["params"]["channel"].startswith(channel)


async def call(ws: ClientConnection, method: str, params: dict[str, Any], ident: int = 1) -> Any:
    await send(ws, {"jsonrpc": "2.0", "id": ident, "method": method, "params": params})
    return (await read_until(ws, lambda frame: frame.get("id") == ident))[-1]


async def test_unknown_channels_are_left_out_of_the_answer(start: StartSimulator) -> None:
    sim = await start("deribit")
    names = ["trades.BTC-PERPETUAL.100ms", "trades.NOPE.100ms", "tea.BTC-PERPETUAL.100ms"]
    async with connect(url(sim)) as ws:
        answer = await call(ws, "public/subscribe", {"channels": names}, 42)
        assert (answer["result"], answer["id"], answer["jsonrpc"]) == (names[:1], 42, "2.0")
        raw = await call(ws, "public/subscribe", {"channels": ["book.BTC-PERPETUAL.raw"]})
        assert "error" in raw
        assert (await call(ws, "public/tea", {}))["error"]["code"] == -32601
        assert (await call(ws, "public/unsubscribe", {"channels": names}, 43))["result"] == names[:1]


async def test_partial_answer_leaves_the_last_channel_out(start: StartSimulator) -> None:
    sim = await start("deribit")
    sim.inject(Fault("deribit", "partial_ack"))
    names = ["trades.BTC-PERPETUAL.100ms", "book.BTC-PERPETUAL.100ms"]
    async with connect(url(sim)) as ws:
        assert (await call(ws, "public/subscribe", {"channels": names}))["result"] == names[:1]


async def test_test_request_must_be_answered(start: StartSimulator) -> None:
    sim = await start("deribit", heartbeats={"deribit": Heartbeat(ping_every=0.3, pong_within=0.4)})
    is_test = lambda frame: frame.get("params") == {"type": "test_request"}  # noqa: E731 - it is a value here
    async with connect(url(sim)) as ws:
        assert (await call(ws, "public/set_heartbeat", {"interval": 5}))["error"]["code"] == -32602
        assert (await call(ws, "public/set_heartbeat", {"interval": 10}))["result"] == "ok"
        for _ in range(3):
            await read_until(ws, is_test)
            assert "version" in (await call(ws, "public/test", {}))["result"]
        with pytest.raises(ConnectionClosed):
            await drain(ws)


async def test_books_equal_the_truth(start: StartSimulator) -> None:
    sim = await start("deribit")
    for name, market in MARKETS.items():
        sim.resume()
        async with connect(url(sim)) as ws:
            await send(ws, {"id": 1, "method": "public/subscribe", "params": {"channels": [f"book.{name}.100ms"]}})
            frames = await read_some(ws, on("book"), 5)
            sim.pause()
            expected = sim.book("deribit", market, name)
            last = lambda frame, seq=expected["seq"]: frame["params"]["data"]["change_id"] == seq  # noqa: E731
            frames = await read_on(ws, frames, last)
        rows = [frame["params"]["data"] for frame in frames]
        assert [row["type"] for row in rows[:3]] == ["snapshot", "change", "change"]
        assert all(after["prev_change_id"] == before["change_id"] for before, after in pairwise(rows))
        book = Levels()
        for row in rows:
            sides = (row["bids"], row["asks"])
            book.put(*([[str(price), str(amount)] for _, price, amount in side] for side in sides))
        for ours, theirs in zip(book.sides(), truth(expected), strict=True):
            assert [tuple(map(float, row)) for row in ours] == [tuple(map(float, row)) for row in theirs]


async def test_forced_orders_are_marked_trades_and_inverse_amounts_dollars(start: StartSimulator) -> None:
    sim = await start("deribit", cascade_every_s=(0.5, 1.0), bases=("BTC",))
    names = [f"trades.{name}.100ms" for name, market in MARKETS.items() if market == "linear"]
    async with connect(url(sim)) as ws:
        await send(ws, {"id": 1, "method": "public/subscribe", "params": {"channels": names}})
        frames = await read_until(ws, lambda f: on("trades")(f) and "liquidation" in f["params"]["data"][-1])
        frames += await read_some(ws, on("trades.BTC-"), 1)
    rows = [row for frame in frames[1:] for row in frame["params"]["data"]]
    assert {row["liquidation"] for row in rows if "liquidation" in row} == {"T"}
    dollars = [row for row in rows if row["instrument_name"] == "BTC-PERPETUAL"]
    assert dollars
    assert all(row["amount"] % 10 == 0 and row["contracts"] == row["amount"] / 10 for row in dollars)


async def test_tickers_tell_funding_of_perpetuals_only(start: StartSimulator) -> None:
    sim = await start("deribit")
    names = [f"ticker.{name}.100ms" for name in MARKETS] + ["quote.BTC_USDC", "chart.trades.BTC_USDC.1"]
    async with connect(url(sim)) as ws:
        await send(ws, {"id": 1, "method": "public/subscribe", "params": {"channels": names}})
        seen: dict[str, Any] = {}
        await read_until(
            ws,
            lambda f: (
                "params" in f and bool(seen.setdefault(f["params"]["channel"], f["params"]["data"])) and len(seen) == 5
            ),
        )
    assert {name for name in MARKETS if "current_funding" in seen[f"ticker.{name}.100ms"]} == {
        *("BTC-PERPETUAL", "BTC_USDC-PERPETUAL")
    }
    stats = seen["ticker.BTC-PERPETUAL.100ms"]["stats"]
    assert stats["volume"] < stats["volume_usd"]


async def test_rest_answers_in_the_venues_envelope(start: StartSimulator) -> None:
    sim = await start("deribit")
    base = f"{sim.rest_url('deribit')}/api/v2/public"
    listed = (await get(f"{base}/get_instruments?currency=any&kind=future")).body["result"]
    assert {row["instrument_name"]: row.get("settlement_currency") for row in listed} == {
        "BTC-PERPETUAL": "BTC",
        "BTC_USDC-PERPETUAL": "USDC",
        "ETH-PERPETUAL": "ETH",
        "ETH_USDC-PERPETUAL": "USDC",
    }
    book = (await get(f"{base}/get_order_book?instrument_name=BTC-PERPETUAL&depth=20")).body["result"]
    assert (len(book["bids"]), len(book["asks"])) == (20, 20)
    trades = (await get(f"{base}/get_last_trades_by_instrument?instrument_name=BTC_USDC&count=3")).body["result"]
    assert trades["trades"]
    now = (await get(f"{base}/get_time")).body["result"]
    query = f"instrument_name=BTC_USDC&resolution=1&start_timestamp={now - 600_000}&end_timestamp={now}"
    chart = (await get(f"{base}/get_tradingview_chart_data?{query}")).body["result"]
    assert len(chart["ticks"]) == len(chart["close"]) >= 10
    refused = await get(f"{base}/ticker?instrument_name=NOPE")
    assert (refused.status, refused.body["error"]["code"]) == (400, -32602)


async def test_ban_is_an_error_of_the_venue(start: StartSimulator) -> None:
    sim = await start("deribit")
    sim.inject(Fault("deribit", "ban", count=1))
    answer = await get(f"{sim.rest_url('deribit')}/api/v2/public/get_time")
    assert (answer.status, answer.body["error"]["code"]) == (429, 10028)
    sim.inject(Fault("deribit", "rest_error"))
    answer = await get(f"{sim.rest_url('deribit')}/api/v2/public/get_time")
    assert answer.body["error"]["message"] == "system_maintenance"


async def test_too_many_requests_end_the_socket(start: StartSimulator) -> None:
    sim = await start("deribit")
    async with connect(url(sim)) as ws:
        for number in range(101):
            await send(ws, {"id": number, "method": "public/test"})
        frames = await read_until(ws, lambda frame: "error" in frame)
        assert frames[-1]["error"] == {"code": 10028, "message": "too_many_requests"}
        with pytest.raises(ConnectionClosed):
            await read(ws)
