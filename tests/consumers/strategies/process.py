"""Strategies as a process to kill: `process.py <bus> <documents> [<seconds of the lease>]`.

Each line of its input is `start`, `kill`, `freeze` (it stands still) or `thaw`.

What is imported is imported once: each life is a fork of it.
"""

from __future__ import annotations

import os
import signal
import sys

import uvloop
from prometheus_client import CollectorRegistry

from consumers.strategies.handlers import StrategiesPlan, run
from consumers.strategies.making import read_secrets
from runtime.app.application import make_broker
from runtime.app.service import Service
from runtime.nats.bus import Bus, BusOptions


async def live(bus_url: str, documents: str, lease_seconds: float) -> None:
    """Serve until the process is killed."""
    bus = await Bus(BusOptions(servers=(bus_url,), name="strategies")).connect()
    broker = make_broker(bus, "strategies", CollectorRegistry())
    await broker.start()
    service = Service(name="strategies", bus=bus, broker=broker, ready=lambda: print("ready", flush=True))
    await run(service, StrategiesPlan(documents=documents, secrets=read_secrets, lease_seconds=lease_seconds))


def start() -> int:
    """Begin a life and return its process id."""
    child = os.fork()
    if not child:
        uvloop.run(live(sys.argv[1], sys.argv[2], float(sys.argv[3])))
        os._exit(1)
    return child


def kill(child: int) -> None:
    """End a life as a power cut does."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print("killed", flush=True)


if __name__ == "__main__":
    alive = 0
    for line in sys.stdin:
        match line.strip():
            case "start":
                alive = start()
            case "freeze":
                os.kill(alive, signal.SIGSTOP)
                print("frozen", flush=True)
            case "thaw":
                os.kill(alive, signal.SIGCONT)
                print("thawed", flush=True)
            case _ if alive:
                kill(alive)
                alive = 0
            case _:
                print("killed", flush=True)
