"""Coinbase Exchange as a client sees it."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.asyncio.client import connect

from producers.simulator.config import Options
from tests.producers.simulator.client import Levels, get, read, read_some, read_until, send, truth
from tests.producers.simulator.conftest import StartSimulator


def kind(*names: str) -> Any:
    return lambda frame: frame["type"] in names


async def test_acknowledgement_lists_all_subscriptions(start: StartSimulator) -> None:
    sim = await start("coinbase")
    async with connect(f"{sim.ws_url('coinbase')}/") as ws:
        channels = ["heartbeat", {"name": "ticker", "product_ids": ["ETH-USD"]}]
        await send(ws, {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": channels})
        listed = (await read_until(ws, kind("subscriptions")))[-1]["channels"]
        assert {row["name"]: row["product_ids"] for row in listed} == {
            "heartbeat": ["BTC-USD"],
            "ticker": ["BTC-USD", "ETH-USD"],
        }
        await send(ws, {"type": "unsubscribe", "product_ids": ["BTC-USD"], "channels": ["ticker", "heartbeat"]})
        left = (await read_until(ws, kind("subscriptions")))[-1]["channels"]
        assert [(row["name"], row["product_ids"]) for row in left] == [("ticker", ["ETH-USD"])]


@pytest.mark.parametrize(
    ("product", "channel", "reason"),
    [
        ("FOO-USD", "matches", "FOO-USD is not a valid product"),
        ("BTC-USD", "bogus", "bogus is not a valid channel"),
        ("BTC-USD", "level2", "authentication"),
    ],
)
async def test_refusal_names_the_reason(start: StartSimulator, product: str, channel: str, reason: str) -> None:
    sim = await start("coinbase")
    async with connect(f"{sim.ws_url('coinbase')}/") as ws:
        await send(ws, {"type": "subscribe", "product_ids": [product], "channels": [channel]})
        refusal = await read(ws)
    assert (refusal["type"], refusal["message"]) == ("error", "Failed to subscribe")
    assert reason in refusal["reason"]


@pytest.mark.parametrize("channel", ["level2_batch", "level2"])
async def test_book_from_snapshot_and_updates_equals_the_truth(start: StartSimulator, channel: str) -> None:
    sim = await start("coinbase", options=Options(coinbase_level2_needs_auth=False))
    async with connect(f"{sim.ws_url('coinbase')}/", max_size=None) as ws:
        await send(ws, {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": [channel]})
        frames = await read_some(ws, kind("snapshot", "l2update"), 8)
        sim.pause()
        expected = truth(sim.book("coinbase", "spot", "BTC-USD"))
        assert [frame["type"] for frame in frames] == ["snapshot"] + ["l2update"] * 7
        book = Levels()
        book.put(frames[0]["bids"], frames[0]["asks"])
        for frame in frames[1:]:
            put_changes(book, frame)
        while book.sides() != expected:
            put_changes(book, (await read_until(ws, kind("l2update")))[-1])


def put_changes(book: Levels, frame: Any) -> None:
    for side, price, size in frame["changes"]:
        row = [[price, size]]
        book.put(row if side == "buy" else [], row if side == "sell" else [])


async def test_match_names_the_makers_side_and_ids_follow(start: StartSimulator) -> None:
    sim = await start("coinbase")
    async with connect(f"{sim.ws_url('coinbase')}/") as ws:
        await send(ws, {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["matches", "ticker"]})
        seen: list[Any] = []
        await read_until(ws, lambda f: seen.append(f) is None and sum(x["type"] == "match" for x in seen) >= 8)
    matches = [frame for frame in seen if frame["type"] in {"last_match", "match"}]
    ids = [frame["trade_id"] for frame in matches]
    assert matches[0]["type"] == "last_match"
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    takers = {frame["trade_id"]: frame["side"] for frame in seen if frame["type"] == "ticker"}
    both = [frame for frame in matches if frame["trade_id"] in takers]
    assert both
    assert all(frame["side"] != takers[frame["trade_id"]] for frame in both)


async def test_heartbeat_tells_the_last_trade(start: StartSimulator) -> None:
    sim = await start("coinbase")
    sim.pause()
    async with connect(f"{sim.ws_url('coinbase')}/") as ws:
        await send(ws, {"type": "subscribe", "product_ids": ["BTC-USD"], "channels": ["heartbeat"]})
        beats = await read_some(ws, kind("heartbeat"), 1)
    expected = sim.find_listing("coinbase", "spot", "BTC-USD").last.id
    assert [beat["last_trade_id"] for beat in beats] == [expected]


async def test_rest_answers(start: StartSimulator) -> None:
    sim = await start("coinbase")
    base = f"{sim.rest_url('coinbase')}/products"
    assert [row["id"] for row in (await get(base)).body] == ["BTC-USD", "ETH-USD"]
    missing = await get(f"{base}/FOO-USD/ticker")
    assert (missing.status, missing.body) == (404, {"message": "NotFound"})
    candles = (await get(f"{base}/BTC-USD/candles?granularity=300")).body
    assert candles[0][0] - candles[1][0] == 300
    assert all(low <= min(first, last) and high >= max(first, last) for _, low, high, first, last, _ in candles)
    trades = await get(f"{base}/BTC-USD/trades?limit=2")
    assert trades.headers["cb-before"] == str(trades.body[0]["trade_id"])
    sim.pause()
    book = (await get(f"{base}/BTC-USD/book?level=2")).body
    assert [(price, size) for price, size, _ in book["bids"]] == sim.book("coinbase", "spot", "BTC-USD")["bids"]
