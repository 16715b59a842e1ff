"""`WS /graphql`: subscriptions over graphql-transport-ws, their keys and their limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from api.http.access.limits import Limit, default_limits
from contracts.market import Liquidation
from contracts.signals import WhaleTrade
from tests.api.world import READ_KEY, Api, Start, Store, origin, whale

pytestmark = pytest.mark.nats
TAIL = "binance.BTC.USDT.spot"
PRICES = 'subscription { priceUpdates(symbols: ["BTC"]) { symbol price change_24h change24h quality age timestamp } }'
WHALES = 'subscription { whaleUpdates(symbols: ["BTC"]) { id usdValue side exchange sim tier } }'
LIQUIDATIONS = 'subscription { liquidationUpdates(symbols: ["BTC"]) { id side price exchange sampled } }'
NO_MESSAGES = (
    "{",
    "[]",
    "[" * 60_000,
    '{"type":"nothing"}',
    '{"type":"subscribe","id":"1","payload":{"query":1}}',
    '{"type":"subscribe","id":[],"payload":{"query":"{x}"}}',
)
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


@asynccontextmanager
async def opened(api: Api, key: str | None = READ_KEY, **more: Any) -> AsyncGenerator[ClientConnection]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    url = f"ws://127.0.0.1:{api.port}/graphql"
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(url, additional_headers={**headers, **more}, subprotocols=protocols, compression=None) as socket:
        yield socket


async def say(socket: ClientConnection, **fields: Any) -> None:
    await socket.send(json.dumps(fields))


async def receive(socket: ClientConnection, kind: str, seconds: float = 10.0) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        while True:
            message = json.loads(await socket.recv(), parse_float=Decimal)
            if message["type"] == kind:
                return message


async def begin(socket: ClientConnection, payload: dict[str, Any] | None = None) -> None:
    await say(socket, type="connection_init", **({} if payload is None else {"payload": payload}))
    await receive(socket, "connection_ack")


async def subscribe(socket: ClientConnection, query: str, name: str = "1") -> None:
    await say(socket, type="subscribe", id=name, payload={"query": query})


async def publish_until(store: Store, socket: ClientConnection, subject: str, event: Any) -> dict[str, Any]:
    """Publish an event until an update of it arrives: the bus is read only once a subscription has begun."""
    pending = asyncio.ensure_future(receive(socket, "next"))
    async with asyncio.timeout(30):
        while not pending.done():
            await store.publish(subject, event)
            await asyncio.wait({pending}, timeout=0.1)
    return pending.result()["payload"]["data"]


async def test_a_price_is_sent_at_once_and_with_every_digit(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.12345678901234567890", change_24h="1.50")
    api = await start()
    async with opened(api) as socket:
        await begin(socket)
        await subscribe(socket, PRICES)
        message = await receive(socket, "next")
        update = message["payload"]["data"]["priceUpdates"]
        assert (update["symbol"], update["price"]) == ("BTC", Decimal("91000.12345678901234567890"))
        assert (update["change_24h"], update["change24h"]) == (Decimal("1.50"), Decimal("1.50"))
        assert update["quality"] == "live"
        await say(socket, type="complete", id="1")
        await say(socket, type="ping")
        await receive(socket, "pong")


async def test_whales_and_liquidations_are_pushed(store: Store, start: Start) -> None:
    api = await start()
    async with opened(api, key=None) as socket:
        await begin(socket, {"Authorization": f"Bearer {READ_KEY}"})
        await subscribe(socket, WHALES, "whales")
        trade = WhaleTrade.model_validate(whale("binance", "BTC/USDT", "2000000.10"))
        found = (await publish_until(store, socket, f"signal.v1.whale.{TAIL}", trade))["whaleUpdates"]
        assert (found["usdValue"], found["sim"], found["tier"]) == (Decimal("2000000.10"), False, "majors")
        await say(socket, type="complete", id="whales")
        await subscribe(socket, LIQUIDATIONS, "liquidations")
        event = Liquidation.model_validate(LIQUIDATION)
        found = (await publish_until(store, socket, f"md.v1.liquidation.{TAIL}", event))["liquidationUpdates"]
        assert (found["side"], found["price"], found["sampled"]) == ("long", Decimal("1.5"), True)


async def test_a_query_is_answered_too(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000")
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", "2000000")])
    api = await start()
    async with opened(api) as socket:
        await begin(socket, {"key": READ_KEY})
        await subscribe(socket, '{ whaleTransactions(symbol: "BTC") { id } }')
        payload = (await receive(socket, "next"))["payload"]
        assert "errors" not in payload, payload
        assert payload["extensions"]["beside"]["whaleTransactions"]["quality"] == "live"
        await receive(socket, "complete")
        await subscribe(socket, 'subscription { priceUpdates(symbols: ["NOPE"]) { price } }', "2")
        [error] = (await receive(socket, "error"))["payload"]
        assert error["extensions"]["code"] == "INVALID_SYMBOL"


async def test_more_than_twenty_operations_are_refused(store: Store, start: Start) -> None:
    api = await start()
    async with opened(api) as socket:
        await begin(socket)
        for number in range(21):
            await subscribe(socket, WHALES, str(number))
        refused = await receive(socket, "error")
        assert refused["id"] == "20"
        assert refused["payload"][0]["extensions"]["code"] == "LIMIT_REACHED"


@pytest.mark.parametrize("payload", [{}, {"key": "wrong-key-0123456789"}, {"Authorization": "Basic abc"}, {"key": 1}])
async def test_a_key_that_is_not_known_is_closed(start: Start, payload: dict[str, Any]) -> None:
    api = await start()
    async with opened(api, key=None) as socket:
        await say(socket, type="connection_init", payload=payload)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(socket, "connection_ack")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4403


async def test_a_wrong_header_and_another_origin_do_not_come_in(start: Start) -> None:
    api = await start()
    for key, more in (("wrong-key-0123456789", {}), (READ_KEY, {"Origin": "https://elsewhere.example"})):
        with pytest.raises(InvalidStatus) as refused:
            async with opened(api, key, **more):
                pass
        assert refused.value.response.status_code == 403


async def test_each_operation_counts_as_a_request(start: Start) -> None:
    roomy = default_limits(1000, 60, address=100_000, everybody=1_000_000)
    limits = replace(roomy, key=Limit("key", 4, 3600))
    api = await start({"limits": limits})
    async with opened(api) as socket:
        await begin(socket)
        for number in range(6):
            await subscribe(socket, "{ __typename }", str(number))
        [error] = (await receive(socket, "error"))["payload"]
        assert (error["extensions"]["code"], error["extensions"]["details"]["limit"]) == ("RATE_LIMITED", "key")


async def test_what_is_no_message_closes(start: Start) -> None:
    api = await start()
    for text in NO_MESSAGES:
        async with opened(api) as socket:
            await begin(socket)
            await socket.send(text)
            with pytest.raises(ConnectionClosed) as closed:
                await receive(socket, "next")
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4400, text[:60]
