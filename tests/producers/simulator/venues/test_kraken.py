"""Kraken spot as a client sees it."""

from __future__ import annotations

import json
import zlib
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from producers.simulator.config import Options
from producers.simulator.faults import Fault
from producers.simulator.hub import Heartbeat
from tests.producers.simulator.client import Levels, drain, get, read, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator


def order(channel: str, *symbols: str, **beside: Any) -> dict[str, Any]:
    return {"method": "subscribe", "params": {"channel": channel, "symbol": list(symbols), **beside}, "req_id": 7}


def data(channel: str) -> Any:
    return lambda frame: frame.get("channel") == channel


async def read_exact(ws: ClientConnection, channel: str) -> Any:
    """The next frame of a channel, its numbers as texts."""
    while True:
        frame = json.loads(await ws.recv(), parse_float=str, parse_int=str)
        if frame.get("channel") == channel:
            return frame


async def test_status_greets_and_each_pair_is_answered_by_itself(start: StartSimulator) -> None:
    sim = await start("kraken")
    async with connect(f"{sim.ws_url('kraken')}/v2") as ws:
        assert (await read(ws))["data"][0]["system"] == "online"
        await send(ws, order("book", "BTC/USD", "FOO/USD", "ETH/USD", depth=25))
        answers = await read_some(ws, lambda frame: frame.get("method") == "subscribe", 3)
    assert [answer["success"] for answer in answers] == [True, False, True]
    assert [answer["req_id"] for answer in answers] == [7, 7, 7]
    assert answers[0]["result"] == {"channel": "book", "symbol": "BTC/USD", "snapshot": True, "depth": 25}
    assert (answers[1]["symbol"], answers[1]["error"]) == ("FOO/USD", "Currency pair not supported FOO/USD")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("no json", "Malformed request"),
        (json.dumps(order("gossip", "BTC/USD")), "Channel not supported"),
        (json.dumps(order("book", "BTC/USD", depth=7)), "Subscription parameter not supported 7"),
    ],
)
async def test_refusal_says_why(start: StartSimulator, message: str, said: str) -> None:
    sim = await start("kraken")
    async with connect(f"{sim.ws_url('kraken')}/v2") as ws:
        await read(ws)
        await ws.send(message)
        answer = await read(ws)
    assert (answer["success"], answer["error"]) == (False, said)


async def test_ping_is_answered_and_silence_is_filled_with_heartbeats(start: StartSimulator) -> None:
    sim = await start("kraken")
    async with connect(f"{sim.ws_url('kraken')}/v2") as ws:
        await read(ws)
        await send(ws, {"method": "ping", "req_id": 3})
        pong = await read(ws)
        assert (pong["method"], pong["req_id"]) == ("pong", 3)
        sim.pause()
        await send(ws, order("trade", "BTC/USD"))
        assert (await read_until(ws, data("heartbeat")))[-1] == {"channel": "heartbeat"}


async def test_socket_without_any_traffic_is_cut(start: StartSimulator) -> None:
    sim = await start("kraken", heartbeats={"kraken": Heartbeat(idle_any=0.5)})
    async with connect(f"{sim.ws_url('kraken')}/v2") as ws:
        with pytest.raises(Exception, match="No data"):
            await drain(ws)


async def test_book_cut_to_its_depth_equals_the_truth_and_every_checksum(start: StartSimulator) -> None:
    sim = await start("kraken")
    async with connect(f"{sim.ws_url('kraken')}/v2", max_size=None) as ws:
        await send(ws, order("book", "BTC/USD", depth=10))
        book, kinds = Levels(), list[str]()
        for _ in range(8):
            frame = await read_exact(ws, "book")
            kinds.append(frame["type"])
            fold(book, frame["data"][0], 10)
            assert int(frame["data"][0]["checksum"]) == summed(book)
        sim.pause()
        expected = truth(sim.book("kraken", "spot", "BTC/USD"), 10)
        while book.sides() != expected:
            fold(book, (await read_exact(ws, "book"))["data"][0], 10)
    assert kinds == ["snapshot"] + ["update"] * 7


def fold(book: Levels, row: Any, depth: int) -> None:
    sides = [[[level["price"], level["qty"]] for level in row[side]] for side in ("bids", "asks")]
    book.put(*sides)
    bids, asks = book.sides(depth)
    book.bids, book.asks = dict(bids), dict(asks)


def summed(book: Levels) -> int:
    bids, asks = book.sides(10)
    texts = [text for level in (*asks, *bids) for text in level]
    return zlib.crc32("".join(str(int(text.replace(".", ""))) for text in texts).encode())


async def test_bad_checksum_and_crossed_spoil_only_what_they_say(start: StartSimulator) -> None:
    sim = await start("kraken")
    async with connect(f"{sim.ws_url('kraken')}/v2", max_size=None) as ws:
        await send(ws, order("book", "BTC/USD", depth=10))
        book = Levels()
        fold(book, (await read_exact(ws, "book"))["data"][0], 10)
        sim.inject(Fault(venue="kraken", kind="bad_checksum"))
        row = (await read_exact(ws, "book"))["data"][0]
        fold(book, row, 10)
        assert int(row["checksum"]) == summed(book) ^ 1
        best = book.sides()[1][0][0]
        sim.inject(Fault(venue="kraken", kind="crossed"))
        row = (await read_exact(ws, "book"))["data"][0]
    assert Decimal(row["bids"][0]["price"]) > Decimal(best)


async def test_trades_are_reported_once_and_their_backlog_only_to_who_asks(start: StartSimulator) -> None:
    sim = await start("kraken")
    async with connect(f"{sim.ws_url('kraken')}/v2") as ws:
        await send(ws, order("trade", "BTC/USD"))
        await send(ws, order("trade", "ETH/USD", snapshot=True))
        frames = await read_some(ws, data("trade"), 12)
    first = {frame["data"][0]["symbol"]: frame["type"] for frame in reversed(frames)}
    assert first == {"BTC/USD": "update", "ETH/USD": "snapshot"}
    for symbol in first:
        ids = [row["trade_id"] for frame in frames for row in frame["data"] if row["symbol"] == symbol]
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_ticker_follows_the_touch_where_that_was_asked(start: StartSimulator) -> None:
    sim = await start("kraken")
    async with connect(f"{sim.ws_url('kraken')}/v2") as ws:
        await send(ws, order("ticker", "BTC/USD", event_trigger="bbo"))
        frames = await read_some(ws, data("ticker"), 3)
    assert [frame["type"] for frame in frames] == ["snapshot", "update", "update"]
    assert all(frame["data"][0]["bid"] < frame["data"][0]["ask"] for frame in frames)


async def test_too_many_messages_are_refused(start: StartSimulator) -> None:
    sim = await start("kraken", options=Options(kraken_messages_per_s=3))
    async with connect(f"{sim.ws_url('kraken')}/v2") as ws:
        for _ in range(6):
            await send(ws, {"method": "ping"})
        await read_until(ws, lambda frame: frame.get("Error") == "Exceeded msg rate")


async def test_rest_answers_by_the_venues_many_names(start: StartSimulator) -> None:
    sim = await start("kraken")
    base = f"{sim.rest_url('kraken')}/0/public"
    pairs = (await get(f"{base}/AssetPairs")).body["result"]
    assert pairs["XXBTZUSD"]["wsname"] == "XBT/USD"
    assert (await get(f"{base}/Depth?pair=FOO")).body == {"error": ["EQuery:Unknown asset pair"]}
    candles = (await get(f"{base}/OHLC?pair=XBTUSD&interval=5")).body["result"]["XXBTZUSD"]
    assert (len(candles), candles[1][0] - candles[0][0]) == (720, 300)
    trades = (await get(f"{base}/Trades?pair=XXBTZUSD&count=3")).body["result"]
    assert len(trades["XXBTZUSD"]) == 3
    assert trades["last"].isdigit()
    assert len((await get(f"{base}/Ticker?pair=XBT/USD")).body["result"]["XXBTZUSD"]["v"]) == 2
    sim.pause()
    depth = (await get(f"{base}/Depth?pair=XBTUSD&count=5")).body["result"]["XXBTZUSD"]
    assert [(price, amount) for price, amount, _ in depth["bids"]] == sim.book("kraken", "spot", "BTC/USD")["bids"][:5]
