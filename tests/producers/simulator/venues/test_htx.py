"""HTX as a client sees it."""

from __future__ import annotations

import gzip
import json
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from producers.simulator.faults import Fault
from producers.simulator.hub import Heartbeat
from producers.simulator.server import Simulator
from tests.producers.simulator.client import Levels, drain, get, load, read, read_on, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

SPOT, BOOKS, LINEAR, NOTES = "/ws", "/feed", "/linear-swap-ws", "/linear-swap-notification"
MBP = "market.btcusdt.mbp.150"
HIGH_FREQ = "market.BTC-USDT.depth.size_150.high_freq"


def url(sim: Simulator, path: str) -> str:
    return f"{sim.ws_url('htx')}{path}"


def on(ch: str) -> Any:
    return lambda frame: frame.get("ch") == ch


def as_texts(rows: list[list[float]]) -> list[list[str]]:
    """The levels' numbers as the simulator's own texts."""
    return [[_text(number) for number in row] for row in rows]


def _text(number: float) -> str:
    text = f"{number:.8f}"
    return text.rstrip("0").rstrip(".")


async def test_every_frame_is_gzip_in_a_binary_message(start: StartSimulator) -> None:
    sim = await start("htx")
    async with connect(url(sim, SPOT)) as ws:
        await send(ws, {"id": "1", "sub": "market.btcusdt.trade.detail"})
        for _ in range(3):
            frame = await ws.recv()
            assert isinstance(frame, bytes)
            assert frame[:2] == b"\x1f\x8b"
            assert "ts" in json.loads(gzip.decompress(frame))


async def test_topics_are_served_on_their_own_sockets_only(start: StartSimulator) -> None:
    sim = await start("htx")
    served = {
        SPOT: [
            "market.btcusdt.bbo",
            "market.btcusdt.detail",
            "market.btcusdt.kline.1min",
            "market.btcusdt.depth.step0",
        ],
        BOOKS: [MBP, "market.btcusdt.mbp.5"],
        LINEAR: ["market.BTC-USDT.bbo", "market.BTC-USDT.trade.detail", HIGH_FREQ],
    }
    for path, topics in served.items():
        async with connect(url(sim, path)) as ws:
            for topic in topics:
                await send(ws, {"id": topic, "sub": topic})
                answer = (await read_until(ws, lambda frame, name=topic: frame.get("id") == name))[-1]
                assert (answer["status"], answer["subbed"]) == ("ok", topic)
            for topic in ("market.nope.bbo", *(t for p, found in served.items() if p != path for t in found)):
                await send(ws, {"id": topic, "sub": topic})
                answer = (await read_until(ws, lambda frame, name=topic: frame.get("id") == name))[-1]
                assert (answer["status"], answer["err-code"]) == ("error", "bad-request")
    with pytest.raises(InvalidStatus):
        await connect(url(sim, "/nothing"))


async def test_spot_book_asked_for_on_the_socket_is_continued_by_the_changes(start: StartSimulator) -> None:
    sim = await start("htx")
    async with connect(url(sim, BOOKS)) as ws:
        await send(ws, {"id": "1", "sub": MBP})
        early = await read_some(ws, on(MBP), 2)
        await send(ws, {"id": "2", "req": MBP})
        frames = await read_until(ws, lambda frame: "rep" in frame)
        seed = frames[-1]
        assert (seed["id"], seed["rep"], seed["status"]) == ("2", MBP, "ok")
        frames += await read_some(ws, on(MBP), 3)
        sim.pause()
        expected = sim.book("htx", "spot", "btcusdt")
        frames = await read_on(ws, frames, lambda frame: frame.get("tick", {}).get("seqNum") == expected["seq"])
    ticks = [frame["tick"] for frame in (*early, *frames) if frame.get("ch") == MBP]
    assert all(after["prevSeqNum"] == before["seqNum"] for before, after in pairwise(ticks))
    fresh = [tick for tick in ticks if tick["prevSeqNum"] >= seed["data"]["seqNum"]]
    assert fresh[0]["prevSeqNum"] == seed["data"]["seqNum"]
    book = Levels()
    for part in (seed["data"], *fresh):
        book.put(as_texts(part["bids"]), as_texts(part["asks"]))
    assert book.sides() == truth(expected, 150)


async def test_swap_book_is_a_snapshot_and_updates_by_version(start: StartSimulator) -> None:
    sim = await start("htx")
    async with connect(url(sim, LINEAR)) as ws:
        await send(ws, {"id": "1", "sub": HIGH_FREQ, "data_type": "incremental"})
        ticks = [frame["tick"] for frame in await read_some(ws, on(HIGH_FREQ), 4)]
        assert [tick["event"] for tick in ticks] == ["snapshot", "update", "update", "update"]
        assert all(after["version"] == before["version"] + 1 for before, after in pairwise(ticks))
        await send(ws, {"id": "2", "unsub": HIGH_FREQ})
        assert (await read_until(ws, lambda frame: "unsubbed" in frame))[-1]["status"] == "ok"
        await send(ws, {"id": "3", "sub": HIGH_FREQ, "data_type": "incremental"})
        again = (await read_some(ws, on(HIGH_FREQ), 1))[0]["tick"]
        assert again["event"] == "snapshot"
        sim.pause()
        expected = sim.book("htx", "linear", "BTC-USDT")
        book = Levels()
        book.put(as_texts(again["bids"]), as_texts(again["asks"]))
        while book.sides() != truth(expected, 150):
            tick = (await read_some(ws, on(HIGH_FREQ), 1))[0]["tick"]
            book.put(as_texts(tick["bids"]), as_texts(tick["asks"]))


async def test_trades_say_coins_on_spot_and_contracts_on_swaps(start: StartSimulator) -> None:
    sim = await start("htx", rate=5.0)
    spot, swap = "market.btcusdt.trade.detail", "market.BTC-USDT.trade.detail"
    async with connect(url(sim, SPOT)) as ws:
        await send(ws, {"id": "1", "sub": spot})
        row = (await read_some(ws, on(spot), 1))[0]["tick"]["data"][0]
        assert set(row) == {"id", "ts", "tradeId", "amount", "price", "direction"}
        assert row["id"] > 2**63
    async with connect(url(sim, LINEAR)) as ws:
        await send(ws, {"id": "1", "sub": swap})
        row = (await read_some(ws, on(swap), 1))[0]["tick"]["data"][0]
        assert set(row) == {"amount", "quantity", "trade_turnover", "ts", "id", "price", "direction"}
        assert row["id"] > 2**53
        assert row["quantity"] == pytest.approx(row["amount"] * 0.001)
        assert row["trade_turnover"] == pytest.approx(row["quantity"] * row["price"])
    body = (await get(f"{sim.rest_url('htx')}/linear-swap-api/v1/swap_contract_info")).body
    assert {item["contract_code"]: item["contract_size"] for item in body["data"]}["ETH-USDT"] == 0.01


async def test_liquidations_of_all_contracts_come_by_one_topic(start: StartSimulator) -> None:
    sim = await start("htx", cascade_every_s=(0.5, 1.0), rate=5.0)
    topic = "public.*.liquidation_orders"
    async with connect(url(sim, NOTES)) as ws:
        await send(ws, {"op": "sub", "cid": "7", "topic": topic})
        answer = await read(ws)
        assert (answer["op"], answer["cid"], answer["topic"], answer["err-code"]) == ("sub", "7", topic, 0)
        for wrong, code in ((topic, 2014), ("public.NOPE-USDT.liquidation_orders", 2011), (None, 2040)):
            await send(ws, {"op": "sub", "cid": "8", "topic": wrong})
            assert (await read_until(ws, lambda frame: frame.get("cid") == "8"))[-1]["err-code"] == code
        notes = await read_some(ws, lambda frame: frame["op"] == "notify", 3)
    for note in notes:
        (row,) = note["data"]
        assert note["topic"] == f"public.{row['contract_code']}.liquidation_orders"
        assert row["direction"] in {"buy", "sell"}
        assert row["trade_turnover"] == pytest.approx(row["amount"] * row["price"])
        assert row["volume"] > row["amount"] or row["contract_code"][:3] in {"XRP", "DOG"}


async def answer_with_numbers(ws: ClientConnection, seen: list[Any]) -> None:
    while True:
        seen.append(load(await ws.recv()))
        await send(ws, {"op": "pong", "ts": int(seen[-1].get("ts", 0))})


async def test_notification_pings_have_a_text_that_must_come_back_as_text(start: StartSimulator) -> None:
    sim = await start("htx", heartbeats={"htx": Heartbeat(ping_every=0.2, pong_within=0.3)})
    seen: list[Any] = []
    async with connect(url(sim, NOTES)) as ws:
        for _ in range(6):  # longer than an unanswered ping is borne
            ping = await read(ws)
            assert ping["op"] == "ping"
            assert isinstance(ping["ts"], str)
            await send(ws, {"op": "pong", "ts": ping["ts"]})
        with pytest.raises(ConnectionClosed):
            await answer_with_numbers(ws, seen)
    assert seen[-1] == {"op": "close"}


async def test_market_socket_without_pongs_is_closed(start: StartSimulator) -> None:
    sim = await start("htx", heartbeats={"htx": Heartbeat(ping_every=0.2, pong_within=0.5)})
    async with connect(url(sim, SPOT)) as silent, connect(url(sim, SPOT)) as polite:
        for _ in range(5):
            ping = await read(polite)
            await send(polite, {"pong": ping["ping"]})
        with pytest.raises(ConnectionClosed):
            await drain(silent)
        await send(polite, {"id": "1", "sub": "market.btcusdt.bbo"})
        assert (await read_until(polite, lambda frame: "subbed" in frame))[-1]["status"] == "ok"


async def test_rest_serves_both_hosts_and_errors_with_status_200(start: StartSimulator) -> None:
    sim = await start("htx")
    base = sim.rest_url("htx")
    sim.pause()
    for market, symbol, path in (
        ("spot", "btcusdt", "/market/depth?symbol=btcusdt&type=step0"),
        ("linear", "BTC-USDT", "/linear-swap-ex/market/depth?contract_code=BTC-USDT&type=step0"),
    ):
        answer = await get(base + path)
        book = Levels()
        book.put(as_texts(answer.body["tick"]["bids"]), as_texts(answer.body["tick"]["asks"]))
        assert book.sides() == truth(sim.book("htx", market, symbol), 150)
    for path in (
        "/market/history/trade?symbol=ethusdt&size=5",
        "/market/history/kline?symbol=ethusdt&period=1min&size=5",
        "/linear-swap-ex/market/history/kline?contract_code=ETH-USDT&period=1day&size=3",
        "/market/tickers",
        "/v1/common/symbols",
    ):
        body = (await get(base + path)).body
        assert body["status"] == "ok"
        assert len(body["data"]) >= 2
    refused = await get(f"{base}/market/depth?symbol=nope&type=step0")
    assert (refused.status, refused.body["status"], refused.body["err-code"]) == (200, "error", "invalid-parameter")
    sim.inject(Fault("htx", "ban", count=None))
    banned = await get(f"{base}/v1/common/symbols")
    assert (banned.status, banned.body["err-code"]) == (429, "too-many-request")


async def test_faults_that_the_protocol_cannot_show_are_refused(start: StartSimulator) -> None:
    sim = await start("htx")
    for kind in ("bad_checksum", "partial_ack", "reset"):
        with pytest.raises(ValueError, match=kind):
            sim.inject(Fault("htx", kind))
