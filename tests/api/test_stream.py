"""`WS /ws`: the conversation, and what is pushed when the bus says something."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from api.http.access.limits import Limit, default_limits
from api.stream.limits import StreamLimits
from api.stream.protocol import OF_ALL
from contracts.market import BookSnapshot, Candle, Liquidation, Ticker, Trade
from contracts.signals import WhaleCluster, WhaleTrade
from tests.api.world import ADMIN_KEY, READ_KEY, Api, Start, Store, api_settings, heard, origin, whale

pytestmark = pytest.mark.nats
NOTHING = dict.fromkeys(
    (
        *("bid", "bid_amount", "ask", "ask_amount", "open_24h", "high_24h", "low_24h"),
        *("volume_24h", "quote_volume_24h", "change_24h"),
    )
)
TAIL = "binance.BTC.USDT.spot"
LIQUIDATION = {
    **origin("binance", "BTC/USDT"),
    "price": "1.5",
    "price_kind": "fill",
    "amount": "2",
    "contracts": None,
    "sampled": True,
    "position_side": "long",
    "order_side": "sell",
}


async def say(stream: ClientConnection, **fields: Any) -> None:
    await stream.send(json.dumps(fields))


async def subscribe(stream: ClientConnection, **fields: Any) -> dict[str, Any]:
    await say(stream, type="subscribe", **fields)
    return await heard(stream, "subscribed")


async def until_heard(store: Store, pattern: str) -> None:
    """Wait until the bus knows of a subscription of exactly this pattern."""
    async with asyncio.timeout(5):
        while not await is_heard(store, pattern):  # noqa: ASYNC110  # the bus tells nobody
            await asyncio.sleep(0.02)


async def is_heard(store: Store, pattern: str) -> bool:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{store.monitor}/subsz?subs=1&limit=1000")
    return any(held["subject"] == pattern for held in answer.json()["subscriptions_list"])


def ticker(last: str | None = None, **parts: Any) -> Ticker:
    return Ticker.model_validate({**origin("binance", "BTC/USDT"), **NOTHING, "last": last, **parts})


def trade(number: int, **parts: Any) -> Trade:
    fields = {"trade_id": str(number), "price": "91000.10", "amount": "0.5", "contracts": None, "side": "buy"}
    return Trade.model_validate({**origin("binance", "BTC/USDT"), **fields, "id": f"t{number}", **parts})


async def test_what_two_subscriptions_share_goes_on_when_one_of_them_ends(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        for symbol in ("BTC", "BTC/USDT"):
            await subscribe(stream, channel="liquidations", symbol=symbol)
        await say(stream, type="unsubscribe", channel="liquidations", symbol="BTC")
        await heard(stream, "unsubscribed")
        await until_heard(store, "md.v1.liquidation.>")
        await store.publish(f"md.v1.liquidation.{TAIL}", Liquidation.model_validate(LIQUIDATION))
        assert (await heard(stream, "liquidation"))["symbol"] == "BTC/USDT"


async def test_connected_ping_and_subscriptions(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        connected = await heard(stream, "connected")
        assert connected["authenticated"] is True
        assert "price" in connected["channels"]
        assert len(connected["client_id"]) == 16
        assert datetime.fromisoformat(connected["server_time"]).tzinfo is not None
        await say(stream, type="ping", id=7)
        assert (await heard(stream, "pong"))["id"] == 7
        first = await subscribe(stream, symbols=["BTC", "eth-usdt"], channel="trades", id="mine")
        second = await heard(stream, "subscribed")
        assert [(said["channel"], said["symbol"], said["id"]) for said in (first, second)] == [
            ("trades", "BTC", "mine"),
            ("trades", "ETH/USDT", "mine"),
        ]
        await say(stream, type="get_subscriptions", id=8)
        listed = await heard(stream, "subscriptions")
        held = listed["subscriptions"]
        assert listed["id"] == 8
        assert [(item["channel"], item["symbol"]) for item in held] == [("trades", "BTC"), ("trades", "ETH/USDT")]
        await say(stream, type="unsubscribe", symbol="BTC", channel="trades", id=9)
        said = await heard(stream, "unsubscribed")
        assert (said["channel"], said["symbol"], said["id"]) == ("trades", "BTC", 9)
        await say(stream, type="get_subscriptions")
        assert len((await heard(stream, "subscriptions"))["subscriptions"]) == 1


async def test_a_refused_message_is_answered_with_its_id(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        for number, wrong in enumerate(
            ({"type": "dance"}, {"type": "subscribe"}, {"type": "subscribe", "symbol": "XYZ"})
        ):
            await say(stream, **wrong, id=number)
            assert (await heard(stream, "error"))["id"] == number
        await say(stream, type="dance", id=["no", "id"])
        assert "id" not in await heard(stream, "error")


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
        assert [(await heard(stream, "whale"))["usd_value"] for _ in range(2)] == [7.0, 8.0]


WRONG: list[tuple[str | bytes, str, str | None]] = [
    ("{", "INVALID_BODY", None),
    ("[]", "INVALID_BODY", None),
    (b"\x00", "INVALID_BODY", None),
    ('{"type":"dance"}', "INVALID_PARAMETER", "supported_types"),
    ("{}", "INVALID_PARAMETER", "supported_types"),
    (f'{{"type":"subscribe","symbol":"{"B" * 65}"}}', "INVALID_PARAMETER", "parameter"),
    ('{"type":"subscribe","symbol":"BTC","channel":"news"}', "INVALID_PARAMETER", "supported_channels"),
    ('{"type":"subscribe","symbol":"BTC","channel":[]}', "INVALID_PARAMETER", "supported_channels"),
    ('{"type":"subscribe","symbol":"XYZ"}', "INVALID_SYMBOL", "supported_symbols"),
    ('{"type":"subscribe"}', "INVALID_PARAMETER", "parameter"),
    ('{"type":"subscribe","symbols":"BTC"}', "INVALID_PARAMETER", "parameter"),
    ('{"type":"subscribe","symbol":"BTC","interval":0}', "INVALID_PARAMETER", "parameter"),
    ('{"type":"subscribe","symbol":"BTC","channel":"trades","interval":5}', "INVALID_PARAMETER", "parameter"),
    ('{"type":"subscribe","symbol":"BTC","channel":"candles","timeframe":"2m"}', "INVALID_PARAMETER", "parameter"),
    ('{"type":"unsubscribe","symbol":"BTC"}', "INVALID_PARAMETER", "parameter"),
]


async def test_what_is_wrong_is_told_and_the_connection_stays(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    api = await start()
    async with api.stream() as stream:
        for text, code, detail in WRONG:
            await stream.send(text)
            error = await heard(stream, "error")
            assert (text, error["code"]) == (text, code)
            assert error["message"]
            assert detail is None or detail in error["details"]
        await say(stream, type="ping")
        await heard(stream, "pong")


async def closing(stream: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        async with asyncio.timeout(5):
            async for _ in stream:
                pass
    return stream.close_code


async def test_without_a_key_there_is_an_error_and_1008(store: Store, start: Start) -> None:
    api = await start({"stream": StreamLimits(auth_seconds=0.3)})
    async with api.stream(key="wrong") as stream:
        assert (await heard(stream, "error"))["code"] == "UNAUTHORIZED"
        assert await closing(stream) == 1008
    async with api.stream(key=None) as stream:
        await say(stream, type="subscribe", symbol="BTC")
        assert (await heard(stream, "error"))["code"] == "UNAUTHORIZED"
        assert await closing(stream) == 1008
    async with api.stream(key=None) as stream:
        await say(stream, type="auth", key="wrong")
        assert (await heard(stream, "error"))["code"] == "UNAUTHORIZED"
        assert await closing(stream) == 1008
    async with api.stream(key=None) as stream:  # says nothing at all
        assert (await heard(stream, "error"))["code"] == "UNAUTHORIZED"
        assert await closing(stream) == 1008


async def test_a_key_as_first_message_opens(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream(key=None) as stream:
        assert (await heard(stream, "connected"))["authenticated"] is False
        await say(stream, type="auth", key=READ_KEY)
        await heard(stream, "authenticated")
        await say(stream, type="ping")
        await heard(stream, "pong")


@pytest.mark.parametrize("key", [None, READ_KEY])
@pytest.mark.parametrize("wrong", ["wrong", READ_KEY + "x", "k" * 5000, "\u00e9\u6771", " "])
async def test_a_wrong_key_is_refused_where_none_is_needed(
    store: Store, start: Start, key: str | None, wrong: str
) -> None:
    api = await start(GPT_API_REQUIRE_AUTH="false")
    async with api.stream(key=key) as stream:
        assert (await heard(stream, "connected"))["authenticated"] is True
        await say(stream, type="auth", key=wrong)
        said = json.loads(await stream.recv())
        assert (said["type"], said["code"]) == ("error", "UNAUTHORIZED")
        await say(stream, type="auth", key=READ_KEY)
        assert json.loads(await stream.recv())["type"] == "authenticated"


async def test_guessed_keys_wear_out_the_limit_of_an_address(store: Store, start: Start) -> None:
    limits = replace(default_limits(100, 60), address_anonymous=Limit("anonymous-ip", 3, 3600))
    api = await start({"limits": limits}, GPT_API_REQUIRE_AUTH="false")
    async with api.stream(key=None) as stream:
        await heard(stream, "connected")
        for code in ("UNAUTHORIZED", "UNAUTHORIZED", "RATE_LIMITED"):
            await say(stream, type="auth", key="guess")
            assert (await heard(stream, "error"))["code"] == code


async def test_an_address_off_the_list_is_turned_away(store: Store, start: Start) -> None:
    api = await start(GPT_API_IP_ALLOWLIST="10.0.0.0/8")
    async with api.stream() as stream:
        assert (await heard(stream, "error"))["code"] == "FORBIDDEN"
        assert await closing(stream) == 1008


async def test_a_price_is_pushed_when_it_changes_and_only_then(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.10", bid="91000", ask="91001", volume_24h="5")
    api = await start()
    async with api.stream() as stream:
        await subscribe(stream, symbol="BTC")
        first = await heard(stream, "price_update")
        assert (first["symbol"], first["price"], first["quality"]) == ("BTC", 91000.10, "live")
        await until_heard(store, "md.v1.ticker.all.BTC.>")
        await store.publish(f"md.v1.ticker.{TAIL}", ticker("91002.5"))
        second = await heard(stream, "price_update")
        assert (second["price"], second["bid"]) == (91002.5, 91000)
        await store.publish(f"md.v1.ticker.{TAIL}", ticker("91002.5"))
        await store.publish(f"md.v1.ticker.{TAIL}", ticker("91003"))
        assert (await heard(stream, "price_update"))["price"] == 91003


async def test_a_price_is_pushed_for_what_only_the_state_tells(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        await subscribe(stream, symbol="BTC")
        await store.put_ticker("binance", "BTC/USDT", "91000")
        assert (await heard(stream, "price_update"))["price"] == 91000
        await store.put_feed("binance", connected=False, state="down")
        assert (await heard(stream, "price_update"))["quality"] == "stale"


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
            async with asyncio.timeout(5):
                text = str(await stream.recv())
            assert json.loads(text)["type"] == kind
            assert literal in text


async def test_what_is_not_subscribed_is_not_pushed(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        await subscribe(stream, symbol="ETH/BTC", channel="trades")
        await subscribe(stream, symbol="BTC", channel="trades")
        await say(stream, type="unsubscribe", symbol="BTC", channel="trades")
        await heard(stream, "unsubscribed")
        await until_heard(store, "md.v1.trade.*.ETH.>")
        await store.publish(f"md.v1.trade.{TAIL}", trade(1))
        await store.publish("md.v1.trade.binance.ETH.USDT.spot", trade(2, symbol="ETH/USDT"))
        await store.publish("md.v1.trade.binance.ETH.BTC.spot", trade(3, symbol="ETH/BTC"))
        assert (await heard(stream, "trade"))["id"] == "t3"


async def test_a_quiet_price_is_sent_every_five_seconds_and_grows_older(store: Store, start: Start) -> None:
    await store.put_ticker(
        "binance", "BTC/USDT", "91000.10", bid="91000", ask="91001", volume_24h="5", change_24h="1.5"
    )
    api = await start()
    loop = asyncio.get_running_loop()
    async with api.stream() as stream:
        await subscribe(stream, symbol="BTC")
        first = await heard(stream, "price_update")
        named = {"symbol", "price", "change_24h", "volume_24h", "bid", "ask", "age", "quality", "timestamp"}
        assert named <= first.keys()
        ages = [first["age"]]
        for _ in range(2):
            before = loop.time()
            message = await heard(stream, "price_update", seconds=10)
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
        assert (await heard(stream, "price_update"))["price"] == 1
        await until_heard(store, "md.v1.ticker.all.BTC.>")
        for last in range(2, 50):
            await store.publish(f"md.v1.ticker.{TAIL}", ticker(str(last)))
        assert (await heard(stream, "price_update"))["price"] == 49


async def test_too_many_subscriptions_and_messages_are_refused(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        for _ in range(205):
            await say(stream, type="ping")
        error = await heard(stream, "error")
        assert (error["code"], error["details"]["retry_after"] >= 1) == ("RATE_LIMITED", True)


async def test_a_connection_holds_so_many_subscriptions_and_a_key_so_many_connections(
    store: Store, start: Start
) -> None:
    api = await start({"stream": StreamLimits(subscriptions=3, connections_per_key=2)})
    async with api.stream() as stream, api.stream(key=ADMIN_KEY):
        for channel in ("price", "trades", "book"):
            await subscribe(stream, symbol="BTC", channel=channel)
        await subscribe(stream, symbol="BTC", channel="book", id="again")
        await say(stream, type="subscribe", symbols=["BTC", "ETH"], channel="whales", id=4)
        error = await heard(stream, "error")
        assert (error["code"], error["details"]["maximum"], error["id"]) == ("LIMIT_REACHED", 3, 4)
        await say(stream, type="unsubscribe", symbol="BTC", channel="book")
        await heard(stream, "unsubscribed")
        await subscribe(stream, symbol="BTC", channel="whales")
        async with api.stream() as second:
            await heard(second, "connected")
            async with api.stream() as third:
                error = await heard(third, "error")
                assert (error["code"], error["details"]["maximum"]) == ("LIMIT_REACHED", 2)
                assert await closing(third) == 1008
            answer = await api.get("/events?symbols=BTC")
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "LIMIT_REACHED")
        async with api.stream() as third:
            await heard(third, "connected")


def test_the_limits_are_those_of_the_settings() -> None:
    limits = StreamLimits(connections_per_key=api_settings().connections_per_key)
    assert (limits.subscriptions, limits.connections_per_key) == (200, 20)


async def test_a_client_that_does_not_read_is_closed_and_slows_nobody(store: Store, start: Start) -> None:
    api = await start({"stream": StreamLimits(send_seconds=0.5)})
    async with api.stream() as good, api.stream(max_queue=1) as bad:
        for stream in (good, bad):
            await subscribe(stream, symbol="BTC", channel="alerts")
        await until_heard(store, "signal.v1.cluster.>")
        bad.transport.pause_reading()
        for burst in range(20):
            for number in range(10):
                body = large_cluster(f"{burst}-{number}").model_dump_json().encode()
                await store.bus.client.publish("signal.v1.cluster.all.BTC.USD.any", body)
            async with asyncio.timeout(5):
                while (await heard(good, "alert"))["id"] != f"{burst}-9":
                    pass
        await clients(api, 1)
        assert "hydrophone_stream_closed_slow_total 1.0" in (await api.get("/metrics")).text
        bad.transport.resume_reading()
        assert await closing(bad) == 1013


def large_cluster(name: str) -> WhaleCluster:
    """A cluster of 60 kB: no other event that is pushed can be that large."""
    fields = {"base": "BTC", "side": "buy", "pattern": "accumulation", "count": 3, "usd_value": "3000000.5"}
    names = {"venues": [f"{number:0240}" for number in range(250)], "whale_ids": [], "tier": "majors", "rule": "r"}
    return WhaleCluster.model_validate({**origin("all", "BTC/USD"), **fields, **names, "window_ns": 1, "id": name})


async def clients(api: Api, count: int) -> None:
    await api.until("/health/detailed", lambda answer: answer.json()["stream"]["clients"] == count, seconds=10)


async def test_a_client_that_leaves_takes_its_subscriptions_along(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        await subscribe(stream, symbol="BTC", channel="trades")
        await until_heard(store, "md.v1.trade.*.BTC.>")
        await clients(api, 1)
    await clients(api, 0)
    async with asyncio.timeout(5):
        while await is_heard(store, "md.v1.trade.*.BTC.>"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
