"""Runs a consumer on a connection as its process does: with a broker of its own, from when it serves until the end."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry

from runtime.app.application import make_broker
from runtime.app.leased import LeaseLostError
from runtime.app.service import OnHop, Service, time_nothing
from runtime.nats.bus import Bus

LOADED_SECONDS = {"producers.process": 2.0, "api.app": 3.5}  # an idle machine's, for a part's imports
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@asynccontextmanager
async def running(
    bus: Bus, name: str, run: Callable[[Service], Awaitable[None]], hop: OnHop = time_nothing
) -> AsyncGenerator[Service]:
    """Run a consumer; what it raises before it serves is raised here."""
    ready = asyncio.Event()
    broker = make_broker(bus, name, CollectorRegistry())
    await broker.start()
    service = Service(name=name, bus=bus, broker=broker, ready=ready.set, hop=hop)
    task = asyncio.ensure_future(run(service))
    try:
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({task, waiting}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert ready.is_set()
        yield service
    finally:
        service.stop.set()
        await asyncio.wait_for(task, STOP_SECONDS)
        await broker.stop()


def kept(run: Callable[[Service], Awaitable[None]]) -> Callable[[Service], Awaitable[None]]:
    """Return what begins again when it loses its lease, as a consumer's process lets it."""

    async def run_again(service: Service) -> None:
        while not service.stop.is_set():
            with suppress(LeaseLostError):
                return await run(service)
        return None

    return run_again


async def measure_slowness(part: str = "producers") -> float:
    """Seconds that Python needs longer to load a part than on an idle machine."""
    began, module = time.monotonic(), "api.app" if part == "api" else "producers.process"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", f"import {module}")
    await process.wait()
    return max(0.0, time.monotonic() - began - LOADED_SECONDS[module])
