"""OKX as a client sees it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from websockets.asyncio.client import connect

from producers.simulator.config import Options
from producers.simulator.server import Simulator
from tests.producers.simulator.client import Levels, get, read, read_on, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

PUBLIC = "/ws/v5/public"


def on(channel: str) -> Any:
    return lambda frame: "data" in frame and frame["arg"]["channel"] == channel


def url(sim: Simulator, path: str = PUBLIC) -> str:
    return f"{sim.ws_url('okx')}{path}"


def books(inst: str) -> dict[str, str]:
    return {"channel": "books", "instId": inst}


async def test_every_argument_has_its_own_acknowledgement(start: StartSimulator) -> None:
    sim = await start("okx")
    good, bad = {"channel": "trades", "instId": "BTC-USDT"}, {"channel": "trades", "instId": "NOPE"}
    async with connect(url(sim)) as ws:
        await send(
            ws, {"id": "1512", "op": "subscribe", "args": [good, bad, {"channel": "candle1m", "instId": "BTC-USDT"}]}
        )
        answers = await read_some(ws, lambda frame: "event" in frame, 3)
        assert (answers[0]["event"], answers[0]["arg"], answers[0]["id"]) == ("subscribe", good, "1512")
        assert [answer.get("code") for answer in answers[1:]] == ["60018", "60018"]
        await ws.send("{")
        assert (await read_until(ws, lambda frame: frame.get("event") == "error"))[-1]["code"] == "60012"
    async with connect(url(sim, "/ws/v5/business")) as ws:
        await send(ws, {"op": "subscribe", "args": [{"channel": "candle1m", "instId": "BTC-USDT"}]})
        assert (await read(ws))["event"] == "subscribe"
        assert len((await read_until(ws, on("candle1m")))[-1]["data"][0]) == 9


async def test_text_ping_is_answered_by_text_pong(start: StartSimulator) -> None:
    sim = await start("okx")
    async with connect(url(sim)) as ws:
        await ws.send("ping")
        assert await ws.recv() == "pong"


async def test_operations_above_the_hourly_limit_are_refused(start: StartSimulator) -> None:
    sim = await start("okx")
    async with connect(url(sim)) as ws:
        message = {"op": "unsubscribe", "args": [books("BTC-USDT")]}
        for _ in range(481):
            await send(ws, message)
        assert (await read_until(ws, lambda frame: frame["event"] == "error"))[-1]["code"] == "60014"


async def test_books_of_spot_and_swap_equal_the_truth(start: StartSimulator) -> None:
    sim = await start("okx")
    for market, inst in (("spot", "BTC-USDT"), ("linear", "BTC-USDT-SWAP")):
        sim.resume()
        async with connect(url(sim)) as ws:
            await send(ws, {"op": "subscribe", "args": [books(inst)]})
            frames = await read_some(ws, on("books"), 4)
            sim.pause()
            expected = sim.book("okx", market, inst)
            frames = await read_on(ws, frames, lambda f, seq=expected["seq"]: f["data"][0]["seqId"] == seq)
        assert [frame["action"] for frame in frames[:3]] == ["snapshot", "update", "update"]
        rows = [frame["data"][0] for frame in frames]
        assert rows[0]["prevSeqId"] == -1
        assert all(after["prevSeqId"] == before["seqId"] for before, after in pairwise(rows))
        assert {row["checksum"] for row in rows} == {0}
        book = Levels()
        for row in rows:
            book.put(row["bids"], row["asks"])
        assert book.sides() == truth(expected)


async def test_without_socket_snapshots_the_book_is_seeded_by_rest(start: StartSimulator) -> None:
    sim = await start("okx", options=Options(okx_book_snapshot=False))
    async with connect(url(sim)) as ws:
        await send(ws, {"op": "subscribe", "args": [books("ETH-USDT")]})
        early = await read_some(ws, on("books"), 2)
        seed = (await get(f"{sim.rest_url('okx')}/api/v5/market/books?instId=ETH-USDT&sz=400")).body["data"][0]
        later = await read_some(ws, on("books"), 4)
        sim.pause()
        expected = sim.book("okx", "spot", "ETH-USDT")
        frames = await read_on(ws, [*early, *later], lambda f: f["data"][0]["seqId"] == expected["seq"])
    updates = [frame["data"][0] for frame in frames]
    assert all(row["prevSeqId"] != -1 for row in updates)
    fresh = [row for row in updates if row["seqId"] > seed["seqId"]]
    assert fresh[0]["prevSeqId"] <= seed["seqId"] < fresh[0]["seqId"]
    book = Levels()
    for row in [seed, *fresh]:
        book.put(row["bids"], row["asks"])
    assert book.sides() == truth(expected)


async def test_swap_sizes_are_contracts_with_their_multiplier_in_instruments(start: StartSimulator) -> None:
    sim = await start("okx", bases=("BTC", "ETH", "SOL", "XRP", "DOGE"))
    rows = (await get(f"{sim.rest_url('okx')}/api/v5/public/instruments?instType=SWAP")).body["data"]
    assert {row["instId"]: row["ctVal"] for row in rows} == {
        "BTC-USDT-SWAP": "0.01",
        "ETH-USDT-SWAP": "0.1",
        "SOL-USDT-SWAP": "1",
        "XRP-USDT-SWAP": "100",
        "DOGE-USDT-SWAP": "1000",
    }
    ticker = (await get(f"{sim.rest_url('okx')}/api/v5/market/ticker?instId=BTC-USDT-SWAP")).body["data"][0]
    assert abs(float(ticker["vol24h"]) * 0.01 - float(ticker["volCcy24h"])) < 1e-6


async def test_liquidations_come_by_instrument_type_with_the_orders_side(start: StartSimulator) -> None:
    sim = await start("okx", cascade_every_s=(1.0, 2.0))
    arg = {"channel": "liquidation-orders", "instType": "SWAP"}
    async with connect(url(sim)) as ws:
        await send(ws, {"op": "subscribe", "args": [arg]})
        frames = await read_some(ws, on("liquidation-orders"), 2)
    for frame in frames:
        row = frame["data"][0]
        detail = row["details"][0]
        assert frame["arg"] == arg
        assert row["instType"] == "SWAP"
        assert (detail["side"], detail["posSide"]) in {("sell", "long"), ("buy", "short")}
        assert float(detail["bkPx"]) > 0


async def test_trades_of_one_aggressor_at_one_price_are_one_row(start: StartSimulator) -> None:
    sim = await start("okx")
    args = [{"channel": "trades", "instId": "BTC-USDT"}, {"channel": "tickers", "instId": "BTC-USDT"}]
    args += [{"channel": name, "instId": "BTC-USDT-SWAP"} for name in ("funding-rate", "mark-price", "open-interest")]
    async with connect(url(sim)) as ws:
        await send(ws, {"op": "subscribe", "args": args})
        seen: dict[str, Any] = {}
        await read_until(ws, lambda f: "data" in f and bool(seen.setdefault(f["arg"]["channel"], f)) and len(seen) == 5)
    trade = seen["trades"]["data"][0]
    assert set(trade) == {"instId", "tradeId", "px", "sz", "side", "ts", "count", "source", "seqId"}
    assert seen["tickers"]["data"][0]["instType"] == "SPOT"
    assert float(seen["funding-rate"]["data"][0]["fundingRate"]) < 0.01
    assert (await get(f"{sim.rest_url('okx')}/api/v5/market/books?instId=NOPE")).body["code"] == "51001"
