"""`cmd.v1.feed.<verb>` against a simulated exchange over a real bus: the reply is what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from nats.aio.msg import Msg

from contracts import codec, subjects
from contracts.errors import ConflictError, InvalidParameterError
from contracts.services import feed as words
from producers.connection.feed import PAUSED
from producers.connection.socket import OPENERS
from producers.feed_service import FeedService
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.simulator.config import SimulatorConfig
from producers.simulator.server import Simulator
from producers.standby import GatedLane, Unit
from runtime.clients.command_client import CommandClient
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.publisher import LanePublisher
from runtime.servers.embedded import NatsServer

pytestmark = [pytest.mark.nats, pytest.mark.timeout(90)]


@dataclass
class Held:
    """A lease that is held, or not."""

    held: bool = True


@dataclass
class World:
    """A producer of two books, what it says, and who asks it."""

    producer: Producer
    client: CommandClient
    bus: Bus
    service: FeedService
    states: list[Any] = field(default_factory=list[Any])
    trades: int = 0

    async def on_message(self, message: Msg) -> None:
        if message.subject.startswith(subjects.FEED):
            self.states.append(codec.decode(message.subject, message.data))
        else:
            self.trades += 1

    @property
    def seeded(self) -> list[float]:
        return [book.seeded_at for feed in self.producer.feeds for book in feed.session.books._books.values()]

    def live(self) -> bool:
        return bool(self.producer.feeds) and all(feed.live for feed in self.producer.feeds)

    async def reply(self, verb: str, query: Any, reply: Any = words.FeedReply) -> Any:
        return await self.client.request(f"feed.{verb}", query, reply)


@asynccontextmanager
async def at_work(producer: Producer, live: Callable[[], bool]) -> AsyncGenerator[None]:
    """A producer that runs for as long as the block lasts; it begins once `live()`."""
    task = asyncio.create_task(producer.run())
    try:
        await until(live, "live")
        yield
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=5)


async def until(check: Callable[[], bool], what: str, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert check(), what


@asynccontextmanager
async def world(server: NatsServer, venue: str, *, held: bool = True, seconds: float = 8.0) -> AsyncGenerator[World]:
    config = SimulatorConfig(venues=(venue,), seed=7, rate=5.0, enforce_limits=False)
    bus = await Bus(BusOptions(servers=(server.url,), name="feeds")).connect()
    async with Simulator(config) as sim:
        gate = GatedLane(LanePublisher(bus, on_gap=lambda _lost: None))
        gate.lease = Held(held)  # type: ignore[assignment]
        known = VENUES[venue]
        plan = ProducerPlan(
            venue=replace(known, policy=replace(known.policy, connect_pace=0.0, pace=0.02)),
            symbols=("BTC", "ETH"),
            ws_url=sim.ws_url(venue),
            rest_url=sim.rest_url(venue),
        )

        async def save(_unit: str, _body: bytes) -> None: ...

        producer = Producer(plan, gate, OPENERS["picows"], save)
        service = FeedService([Unit(venue, producer, gate)], seconds=seconds)
        await service.open(bus)
        found = World(producer, CommandClient(bus), bus, service)
        await bus.client.subscribe(subjects.ALL_FEEDS, cb=found.on_message)
        await bus.client.subscribe(f"{subjects.TRADE}{venue}.>", cb=found.on_message)
        await bus.client.flush()
        try:
            async with at_work(producer, found.live):
                yield found
        finally:
            await service.close()
            await bus.close()


@pytest.mark.parametrize("venue", ["binance", "kraken"])  # seeded by REST, and on the socket
async def test_a_resync_is_over_when_every_book_is_live_with_its_new_snapshot(nats: NatsServer, venue: str) -> None:
    async with world(nats, venue) as found:
        before = found.seeded
        reply = await found.reply("resync", words.ResyncQuery(venue=venue), words.ResyncReply)
        assert (reply.outcome, reply.books, reply.waiting) == ("live", len(before), [])
        assert 0 < reply.seconds < 8
        assert found.live()
        if venue == "binance":
            assert all(now > then for now, then in zip(found.seeded, before, strict=True))
            assert not [state for state in found.states if state.state == "gap"], "the books went on meanwhile"
        else:
            followed = {symbol for feed in found.producer.feeds for symbol in list(feed.session.books.held)}
            assert {s.symbol for s in found.states if s.state == "gap"} == followed
        symbol = found.producer.instruments[0].symbol
        one = await found.reply("resync", words.ResyncQuery(venue=venue, symbol=symbol), words.ResyncReply)
        assert (one.outcome, one.books) == ("live", 1)


async def test_a_resync_that_takes_too_long_names_what_is_not_live(nats: NatsServer) -> None:
    async with world(nats, "binance", seconds=0.0) as found:
        reply = await found.reply("resync", words.ResyncQuery(venue="binance"), words.ResyncReply)
        assert (reply.outcome, sorted(reply.waiting)) == ("late", ["BTC/USDT", "ETH/USDT"])


async def test_a_reconnect_is_over_when_the_new_connections_are_live(nats: NatsServer) -> None:
    async with world(nats, "binance") as found:
        reply = await found.reply("reconnect", words.ReconnectQuery(venue="binance"))
        assert (reply.outcome, reply.connections, reply.reason) == ("live", len(found.producer.feeds), None)
        assert [feed.reconnects for feed in found.producer.feeds] == [1] * reply.connections
        assert any(state.state == "down" and state.reason == "a new connection was asked for" for state in found.states)


async def test_a_paused_exchange_sends_nothing_until_it_is_resumed(nats: NatsServer) -> None:
    async with world(nats, "binance") as found:
        reply = await found.reply("pause", words.PauseQuery(venue="binance"))
        assert reply.outcome == "paused"
        assert not any(feed.connected for feed in found.producer.feeds)
        await until(lambda: any(s.state == "down" and s.reason == PAUSED for s in found.states), "it is said")
        await asyncio.sleep(0.2)
        trades = found.trades
        await asyncio.sleep(1.5)  # longer than a first reconnect takes
        assert found.trades == trades
        with pytest.raises(ConflictError, match="resume it first"):
            await found.reply("resync", words.ResyncQuery(venue="binance"), words.ResyncReply)
        with pytest.raises(ConflictError, match="resume it first"):
            await found.reply("reconnect", words.ReconnectQuery(venue="binance"))
        again = await found.reply("resume", words.ResumeQuery(venue="binance"))
        assert again.outcome == "live"
        await until(lambda: found.trades > trades, "trades again")


async def test_a_standby_pauses_too_and_leaves_the_reply_to_who_publishes(nats: NatsServer) -> None:
    async with world(nats, "binance", held=False) as found:
        assert await found.service.resync(words.ResyncQuery(venue="binance")) is None
        assert await found.service.reconnect(words.ReconnectQuery(venue="binance")) is None
        assert await found.service.pause(words.PauseQuery(venue="binance")) is None
        await until(lambda: not any(feed.connected for feed in found.producer.feeds), "closed")
        assert await found.service.resume(words.ResumeQuery(venue="binance")) is None
        await until(found.live, "live again")


async def test_what_is_not_followed_is_left_to_others_and_nonsense_is_refused(nats: NatsServer) -> None:
    async with world(nats, "binance") as found:
        assert await found.service.resync(words.ResyncQuery(venue="binance", symbol="NO/PE")) is None
        assert await found.service.resync(words.ResyncQuery(venue="okx")) is None
        for verb in ("resync", "reconnect", "pause", "resume"):
            body = await found.bus.request(f"{subjects.FEED_COMMAND}{verb}", b'{"venue":1}', 5.0)
            assert InvalidParameterError.code.encode() in body
            assert b'"venue"' in body
