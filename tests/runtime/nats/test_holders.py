"""A holder that is gone is noticed at once, one that hangs by the lease's time, one that lives never."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from contracts.streams import BucketSpec
from runtime.clock import monotonic
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.leases.holders import HolderWatch
from runtime.nats.leases.lease import Grant, Lease
from runtime.provision import Plan, apply
from runtime.servers.embedded import NatsServer

pytestmark = pytest.mark.nats
Eventually = Callable[..., Awaitable[None]]
PLAN = Plan(
    streams=(), buckets=(BucketSpec("H_LEASES", max_bytes=1024 * 1024, effects=True),), durables=(), synced=True
)
TTL = 5.0
HOLDER = textwrap.dedent(
    """
    import asyncio, sys
    from runtime.nats.bus import Bus, BusOptions
    from runtime.nats.leases.lease import Lease

    async def hold():
        bus = await Bus(BusOptions(servers=(sys.argv[1],), name="holder")).connect()
        lost = lambda: print("lost", file=sys.stderr, flush=True)
        lease = Lease(bus, "unit.x", on_lost=lost, ttl=float(sys.argv[2]), bucket="H_LEASES", about=lambda: {"n": 1})
        await lease.acquire()
        print("held", file=sys.stderr, flush=True)
        await asyncio.sleep(1000)

    asyncio.run(hold())
    """
)


@pytest_asyncio.fixture
async def lease_bus(bus: Bus) -> AsyncGenerator[Bus]:
    await apply(bus, PLAN)
    yield bus
    await bus.api("STREAM.DELETE.KV_H_LEASES")


@contextmanager
def holder(nats: NatsServer, ttl: float = TTL) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, nats.url, str(ttl)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()


def wanted(bus: Bus, ttl: float = TTL) -> Lease:
    return Lease(bus, "unit.x", on_lost=lambda: None, ttl=ttl, bucket="H_LEASES")


async def test_lease_of_a_killed_process_is_taken_at_once(nats: NatsServer, lease_bus: Bus) -> None:
    with holder(nats, ttl=60.0) as process:
        mine = wanted(lease_bus, ttl=60.0)
        waiting = asyncio.create_task(mine.acquire())
        await asyncio.sleep(1.5)
        assert not waiting.done(), "a living holder keeps its lease"
        process.kill()
        began = monotonic()
        await asyncio.wait_for(waiting, 10)
        assert monotonic() - began < 3
        assert mine.before.about == {"n": 1}
        await mine.release()


async def test_frozen_process_keeps_its_lease_until_its_time_and_knows_when_it_wakes(
    nats: NatsServer, lease_bus: Bus
) -> None:
    with holder(nats, ttl=2.0) as process:
        os.kill(process.pid, signal.SIGSTOP)
        mine = wanted(lease_bus, ttl=2.0)
        began = monotonic()
        await asyncio.wait_for(mine.acquire(), 10)
        assert monotonic() - began > 1.9
        os.kill(process.pid, signal.SIGCONT)
        assert process.stderr is not None
        assert await asyncio.to_thread(process.stderr.readline) == "lost\n"
        assert mine.held
        await mine.release()


async def test_holder_whose_connection_breaks_does_not_believe_in_its_lease(nats: NatsServer, lease_bus: Bus) -> None:
    own = await Bus(BusOptions(servers=(nats.url,), name="holder")).connect()
    lost = asyncio.Event()
    mine = Lease(own, "unit.x", on_lost=lost.set, ttl=60.0, bucket="H_LEASES")
    token = await mine.acquire()
    await own.client.force_reconnect()
    await asyncio.wait_for(lost.wait(), 5)
    assert not mine.held
    assert await asyncio.wait_for(mine.acquire(), 5) > token
    assert mine.is_own
    await mine.release()
    await own.close()


class Ended:
    def __init__(self, *answers: bool) -> None:
        self.calls: list[tuple[str, str]] = []
        self._answers = list(answers)

    async def on_ended(self, key: str, _grant: Grant, reason: str) -> bool:
        self.calls.append((key, reason))
        return self._answers.pop(0) if self._answers else True


async def test_watch_tells_once_who_is_gone_and_again_until_it_is_dealt_with(
    nats: NatsServer, lease_bus: Bus, eventually: Eventually
) -> None:
    ended = Ended(False)
    watch = HolderWatch(lease_bus, "unit.", ended.on_ended, bucket="H_LEASES", interval=0.1)
    running = asyncio.create_task(watch.run())
    with holder(nats, ttl=60.0) as process:
        await eventually(lambda: [key for key, _ in watch.grants()] == ["x"])
        await asyncio.sleep(1.0)
        assert ended.calls == []
        process.kill()
        began = monotonic()
        await eventually(lambda: len(ended.calls) == 2)
        assert monotonic() - began < 3
        await asyncio.sleep(0.5)
    assert ended.calls == [("x", "its producer is gone")] * 2
    running.cancel()


async def test_watch_tells_of_a_frozen_holder_and_of_one_that_stopped_properly(
    nats: NatsServer, lease_bus: Bus, eventually: Eventually
) -> None:
    ended = Ended()
    watch = HolderWatch(lease_bus, "unit.", ended.on_ended, bucket="H_LEASES", interval=0.1)
    running = asyncio.create_task(watch.run())
    with holder(nats, ttl=1.0) as process:
        os.kill(process.pid, signal.SIGSTOP)
        await eventually(lambda: ended.calls == [("x", "its producer does not answer")])
    mine = wanted(lease_bus)
    await mine.acquire()
    await mine.release()
    await eventually(lambda: ended.calls[1:] == [("x", "its producer was stopped")])
    running.cancel()
