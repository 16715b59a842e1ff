"""A key that is refused from now on: its open streams end within a second, those of others go on."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from contracts.streams import ACCESS
from tests.api.test_route_table import put_key
from tests.api.world import Api, Start, Store, message_of

pytestmark = pytest.mark.nats
GRAPHQL = Subprotocol("graphql-transport-ws")
UPDATES = 'subscription { priceUpdates(symbols: ["BTC"]) { price } }'


async def revoke(store: Store, key: str) -> None:
    bucket = await store.bus.client.jetstream().key_value(ACCESS)
    await bucket.delete(key.partition(".")[0])


async def until_accepted(api: Api, key: str) -> None:
    async with asyncio.timeout(10):
        while (await api.get("/gpt/raw?symbol=BTC", key=key)).status_code != 200:  # noqa: ASYNC110  # the mirror says nothing
            await asyncio.sleep(0.02)


async def until_ended(socket: ClientConnection) -> list[str]:
    """Read until the server closes, within a second; gives the codes of its errors."""
    codes: list[str] = []
    async with asyncio.timeout(1.5):
        try:
            while True:
                message = json.loads(await socket.recv())
                codes += [message["code"]] if message["type"] == "error" else []
        except ConnectionClosed:
            return codes


async def follow(api: Api, key: str) -> str:
    """Read `/events` until it ends; says how."""
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with api.client.stream("GET", "/events?channels=whales", headers=headers, timeout=30) as answer:
            async for _ in answer.aiter_raw():
                pass
    except httpx.HTTPError as error:
        return type(error).__name__
    return "ended"


async def subscribe(socket: ClientConnection, payload: dict[str, str]) -> None:
    await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
    assert json.loads(await socket.recv())["type"] == "connection_ack"
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": UPDATES}}))
    assert json.loads(await socket.recv())["type"] == "next"


async def test_open_streams_of_a_revoked_key_end(store: Store, start: Start) -> None:
    key, other = [await put_key(store, number, "alice", ("market:read",)) for number in (1, 2)]
    await store.put_ticker("binance", "BTC/USDT", "91000.10")
    api = await start()
    await until_accepted(api, key)
    await until_accepted(api, other)
    graphql = f"ws://127.0.0.1:{api.port}/graphql"
    async with (
        api.stream(key) as socket,
        api.stream(other) as kept,
        connect(graphql, subprotocols=[GRAPHQL], additional_headers={"Authorization": f"Bearer {key}"}) as by_header,
        connect(graphql, subprotocols=[GRAPHQL]) as by_message,
    ):
        await message_of(socket, "connected")
        await message_of(kept, "connected")
        await subscribe(by_header, {})
        await subscribe(by_message, {"key": key})
        events = asyncio.create_task(follow(api, key))
        await asyncio.sleep(0.3)
        assert not events.done()
        await revoke(store, key)
        assert await until_ended(socket) == ["UNAUTHORIZED"]
        await until_ended(by_header)
        await until_ended(by_message)
        async with asyncio.timeout(1.5):
            assert await events in {"ended", "RemoteProtocolError"}
        await kept.send('{"type":"ping"}')
        await message_of(kept, "pong")
