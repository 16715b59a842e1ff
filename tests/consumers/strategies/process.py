"""A consumer as a process to kill: `process.py <bus> <documents> <lease's seconds> [<consumer> <file of a clock>]`.

Each line of its input is `start`, `kill`, `freeze` (it stands still) or `thaw`. What is imported is imported once: each
life is a fork of it. With a file of a clock the time is what a test writes there (`SharedClock`).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry

from runtime import clock
from tests.consumers.strategies.shared_clock import SharedClock

PART, CLOCK = sys.argv[4:6] or ("strategies", "")
if CLOCK:
    clock.now_ns = SharedClock(Path(CLOCK))  # type: ignore[misc]  # before anything has taken it

from consumers.execution.handlers import ExecutionPlan  # noqa: E402
from consumers.execution.handlers import run as run_execution  # noqa: E402
from consumers.strategies.handlers import StrategiesPlan, run  # noqa: E402
from consumers.strategies.making import read_secrets  # noqa: E402
from runtime.app.application import make_broker  # noqa: E402
from runtime.app.service import Service  # noqa: E402
from runtime.nats.bus import Bus, BusOptions  # noqa: E402


async def live(bus_url: str, documents: str, lease_seconds: float) -> None:
    """Serve until the process is killed."""
    bus = await Bus(BusOptions(servers=(bus_url,), name=PART)).connect()
    broker = make_broker(bus, PART, CollectorRegistry())
    await broker.start()
    service = Service(name=PART, bus=bus, broker=broker, ready=lambda: print("ready", flush=True))
    if PART == "execution":
        await run_execution(service, ExecutionPlan(documents=documents, lease_seconds=lease_seconds))
    else:
        plan = StrategiesPlan(documents=documents, secrets=read_secrets, lease_seconds=lease_seconds)
        await run(service, plan)


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
            case _:
                if alive:
                    kill(alive)
                    alive = 0
                print("killed", flush=True)
