"""`WS /ws`: the conversation: keys, subscriptions, what is refused, and limits."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime

import pytest

from api.http.access.limits import Limit, default_limits
from api.stream.limits import StreamLimits
from tests.api.streaming import (
    clients,
    closing,
    is_heard,
    say,
    subscribe,
    until_heard,
)
from tests.api.world import ADMIN_KEY, READ_KEY, Start, Store, api_settings, message_of

pytestmark = pytest.mark.nats


async def test_connected_ping_and_subscriptions(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        connected = await message_of(stream, "connected")
        assert connected["authenticated"] is True
        assert "price" in connected["channels"]
        assert len(connected["client_id"]) == 16
        assert datetime.fromisoformat(connected["server_time"]).tzinfo is not None
        await say(stream, type="ping", id=7)
        assert (await message_of(stream, "pong"))["id"] == 7
        first = await subscribe(stream, symbols=["BTC", "eth-usdt"], channel="trades", id="mine")
        second = await message_of(stream, "subscribed")
        assert [(said["channel"], said["symbol"], said["id"]) for said in (first, second)] == [
            ("trades", "BTC", "mine"),
            ("trades", "ETH/USDT", "mine"),
        ]
        await say(stream, type="get_subscriptions", id=8)
        listed = await message_of(stream, "subscriptions")
        held = listed["subscriptions"]
        assert listed["id"] == 8
        assert [(item["channel"], item["symbol"]) for item in held] == [("trades", "BTC"), ("trades", "ETH/USDT")]
        await say(stream, type="unsubscribe", symbol="BTC", channel="trades", id=9)
        said = await message_of(stream, "unsubscribed")
        assert (said["channel"], said["symbol"], said["id"]) == ("trades", "BTC", 9)
        await say(stream, type="get_subscriptions")
        assert len((await message_of(stream, "subscriptions"))["subscriptions"]) == 1


async def test_a_refused_message_is_answered_with_its_id(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        for number, wrong in enumerate(
            ({"type": "dance"}, {"type": "subscribe"}, {"type": "subscribe", "symbol": "XYZ"})
        ):
            await say(stream, **wrong, id=number)
            assert (await message_of(stream, "error"))["id"] == number
        await say(stream, type="dance", id=["no", "id"])
        assert "id" not in await message_of(stream, "error")


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
    ('{"type":"subscribe","symbol":"BTC","channel":"trades","interval":3601}', "INVALID_PARAMETER", "parameter"),
    ('{"type":"subscribe","symbol":"BTC","channel":"candles","timeframe":"2m"}', "INVALID_PARAMETER", "parameter"),
    ('{"type":"unsubscribe","symbol":"BTC"}', "INVALID_PARAMETER", "parameter"),
]


async def test_what_is_wrong_is_reported_and_the_connection_stays(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "1")
    api = await start()
    async with api.stream() as stream:
        for text, code, detail in WRONG:
            await stream.send(text)
            error = await message_of(stream, "error")
            assert (text, error["code"]) == (text, code)
            assert error["message"]
            assert detail is None or detail in error["details"]
        await say(stream, type="ping")
        await message_of(stream, "pong")


async def test_without_a_key_there_is_an_error_and_1008(store: Store, start: Start) -> None:
    api = await start({"stream": StreamLimits(auth_seconds=0.3)})
    async with api.stream(key="wrong") as stream:
        assert (await message_of(stream, "error"))["code"] == "UNAUTHORIZED"
        assert await closing(stream) == 1008
    async with api.stream(key=None) as stream:
        await say(stream, type="subscribe", symbol="BTC")
        assert (await message_of(stream, "error"))["code"] == "UNAUTHORIZED"
        assert await closing(stream) == 1008
    async with api.stream(key=None) as stream:
        await say(stream, type="auth", key="wrong")
        assert (await message_of(stream, "error"))["code"] == "UNAUTHORIZED"
        assert await closing(stream) == 1008
    async with api.stream(key=None) as stream:  # says nothing at all
        assert (await message_of(stream, "error"))["code"] == "UNAUTHORIZED"
        assert await closing(stream) == 1008


async def test_a_key_as_first_message_opens(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream(key=None) as stream:
        assert (await message_of(stream, "connected"))["authenticated"] is False
        await say(stream, type="auth", key=READ_KEY)
        await message_of(stream, "authenticated")
        await say(stream, type="ping")
        await message_of(stream, "pong")


@pytest.mark.parametrize("key", [None, READ_KEY])
@pytest.mark.parametrize("wrong", ["wrong", READ_KEY + "x", "k" * 5000, "\u00e9\u6771", " "])
async def test_a_wrong_key_is_refused_where_none_is_needed(
    store: Store, start: Start, key: str | None, wrong: str
) -> None:
    api = await start(GPT_API_REQUIRE_AUTH="false")
    async with api.stream(key=key) as stream:
        assert (await message_of(stream, "connected"))["authenticated"] is True
        await say(stream, type="auth", key=wrong)
        said = json.loads(await stream.recv())
        assert (said["type"], said["code"]) == ("error", "UNAUTHORIZED")
        await say(stream, type="auth", key=READ_KEY)
        assert json.loads(await stream.recv())["type"] == "authenticated"


async def test_guessed_keys_wear_out_the_limit_of_an_address(store: Store, start: Start) -> None:
    limits = replace(default_limits(100, 60), address_anonymous=Limit("anonymous-ip", 3, 3600))
    api = await start({"limits": limits}, GPT_API_REQUIRE_AUTH="false")
    async with api.stream(key=None) as stream:
        await message_of(stream, "connected")
        for code in ("UNAUTHORIZED", "UNAUTHORIZED", "RATE_LIMITED"):
            await say(stream, type="auth", key="guess")
            assert (await message_of(stream, "error"))["code"] == code


async def test_an_address_off_the_list_is_turned_away(store: Store, start: Start) -> None:
    api = await start(GPT_API_IP_ALLOWLIST="10.0.0.0/8")
    async with api.stream() as stream:
        assert (await message_of(stream, "error"))["code"] == "FORBIDDEN"
        assert await closing(stream) == 1008


async def test_too_many_subscriptions_and_messages_are_refused(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        for _ in range(205):
            await say(stream, type="ping")
        error = await message_of(stream, "error")
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
        error = await message_of(stream, "error")
        assert (error["code"], error["details"]["maximum"], error["id"]) == ("LIMIT_REACHED", 3, 4)
        await say(stream, type="unsubscribe", symbol="BTC", channel="book")
        await message_of(stream, "unsubscribed")
        await subscribe(stream, symbol="BTC", channel="whales")
        async with api.stream() as second:
            await message_of(second, "connected")
            async with api.stream() as third:
                error = await message_of(third, "error")
                assert (error["code"], error["details"]["maximum"]) == ("LIMIT_REACHED", 2)
                assert await closing(third) == 1008
            answer = await api.get("/events?symbols=BTC")
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "LIMIT_REACHED")
        async with api.stream() as third:
            await message_of(third, "connected")


def test_the_limits_are_those_of_the_settings() -> None:
    limits = StreamLimits(connections_per_key=api_settings().connections_per_key)
    assert (limits.subscriptions, limits.connections_per_key) == (200, 20)


async def test_a_client_that_leaves_takes_its_subscriptions_along(store: Store, start: Start) -> None:
    api = await start()
    async with api.stream() as stream:
        await subscribe(stream, symbol="BTC", channel="trades")
        await until_heard(store, "md.v1.trade.*.BTC.>")
        await clients(api, 1)
    await clients(api, 0)
    async with asyncio.timeout(20):
        while await is_heard(store, "md.v1.trade.*.BTC.>"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
