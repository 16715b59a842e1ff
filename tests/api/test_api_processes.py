"""Two API processes on one bus: one is killed, and the other's clients notice nothing."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from api.stream.held import HeldElsewhere
from runtime.clients.market_client import SECONDS
from runtime.servers.embedded import NatsServer
from tests.api.streaming import TAIL, say, trade, until_heard
from tests.api.test_connections import api_process
from tests.api.test_market_core import Starvation
from tests.api.world import READ_KEY, Store, answering, message_of

pytestmark = [pytest.mark.nats, pytest.mark.slow, pytest.mark.timeout(180)]
BEARER = {"Authorization": f"Bearer {READ_KEY}"}
SETTINGS = {"GPT_API_RATE_LIMIT_REQUESTS": "100000"}


class Client:
    """What one client of an API process receives: answers to its requests, and messages of its stream."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: list[tuple[int, str]] = []
        self.messages: list[dict[str, Any]] = []
        self.closed = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            stream = await stack.enter_async_context(
                connect(f"ws://127.0.0.1:{self.port}/ws", additional_headers=BEARER, compression=None)
            )
            for channel in ("trades", "price"):
                await say(stream, type="subscribe", symbol="BTC", channel=channel)
                await message_of(stream, "subscribed")
            tasks = [asyncio.create_task(work) for work in (self._keep_requesting(), self._keep_reading(stream))]
            yield
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_requesting(self) -> None:
        async with httpx.AsyncClient(headers=BEARER, base_url=f"http://127.0.0.1:{self.port}", timeout=10) as client:
            while True:
                answer = await client.get("/gpt/raw?symbol=BTC")
                self.answers.append((answer.status_code, answer.json().get("quality", answer.text)))
                await asyncio.sleep(0.05)

    async def _keep_reading(self, stream: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                self.messages.append(json.loads(await stream.recv()))
        self.closed.set()

    async def until_messages(self, kind: str, count: int) -> None:
        async with asyncio.timeout(30):
            while sum(message["type"] == kind for message in self.messages) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def keep_publishing(store: Store) -> None:
    number = 0
    while True:
        number += 1
        await store.publish(f"md.v1.trade.{TAIL}", trade(number))
        await store.put_ticker("binance", "BTC/USDT", f"91000.{number % 90 + 10}", volume_24h="5")
        await asyncio.sleep(0.02)


async def test_of_two_processes_one_is_killed_and_the_clients_of_the_other_notice_nothing(
    store: Store, api_nats: NatsServer
) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000", volume_24h="5")
    async with (
        answering(api_nats.url),
        api_process(api_nats, **SETTINGS) as (killed_port, killed_pid),
        api_process(api_nats, **SETTINGS) as (port, _),
    ):
        killed, client, starvation = Client(killed_port), Client(port), Starvation()
        measuring = asyncio.create_task(starvation.keep_measuring())
        async with killed.running(), client.running():
            await until_heard(store, "md.v1.trade.*.BTC.>")
            publishing = asyncio.create_task(keep_publishing(store))
            for one in (killed, client):
                await one.until_messages("trade", 20)
            os.kill(killed_pid, signal.SIGKILL)
            await asyncio.wait_for(killed.closed.wait(), 5)
            requests = len(client.answers)
            await client.until_messages("trade", 120)
            async with asyncio.timeout(30):
                while len(client.answers) < requests + 20:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            publishing.cancel()
            measuring.cancel()
            assert not client.closed.is_set()
    assert {status for status, _ in client.answers} == {200}
    late = starvation.seconds > SECONDS  # the core is in this process: without a processor it does not answer in time
    assert {quality for _, quality in client.answers} <= ({"live", "stale"} if late else {"live"})
    numbers = [int(message["id"].removeprefix("t")) for message in client.messages if message["type"] == "trade"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert {message["type"] for message in client.messages} <= {"trade", "price_update"}
    assert not any("dropped" in message for message in client.messages)


async def open_streams(stack: AsyncExitStack, port: int, count: int) -> list[str]:
    """Open streams that stay open; return each one's first message, or the code with which it was refused."""
    found: list[str] = []
    for _ in range(count):
        connecting = connect(f"ws://127.0.0.1:{port}/ws", additional_headers=BEARER, compression=None)
        stream = await stack.enter_async_context(connecting)
        first = json.loads(await asyncio.wait_for(stream.recv(), 10))
        found.append(first.get("code", first["type"]))
    return found


async def test_connections_of_a_key_count_over_all_processes_and_those_of_a_dead_one_are_forgotten(
    store: Store, api_nats: NatsServer
) -> None:
    settings = {**SETTINGS, "GPT_API_STREAM_CONNECTIONS_PER_KEY": "4"}
    async with (
        answering(api_nats.url),
        api_process(api_nats, **settings) as (killed_port, killed_pid),
        api_process(api_nats, **settings) as (port, _),
        AsyncExitStack() as stack,
    ):
        assert await open_streams(stack, killed_port, 3) == ["connected"] * 3
        uid = f"settings.{hashlib.sha256(READ_KEY.encode()).hexdigest()[:16]}"
        held = HeldElsewhere(store.bus)
        listening = asyncio.create_task(held.run(dict))
        async with asyncio.timeout(20):
            while held.count(uid) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        listening.cancel()
        assert await open_streams(stack, port, 2) == ["connected", "LIMIT_REACHED"]
        os.kill(killed_pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while await open_streams(stack, port, 1) != ["connected"]:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
