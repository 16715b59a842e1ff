"""From the exchanges to the bus under fire: the bus killed under load, sockets cut at random a hundred times."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from nats.errors import TimeoutError as NatsTimeoutError

from contracts import codec, streams, subjects
from producers.connection.socket import OPENERS
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.simulator.config import SimulatorConfig
from producers.simulator.server import Simulator
from runtime.book.books import BookPace
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.publisher import LanePublisher
from runtime.provision import apply, declared
from runtime.servers.embedded import nats_server
from tests.producers.conftest import differences

LEVELS = 40


class Listener:
    """A subscriber like anybody's: keeps the last book of each subject and everything that must never be seen."""

    def __init__(self):
        self.counts = Counter()
        self.books = {}
        self.crossed = []

    async def on_message(self, message):
        event = codec.decode(message.subject, message.data)
        self.counts[event.kind] += 1
        if event.kind == "book":
            self.books[event.venue, event.symbol] = event
            live = event.quality in {"live", "sim"} and event.bids and event.asks
            if live and float(event.bids[0][0]) >= float(event.asks[0][0]):
                self.crossed.append(event)


class Scene:
    """Bus, simulated exchanges, producers and a listener."""

    def __init__(self, server, sim, producers, ears):
        self.server, self.sim, self.producers = server, sim, producers
        self.listener, self.ears = ears

    async def told(self):
        """What the FEEDS stream holds: a subscriber that was cut off itself reads it there."""
        reader = await self.ears.jetstream().subscribe(subjects.ALL_FEEDS, stream=streams.FEEDS, ordered_consumer=True)
        found = []
        with contextlib.suppress(NatsTimeoutError):
            while True:
                message = await reader.next_msg(timeout=0.5)
                found.append(codec.decode(message.subject, message.data))
        await reader.unsubscribe()
        return found

    async def until(self, condition, what, seconds=30.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
            await asyncio.sleep(0.02)

    def all_live(self):
        wanted = [(p.venue.id, item.symbol) for p in self.producers for item in p.instruments]
        return all(p.instruments for p in self.producers) and all(
            key in self.listener.books and self.listener.books[key].quality == "sim" for key in wanted
        )

    def differences(self):
        found = {}
        for producer in self.producers:
            for item in producer.instruments:
                market = "spot" if item.contract == "spot" else "linear"
                truth = self.sim.book(item.venue, market, item.venue_symbol)
                ours = self.listener.books.get((item.venue, item.symbol))
                if ours is None or ours.quality != "sim":
                    found[item.tail] = f"not live: {ours and ours.quality}"
                    continue
                shown = min(LEVELS, producer.venue.book.depth or LEVELS)
                if wrong := list(differences(item, ours, truth, shown)):
                    found[item.tail] = wrong
        return found

    async def books_equal_the_truth(self):
        self.sim.pause()
        deadline = time.monotonic() + 40
        while wrong := self.differences():
            assert time.monotonic() < deadline, f"books differ from the exchanges' own: {wrong}"
            await asyncio.sleep(0.1)
        self.sim.resume()


@asynccontextmanager
async def scene(tmp_path, venues, rate):
    async with (
        nats_server(tmp_path / "bus") as server,
        Simulator(SimulatorConfig(seed=11, venues=venues, rate=rate, enforce_limits=False)) as sim,
    ):
        bus = await Bus(BusOptions(servers=(server.url,), name="producers")).connect()
        ears = await Bus(BusOptions(servers=(server.url,), name="listener")).connect()
        await apply(bus, declared(synced=True))
        listener = Listener()
        for subject in (subjects.ALL_BOOKS, subjects.ALL_TRADES):
            await ears.client.subscribe(subject, cb=listener.on_message)
        await ears.client.flush()
        producers = []

        def on_gap(lost):
            for producer in producers:
                producer.on_bus_gap(lost)

        lane = LanePublisher(bus, on_gap=on_gap)

        async def save(_venue, _body):
            return None

        for name in venues:
            venue = VENUES[name]
            plan = ProducerPlan(
                venue=venue,
                symbols=("BTC", "ETH"),
                ws_url=sim.ws_url(name),
                rest_url=sim.rest_url(name),
                pace=BookPace(interval=0.1, depth=50),
                policy=replace(venue.policy, connect_pace=0.0, pace=0.02),
            )
            producers.append(Producer(plan, lane, OPENERS["picows"], save))
        tasks = [asyncio.create_task(producer.run()) for producer in producers]
        try:
            yield Scene(server, sim, producers, (listener, ears))
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=10)
            for connection in (bus, ears):
                with contextlib.suppress(asyncio.CancelledError):
                    await connection.close()


@pytest.mark.nats
@pytest.mark.timeout(120)
async def test_bus_killed_for_two_seconds_under_load_is_survived_and_reported(tmp_path):
    async with scene(tmp_path, tuple(sorted(VENUES)), 8.0) as stage:
        await stage.until(stage.all_live, "live books")
        await stage.server.kill()
        await asyncio.sleep(2)
        before = stage.listener.counts["trade"]
        await stage.server.start()
        await stage.until(lambda: stage.listener.counts["trade"] > before + 50, "trades flow again")
        gaps = {(e.venue, e.channel) for e in await stage.told() if e.state == "gap" and "bus" in (e.reason or "")}
        assert {(venue, channel) for venue in VENUES for channel in ("trade", "ticker", "book")} <= gaps
        await stage.books_equal_the_truth()
        assert stage.listener.crossed == []


@pytest.mark.nats
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_hundred_random_cuts_leave_right_books_and_no_crossed_one(tmp_path, record_property):
    rng = random.Random(5)
    async with scene(tmp_path, tuple(sorted(VENUES)), 5.0) as stage:
        await stage.until(stage.all_live, "live books")
        for _ in range(100):
            stage.sim.cut(rng.choice(sorted(VENUES)))
            await asyncio.sleep(rng.uniform(0.0, 0.4))
        reconnects = sum(feed.reconnects for producer in stage.producers for feed in producer.feeds)
        await stage.until(stage.all_live, "live books again", seconds=60)
        await stage.books_equal_the_truth()
        crossed = len(stage.listener.crossed)
        record_property("figure", f"100 cuts, {reconnects} reconnects: books equal the exchanges', {crossed} crossed")
        assert reconnects >= 20
        assert stage.listener.crossed == []
