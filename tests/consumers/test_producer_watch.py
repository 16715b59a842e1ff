"""A producer that is gone is announced on its venue's feed and shown, without a standby; a new one is not overruled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from consumers.cache import handlers as cache
from consumers.cache.producers import ProducerWatch
from contracts import streams, subjects
from contracts.state import FeedHealth
from runtime.app.service import Service
from runtime.clock import monotonic, now_ns
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.leases.lease import Lease, find_grant
from runtime.servers.embedded import NatsServer
from tests.consumers.test_on_the_bus import Running, publish, stored
from tests.consumers.test_resuming import Make, wait_state, wait_until_key

pytestmark = pytest.mark.nats
ABOUT: dict[str, Any] = {"sim": True, "silence": {"trade": 7.5}}


class Holder:
    """A producer's lease on a connection of its own."""

    def __init__(self, bus: Bus, unit: str) -> None:
        self.bus = bus
        key = subjects.LEASE_PRODUCERS + unit
        self.lease = Lease(bus, key, on_lost=lambda: None, ttl=60.0, about=lambda: ABOUT)

    async def vanish(self) -> None:
        await self.bus.close()


async def hold(server: NatsServer, unit: str = "binance") -> Holder:
    holder = Holder(await Bus(BusOptions(servers=(server.url,), name="holder")).connect(), unit)
    await holder.lease.acquire()
    return holder


def run_cache(service: Service) -> Any:
    return cache.run(service, cache.CachePlan(drain_seconds=0.05))


async def test_gone_producer_is_announced_and_shown_within_three_seconds(
    server: NatsServer, own: Bus, status: Make
) -> None:
    holder = await hold(server)
    await publish(own, "feed.v1.binance", status("live", now_ns()))
    async with Running(own, "cache", run_cache):
        await wait_until_key(own, "feed.binance")
        await wait_state(own, "feed.binance", FeedHealth, lambda feed: feed.silence == {"trade": 7_500_000_000})
        began = monotonic()
        await holder.vanish()
        await wait_state(own, "feed.binance", FeedHealth, lambda feed: feed.state == "down")
        assert monotonic() - began < 3
    *_, last = await stored(own, streams.FEEDS, "feed.v1.binance")
    assert (last.state, last.reason, last.channel, last.sim) == ("down", "its producer is gone", None, True)


async def test_one_of_several_groups_is_a_gap_of_the_venue(server: NatsServer, own: Bus) -> None:
    holder, other = await hold(server, "okx.0"), await hold(server, "okx.1")
    async with Running(own, "cache", run_cache):
        await holder.vanish()
        async with asyncio.timeout(30):
            while not (found := await stored(own, streams.FEEDS, "feed.v1.okx")):  # noqa: ASYNC110  # on the server
                await asyncio.sleep(0.05)
    assert [(event.state, event.reason) for event in found] == [("gap", "group 0: its producer is gone")]
    await other.vanish()


async def test_nothing_is_said_over_a_producer_that_took_the_lease_meanwhile(server: NatsServer, own: Bus) -> None:
    first = await hold(server)
    grant = await find_grant(own, subjects.LEASE_PRODUCERS + "binance")
    await first.vanish()
    second = await hold(server)
    watch = ProducerWatch(own, streams.FEEDS)
    assert not await watch._on_ended("binance", grant, "its producer is gone")
    assert await stored(own, streams.FEEDS, subjects.ALL_FEEDS) == []
    await second.vanish()
