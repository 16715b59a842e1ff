"""10,000 events to receivers that flap, while delivering processes are killed 20 times and the bus once."""

from __future__ import annotations

import asyncio
import hmac
import os
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from secrets import token_hex
from typing import TypeVar

import pytest
from pydantic import BaseModel
from standardwebhooks import Webhook

from consumers.webhooks.payloads.body import event_id
from consumers.webhooks.store.events import EventStore
from consumers.webhooks.store.rows import Row
from contracts.errors import NotReadyError
from contracts.services.access import Caller
from contracts.services.webhooks.endpoints import EndpointInfo, EndpointShown, RegisterEndpoint, ResumeEndpoint
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.signals import publish_signal
from runtime.servers.embedded import NatsServer
from runtime.store import Store, StoreError
from tests.consumers.webhooks.events import SECRET, make_whale
from tests.consumers.webhooks.receiver import OK, Receiver, Request, receiving

Note = Callable[[str, object], None]

pytestmark = [pytest.mark.nats, pytest.mark.timeout(300)]

M = TypeVar("M", bound=BaseModel)
CALLER = Caller(actor="alice", address=None, request_id=None)
_LATER = b"HTTP/1.1 429 Slow down\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
_MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
_FAILED = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"
_GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Flapping:
    """A receiver that answers as it likes, and checks every request as receivers do."""

    random: Random
    ways: tuple[str, ...]
    accepted: dict[int, int] = field(default_factory=lambda: defaultdict[int, int](int))
    bodies: dict[str, bytes] = field(default_factory=dict[str, bytes])
    inversions: int = 0
    gone: int = 0
    newest: dict[str, int] = field(default_factory=dict[str, int])

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        body = Webhook(SECRET).verify(request.body, request.headers)
        expected = hmac.new(SECRET.encode(), request.body, "sha256").hexdigest()
        assert request.headers["x-webhook-signature"] == f"sha256={expected}"
        assert self.bodies.setdefault(request.headers["webhook-id"], request.body) == request.body
        lane, sequence = str(body["symbol"]), int(body["sequence"])
        self.inversions += sequence < self.newest.get(lane, 0)
        self.newest[lane] = max(sequence, self.newest.get(lane, 0))
        way = self.random.choice(self.ways)
        if way == "gone" and self.gone:
            way = "ok"
        match way:
            case "reset":
                writer.transport.abort()
                return
            case "slow":
                await asyncio.sleep(0.2)
            case "gone":
                self.gone += 1
            case _:
                pass
        answer = {"500": _FAILED, "redirect": _MOVED, "429": _LATER, "gone": _GONE}.get(way, OK)
        if answer == OK:
            self.accepted[sequence] += 1
        writer.write(answer)
        await writer.drain()


class Processes:
    """Consumers that can be killed."""

    def __init__(self, zygote: asyncio.subprocess.Process) -> None:
        self._zygote = zygote
        self.running: list[int] = []

    async def start(self) -> None:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.write(b"\n")
        self.running.append(int(await self._zygote.stdout.readline()))

    def kill(self) -> None:
        os.kill(self.running.pop(0), signal.SIGKILL)


@asynccontextmanager
async def processes(url: str, documents: str) -> AsyncGenerator[Processes]:
    zygote = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.consumers.webhooks.delivery.process", url, documents),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    found = Processes(zygote)
    try:
        yield found
    finally:
        while found.running:
            with suppress(ProcessLookupError):
                found.kill()
        zygote.terminate()
        await zygote.wait()


async def register(client: CommandClient, receiver: Receiver, ordering: str) -> str:
    request = RegisterEndpoint.model_validate(
        {
            "owner": "alice",
            "caller": CALLER.model_dump(),
            "url": receiver.url,
            "events": ["whale"],
            "ordering": ordering,
            "secret": SECRET,
        },
        strict=False,
    )
    return (await answered(client, "webhooks.register", request, EndpointShown)).id


async def answered(client: CommandClient, name: str, request: BaseModel, reply: type[M]) -> M:
    """Ask until somebody has the lease."""
    async with asyncio.timeout(40):
        while True:
            try:
                return await client.request(name, request, reply)
            except NotReadyError:
                await asyncio.sleep(0.2)


async def publish(bus: Bus, count: int) -> list[str]:
    ids: list[str] = []
    for number in range(count):
        base = f"C{number % 10}"
        whale = make_whale(id=f"binance.{base}.USDT.spot.whale.{number}", symbol=f"{base}/USDT")
        await publish_signal(bus, f"signal.v1.whale.binance.{base}.USDT.spot", whale)
        ids.append(whale.id)
    return ids


async def settle(events: EventStore, client: CommandClient, endpoints: list[str], count: int) -> None:
    """Wait until everything is delivered or dead; resume what a receiver has disabled."""
    async with asyncio.timeout(60 + count / 4):
        for endpoint in endpoints:
            while True:
                try:
                    progress, asked = await events.load_progress(endpoint)
                    last = await events.last_sequence(endpoint)
                except StoreError:  # a busy machine
                    continue
                if last >= count and progress.next == last + 1 and not progress.open and not asked:
                    break
                if progress.disabled:
                    request = ResumeEndpoint(owner="alice", caller=CALLER, id=endpoint)
                    await answered(client, "webhooks.resume", request, EndpointInfo)
                await asyncio.sleep(0.2)


async def drop(documents: Store) -> None:
    with suppress(StoreError):  # the embedded server takes long for it, and goes anyway
        await documents.drop_database()


@pytest.mark.parametrize(
    ("count", "kills"), [(60, 3), pytest.param(1000, 20, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
async def test_nothing_is_lost_whatever_is_killed(
    server: NatsServer, documents_url: str, record_property: Note, count: int, kills: int
) -> None:
    everything = ("ok",) * 140 + ("500", "slow", "reset", "redirect") * 14 + ("429",) * 2
    async with AsyncExitStack() as stack:
        address, _, options = documents_url.partition("?")
        url = f"{address.rstrip('/')}/test_{token_hex(6)}?authSource=admin&{options}"
        documents = Store(url)
        stack.push_async_callback(documents.close)
        stack.push_async_callback(drop, documents)
        running = await stack.enter_async_context(processes(server.url, url))
        await running.start()
        await running.start()
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        stack.push_async_callback(bus.close)
        client = CommandClient(bus)
        events = EventStore(documents)
        flapping: dict[str, tuple[Flapping, str]] = {}
        for number in range(10):
            ways = (*everything, "gone") if number == 9 else ("ok",) * 9 + ("slow",) if number == 8 else everything
            flaps = Flapping(Random(number), ways)
            receiver = await stack.enter_async_context(receiving(flaps))
            ordering = "symbol" if number % 2 else "none"
            flapping[await register(client, receiver, ordering)] = (flaps, ordering)
        publishing = asyncio.create_task(publish(bus, count))
        await kill_again_and_again(running, server, kills)
        sources = await publishing
        await settle(events, client, list(flapping), count)
        for endpoint, (flaps, ordering) in flapping.items():
            await check(events, endpoint, flaps, sources)
            assert ordering == "none" or flaps.inversions == 0
        record_property("figure", f"{count} events to {len(flapping)} endpoints, {kills} kills of workers: none lost")


async def kill_again_and_again(running: Processes, server: NatsServer, kills: int) -> None:
    for kill in range(kills):
        await asyncio.sleep(0.6)
        running.kill()
        await running.start()
        if kill == kills // 2:
            await server.kill()
            await server.start()


async def check(events: EventStore, endpoint: str, flaps: Flapping, sources: list[str]) -> None:
    """Everything was numbered without a hole, and is delivered or dead."""
    rows: list[Row] = []
    while more := await events.rows_after(endpoint, len(rows), 100):
        rows += more
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert {event_id(endpoint, source) for source in sources} <= {row.event_id for row in rows}
    dead = await events.dead_between(endpoint, 1, len(rows))
    assert {row.sequence for row in rows} == set(flaps.accepted) | set(dead)
    bodies = {row.event_id: row.body for row in rows if row.sequence in flaps.accepted}
    assert bodies.items() <= flaps.bodies.items()
