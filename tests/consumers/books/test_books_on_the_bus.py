"""The books' process on a real bus, beside a producer of a simulated exchange: losses between them, and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from consumers.app import chosen
from consumers.books import handlers as books
from consumers.registry import CONSUMERS
from contracts import codec, subjects
from contracts.services.feed import ResyncQuery, ResyncReply
from producers.connection.socket import OPENERS
from producers.feed_service import FeedService
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.simulator.config import SimulatorConfig
from producers.simulator.server import Simulator
from producers.standby import GatedLane, Unit
from runtime.app.service import Service
from runtime.book.books import BookPace
from runtime.clients.command_client import CommandClient
from runtime.clock import monotonic
from runtime.config.settings import load
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.message import Parts
from runtime.nats.lanes.publisher import LanePublisher
from runtime.nats.leases.lease import Grant
from runtime.servers.embedded import NatsServer
from tests.producers.conftest import differences

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
PACE = BookPace(interval=0.05, depth=50)
VENUE = VENUES["binance"]


class Held:
    """A lease that is ours."""

    held, is_own, before = True, True, Grant(None, 0, 0)

    async def acquire(self) -> int:
        return 1

    async def release(self) -> None: ...


class Leaky:
    """A lane that loses the next delta when it is asked to."""

    def __init__(self, lane: LanePublisher) -> None:
        self._lane, self.lose, self.lost = lane, 0, 0

    def write(self, parts: Parts) -> None:
        if self.lose and subjects.DELTA.encode() in parts[0]:
            self.lose, self.lost = self.lose - 1, self.lost + 1
            return
        self._lane.write(parts)


class World:
    """What was published, the exchange, the producer and its lane."""

    def __init__(self, server: NatsServer, sim: Simulator, producer: Producer, lane: Leaky) -> None:
        self.server, self.sim, self.producer, self.lane = server, sim, producer, lane
        self.last: dict[str, Any] = {}
        self.states: list[Any] = []

    async def on_message(self, message: Any) -> None:
        event = codec.decode(message.subject, message.data)
        if event.kind == "book":
            self.last[message.subject] = event
        elif ".feed.books." in event.id:
            self.states.append(event)

    def all_live(self) -> bool:
        books = [self.last.get(subjects.BOOK + item.tail) for item in self.producer.instruments]
        return bool(books) and all(book is not None and book.quality == "sim" for book in books)

    def equals_the_truth(self) -> bool:
        for item in self.producer.instruments:
            truth = self.sim.book("binance", "spot", item.venue_symbol)
            if list(differences(item, self.last[subjects.BOOK + item.tail], truth, 40)):
                return False
        return True

    async def expect_the_truth(self) -> None:
        self.sim.pause()
        await until(self.equals_the_truth, "the books are the exchange's")
        self.sim.resume()


async def until(condition: Callable[[], bool], what: str, seconds: float = 40.0) -> None:
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, what
        await asyncio.sleep(0.02)


@asynccontextmanager
async def connected(server: NatsServer) -> AsyncGenerator[Bus]:
    bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def keeping(server: NatsServer) -> AsyncGenerator[asyncio.Event]:
    """Run the books' process, as a task."""
    async with connected(server) as bus:
        stop = asyncio.Event()
        plan = books.BooksPlan(pace=PACE, tick_seconds=0.05, lease_seconds=2.0)
        task = asyncio.create_task(books.run(Service(name="books", bus=bus, stop=stop), plan))
        try:
            yield stop
        finally:
            stop.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(task, 10)


@asynccontextmanager
async def world(server: NatsServer) -> AsyncGenerator[World]:
    config = SimulatorConfig(venues=("binance",), seed=7, rate=20.0, enforce_limits=False)
    async with Simulator(config) as sim, connected(server) as bus, connected(server) as reading:
        lane = Leaky(LanePublisher(bus, on_gap=lambda _lost: None))
        gate = GatedLane(lane)
        gate.lease = Held()
        plan = ProducerPlan(
            venue=replace(VENUE, policy=replace(VENUE.policy, connect_pace=0.0, pace=0.02)),
            symbols=("BTC", "ETH"),
            ws_url=sim.ws_url("binance"),
            rest_url=sim.rest_url("binance"),
            books_elsewhere=True,
        )

        async def save(_unit: str, _body: bytes) -> None: ...

        producer = Producer(plan, gate, OPENERS["picows"], save)
        await FeedService([Unit("binance", producer, gate)]).open(bus)
        found = World(server, sim, producer, lane)
        await reading.client.subscribe(subjects.ALL_BOOKS, cb=found.on_message)
        await reading.client.subscribe(subjects.ALL_FEEDS, cb=found.on_message)
        await reading.client.flush()
        task = asyncio.create_task(producer.run())
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=5)


async def test_books_are_the_exchanges_also_after_a_delta_was_lost_on_the_bus(server: NatsServer) -> None:
    async with world(server) as found, keeping(server):
        await until(found.all_live, "books of the consumer")
        await found.expect_the_truth()
        found.states.clear()
        found.lane.lose = 1
        await until(lambda: found.lane.lost == 1, "a delta to lose")
        await until(lambda: [state.state for state in found.states][-1:] == ["live"], "the book is live again")
        assert [state.state for state in found.states] == ["gap", "resync", "live"]
        assert "does not continue" in found.states[0].reason
        await until(found.all_live, "books again")
        await found.expect_the_truth()


async def test_after_a_restart_books_are_asked_for_and_nothing_is_published_before(server: NatsServer) -> None:
    async with world(server) as found:
        async with keeping(server):
            await until(found.all_live, "books of the consumer")
        found.last.clear()
        await asyncio.sleep(0.3)
        assert not found.last, "nobody keeps the books"
        found.states.clear()
        async with keeping(server), keeping(server):  # the second one is a standby
            await until(found.all_live, "books again")
            await found.expect_the_truth()
            said = {
                symbol: [s.state for s in found.states if s.symbol == symbol] for symbol in ("BTC/USDT", "ETH/USDT")
            }
            assert said == {symbol: ["gap", "live"] for symbol in said}


async def test_only_who_publishes_the_instrument_replies(server: NatsServer) -> None:
    async with world(server) as found, connected(server) as bus:
        await until(lambda: [feed.session.books.count_live() for feed in found.producer.feeds] == [2], "continuity")
        client = CommandClient(bus)
        reply = await client.request(
            "feed.resync", ResyncQuery(venue="binance", symbol="BTC/USDT", wait=False), ResyncReply
        )
        assert (reply.outcome, reply.rule.chain) == ("requested", "overlap")
        again = await client.request(
            "feed.resync", ResyncQuery(venue="binance", symbol="BTC/USDT", wait=False), ResyncReply
        )
        assert again.outcome in {"pending", "requested"}
        assert await FeedService([]).resync(ResyncQuery(venue="binance", symbol="BTC/USDT", wait=False)) is None
        refused = await bus.request(f"{subjects.FEED_COMMAND}resync", b'{"venue":1}', 5.0)
        assert b"INVALID_PARAMETER" in refused


def test_books_run_where_they_are_named_and_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_BOOKS", "elsewhere")
    assert chosen(load(), ["books"]) == ("books",)
    assert "books" in CONSUMERS
    assert "books" not in chosen(load())
    monkeypatch.setenv("HYDROPHONE_BOOKS", "producers")
    with pytest.raises(LookupError, match="HYDROPHONE_BOOKS=elsewhere"):
        chosen(load(), ["books"])
