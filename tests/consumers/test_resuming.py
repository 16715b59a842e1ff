"""A stream that was made again and has grown past what was read: each consumer notices, says so, and misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from consumers.cache import handlers as cache
from consumers.candles import handlers as candles
from consumers.storms import handlers as storms
from consumers.whales import handlers as whales
from contracts import codec, streams, subjects
from contracts.signals import WhaleTrade
from contracts.state import FeedHealth, WhalesState
from runtime.app.service import Service
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from runtime.nats.streams.healing import Healer
from tests.consumers.test_on_the_bus import (
    LIQUIDATIONS,
    PLAN,
    STORM_RULES,
    TRADES,
    WHALE_RULES,
    Running,
    fast_candles,
    publish,
    stored,
    storm_plan,
    wait_acked,
    wait_folded,
    wait_stored,
)

# ruff: noqa: ASYNC110 - what is waited for is on the server
pytestmark = pytest.mark.nats
Make = Callable[..., Any]
WHALES = "signal.v1.whale.binance.BTC.USDT.spot"


def run_cache(service: Service) -> Awaitable[None]:
    return cache.run(service, cache.CachePlan(drain_seconds=0.05))


def run_candles(service: Service) -> Awaitable[None]:
    return candles.make_consumer(fast_candles()).run(service)


def run_whales(service: Service) -> Awaitable[None]:
    return whales.run(service, whales.WhalePlan(rules=WHALE_RULES, save_seconds=0.05))


def run_storms(service: Service) -> Awaitable[None]:
    return storms.make_consumer(STORM_RULES, storm_plan()).run(service)


async def remake(bus: Bus, stream: str) -> None:
    await bus.api(f"STREAM.DELETE.{stream}")
    await Healer(bus, PLAN).heal()


async def wait_announced(bus: Bus, part: str, stream: str) -> None:
    def said(event: Any) -> bool:
        return event.state == "gap" and event.channel == part and f"stream {stream}" in event.reason

    async with asyncio.timeout(30):
        while not any(said(event) for event in await stored(bus, streams.FEEDS, "feed.v1.bus")):
            await asyncio.sleep(0.05)


async def wait_state(bus: Bus, key: str, model: Any, check: Callable[[Any], bool]) -> None:
    bucket = await bus.jetstream().key_value(streams.STATE)
    async with asyncio.timeout(30):
        while not check(model.model_validate_json((await bucket.get(key)).value or b"")):
            await asyncio.sleep(0.05)


def whale(number: int) -> Any:
    fields: dict[str, Any] = dict.fromkeys(WhaleTrade.model_fields) | {
        "late": False,
        "id": f"w{number}",
        "venue": "binance",
        "symbol": "BTC/USDT",
        "ts_recv": now_ns(),
        "sim": False,
        "side": "buy",
        "price": "1",
        "amount": "1",
        "usd_value": "1",
        "usd_rate": "1",
        "usd_rate_source": "peg",
        "tier": "majors",
        "threshold_usd": "1",
        "trade_ids": [f"t{number}"],
        "rule": "whale/1",
    }
    return codec.fast(WhaleTrade)(**fields)


async def test_candles(own: Bus, trade: Make) -> None:
    start = now_ns()
    for number in range(5):
        await publish(own, TRADES, trade(number, start + number))
    async with Running(own, "candles", run_candles):
        await wait_folded_at_last(own, 5)
    await remake(own, streams.MARKET)
    for number in range(5, 25):
        await publish(own, TRADES, trade(number, start + number))
    async with Running(own, "candles", run_candles):
        await wait_folded_at_last(own, 25)
        await wait_announced(own, "candles", streams.MARKET)


async def wait_folded_at_last(bus: Bus, trades: int) -> None:
    await wait_stored(bus, streams.CANDLES_1H, "md.v1.candle.1w.>", 1)
    await wait_folded(bus, "md.v1.candle.1w.>", trades)


async def test_candles_whose_stream_is_made_again_while_they_run(own: Bus, trade: Make) -> None:
    start = now_ns()
    for number in range(5):
        await publish(own, TRADES, trade(number, start + number))
    async with Running(own, "candles", run_candles):
        await wait_folded_at_last(own, 5)
    async with Running(own, "candles", run_candles):
        await remake(own, streams.MARKET)
        for number in range(5, 8):  # their sequences are those of trades that were folded before the restart
            await publish(own, TRADES, trade(number, start + number))
        await wait_folded_at_last(own, 8)
        await wait_announced(own, "candles", streams.MARKET)


async def test_whales(own: Bus, trade: Make) -> None:
    async with Running(own, "whales", run_whales):
        for number in range(5):
            await publish(own, TRADES, trade(number))
        await wait_saved(own, 5)
    await remake(own, streams.MARKET)
    await publish(own, TRADES, trade(100, now_ns(), price="60000", amount="99"))
    for number in range(101, 120):
        await publish(own, TRADES, trade(number))
    async with Running(own, "whales", run_whales):
        found = await wait_stored(own, streams.SIGNALS, subjects.ALL_WHALES, 1)
        await wait_announced(own, "whales", streams.MARKET)
    assert found[0].trade_ids == [trade(100).id]


async def wait_saved(bus: Bus, sequence: int) -> None:
    bucket = await bus.jetstream().key_value(streams.POSITIONS)
    await wait_until_key(bus, "whales", streams.POSITIONS)
    async with asyncio.timeout(30):
        while f'"seq":{sequence},'.encode() not in ((await bucket.get("whales")).value or b""):
            await asyncio.sleep(0.05)


async def test_states_of_feeds(own: Bus, status: Make) -> None:
    for number, venue in enumerate(("binance", "okx", "kraken")):
        await publish(own, f"feed.v1.{venue}", status("live", venue=venue, id=f"a{number}"))
    async with Running(own, "cache", run_cache):
        await wait_until_key(own, "feed.kraken")
    await remake(own, streams.FEEDS)
    await publish(own, "feed.v1.binance", status("down", id="b"))
    for number in range(10):
        await publish(own, "feed.v1.okx", status("live", venue="okx", id=f"c{number}"))
    async with Running(own, "cache", run_cache):
        await wait_state(own, "feed.binance", FeedHealth, lambda feed: feed.state == "down")
        await wait_announced(own, "cache", streams.FEEDS)


async def test_cached_whales(own: Bus) -> None:
    for number in range(3):
        await publish(own, WHALES, whale(number))
    async with Running(own, "cache", run_cache):
        await wait_until_key(own, "whales.BTC")
        await wait_state(own, "whales.BTC", WhalesState, lambda held: len(held.whales) == 3)
    await remake(own, streams.SIGNALS)
    for number in range(3, 13):
        await publish(own, WHALES, whale(number))
    async with Running(own, "cache", run_cache):
        await wait_state(own, "whales.BTC", WhalesState, lambda held: len(held.whales) == 13)
        await wait_announced(own, "cache", streams.SIGNALS)


async def wait_until_key(bus: Bus, key: str, bucket: str = streams.STATE) -> None:
    body = f'{{"last_by_subj":"$KV.{bucket}.{key}"}}'.encode()
    async with asyncio.timeout(30):
        while b'"error"' in await bus.api(f"STREAM.MSG.GET.KV_{bucket}", body):
            await asyncio.sleep(0.05)


async def test_storms(own: Bus, liquidation: Make) -> None:
    now = now_ns()
    async with Running(own, "storms", run_storms):
        for number in range(2):
            await publish(own, LIQUIDATIONS, liquidation(number, now - 3600 * 10**9 + number))
        await wait_acked(own, 2)
    await remake(own, streams.LIQUIDATIONS)
    for number in range(10, 14):
        await publish(own, LIQUIDATIONS, liquidation(number, now + number))
    async with Running(own, "storms", run_storms):
        await wait_stored(own, streams.SIGNALS, subjects.ALL_STORMS, 1)


async def test_durable_that_is_made_again_within_seconds_costs_no_event(own: Bus, liquidation: Make) -> None:
    now = now_ns()
    async with Running(own, "storms", run_storms) as running:
        await own.api("CONSUMER.DELETE.LIQUIDATIONS.storms")
        for number in range(3):
            await publish(own, LIQUIDATIONS, liquidation(number, now + number))
        await asyncio.sleep(0.5)
        await Healer(own, PLAN).heal()
        found = await wait_stored(own, streams.SIGNALS, subjects.ALL_STORMS, 1)
        assert not running.task.done()
    assert found[0].count == 3
