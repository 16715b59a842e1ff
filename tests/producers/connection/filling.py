"""Simulated exchanges with a producer each, without a bus: what was traded, what was published, what was said."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from contracts import codec, subjects
from contracts.arithmetic.exact import EXACT
from contracts.instrument import SPOT
from producers.connection.socket import OPENERS
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.simulator.config import SimulatorConfig
from producers.simulator.faults import Fault
from producers.simulator.market.listing import Listing
from producers.simulator.market.listing import Trade as Fill
from producers.simulator.server import Simulator
from producers.venue import TRADE, RestBudget
from runtime.nats.lanes.message import Parts, split_message

MS, SECOND_MS = 1_000_000, 1000
NEVER = 1e9  # seconds at rate 1
SECONDS_ONLY = frozenset({"indodax"})  # whose trades' times are whole seconds
Key = tuple[int, Decimal, str | None]  # (time in ms, price, side)


@dataclass
class Published:
    """The lane of one producer: the trades and states that were published, in order."""

    trades: list[Any] = field(default_factory=list[Any])
    states: list[Any] = field(default_factory=list[Any])

    def write(self, parts: Parts) -> None:
        message = split_message(parts)
        if message.subject.startswith(subjects.TRADE):
            self.trades.append(codec.decode(message.subject, message.body))
        elif message.subject.startswith(subjects.FEED):
            self.states.append(codec.decode(message.subject, message.body))


@dataclass
class World:
    """One venue: its producer, what it published, and what was traded."""

    venue: str
    sim: Simulator
    producer: Producer
    lane: Published
    since: dict[str, int] = field(default_factory=dict[str, int])  # ms, by symbol
    traded: dict[str, dict[int, Fill]] = field(default_factory=lambda: defaultdict[str, dict[int, Fill]](dict))

    def begin(self) -> None:
        """Count what is lost from now on: what was traded while it subscribed for the first time may be."""
        for trade in self.lane.trades:
            self.since[trade.symbol] = max(trade.ts_event // MS, self.since.get(trade.symbol, 0))

    @property
    def listings(self) -> dict[str, Listing]:
        """The listing of each followed symbol."""
        listings = self.sim.market.listings.items()
        found = {(name, market == SPOT, symbol): one for (name, market, symbol), one in listings}
        ours = self.producer.instruments
        return {item.symbol: found[self.venue, item.contract == SPOT, item.venue_symbol] for item in ours}

    def note(self) -> None:
        """Note what was traded since the last time."""
        for symbol, listing in self.listings.items():
            self.traded[symbol].update((fill.id, fill) for fill in listing.recent)

    def is_settled(self) -> bool:
        """Whether nothing is to be fetched, and no cut waits for a trade."""
        fillers = [feed.session.filler for feed in self.producer.feeds]
        return not any(one.wanted or one._cuts for one in fillers)

    def has_traded(self, since: int = 0) -> bool:
        """Whether a trade of every instrument was published, after the first `since` ones."""
        wanted = {item.symbol for item in self.producer.instruments}
        return {trade.symbol for trade in self.lane.trades[since:] if not trade.backfilled} >= wanted != set()

    def has_newest(self) -> bool:
        """Whether the newest trade of every instrument was published, as far as time and price tell."""
        for symbol, listing in self.listings.items():
            terms, last = listing.instrument, listing.last
            newest = self._key(last.ts_us // 1000, terms.price_text(last.price), None)
            ours = (trade for trade in reversed(self.lane.trades) if trade.symbol == symbol)
            if newest not in (self._key(trade.ts_event // MS, trade.price, None) for trade in ours):
                return False
        return True

    def is_live(self) -> bool:
        return bool(self.producer.feeds) and all(feed.ready for feed in self.producer.feeds)

    async def cut(self, seconds: float) -> None:
        """Cut every connection for so long."""
        self.producer.resumed.clear()
        self.sim.inject(Fault(self.venue, "cut", count=100))
        await asyncio.sleep(seconds)
        self.producer.resumed.set()

    def drop(self, frames: int) -> None:
        """Lose so many frames with trades."""
        self.sim.inject(Fault(self.venue, "drop", channel="trades", count=frames))

    # ---- what came of it
    def doubled(self) -> list[str]:
        return [one for one, count in Counter(trade.id for trade in self.lane.trades).items() if count > 1]

    def backfilled(self) -> list[Any]:
        return [trade for trade in self.lane.trades if trade.backfilled]

    def gaps(self) -> int:
        """How many holes were noticed."""
        return sum(state.state == "gap" and state.channel == TRADE for state in self.lane.states)

    def said(self, name: str) -> list[tuple[str, Any]]:
        """The ranges of FeedStatus `filled` or `missing`, with their symbols."""
        return [(state.symbol, one) for state in self.lane.states for one in getattr(state, name) or ()]

    def lost(self) -> dict[str, dict[Key, Decimal]]:
        """What was traded since `begin` and never published, by symbol; exact amounts."""
        found: dict[str, dict[Key, Decimal]] = {}
        for symbol, listing in self.listings.items():
            ours = [trade for trade in self.lane.trades if trade.symbol == symbol]
            start = self.since[symbol]
            left = _sum((self._key(t.ts_event // MS, t.price, t.side), t.contracts or t.amount) for t in ours)
            for fill in self.traded[symbol].values():
                terms = listing.instrument
                key = self._key(fill.ts_us // 1000, terms.price_text(fill.price), "buy" if fill.taker_buys else "sell")
                if key[0] > start:
                    left[key] = EXACT.subtract(left.get(key, Decimal(0)), Decimal(terms.amount_text(fill.amount)))
            found[symbol] = {key: -amount for key, amount in left.items() if amount and key[0] > start}
        return found

    def _key(self, ms: int, price: str, side: str | None) -> Key:
        time = ms // SECOND_MS * SECOND_MS if self.venue in SECONDS_ONLY else ms
        return time, Decimal(price), side


def _sum(items: Any) -> dict[Key, Decimal]:
    found: dict[Key, Decimal] = {}
    for key, amount in items:
        found[key] = EXACT.add(found.get(key, Decimal(0)), Decimal(amount))
    return found


async def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait for a condition; AssertionError that names it where it does not come."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - many things may make it true
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}") from None


@asynccontextmanager
async def worlds(venues: tuple[str, ...], *, rate: float = 3.0) -> AsyncGenerator[list[World]]:
    """Run these exchanges in one simulator, with a producer of trades of BTC each."""
    config = SimulatorConfig(  # without whales and cascades, whose fills are more than what histories have: 30 to 1000
        venues=venues,
        seed=7,
        rate=rate,
        bases=("BTC",),
        whale_every_s=(NEVER, NEVER),
        cascade_every_s=(NEVER, NEVER),
        enforce_limits=False,
    )
    async with Simulator(config) as sim:
        found: list[World] = []
        for venue in venues:
            lane, known = Published(), VENUES[venue]
            plan = ProducerPlan(
                venue=replace(
                    known,
                    policy=replace(known.policy, connect_pace=0.0, pace=0.02),
                    rest=replace(known.rest, budget=RestBudget(1000, 1.0)),
                ),
                symbols=("BTC",),
                ws_url=sim.ws_url(venue),
                rest_url=sim.rest_url(venue),
                channels=(TRADE,),
            )

            async def save(_unit: str, _body: bytes) -> None: ...

            found.append(World(venue, sim, Producer(plan, lane, OPENERS["picows"], save), lane))
        tasks = [asyncio.create_task(one.producer.run()) for one in found]
        tasks.append(asyncio.create_task(_note(found)))
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=5)


async def _note(found: list[World]) -> None:
    while True:
        for one in found:
            one.note()
        await asyncio.sleep(0.2)
