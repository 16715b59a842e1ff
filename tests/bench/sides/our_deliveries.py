"""What a delivered event costs and how long it takes: matched, kept, queued, signed, posted, its outcome kept."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from typing import Any

from contracts.streams import BUCKETS, DURABLES, STREAMS
from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import document_server, nats_server
from runtime.store import Store
from tests.bench.sides.worker import spent
from tests.consumers.webhooks.delivery.stage import QUICK, Stage, staging, wait_for
from tests.consumers.webhooks.receiver import OK, Request, receiving

PLAN = provision.Plan(streams=STREAMS, buckets=BUCKETS, durables=DURABLES, synced=True)
SETTLE_SECONDS = 120.0


@asynccontextmanager
async def _stage() -> AsyncGenerator[Stage]:
    """The consumer's parts in this process, on a bus and a document server of their own."""
    async with AsyncExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus_server = await stack.enter_async_context(nats_server(place / "bus"))
        setup = await Bus(BusOptions(servers=(bus_server.url,), name="setup")).connect()
        await provision.apply(setup, PLAN)
        await setup.close()
        documents_server = await stack.enter_async_context(document_server(place / "documents"))
        documents = Store(documents_server.url)
        stack.push_async_callback(documents.close)
        yield await stack.enter_async_context(staging(bus_server.url, documents, QUICK))


async def deliver(request: dict[str, Any]) -> float:
    """Millionths of what `spent` counts for each event that is delivered from a backlog of one endpoint."""
    url, count = f"http://127.0.0.1:{request['at']}/hook", int(request["count"])
    async with _stage() as stage:
        endpoint = await stage.register(url, state="paused")
        for _ in range(count // 100):
            await asyncio.gather(*(stage.whale() for _ in range(100)))
        await wait_for(lambda: stage.matching.matcher.matched >= count, SETTLE_SECONDS)
        began = spent()
        await stage.endpoints.put(replace(endpoint, state="active"))
        await stage.settled(endpoint, count, SETTLE_SECONDS)
        return (spent() - began) / count * 1e6


async def delay(request: dict[str, Any]) -> dict[str, float]:
    """Milliseconds from publishing an event to its POST at the receiver, one event after the other: p50 and p99."""
    arrived: dict[int, float] = {}

    async def behave(posted: Request, writer: asyncio.StreamWriter) -> None:
        arrived[json.loads(posted.body)["sequence"]] = asyncio.get_running_loop().time()
        writer.write(OK)
        await writer.drain()

    delays: list[float] = []
    async with receiving(behave) as receiver, _stage() as stage:
        await stage.register(receiver.url)
        for sequence in range(1, int(request["count"]) + 1):
            began = asyncio.get_running_loop().time()
            await stage.whale()
            await wait_for(lambda sequence=sequence: sequence in arrived)
            delays.append((arrived[sequence] - began) * 1000)
    cut = quantiles(delays, n=100)
    return {"p50": cut[49], "p99": cut[98]}
