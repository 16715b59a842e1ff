"""The ledger over a real bus: outages that are said, a producer that dies, a consumer that is away; to the second."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from functools import partial
from typing import Any

import msgspec
import pytest

from consumers.coverage.handlers import CoveragePlan, run
from contracts import codec, streams, subjects
from contracts.instrument import make_instrument
from contracts.market import Served
from runtime.clock import now_ns
from runtime.coverage.view import Covered, Followed, LedgerView, count
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.kv.mirror import Mirror
from runtime.nats.leases.lease import Lease
from runtime.servers.embedded import NatsServer
from tests.consumers.coverage.ledger import SECOND
from tests.consumers.test_on_the_bus import publish
from tests.consumers.test_resuming import Make
from tests.running import running

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
ITEM = make_instrument("binance", "BTC/USDT", "BTCUSDT")
OTHER = [codec.fast(Served)(channels=["trade"], symbols=["ETH/USDT"])]
LIVES = {"sim": True, "silence": {}, "sampled": ["liquidation"]}


class Producer:
    """A producer's lease on a connection of its own, and what it says of its feed."""

    def __init__(self, server: NatsServer, own: Bus, status: Make) -> None:
        self._own, self._status = own, status
        self._bus = Bus(BusOptions(servers=(server.url,), name="producer"))

    async def start(self) -> int:
        """Take the lease and go live; return when (ns UTC)."""
        await self._bus.connect()
        key = subjects.LEASE_PRODUCERS + ITEM.venue
        self._lease = Lease(self._bus, key, on_lost=lambda: None, ttl=2.0, about=lambda: LIVES)
        await self._lease.acquire()
        at = now_ns()
        await self.say("down")
        for channel in ("trade", "liquidation", None):
            await self.say("live", channel)
        return at

    async def say(self, state: str, channel: str | None = None, **fields: Any) -> int:
        at = now_ns()
        await publish(self._own, "feed.v1.binance", self._status(state, at, channel=channel, **fields))
        return at

    async def die(self) -> int:
        at = now_ns()
        await self._bus.close()
        return at


class Bucket:
    """The ledger as others read it."""

    def __init__(self, bus: Bus) -> None:
        self.mirror = Mirror(bus, streams.COVERAGE)

    def find(self, span: tuple[int, int], channel: str = "trade") -> Covered:
        view = LedgerView(lambda key: None if (entry := self.mirror.get(key)) is None else entry.value)
        return view.find(Followed(ITEM.venue, ITEM.symbol, channel), span, now_ns())

    async def wait_for(self, span: tuple[int, int], unknown: float) -> None:
        """Wait until so many seconds of a span are unknown, to the second; of one that is known, none at all."""
        found: Any = None
        off = 1 if unknown else 0
        async with asyncio.timeout(25):
            while found is None or abs(found - unknown) > off:
                found = sum(end - start for start, end in self.find(span).unknown) / SECOND
                await asyncio.sleep(0.1)

    async def wait_until_begun(self, at: int) -> None:
        """Wait until there is a ledger of the instrument."""
        async with asyncio.timeout(25):
            while self.find((at, at + 1)).since is None:  # noqa: ASYNC110  # on the server
                await asyncio.sleep(0.05)


async def interrupt(producer: Producer, seconds: float) -> tuple[int, int]:
    """Interrupt the trades, which the feed says; return from when to when (ns UTC).

    A connection that serves another instrument is lost, too, and for longer.
    """
    await producer.say("down", "trade", connection="public.9:00000009", serves=OTHER)
    start = await producer.say("down", "trade")
    await asyncio.sleep(seconds)
    end = await producer.say("live", "trade")
    await asyncio.sleep(1.0)
    return start, end


async def test_outages_of_every_kind_are_right_to_the_second(server: NatsServer, own: Bus, status: Make) -> None:
    await own.jetstream().publish("$KV.INSTRUMENTS.binance", msgspec.json.encode([asdict(ITEM)]))
    bucket, producer = Bucket(own), Producer(server, own, status)
    await bucket.mirror.open()
    serve = partial(running, own, "coverage", partial(run, plan=CoveragePlan()))
    began = await producer.start()
    async with serve():
        await bucket.wait_until_begun(began)
        said = await interrupt(producer, 1.2)
        dead = await producer.die()
        await asyncio.sleep(1.8)
        producer = Producer(server, own, status)
        killed = (dead, await producer.start())
        await asyncio.sleep(0.6)
    away = await interrupt(producer, 1.1)  # while nobody keeps the ledger
    async with serve():
        for start, end in (said, killed, away):
            await bucket.wait_for((start - SECOND, end + SECOND), (end - start) / SECOND)
        between = (away[1], away[1] + SECOND)
        for span in ((said[1], killed[0] - SECOND), between):
            await bucket.wait_for(span, 0)
        assert count(bucket.find(between, "liquidation"), between)[0].sampled == 1
        gone = await producer.die()
    await asyncio.sleep(3.2)  # both are away: nothing is claimed from then on
    now = now_ns()
    await bucket.wait_for((gone, now), (now - gone) / SECOND)
    await bucket.mirror.close()
