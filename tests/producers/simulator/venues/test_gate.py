"""Gate as a client sees it."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from producers.simulator.config import Options
from producers.simulator.faults import Fault
from producers.simulator.server import Simulator
from tests.producers.simulator.client import Levels, eventually, get, read, read_on, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

SPOT, FUTURES = "/ws/v4/", "/v4/ws/usdt"
DECIMALS = {"X-Gate-Size-Decimal": "1"}


def url(sim: Simulator, path: str) -> str:
    return f"{sim.ws_url('gate')}{path}"


def on(channel: str) -> Any:
    return lambda frame: frame["channel"] == channel and frame["event"] == "update"


async def subscribe(ws: ClientConnection, channel: str, *payload: str, **more: Any) -> None:
    order = {"time": int(time.time()), "channel": channel, "event": "subscribe", "payload": list(payload)}
    await send(ws, {**order, **more})


async def test_batch_with_an_unknown_pair_fails_as_a_whole(start: StartSimulator) -> None:
    sim = await start("gate")
    async with connect(url(sim, SPOT)) as ws:
        await subscribe(ws, "spot.trades", "BTC_USDT", "FOO_USDT", id=7)
        refused = await read(ws)
        assert refused["error"] == {"code": 2, "message": "unknown currency pair: FOO_USDT"}
        assert (refused["id"], refused["result"]) == (7, {"status": "fail"})
        await subscribe(ws, "spot.tickers", "BTC_USDT", id=8)
        frames = await read_until(ws, on("spot.tickers"))
        assert (frames[0]["id"], frames[0]["error"], frames[0]["result"]) == (8, None, {"status": "success"})
        assert not any(on("spot.trades")(frame) for frame in frames)


@pytest.mark.parametrize(
    "order",
    [
        {"channel": "spot.tea", "event": "subscribe", "payload": ["BTC_USDT"]},
        {"channel": "futures.trades", "event": "subscribe", "payload": ["BTC_USDT"]},
        {"channel": "spot.trades", "event": "drink", "payload": ["BTC_USDT"]},
        {"channel": "spot.trades", "event": "subscribe"},
        {"channel": "spot.order_book_update", "event": "subscribe", "payload": ["BTC_USDT", "1000ms"]},
        {"channel": "spot.obu", "event": "subscribe", "payload": ["BTC_USDT"]},
        {"channel": "spot.candlesticks", "event": "subscribe", "payload": ["2m", "BTC_USDT"]},
    ],
)
async def test_what_does_not_exist_is_refused(start: StartSimulator, order: dict[str, Any]) -> None:
    sim = await start("gate")
    async with connect(url(sim, SPOT)) as ws:
        await send(ws, {"time": int(time.time()), **order})
        answer = await read(ws)
        assert (answer["error"]["code"], answer["result"]["status"]) == (2, "fail")
        await ws.send("{")
        assert (await read(ws))["error"]["code"] == 1


async def test_request_off_the_servers_clock_is_refused_unless_told_otherwise(start: StartSimulator) -> None:
    for refuses in (True, False):
        sim = await start("gate", options=Options(gate_refuses_old_requests=refuses))
        async with connect(url(sim, SPOT)) as ws:
            await subscribe(ws, "spot.tickers", "BTC_USDT", time=int(time.time()) - 90)
            assert ((await read(ws))["error"] is not None) is refuses


async def test_pings_of_the_application_are_answered_on_each_host(start: StartSimulator) -> None:
    sim = await start("gate")
    for path, prefix in ((SPOT, "spot"), (FUTURES, "futures")):
        async with connect(url(sim, path)) as ws:
            await send(ws, {"time": int(time.time()), "channel": f"{prefix}.ping"})
            assert (await read(ws))["channel"] == f"{prefix}.pong"


@pytest.mark.parametrize(("path", "prefix", "market"), [(SPOT, "spot", "spot"), (FUTURES, "futures", "linear")])
async def test_book_of_updates_and_a_rest_seed_equals_the_truth(
    start: StartSimulator, path: str, prefix: str, market: str
) -> None:
    sim = await start("gate")
    channel = f"{prefix}.order_book_update"
    query = "spot/order_book?currency_pair" if market == "spot" else "futures/usdt/order_book?contract"
    async with connect(url(sim, path), additional_headers=DECIMALS) as ws:
        await subscribe(ws, channel, "BTC_USDT", "100ms")
        frames = await read_some(ws, on(channel), 2)
        seed = (await get(f"{sim.rest_url('gate')}/api/v4/{query}=BTC_USDT&limit=100&with_id=true")).body
        frames = await read_on(ws, frames, lambda frame: on(channel)(frame) and frame["result"]["u"] > seed["id"])
        frames += await read_some(ws, on(channel), 4)
        sim.pause()
        expected = truth(sim.book("gate", market, "BTC_USDT"), 40)
        ids = [(frame["result"]["U"], frame["result"]["u"]) for frame in frames]
        assert all(after[0] == before[1] + 1 for before, after in pairwise(ids))
        book = Levels()
        book.put(_pairs(seed["bids"]), _pairs(seed["asks"]))
        for frame in frames:
            if frame["result"]["u"] > seed["id"]:
                book.put(_pairs(frame["result"]["b"]), _pairs(frame["result"]["a"]))
        while book.sides(40) != expected:
            frame = (await read_until(ws, on(channel)))[-1]
            book.put(_pairs(frame["result"]["b"]), _pairs(frame["result"]["a"]))


def _pairs(levels: list[Any]) -> list[Any]:
    return [(level["p"], str(level["s"])) if isinstance(level, dict) else level for level in levels]


async def test_second_version_begins_whole_for_every_newcomer(start: StartSimulator) -> None:
    sim = await start("gate")
    is_obu = on("futures.obu")
    async with connect(url(sim, FUTURES), additional_headers=DECIMALS) as first, connect(url(sim, FUTURES)) as second:
        await subscribe(first, "futures.obu", "ob.ETH_USDT.50")
        early = await read_some(first, is_obu, 3)
        await subscribe(second, "futures.obu", "ob.ETH_USDT.50")
        late = await read_some(second, is_obu, 3)
    for frames in (early, late):
        results = [frame["result"] for frame in frames]
        assert [row.get("full") for row in results] == [True, None, None]
        assert len(results[0]["b"]) == len(results[0]["a"]) == 50
        assert all(after["U"] == before["u"] + 1 for before, after in pairwise(results))


async def test_sizes_have_decimals_only_for_who_asks(start: StartSimulator) -> None:
    sim = await start("gate")
    for headers, kind in ((DECIMALS, str), ({}, int)):
        async with connect(url(sim, FUTURES), additional_headers=headers) as ws:
            await subscribe(ws, "futures.book_ticker", "ETH_USDT")
            best = (await read_until(ws, on("futures.book_ticker")))[-1]["result"]
            assert isinstance(best["B"], kind)
        path = f"{sim.rest_url('gate')}/api/v4/futures/usdt/order_book?contract=ETH_USDT"
        body = await asyncio.to_thread(_get_with, path, headers)
        assert all(isinstance(level["s"], kind) for level in body["asks"])
        assert "id" not in body


def _get_with(path: str, headers: dict[str, str]) -> Any:
    with urllib.request.urlopen(urllib.request.Request(path, headers=headers), timeout=5) as found:
        return json.load(found)


async def test_trades_tickers_and_candles_have_the_venues_shapes(start: StartSimulator) -> None:
    sim = await start("gate")
    async with connect(url(sim, SPOT)) as ws:
        await subscribe(ws, "spot.trades", "BTC_USDT")
        trade = (await read_until(ws, on("spot.trades")))[-1]["result"]
        assert trade["side"] in {"buy", "sell"}
        assert int(float(trade["create_time_ms"])) // 1000 == trade["create_time"]
        await subscribe(ws, "spot.candlesticks", "1m", "BTC_USDT")
        candle = (await read_until(ws, on("spot.candlesticks")))[-1]["result"]
        assert (candle["n"], isinstance(candle["t"], str)) == ("1m_BTC_USDT", True)
        assert float(candle["v"]) > float(candle["a"])  # the quote coin's volume beside the base coin's
    async with connect(url(sim, FUTURES)) as ws:
        await subscribe(ws, "futures.trades", "BTC_USDT", "ETH_USDT")
        rows = (await read_until(ws, on("futures.trades")))[-1]["result"]
        assert {type(row["size"]) for row in rows} == {int}
        await subscribe(ws, "futures.tickers", "BTC_USDT")
        ticker = (await read_until(ws, on("futures.tickers")))[-1]["result"][0]
        assert ticker["funding_next_apply"] % (8 * 3600) == 0
        volumes = float(ticker["volume_24h_base"]), float(ticker["volume_24h"]) * 0.0001
        assert volumes[0] == pytest.approx(volumes[1])


async def test_liquidations_of_all_contracts_come_in_batches(start: StartSimulator) -> None:
    is_liquidation = on("futures.public_liquidates")
    for batched, is_order in ((True, True), (False, False)):
        options = Options(gate_liquidations_batched=batched, gate_liquidation_size_is_order=is_order)
        sim = await start("gate", cascade_every_s=(1.0, 1.0), options=options)
        async with connect(url(sim, FUTURES), additional_headers=DECIMALS) as ws:
            await subscribe(ws, "futures.public_liquidates", "!all")
            result = (await read_until(ws, is_liquidation))[-1]["result"]
            assert isinstance(result, list) is batched
            row = result[0] if batched else result
            assert {"price", "size", "time", "contract"} == set(row)
            assert row["time"] > 10**12


async def test_rest_lists_instruments_prints_candles_and_labels_its_errors(start: StartSimulator) -> None:
    sim = await start("gate")
    base = f"{sim.rest_url('gate')}/api/v4"
    contracts = (await get(f"{base}/futures/usdt/contracts")).body
    assert [(row["name"], row["quanto_multiplier"]) for row in contracts] == [
        ("BTC_USDT", "0.0001"),
        ("ETH_USDT", "0.01"),
    ]
    assert [row["id"] for row in (await get(f"{base}/spot/currency_pairs")).body] == ["BTC_USDT", "ETH_USDT"]
    assert len((await get(f"{base}/spot/tickers")).body) == 2
    candle = (await get(f"{base}/spot/candlesticks?currency_pair=BTC_USDT&interval=1m&limit=3")).body[0]
    close, high, low, opened = (float(text) for text in candle[2:6])
    assert low <= min(close, opened) <= max(close, opened) <= high
    assert float(candle[1]) > float(candle[6])
    rows = (await get(f"{base}/futures/usdt/trades?contract=BTC_USDT&limit=2")).body
    assert len(rows) == 2
    answer = await get(f"{base}/spot/order_book?currency_pair=FOO_USDT")
    assert (answer.status, answer.body["label"]) == (400, "INVALID_CURRENCY_PAIR")
    answer = await get(f"{base}/futures/usdt/order_book?contract=BTC_USDT&limit=many")
    assert (answer.status, answer.body["label"]) == (400, "INVALID_PARAM_VALUE")
    assert (await get(f"{base}/spot/tea")).status == 404
    sim.inject(Fault("gate", "ban"))
    answer = await get(f"{base}/spot/tickers")
    assert (answer.status, answer.body["label"]) == (429, "TOO_MANY_REQUESTS")
    sim.inject(Fault("gate", "rest_error"))
    assert (await get(f"{base}/spot/tickers")).body["label"] == "SERVER_ERROR"


async def test_stale_snapshot_of_one_symbol_leaves_the_other_alone(start: StartSimulator) -> None:
    sim = await start("gate")
    base = f"{sim.rest_url('gate')}/api/v4/spot/order_book?with_id=true&currency_pair"
    began = {symbol: sim.book("gate", "spot", symbol)["seq"] for symbol in ("BTC_USDT", "ETH_USDT")}
    await eventually(lambda: all(sim.book("gate", "spot", symbol)["seq"] > seq for symbol, seq in began.items()))
    sim.inject(Fault("gate", "stale_snapshot", symbol="BTC_USDT"))
    assert (await get(f"{base}=ETH_USDT")).body["id"] > began["ETH_USDT"]
    assert (await get(f"{base}=BTC_USDT")).body["id"] <= began["BTC_USDT"]
    assert (await get(f"{base}=BTC_USDT")).body["id"] > began["BTC_USDT"]


async def test_upgrade_is_reported_on_futures_only_before_the_close(start: StartSimulator) -> None:
    sim = await start("gate")
    async with connect(url(sim, FUTURES)) as ws:
        await subscribe(ws, "futures.tickers", "BTC_USDT")
        await read(ws)
        sim.inject(Fault("gate", "notice", seconds=5.0))
        notice = (await read_until(ws, on("futures.system")))[-1]
        assert notice["result"]["type"] == "upgrade"


async def test_faults_that_its_protocol_cannot_show_are_refused(start: StartSimulator) -> None:
    sim = await start("gate")
    for kind in ("partial_ack", "reset", "bad_checksum"):
        with pytest.raises(ValueError, match=r"^kind:"):
            sim.inject(Fault("gate", kind))
