"""`WS /ws`: clients that read nothing, beside those that read."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.http import server
from api.stream.limits import StreamLimits
from runtime.servers.embedded import NatsServer
from tests.api.streaming import TAIL, clients, closing, large_cluster, say, subscribe, trade, until_heard
from tests.api.test_connections import api_process, memory_of
from tests.api.world import Start, Store, answering, message_of

pytestmark = pytest.mark.nats
CLUSTERS = "signal.v1.cluster.all.BTC.USD.any"
HEALTHY, STUCK, KEY_HOLDS = 180, 20, 20
KEYS = [f"reader-key-of-many-{number:04}" for number in range((HEALTHY + STUCK) // KEY_HOLDS)]
MIB = 1024 * 1024
TRADE_OR_PING = re.compile(rb'"type":"trade","id":"(t\d+)"|\x89\x04(.{4})', re.DOTALL)
LONGEST = 40  # bytes that it may match


async def test_a_client_that_does_not_read_is_closed_and_slows_nobody(store: Store, start: Start) -> None:
    api = await start({"stream": StreamLimits(send_seconds=0.5)})
    async with api.stream() as good, api.stream(max_queue=1) as bad:
        for stream in (good, bad):
            await subscribe(stream, symbol="BTC", channel="alerts")
        await until_heard(store, "signal.v1.cluster.>")
        bad.transport.pause_reading()

        async def read_when_closed() -> int | None:
            closed = "hydrophone_stream_closed_slow_total 1.0"
            await api.until("/metrics", lambda answer: closed in answer.text, seconds=30)
            bad.transport.resume_reading()
            return await closing(bad)

        code = asyncio.create_task(read_when_closed())
        for burst in range(20):
            for number in range(10):
                await store.bus.client.publish(CLUSTERS, large_cluster(f"{burst}-{number}").model_dump_json().encode())
            async with asyncio.timeout(20):
                while (await message_of(good, "alert"))["id"] != f"{burst}-9":
                    pass
        assert await code == 1013


async def test_a_client_of_a_quiet_stream_that_reads_nothing_is_closed(
    store: Store, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.PING_SECONDS + server.PONG_SECONDS + server.LATE_SECONDS + server.CUT_SECONDS < 10
    monkeypatch.setattr(server, "PING_SECONDS", 0.2)
    monkeypatch.setattr(server, "PONG_SECONDS", 2.0)
    api = await start()
    async with api.stream() as good, api.stream() as bad:
        await message_of(good, "connected")
        bad.transport.pause_reading()
        await clients(api, 2)
        await clients(api, 1)
        await say(good, type="ping")
        await message_of(good, "pong")


class Reader(asyncio.Protocol):
    """One client of `/ws`: notes when each trade came; one that is `stuck` reads no more once it has subscribed."""

    def __init__(self, key: str, channels: list[str], *, stuck: bool) -> None:
        head = (
            "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        )
        nonce = base64.b64encode(os.urandom(16)).decode()
        self._head = f"{head}Sec-WebSocket-Key: {nonce}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        self._hello = [json.dumps({"type": "subscribe", "symbol": "BTC", "channel": name}) for name in channels]
        self._stuck = stuck
        self._begun = False
        self._buffer = b""
        self.came: dict[str, float] = {}
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost_at: float | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._head)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost_at = time.monotonic()

    def data_received(self, data: bytes) -> None:
        now, self._buffer = time.monotonic(), self._buffer + data
        if not self._begun and b"\r\n\r\n" in self._buffer:
            self._begun = True
            for text in self._hello:
                self._transport.write(bytes((0x81, 0x80 | len(text))) + bytes(4) + text.encode())
        if not self.subscribed.done():
            if self._buffer.count(b'"subscribed"') == len(self._hello):
                self.subscribed.set_result(None)
                self._buffer = b""
                if self._stuck:
                    self._transport.pause_reading()
            return
        for found in TRADE_OR_PING.finditer(self._buffer):
            if found[1]:
                self.came.setdefault(found[1].decode(), now)
            else:
                self._transport.write(b"\x8a\x84" + bytes(4) + found[2])
        self._buffer = self._buffer[-LONGEST:]  # what is found there again changes nothing


async def join(port: int, number: int, *, stuck: bool) -> Reader:
    loop = asyncio.get_running_loop()
    channels = ["trades", "alerts"] if stuck else ["trades"]
    make = lambda: Reader(KEYS[number // KEY_HOLDS], channels, stuck=stuck)  # noqa: E731
    _, reader = await loop.create_connection(make, "127.0.0.1", port)
    async with asyncio.timeout(30):
        await reader.subscribed
    return reader


def starvation(pid: int) -> float:
    """Seconds that the API and this process were ready to run and had no processor."""
    return sum(int(Path(f"/proc/{one}/schedstat").read_text().split()[1]) for one in (pid, os.getpid())) / 1e9


class Phase:
    """Trades published at a steady rate, and how long each took to each healthy client."""

    def __init__(self, store: Store, pid: int, readers: list[Reader]) -> None:
        self._store, self._pid, self._readers = store, pid, readers
        self.p99 = self.starved = 0.0

    async def run(self, first: int, count: int) -> None:
        bodies = [(f"t{number}", trade(number).model_dump_json().encode()) for number in range(first, first + count)]
        starved, sent = starvation(self._pid), dict[str, float]()
        for name, body in bodies:
            sent[name] = time.monotonic()
            await self._store.bus.client.publish(f"md.v1.trade.{TAIL}", body)
            await asyncio.sleep(0.02)
        async with asyncio.timeout(30):
            while any(sent.keys() - reader.came.keys() for reader in self._readers):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        self.starved = starvation(self._pid) - starved
        took = sorted(reader.came[name] - at for reader in self._readers for name, at in sent.items())
        self.p99 = took[len(took) * 99 // 100]


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_20_of_200_that_never_read_are_closed_and_cost_the_others_nothing(
    store: Store, api_nats: NatsServer, record_property: Callable[[str, object], None]
) -> None:
    named = {"GPT_API_API_KEYS": ",".join(KEYS), "GPT_API_CONNECTIONS_PER_ADDRESS": "400"}
    async with answering(api_nats.url), api_process(api_nats, **named) as (port, pid):
        healthy = [await join(port, number, stuck=False) for number in range(HEALTHY)]
        await until_heard(store, "md.v1.trade.*.BTC.>")
        alone, beside = Phase(store, pid, healthy), Phase(store, pid, healthy)
        await Phase(store, pid, healthy).run(0, 20)  # warm
        await alone.run(100, 100)
        stuck = [await join(port, HEALTHY + number, stuck=True) for number in range(STUCK)]
        await until_heard(store, "signal.v1.cluster.>")
        began, starved, memory = time.monotonic(), starvation(pid), memory_of(pid)
        flood = asyncio.create_task(publish_clusters(store, 150))
        await beside.run(1000, 100)
        await flood
        grown = memory_of(pid) - memory
        async with asyncio.timeout(60), httpx.AsyncClient() as client:
            while (await count_clients(client, port)) > HEALTHY:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        seconds = time.monotonic() - began - (starvation(pid) - starved)
        record_property(
            "figure",
            f"memory +{grown / MIB:.0f} MiB, healthy p99 {alone.p99 * 1e3:.0f} -> {beside.p99 * 1e3:.0f} ms "
            f"({beside.starved * 1e3:.0f} ms of it without a processor), stalled ones closed in {seconds:.1f} s",
        )
        assert seconds <= 10
        assert grown < 64 * MIB, "20 copies of what was published are 180 MB"
        assert beside.p99 <= 1.2 * alone.p99 + 0.005 + beside.starved, (alone.p99, beside.p99, beside.starved)
        assert all(reader.lost_at is None for reader in healthy)
        assert stuck


async def publish_clusters(store: Store, count: int) -> None:
    for number in range(count):
        await store.bus.client.publish(CLUSTERS, large_cluster(str(number)).model_dump_json().encode())
        await asyncio.sleep(0.02)


async def count_clients(client: httpx.AsyncClient, port: int) -> int:
    return (await client.get(f"http://127.0.0.1:{port}/health/detailed")).json()["stream"]["clients"]
