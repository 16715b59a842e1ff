"""Execution as a process of its own, which a test can kill: `process.py <bus> <documents>`."""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop
from prometheus_client import CollectorRegistry

from consumers.execution.handlers import ExecutionPlan, run
from runtime.app.application import make_broker
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions


async def main(bus_url: str, documents: str) -> None:
    """Serve until SIGTERM."""
    bus = await Bus(BusOptions(servers=(bus_url,), name="execution")).connect()
    broker = make_broker(bus, "execution", CollectorRegistry())
    await broker.start()
    service = Service(name="execution", bus=bus, broker=broker, ready=lambda: print("ready", flush=True))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.stop.set)
    await run(service, ExecutionPlan(documents=documents))
    await broker.stop()
    await bus.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2]))
