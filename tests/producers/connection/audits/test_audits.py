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
from producers.simulator.server import Simulator
from producers.standby import GatedLane
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.publisher import LanePublisher
from runtime.servers.embedded import NatsServer
from tests.producers.connection.test_feed_commands import Held, at_work, until

pytestmark = [pytest.mark.nats, pytest.mark.timeout(600)]
AUDITED = sorted(venue.id for venue in VENUES.values() if venue.rest.audit_call is not None)
EVERY = 0.5
SAID_EVERY_NS = 1_000_000_000
RIGHT = ("gate", "coinbase")  # one of each kind of audit
PLANTED = (("okx", 3), ("bybit", 1))


class Watched:
    """A producer that audits often, and what it says."""

    def __init__(self, producer: Producer) -> None:
        self.producer = producer
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

    def sides(self) -> list[tuple[str, Any]]:
        """Every live side with its symbol."""
        books = [feed.session.books for feed in self.producer.feeds]
        keepers = [(symbol, one.held[symbol].keeper) for one in books for symbol in one.held if one.is_renewed(symbol)]
        return [(symbol, side) for symbol, keeper in keepers for side in (keeper.bids, keeper.asks)]


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

        found = Watched(Producer(plan, gate, OPENERS["picows"], save))
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
        followed = {symbol for symbol, _ in found.sides()}
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
    rng = random.Random(venue)
    async with watching(nats, venue) as found:
        number = 0
        while number < planted:
            symbol, side = rng.choice(found.sides())
            depth = VENUES[venue].book.audit_depth * 4 // 5
            price, amount = rng.choice(
                side.top(depth)[20:]
            )  # away from the best, where levels come and go by themselves
            level, since = plant(("lost", "amount", "ghost")[number % 3], price, amount), len(found.states)
            side.apply([level])

            def gaps(since: int = since, symbol: str = symbol) -> list[str]:
                said = [s for s in found.states[since:] if s.symbol == symbol and s.state == "gap"]
                return [s.reason for s in said]

            def healed(side: Any = side, level: tuple[str, str] = level) -> bool:
                """Whether the venue has named the level meanwhile, which puts it right."""
                return dict(side.top()).get(level[0], "0") != level[1]

            await until(lambda: bool(gaps()) or healed(), f"{number} of {symbol} is found", 150)
            await until(found.live, "live again")
            await asyncio.sleep(0.2)  # what is said arrives
            if gaps():
                assert "differs from the venue's" in gaps()[0]
                number += 1


def plant(kind: str, price: str, amount: str) -> tuple[str, str]:
    """A level that is silently wrong: gone, with another amount, or nobody's."""
    if kind == "lost":
        return price, "0"
    if kind == "amount":
        return price, f"{amount}1" if "." in amount else f"{amount}.1"
    return f"{price}7" if "." in price else f"{price}.0000007", "1"


@pytest.mark.parametrize("venue_id", AUDITED)
def test_fifty_books_are_audited_within_a_minute_and_a_quarter_of_the_budget(venue_id: str) -> None:
    venue = VENUES[venue_id]
    books = [make_instrument(venue_id, "BTC/USDT", "BTCUSDT")] * 50
    turns, call = AuditTurns.of(venue, books, len(books), every=EVERY_SECONDS), venue.rest.audit_call
    assert call is not None
    budget = venue.rest.budget
    assert call(books[0]).weight / turns.spacing <= budget.weight / budget.seconds / 4
    assert turns.spacing * len(books) <= 55
