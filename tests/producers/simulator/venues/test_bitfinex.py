"""Bitfinex as a client sees it."""

from __future__ import annotations

import zlib
from itertools import pairwise, zip_longest
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from producers.simulator.config import Options
from producers.simulator.faults import Fault
from producers.simulator.server import Simulator
from tests.producers.simulator.client import Levels, drain, get, read, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

EVERYTHING = 32_768 + 65_536 + 131_072
PERPETUAL = "tBTCF0:USTF0"
PAIRS = {"tBTCUST": "spot", PERPETUAL: "linear"}


def url(sim: Simulator) -> str:
    return f"{sim.ws_url('bitfinex')}/ws/2"


async def ask(ws: ClientConnection, **order: Any) -> Any:
    """Sends one order and gives its answer; data that comes in between is left out."""
    await send(ws, order)
    return (await read_until(ws, lambda frame: isinstance(frame, dict) and frame["event"] != "info"))[-1]


async def follow(ws: ClientConnection, channel: str, name: str, **more: Any) -> int:
    what = "key" if channel in {"status", "candles"} else "symbol"
    answer = await ask(ws, event="subscribe", channel=channel, **{what: name}, **more)
    assert (answer["event"], answer["channel"], answer[what]) == ("subscribed", channel, name)
    return answer["chanId"]


def signed_sum(book: Levels) -> int:
    bids, asks = book.sides(25)
    parts: list[str] = []
    for bid, sold in zip_longest(bids, asks):
        parts += [*(bid or ()), *((sold[0], f"-{sold[1]}") if sold else ())]
    crc = zlib.crc32(":".join(parts).encode())
    return crc - (1 << 32) if crc >= 1 << 31 else crc


def put(book: Levels, rows: list[Any]) -> None:
    for price, count, amount in rows:
        side = book.bids if amount > 0 else book.asks
        if count:
            side[str(price)] = str(abs(amount))
        else:
            side.pop(str(price), None)


async def test_socket_says_hello_and_takes_flags(start: StartSimulator) -> None:
    sim = await start("bitfinex")
    async with connect(url(sim)) as ws:
        hello = await read(ws)
        assert (hello["event"], hello["version"], hello["platform"]) == ("info", 2, {"status": 1})
        assert await ask(ws, event="conf", flags=EVERYTHING) == {"event": "conf", "status": "OK", "flags": EVERYTHING}
        assert (await ask(ws, event="ping", cid=7))["cid"] == 7


async def test_books_equal_the_truth_and_their_checksum(start: StartSimulator) -> None:
    sim = await start("bitfinex")
    for symbol, market in PAIRS.items():
        sim.resume()
        async with connect(url(sim)) as ws:
            await ask(ws, event="conf", flags=EVERYTHING)
            number = await follow(ws, "book", symbol, len="100")
            book, sums, paused = Levels(), 0, False
            frames: list[Any] = []
            while (
                not paused or frames[-1][1] != "cs" or book.sides(40) != truth(sim.book("bitfinex", market, symbol), 40)
            ):
                frames.append(await read(ws))
                body = frames[-1][1]
                if body == "cs":
                    assert frames[-1][2] == signed_sum(book)
                    sums += 1
                else:
                    put(book, body if isinstance(body[0], list) else [body])
                    bids, asks = book.sides(1)
                    assert float(bids[0][0]) < float(asks[0][0])  # after every single frame
                if sums == 3 and not paused:
                    sim.pause()
                    paused = True
            assert {frame[0] for frame in frames} == {number}
            assert all(after[-2] == before[-2] + 1 for before, after in pairwise(frames))
            assert frames[0][-2] == 1


async def test_without_flags_there_are_no_numbers_times_and_checksums(start: StartSimulator) -> None:
    sim = await start("bitfinex")
    async with connect(url(sim)) as ws:
        await follow(ws, "book", "tBTCUST")
        frames = [await read(ws) for _ in range(12)]
    assert {len(frame) for frame in frames} == {2}
    assert all(frame[1] != "cs" for frame in frames)


async def test_prints_come_twice_after_the_last_ones(start: StartSimulator) -> None:
    sim = await start("bitfinex")
    async with connect(url(sim)) as ws:
        number = await follow(ws, "trades", "tBTCUST")
        frames = await read_until(ws, lambda frame: frame[1] == "tu")
        assert (await ask(ws, event="unsubscribe", chanId=number))["status"] == "OK"
    history = [row[0] for row in frames[0][1]]
    assert history == sorted(history, reverse=True)
    first = next(frame for frame in frames if frame[1] == "te")
    assert first[2] == next(frame for frame in frames if frame[1] == "tu")[2]


async def test_refusals_name_the_request_unless_told_otherwise(start: StartSimulator) -> None:
    sim = await start("bitfinex")
    async with connect(url(sim)) as ws:
        refused = await ask(ws, event="subscribe", channel="trades", symbol="tNOPE")
        assert refused == {
            "event": "error",
            "channel": "trades",
            "symbol": "tNOPE",
            "msg": "symbol: invalid",
            "code": 10300,
        }
        assert (await ask(ws, event="subscribe", channel="tea", symbol="tBTCUST"))["code"] == 10302
        await follow(ws, "trades", "tBTCUST")
        assert (await ask(ws, event="subscribe", channel="trades", symbol="tBTCUST"))["code"] == 10301
        assert (await ask(ws, event="unsubscribe", chanId=3))["event"] == "error"
    quiet = await start("bitfinex", options=Options(bitfinex_error_names_request=False))
    async with connect(url(quiet)) as ws:
        refused = await ask(ws, event="subscribe", channel="trades", symbol="tNOPE")
        assert set(refused) == {"event", "msg", "code"}


async def test_socket_holds_25_channels(start: StartSimulator) -> None:
    sim = await start("bitfinex")
    async with connect(url(sim)) as ws:
        orders = [
            {"channel": "book", "symbol": symbol, "freq": freq, "len": length}
            for symbol in ("tBTCUST", "tETHUST", PERPETUAL, "tETHF0:USTF0")
            for freq in ("F0", "F1")
            for length in ("1", "25", "100", "250")
        ]
        answers = [await ask(ws, event="subscribe", **order) for order in orders[:26]]
    assert [answer["event"] for answer in answers] == ["subscribed"] * 25 + ["error"]
    assert answers[-1]["code"] == 10305


async def test_connections_a_minute_are_limited(start: StartSimulator) -> None:
    sim = await start("bitfinex")
    for _ in range(20):
        async with connect(url(sim)) as ws:
            await read(ws)
    async with connect(url(sim)) as ws:
        with pytest.raises(ConnectionClosed):
            await read(ws)


async def test_forced_closings_have_a_trigger_and_a_match(start: StartSimulator) -> None:
    sim = await start("bitfinex", cascade_every_s=(0.5, 1.0))
    async with connect(url(sim)) as ws:
        await follow(ws, "status", "liq:global")
        first, second = await read(ws), await read(ws)
    assert (first[1][0][8], second[1][0][8]) == (0, 1)
    assert first[1][0][:8] == second[1][0][:8]
    assert first[1][0][4] in {"tBTCF0:USTF0", "tETHF0:USTF0"}


async def test_status_of_a_perpetual_and_candles(start: StartSimulator) -> None:
    sim = await start("bitfinex")
    async with connect(url(sim)) as ws:
        await follow(ws, "status", f"deriv:{PERPETUAL}")
        row = (await read(ws))[1]
        assert row[7] > row[0]
        assert all(isinstance(row[at], int | float) for at in (3, 11, 14, 17))
        await follow(ws, "candles", "trade:1m:tBTCUST")
        frames = await read_until(ws, lambda frame: isinstance(frame[1][0], list))
        opened, closed, high, low = frames[-1][1][0][1:5]
        assert low <= min(opened, closed) <= max(opened, closed) <= high


async def test_notice_asks_for_a_new_connection(start: StartSimulator) -> None:
    sim = await start("bitfinex", options=Options(notice_lead_s=0.2))
    async with connect(url(sim)) as ws:
        await read(ws)
        sim.inject(Fault("bitfinex", "notice"))
        assert (await read(ws))["code"] == 20051
        with pytest.raises(ConnectionClosed):
            await drain(ws)


async def test_rest_answers_and_errors_are_arrays(start: StartSimulator) -> None:
    sim = await start("bitfinex", bases=("BTC", "ETH", "DOGE"))
    base = f"{sim.rest_url('bitfinex')}/v2"
    assert (await get(f"{base}/conf/pub:list:pair:exchange")).body == [["BTCUST", "ETHUST", "DOGE:UST"]]
    assert (await get(f"{base}/conf/pub:list:pair:futures")).body == [["BTCF0:USTF0", "ETHF0:USTF0"]]
    assert len((await get(f"{base}/book/tBTCUST/P0?len=25")).body) == 50
    assert len((await get(f"{base}/candles/trade:1m:tBTCUST/hist?limit=5")).body) == 5
    assert len((await get(f"{base}/tickers?symbols=ALL")).body[0]) == 11
    assert (await get(f"{base}/trades/tBTCUST/hist")).body
    assert (await get(f"{base}/book/tNOPE/P0")).body == ["error", 10020, "symbol: invalid"]
    sim.inject(Fault("bitfinex", "ban"))
    banned = await get(f"{base}/platform/status")
    assert (banned.status, banned.body[1]) == (429, 11010)
