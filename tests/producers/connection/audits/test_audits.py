"""Live books are audited by turns over real sockets: what is planted is found, and a right book is said.

Every venue, and fifty books of each, are in test_plants.py, in simulated time.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from nats.aio.msg import Msg

from contracts import codec, subjects
from contracts.instrument import make_instrument
from producers.connection.auditing import EVERY_SECONDS, AuditTurns
from producers.connection.socket import OPENERS
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.simulator.config import SimulatorConfig
from producers.simulator.market.listing import Listing
from producers.simulator.market.market import Market
from producers.simulator.server import Simulator
from producers.standby import GatedLane
from runtime import clock
from runtime.book.keeper import BookKeeper
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.publisher import LanePublisher
from runtime.servers.embedded import NatsServer
from tests.producers.connection.audits.planting import KINDS, Planted, plant
from tests.producers.connection.audits.world import GONE, listings_of
from tests.producers.connection.test_feed_commands import Held, at_work, until

pytestmark = [pytest.mark.nats, pytest.mark.timeout(600)]
AUDITED = sorted(venue.id for venue in VENUES.values() if venue.rest.audit_call is not None)
EVERY = 0.5
SAID_EVERY_NS = 1_000_000_000
RIGHT = ("gate", "coinbase")  # one of each kind of audit
FOUND_WITHIN = 150.0  # seconds, as venues put many a level right, and several audits must agree
DIFFERS = "differs from the venue's"
PLANTED = (("okx", 3), ("bybit", 1))


class Watched:
    """A producer that audits often, what it says, and the exchange that it follows."""

    def __init__(self, producer: Producer, market: Market) -> None:
        self.producer, self.market = producer, market
        self.states: list[Any] = []
        self.audited: Counter[str] = Counter()

    async def on_message(self, message: Msg) -> None:
        status = codec.decode(message.subject, message.data)
        if status.audited:
            self.audited.update(status.audited)
        else:
            self.states.append(status)

    def live(self) -> bool:
        return bool(self.producer.feeds) and all(feed.live for feed in self.producer.feeds)

    def verdicts(self) -> Counter[str]:
        auditors = [feed.session.auditor for feed in self.producer.feeds]
        return sum((one.counts for one in auditors if one is not None), Counter[str]())

    def keepers(self) -> dict[str, BookKeeper]:
        """Every live book by symbol."""
        books = [feed.session.books for feed in self.producer.feeds]
        return {symbol: one.held[symbol].keeper for one in books for symbol in one.held if one.is_renewed(symbol)}

    def listings(self) -> dict[str, Listing]:
        """What the exchange itself has, by symbol."""
        books = [feed.session.books for feed in self.producer.feeds]
        return listings_of(self.market, [held.instrument for one in books for held in one.held.values()])

    def renew(self, symbol: str) -> None:
        """Give a book up."""
        for feed in self.producer.feeds:
            feed.session.books.on_gap(symbol, GONE, now=clock.monotonic())

    async def became(self, planted: Planted, depth: int) -> str | None:
        """Return the reason of the gap; None where the venue has put it right, or the market has left it behind."""
        since, wrong, began = len(self.states), self.verdicts()["wrong"], clock.monotonic()
        listing = self.listings()[planted.symbol]

        def gaps() -> list[Any]:
            return [state for state in self.states[since:] if state.state == "gap" and state.symbol is not None]

        while not (found := [gap.reason for gap in gaps() if gap.symbol == planted.symbol]):
            now = clock.monotonic()
            assert now < began + FOUND_WITHIN, f"{planted} is not found: {self.verdicts()}"
            # a gap renews a book, which is then right, though not by the venue: what is said of it arrives
            is_said = self.verdicts()["wrong"] - wrong <= sum(DIFFERS in gap.reason for gap in gaps())
            became = planted.look(listing, depth, now) if is_said else None
            if became == "right":
                return None
            if became == "left":
                self.renew(planted.symbol)
            await asyncio.sleep(0.02)
        return None if found[0] == GONE else found[0]


@asynccontextmanager
async def watching(server: NatsServer, venue: str, *, rate: float = 4.0) -> AsyncGenerator[Watched]:
    config = SimulatorConfig(venues=(venue,), seed=11, rate=rate, enforce_limits=False)
    bus = await Bus(BusOptions(servers=(server.url,), name="audits")).connect()
    async with Simulator(config) as sim:
        gate, known = GatedLane(LanePublisher(bus, on_gap=lambda _lost: None)), VENUES[venue]
        gate.lease = Held()  # type: ignore[assignment]
        plan = ProducerPlan(
            venue=replace(known, policy=replace(known.policy, connect_pace=0.0, pace=0.02)),
            symbols=("BTC", "ETH"),
            ws_url=sim.ws_url(venue),
            rest_url=sim.rest_url(venue),
            audit_every=EVERY,
        )

        async def save(_unit: str, _body: bytes) -> None: ...

        found = Watched(Producer(plan, gate, OPENERS["picows"], save), sim.market)
        await bus.client.subscribe(subjects.ALL_FEEDS, cb=found.on_message)
        await bus.client.flush()
        try:
            async with at_work(found.producer, found.live):
                yield found
        finally:
            await bus.close()


@pytest.mark.parametrize("venue", RIGHT)
async def test_right_books_are_found_right_and_said(
    nats: NatsServer, venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("producers.connection.auditing.SAID_EVERY_NS", SAID_EVERY_NS)
    async with watching(nats, venue, rate=20.0) as found:
        followed = set(found.keepers())
        await until(lambda: found.audited.keys() >= followed, "every book is said to be right", 60)
        await asyncio.sleep(5 * EVERY)
        verdicts = found.verdicts()
        assert verdicts["wrong"] == 0
        assert verdicts["right"] > verdicts["open"]
        assert not [state for state in found.states if state.state == "gap"]
        auditors = [feed.session.auditor for feed in found.producer.feeds]
        assert {symbol for one in auditors if one is not None for symbol in one.proven} >= followed


@pytest.mark.parametrize(("venue", "planted"), PLANTED)
async def test_a_corruption_that_no_number_shows_is_a_gap_with_its_reason(
    nats: NatsServer, venue: str, planted: int
) -> None:
    rng, depth = random.Random(venue), VENUES[venue].book.audit_depth
    async with watching(nats, venue) as found:
        number = 0
        while number < planted:
            keepers, kind = found.keepers(), KINDS[number % len(KINDS)]
            symbol, is_bid, place = rng.choice(sorted(keepers)), rng.random() < 1 / 2, rng.random()
            level = plant(symbol, keepers[symbol], kind, most=depth * 4 // 5, is_bid=is_bid, place=place,
                          at=clock.monotonic())  # fmt: skip
            assert level is not None
            reason = await found.became(level, depth * 9 // 10)
            if reason is not None and (kind != "ghost" or not reason.startswith("crossed")):
                assert DIFFERS in reason
                number += 1
            await until(found.live, "live again")


@pytest.mark.parametrize("venue_id", AUDITED)
def test_fifty_books_are_audited_within_a_minute_and_a_quarter_of_the_budget(venue_id: str) -> None:
    venue = VENUES[venue_id]
    books = [make_instrument(venue_id, "BTC/USDT", "BTCUSDT")] * 50
    turns, call = AuditTurns.of(venue, books, len(books), every=EVERY_SECONDS), venue.rest.audit_call
    assert call is not None
    budget = venue.rest.budget
    assert call(books[0]).weight / turns.spacing <= budget.weight / budget.seconds / 4
    assert turns.spacing * len(books) <= 55
