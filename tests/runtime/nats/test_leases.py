"""Leases on a real bus: one holder at a time, a growing token, a loss that is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio

from contracts.streams import BucketSpec
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.leases.lease import Lease, next_token
from runtime.provision import Plan, apply
from runtime.servers.embedded import nats_server

Eventually = Callable[..., Awaitable[None]]
BUCKET = BucketSpec("L_LEASES", max_bytes=1024 * 1024, effects=True)
PLAN = Plan(streams=(), buckets=(BUCKET,), durables=(), synced=True)
TTL = 1.2


@pytest_asyncio.fixture
async def lease_bus(bus: Bus) -> AsyncGenerator[Bus]:
    await apply(bus, PLAN)
    yield bus
    await bus.api("STREAM.DELETE.KV_L_LEASES")


def lease(bus: Bus, lost: list[str] | None = None, name: str = "x") -> Lease:
    received = [] if lost is None else lost
    return Lease(bus, "orders.acc1", on_lost=lambda: received.append(name), ttl=TTL, bucket="L_LEASES")


async def test_second_waits_and_takes_over_at_once_after_release(lease_bus: Bus) -> None:
    first, second = lease(lease_bus), lease(lease_bus)
    token = await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(TTL * 1.5)
    assert first.held
    assert not waiting.done()
    await first.release()
    assert await waiting > token
    assert not first.held
    assert first.token == 0
    assert second.held
    await second.release()


async def test_silent_holder_is_replaced_and_knows_that_it_may_not_act(lease_bus: Bus) -> None:
    lost: list[str] = []
    first, second = lease(lease_bus, lost, "first"), lease(lease_bus)
    token = await first.acquire()
    assert first._renewer is not None
    first._renewer.cancel()  # as a process that hangs
    new = await second.acquire()
    assert new > token
    assert not first.held
    await second.release()


async def test_overwritten_lease_calls_back(lease_bus: Bus, eventually: Eventually) -> None:
    lost: list[str] = []
    mine = lease(lease_bus, lost, "mine")
    await mine.acquire()
    bucket = await lease_bus.jetstream().key_value("L_LEASES")
    await bucket.put("orders.acc1", b'{"holder": "other", "token": 99}')
    await eventually(lambda: lost == ["mine"])
    assert not mine.held


async def test_many_contenders_get_one_holder_at_a_time(lease_bus: Bus) -> None:
    tokens: list[int] = []
    holding = 0

    async def contend() -> None:
        nonlocal holding
        one = lease(lease_bus)
        tokens.append(await one.acquire())
        holding += 1
        assert holding == 1
        await asyncio.sleep(0.02)
        holding -= 1
        await one.release()

    await asyncio.gather(*(contend() for _ in range(4)))
    assert tokens == sorted(set(tokens))


async def test_holder_cut_off_from_the_bus_stops_before_another_may_begin(
    tmp_path: Path, eventually: Eventually
) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        await apply(bus, PLAN)
        lost: list[str] = []
        mine = lease(bus, lost, "mine")
        began = asyncio.get_running_loop().time()
        await mine.acquire()
        await server.freeze()
        await eventually(lambda: not mine.held)
        assert asyncio.get_running_loop().time() - began < TTL
        await eventually(lambda: lost == ["mine"])
        await server.thaw()
        await bus.close()


def test_token_grows_even_when_the_bucket_was_lost() -> None:
    assert next_token(0, 1_700_000_000_000_000_000) == 1_700_000_000_000
    assert next_token(1_700_000_000_005, 1_700_000_000_000_000_000) == 1_700_000_000_006
