"""Every fault is visible to a client, and none changes the simulator's own books."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from producers.simulator.config import Options, SimulatorConfig
from producers.simulator.faults import Fault, Kind
from producers.simulator.registry import VENUES as SIMULATED
from producers.simulator.server import Simulator
from producers.simulator.venue import Announcing, Resetting, Snapshots
from tests.producers.simulator.client import Levels, drain, get, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator

DIFF = "/ws/btcusdt@depth@100ms"
OKX = "/ws/v5/public"
BOOKS = {"op": "subscribe", "args": [{"channel": "books", "instId": "BTC-USDT"}]}
LINEAR = "/v5/public/linear"


def is_diff(frame: Any) -> bool:
    return frame.get("e") == "depthUpdate"


def has_data(frame: Any) -> bool:
    return "data" in frame


def gaps(frames: list[Any]) -> int:
    return sum(after["U"] != before["u"] + 1 for before, after in pairwise(frames))


async def closing(ws: ClientConnection) -> ConnectionClosed:
    with pytest.raises(ConnectionClosed) as closed:
        await drain(ws)
    return closed.value


async def assert_truth_is_kept(sim: Simulator) -> None:
    """A fresh reader, after the fault, still arrives at the true book."""
    sim.clear_faults()
    sim.pause()
    url = f"{sim.rest_url('binance')}/api/v3/depth?symbol=BTCUSDT&limit=5000"
    book = Levels()
    body = (await get(url)).body
    book.put(body["bids"], body["asks"])
    expected = sim.book("binance", "spot", "BTCUSDT")
    assert book.sides() == truth(expected)
    assert float(expected["bids"][0][0]) < float(expected["asks"][0][0])


@pytest.mark.parametrize("kind", ["gap", "drop"])
async def test_lost_delta_breaks_the_chain_once(start: StartSimulator, kind: Literal["gap", "drop"]) -> None:
    sim = await start("binance")
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        frames = await read_some(ws, is_diff, 3)
        sim.inject(Fault("binance", kind, channel="depth"))
        frames += await read_some(ws, is_diff, 4)
    assert gaps(frames) == 1
    await assert_truth_is_kept(sim)


async def test_gap_of_one_symbol_leaves_the_others_whole(start: StartSimulator) -> None:
    sim = await start("binance")
    streams = "btcusdt@depth@100ms/ethusdt@depth@100ms"
    async with connect(f"{sim.ws_url('binance')}/stream?streams={streams}") as ws:
        await read_some(ws, has_data, 4)
        sim.inject(Fault("binance", "gap", symbol="ETHUSDT", count=2))
        frames = [frame["data"] for frame in await read_some(ws, has_data, 12)]
    assert gaps([frame for frame in frames if frame["s"] == "BTCUSDT"]) == 0
    assert sim.stats()["faults"] == 0


async def test_duplicate_is_sent_twice(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        await read_some(ws, is_diff, 2)
        sim.inject(Fault("binance", "duplicate", channel="depth"))
        ids = [frame["u"] for frame in await read_some(ws, is_diff, 4)]
    assert len(ids) - len(set(ids)) == 1
    await assert_truth_is_kept(sim)


async def test_reordered_delta_comes_after_its_successor(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        await read_some(ws, is_diff, 2)
        sim.inject(Fault("binance", "reorder"))
        ids = [frame["u"] for frame in await read_some(ws, is_diff, 4)]
    assert ids != sorted(ids)
    assert len(ids) == len(set(ids))
    await assert_truth_is_kept(sim)


async def test_silent_channel_stops_while_others_go_on(start: StartSimulator) -> None:
    sim = await start("binance")
    streams = "btcusdt@depth@100ms/btcusdt@bookTicker"
    async with connect(f"{sim.ws_url('binance')}/stream?streams={streams}") as ws:
        await read_some(ws, lambda frame: frame["stream"].endswith("100ms"), 2)
        sim.inject(Fault("binance", "silence", channel="depth", count=None))
        frames = await read_some(ws, lambda frame: frame["stream"].endswith("bookTicker"), 6)
        await (await ws.ping())
        sim.clear_faults()
        resumed = await read_until(ws, lambda frame: frame["stream"].endswith("100ms"))
    assert len(frames) == 6
    assert resumed
    await assert_truth_is_kept(sim)


async def test_silence_ends_after_its_seconds(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        before = (await read_some(ws, is_diff, 2))[-1]
        sim.inject(Fault("binance", "silence", seconds=0.5))
        after = (await read_some(ws, lambda f: is_diff(f) and f["E"] - before["E"] > 400, 1))[0]
    assert after["U"] > before["u"] + 1
    assert sim.stats()["faults"] == 0


async def test_slow_frames_are_late_but_in_order(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        frames = await read_some(ws, is_diff, 2)
        sim.inject(Fault("binance", "slow", count=None, delay=0.6))
        seen_ms: list[float] = []
        for _ in range(2):
            frames += await read_some(ws, is_diff, 1)
            seen_ms.append(sim._now_us() / 1000 - frames[-1]["E"])
    assert max(seen_ms) > 500
    assert gaps(frames) == 0


async def test_crossed_delta_crosses_the_readers_book_only(start: StartSimulator) -> None:
    sim = await start("binance")
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        await read_some(ws, is_diff, 2)
        body = (await get(f"{sim.rest_url('binance')}/api/v3/depth?symbol=BTCUSDT&limit=5000")).body
        book = Levels()
        book.put(body["bids"], body["asks"])
        sim.inject(Fault("binance", "crossed"))

        def crosses(frame: Any) -> bool:
            if frame["u"] > body["lastUpdateId"]:
                book.put(frame["b"], frame["a"])
            bids, asks = book.sides(1)
            return float(bids[0][0]) >= float(asks[0][0])

        await read_until(ws, crosses)
    await assert_truth_is_kept(sim)


async def test_stale_snapshot_is_older_than_the_first_delta(start: StartSimulator) -> None:
    sim = await start("binance")
    url = f"{sim.rest_url('binance')}/api/v3/depth?symbol=BTCUSDT&limit=5000"
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        await read_some(ws, is_diff, 2)
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        first = (await read_some(ws, is_diff, 1))[0]
        sim.inject(Fault("binance", "stale_snapshot"))
        assert (await get(url)).body["lastUpdateId"] < first["U"] - 1
        assert (await get(url)).body["lastUpdateId"] >= first["u"]


async def test_cut_ends_without_a_close_frame_and_close_with_one(start: StartSimulator) -> None:
    sim = await start("binance")
    expected: tuple[tuple[Kind, int | None], ...] = (("cut", None), ("close", 1001))
    for kind, code in expected:
        async with connect(sim.ws_url("binance") + DIFF) as ws:
            await read_some(ws, is_diff, 1)
            assert sim.connections("binance") == 1
            sim.inject(Fault("binance", kind))
            received = (await closing(ws)).rcvd
            assert (received.code if received else None) == code
    async with connect(sim.ws_url("binance") + DIFF) as ws:
        await read_some(ws, is_diff, 1)
        assert sim.cut("binance") is True
        assert (await closing(ws)).rcvd is None


async def test_bad_checksum_is_not_zero(start: StartSimulator) -> None:
    sim = await start("okx")
    async with connect(sim.ws_url("okx") + OKX) as ws:
        await send(ws, BOOKS)
        await read_some(ws, has_data, 2)
        sim.inject(Fault("okx", "bad_checksum"))
        sums = [frame["data"][0]["checksum"] for frame in await read_some(ws, has_data, 5)]
    assert sum(value != 0 for value in sums) == 1


async def test_okx_reset_continues_the_chain_with_a_smaller_sequence(start: StartSimulator) -> None:
    sim = await start("okx")
    async with connect(sim.ws_url("okx") + OKX) as ws:
        await send(ws, BOOKS)
        rows = [frame["data"][0] for frame in await read_some(ws, has_data, 3)]
        sim.inject(Fault("okx", "reset"))
        rows += [frame["data"][0] for frame in await read_some(ws, has_data, 4)]
    drops = [row for row in rows[1:] if row["seqId"] < row["prevSeqId"]]
    assert len(drops) == 1
    assert all(after["prevSeqId"] == before["seqId"] for before, after in pairwise(rows))
    sim.pause()
    seed = (await get(f"{sim.rest_url('okx')}/api/v5/market/books?instId=BTC-USDT&sz=400")).body["data"][0]
    assert seed["seqId"] == sim.book("okx", "spot", "BTC-USDT")["seq"]


async def test_okx_notice_comes_before_the_close(start: StartSimulator) -> None:
    sim = await start("okx", options=Options(notice_lead_s=0.3))
    async with connect(sim.ws_url("okx") + OKX) as ws:
        await send(ws, BOOKS)
        await read_some(ws, has_data, 1)
        sim.inject(Fault("okx", "notice"))
        notice = (await read_until(ws, lambda frame: frame.get("event") == "notice"))[-1]
        assert notice["code"] == "64008"
        assert (await closing(ws)).rcvd is not None


async def test_bybit_reset_is_a_snapshot_with_u_1(start: StartSimulator) -> None:
    sim = await start("bybit")
    async with connect(sim.ws_url("bybit") + LINEAR) as ws:
        await send(ws, {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]})
        frames = await read_some(ws, has_data, 3)
        sim.inject(Fault("bybit", "reset", symbol="BTCUSDT"))
        frames += await read_until(ws, lambda frame: frame["data"]["u"] == 3)
    at = next(index for index, frame in enumerate(frames) if frame["data"]["u"] == 1)
    assert frames[at]["type"] == "snapshot"
    assert [frame["data"]["u"] for frame in frames[at:]] == [1, 2, 3]


@pytest.mark.parametrize(
    ("venue", "path", "statuses"),
    [
        ("binance", "/api/v3/time", [429, 418]),
        ("binanceusdm", "/fapi/v1/time", [429, 418]),
        ("bybit", "/v5/market/time", [403, 403]),
        ("okx", "/api/v5/public/time", [429, 429]),
        ("coinbase", "/products", [429, 429]),
    ],
)
async def test_ban_refuses_rest_and_sockets(start: StartSimulator, venue: str, path: str, statuses: list[int]) -> None:
    sim = await start(venue)
    sockets = {"binance": "/ws", "binanceusdm": "/public/ws", "bybit": LINEAR, "okx": OKX, "coinbase": "/"}
    sim.inject(Fault(venue, "ban", count=None))
    answers = [await get(sim.rest_url(venue) + path) for _ in statuses]
    assert [answer.status for answer in answers] == statuses
    with pytest.raises(InvalidStatus) as refused:
        await connect(sim.ws_url(venue) + sockets[venue])
    assert refused.value.response.status_code == statuses[-1]
    sim.clear_faults()
    assert (await get(sim.rest_url(venue) + path)).status == 200


@pytest.mark.parametrize(
    ("venue", "path", "expected"),
    [
        ("binance", "/api/v3/time", (503, "code", -1008)),
        ("bybit", "/v5/market/time", (200, "retCode", 10016)),
        ("okx", "/api/v5/public/time", (200, "code", "50026")),
    ],
)
async def test_rest_error_has_the_venues_body(
    start: StartSimulator, venue: str, path: str, expected: tuple[int, str, Any]
) -> None:
    sim = await start(venue)
    sim.inject(Fault(venue, "rest_error"))
    answer = await get(sim.rest_url(venue) + path)
    assert (answer.status, expected[1], answer.body[expected[1]]) == expected
    assert (await get(sim.rest_url(venue) + path)).status == 200


async def test_partial_ack_leaves_the_last_of_a_batch_out(start: StartSimulator) -> None:
    sim = await start("okx")
    args = [{"channel": "books", "instId": "BTC-USDT"}, {"channel": "books", "instId": "ETH-USDT"}]
    sim.inject(Fault("okx", "partial_ack"))
    async with connect(sim.ws_url("okx") + OKX) as ws:
        await send(ws, {"op": "subscribe", "args": args})
        frames = await read_until(ws, lambda frame: frame.get("action") == "update")
        assert [frame["arg"] for frame in frames if frame.get("event") == "subscribe"] == args[:1]
        await send(ws, {"op": "subscribe", "args": args})
        await read_until(ws, lambda frame: frame.get("event") == "subscribe" and frame["arg"] == args[1])


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"kind": "melt"}, "kind"),
        ({"kind": "drop", "channel": "tea"}, "channel"),
        ({"kind": "drop", "probability": 0.0}, "probability"),
        ({"kind": "drop", "count": 0}, "count"),
        ({"kind": "drop", "seconds": -1.0}, "seconds"),
    ],
)
def test_impossible_fault_is_refused_by_name(settings: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        Fault("binance", **settings)


async def test_fault_of_a_venue_that_is_not_simulated_is_refused(start: StartSimulator) -> None:
    sim = await start("okx")
    with pytest.raises(ValueError, match=r"^venue:"):
        sim.inject(Fault("binance", "drop"))


async def test_fault_that_a_venue_cannot_show_is_refused(start: StartSimulator) -> None:
    sim = await start("binance", "coinbase")
    unfit: tuple[tuple[str, Kind], ...] = (("binance", "reset"), ("coinbase", "notice"), ("binance", "bad_checksum"))
    for venue, kind in unfit:
        with pytest.raises(ValueError, match=r"^kind:"):
            sim.inject(Fault(venue, kind))


@pytest.mark.parametrize("name", SIMULATED)
def test_a_venue_that_lacks_resets_or_notices_has_nothing_that_would_make_them(name: str) -> None:
    venue = SimulatorConfig().open_venue(name, [], Snapshots())
    lacks = SIMULATED[name].lacks
    assert isinstance(venue, Resetting) == ("reset" not in lacks)
    assert isinstance(venue, Announcing) == ("notice" not in lacks)
