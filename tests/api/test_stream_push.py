"""`WS /ws`: what is pushed when the bus says something."""

from __future__ import annotations

import asyncio
import json

import pytest

from api.stream.protocol import OF_ALL
from contracts.market import BookSnapshot, Candle, Liquidation
from contracts.signals import WhaleCluster, WhaleTrade
from tests.api.streaming import (
    LIQUIDATION,
    TAIL,
    say,
    subscribe,
    ticker,
    trade,
    until_heard,
)
from tests.api.world import Start, Store, message_of, origin, whale

pytestmark = pytest.mark.nats


async def test_what_two_subscriptions_share_goes_on_when_one_of_them_ends(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        for symbol in ("BTC", "BTC/USDT"):
            await subscribe(stream, channel="liquidations", symbol=symbol)
        await say(stream, type="unsubscribe", channel="liquidations", symbol="BTC")
        await message_of(stream, "unsubscribed")
        await until_heard(store, "md.v1.liquidation.>")
        await store.publish(f"md.v1.liquidation.{TAIL}", Liquidation.model_validate(LIQUIDATION))
        assert (await message_of(stream, "liquidation"))["symbol"] == "BTC/USDT"


async def test_what_is_rare_can_be_subscribed_for_every_symbol_and_comes_once(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        assert (await subscribe(stream, channel="whales"))["symbol"] is None
        await subscribe(stream, channel="whales", symbol="BTC")
        await subscribe(stream, channel="whales", symbol="BTC/USDT")
        await until_heard(store, "signal.v1.whale.>")
        for usd in ("7.0", "8.0"):
            event = WhaleTrade.model_validate(whale("binance", "BTC/USDT", usd))
            await store.publish(f"signal.v1.whale.{TAIL}", event)
        assert [(await message_of(stream, "whale"))["usd_value"] for _ in range(2)] == [7.0, 8.0]


async def test_a_price_is_pushed_when_it_changes_and_only_then(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.10", bid="91000", ask="91001", volume_24h="5")
    api = await start()
    async with api.stream() as stream:
        await subscribe(stream, symbol="BTC")
        first = await message_of(stream, "price_update")
        assert (first["symbol"], first["price"], first["quality"]) == ("BTC", 91000.10, "live")
        await until_heard(store, "md.v1.ticker.all.BTC.>")
        await store.publish(f"md.v1.ticker.{TAIL}", ticker("91002.5"))
        second = await message_of(stream, "price_update")
        assert (second["price"], second["bid"]) == (91002.5, 91000)
        await store.publish(f"md.v1.ticker.{TAIL}", ticker("91002.5"))
        await store.publish(f"md.v1.ticker.{TAIL}", ticker("91003"))
        assert (await message_of(stream, "price_update"))["price"] == 91003


async def test_a_price_is_pushed_for_what_only_the_state_tells(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        await subscribe(stream, symbol="BTC")
        await store.put_ticker("binance", "BTC/USDT", "91000")
        assert (await message_of(stream, "price_update"))["price"] == 91000
        await store.put_feed("binance", connected=False, state="down")
        async with asyncio.timeout(20):  # what the ticker's own event says may come in between
            while (await message_of(stream, "price_update"))["quality"] != "stale":
                pass


async def test_events_reach_their_channels_with_exact_numbers(store: Store, start: Start) -> None:
    api = await start()
    book = {"bids": [("1.10", "2")], "asks": [("1.20", "3")], "seq": 5, "quality": "live", "checksum": None}
    ohlc = {"open": "1", "high": "2", "low": "0.5", "close": "1.50", "volume": "9", "quote_volume": None}
    candle = {**ohlc, "timeframe": "5m", "trades": None, "closed": True, "start_ts": 1_767_268_800_000_000_000}
    cluster = {"base": "BTC", "side": "buy", "pattern": "accumulation", "count": 3, "usd_value": "3000000.5"}
    found = {"window_ns": 1, "venues": ["binance"], "whale_ids": [], "tier": "majors", "rule": "cluster/1"}
    spot, perp = origin("binance", "BTC/USDT"), origin("binanceusdm", "BTC/USDT:USDT")
    both = origin("all", "BTC/USD")
    pushed = {
        "trades": (f"md.v1.trade.{TAIL}", trade(1), "trade", '"price":91000.10,'),
        "book": (f"md.v1.book.{TAIL}", {**spot, **book, "venue_checksum": None}, "book", '"price":1.10,'),
        "whales": (f"signal.v1.whale.{TAIL}", whale("binance", "BTC/USDT", "7.0"), "whale", '"usd_value":7.0,'),
        "liquidations": (
            "md.v1.liquidation.binanceusdm.BTC.USDT.perp",
            {**LIQUIDATION, **perp},
            "liquidation",
            '"position_side":"long"',
        ),
        "candles": (f"md.v1.candle.5m.{TAIL}", {**spot, **candle}, "candle", '"close":1.50,'),
        "alerts": ("signal.v1.cluster.all.BTC.USD.any", {**both, **cluster, **found}, "alert", '"usd_value":3000000.5'),
    }
    models = {
        "book": BookSnapshot,
        "whale": WhaleTrade,
        "liquidation": Liquidation,
        "candle": Candle,
        "alert": WhaleCluster,
    }
    async with api.stream() as stream:
        for channel, (subject, fields, kind, literal) in pushed.items():
            event = models[kind].model_validate(fields) if isinstance(fields, dict) else fields
            await subscribe(stream, symbol="BTC", channel=channel, timeframe="5m")
            prefix = subject.split(".BTC.")[0].rpartition(".")[0]
            await until_heard(store, f"{prefix}.>" if channel in OF_ALL else f"{prefix}.*.BTC.>")
            await store.publish(subject, event)
            async with asyncio.timeout(20):
                text = str(await stream.recv())
            assert json.loads(text)["type"] == kind
            assert literal in text


async def test_what_is_not_subscribed_is_not_pushed(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        await subscribe(stream, symbol="ETH/BTC", channel="trades")
        await subscribe(stream, symbol="BTC", channel="trades")
        await say(stream, type="unsubscribe", symbol="BTC", channel="trades")
        await message_of(stream, "unsubscribed")
        await until_heard(store, "md.v1.trade.*.ETH.>")
        await store.publish(f"md.v1.trade.{TAIL}", trade(1))
        await store.publish("md.v1.trade.binance.ETH.USDT.spot", trade(2, symbol="ETH/USDT"))
        await store.publish("md.v1.trade.binance.ETH.BTC.spot", trade(3, symbol="ETH/BTC"))
        assert (await message_of(stream, "trade"))["id"] == "t3"


async def test_a_quiet_price_is_sent_every_five_seconds_and_grows_older(store: Store, start: Start) -> None:
    await store.put_ticker(
        "binance", "BTC/USDT", "91000.10", bid="91000", ask="91001", volume_24h="5", change_24h="1.5"
    )
    api = await start()
    loop = asyncio.get_running_loop()
    async with api.stream() as stream:
        await subscribe(stream, symbol="BTC")
        first = await message_of(stream, "price_update")
        named = {"symbol", "price", "change_24h", "volume_24h", "bid", "ask", "age", "quality", "timestamp"}
        assert named <= first.keys()
        ages = [first["age"]]
        for _ in range(2):
            before = loop.time()
            message = await message_of(stream, "price_update", seconds=10)
            waited = loop.time() - before
            ages.append(message["age"])
            assert message["price"] == first["price"]
            assert waited <= 5.0 or waited - (ages[-1] - ages[-2]) > 0.3, "late, and not for want of a processor here"
        assert ages == sorted(ages)
        assert ages[2] - ages[0] > 5


async def test_an_interval_gives_the_newest_state_each_time(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    api = await start()
    async with api.stream() as stream:
        assert (await subscribe(stream, symbol="BTC", interval=1))["interval"] == 1
        assert (await message_of(stream, "price_update"))["price"] == 1
        await until_heard(store, "md.v1.ticker.all.BTC.>")
        began, seen = asyncio.get_running_loop().time(), 1
        for last in range(2, 50):
            await store.publish(f"md.v1.ticker.{TAIL}", ticker(str(last)))
        while (await message_of(stream, "price_update"))["price"] != 49:
            seen += 1
        assert seen <= asyncio.get_running_loop().time() - began + 1.5


async def test_an_interval_of_events_gives_together_what_came_since(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        assert (await subscribe(stream, symbol="BTC", channel="trades", interval=1))["interval"] == 1
        began = asyncio.get_running_loop().time()
        await until_heard(store, "md.v1.trade.*.BTC.>")
        for number in range(3):
            await store.publish(f"md.v1.trade.{TAIL}", trade(number))
        assert [(await message_of(stream, "trade"))["id"] for _ in range(3)] == ["t0", "t1", "t2"]
        assert asyncio.get_running_loop().time() - began > 0.9, "not before the interval is over"
