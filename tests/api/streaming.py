"""What tests of the stream work with: messages of a client, events, and what the bus knows of subscriptions."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from contracts.market import Ticker, Trade
from contracts.signals import WhaleCluster
from tests.api.world import Api, Store, message_of, origin

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
    return await message_of(stream, "subscribed")


async def until_heard(store: Store, pattern: str) -> None:
    """Wait until the bus knows of a subscription of exactly this pattern."""
    async with asyncio.timeout(20):
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


async def closing(stream: ClientConnection) -> int | None:
    with suppress(ConnectionClosed):
        async with asyncio.timeout(20):
            async for _ in stream:
                pass
    return stream.close_code


async def clients(api: Api, count: int) -> None:
    await api.until("/health/detailed", lambda answer: answer.json()["stream"]["clients"] == count, seconds=10)


def large_cluster(name: str) -> WhaleCluster:
    """A cluster of 60 kB: no other event that is pushed can be that large."""
    fields = {"base": "BTC", "side": "buy", "pattern": "accumulation", "count": 3, "usd_value": "3000000.5"}
    names = {"venues": [f"{number:0240}" for number in range(250)], "whale_ids": [], "tier": "majors", "rule": "r"}
    return WhaleCluster.model_validate({**origin("all", "BTC/USD"), **fields, **names, "window_ns": 1, "id": name})
