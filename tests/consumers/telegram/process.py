"""The gateway as a process of its own, which a test can kill: `process.py <bus> <Bot API> <token> <speed>`."""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from consumers.telegram.handlers import TelegramPlan, run
from consumers.telegram.sending import Ticking
from runtime.app.application import make_broker
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions


async def main(bus_url: str, url: str, token: str, speed: float) -> None:
    """Send until SIGTERM."""
    bus = await Bus(BusOptions(servers=(bus_url,), name="gateway")).connect()
    broker = make_broker(bus, "telegram", CollectorRegistry())
    await broker.start()
    service = Service(name="telegram", bus=bus, broker=broker, ready=lambda: print("ready", flush=True))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, service.stop.set)
    await run(service, TelegramPlan(url=url, token=SecretStr(token), ticking=Ticking(speed)))
    await broker.stop()
    await bus.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])))
