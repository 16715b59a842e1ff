"""A venue's producer on the simulated exchanges: real sockets, with a lane that remembers what was published."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from contracts import codec, subjects
from producers.connection.socket import OPENERS
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.simulator.config import SimulatorConfig
from producers.simulator.server import Simulator
from runtime.book.books import BookPace
from runtime.nats.lanes.message import split_message


class Bus:
    """Keeps what a producer published: counts, the last body of each subject, states, and every crossed book."""

    def __init__(self):
        self.counts = Counter()
        self.last = {}
        self.states = []
        self.dead = []
        self.crossed = []
        self.stale_as_live = []
        self.unmarked = Counter()
        self.by_kind = defaultdict(list)
        self.instruments = []
        self.feeds: Any = tuple
        self.not_live = set()
        self.slow = 0.0  # seconds that each message takes

    def write(self, parts):
        time.sleep(self.slow)
        subject, _, payload = split_message(parts)
        if subject.startswith(subjects.DEAD_LETTER):
            self.dead.append(msgspec.json.decode(payload))
            return
        event = codec.decode(subject, payload)
        self.counts[event.kind] += 1
        self.last[subject] = event
        self.by_kind[event.kind] = [*self.by_kind[event.kind][-999:], event]
        if not event.sim:
            self.unmarked[event.kind] += 1
        if event.kind == "feed":
            self.states.append((event.state, event.channel, event.symbol, event.reason))
        if event.kind == "feed" and event.channel == "book" and event.state in {"gap", "stale", "down"}:
            self.not_live |= {event.symbol} if event.symbol else self.symbols_of(event.connection)
        if event.kind == "feed" and event.channel == "book" and event.state == "live":
            self.not_live -= {event.symbol} if event.symbol else self.symbols_of(event.connection)
        if event.kind == "book" and event.quality in {"live", "sim"} and event.symbol in self.not_live:
            self.stale_as_live.append(event)
        told = event.kind == "book" and event.quality in {"live", "sim"} and event.bids and event.asks
        if told and float(event.bids[0][0]) >= float(event.asks[0][0]):
            self.crossed.append(event)

    def symbols_of(self, connection):
        """Return whose books come over a connection; those of every one where none is named."""
        feeds = [feed for feed in self.feeds() if not connection or feed.session.identity.id == connection]
        return {item.symbol for feed in feeds for item in feed.plan.books}


class Rig:
    """One producer on one simulator."""

    def __init__(self, sim, producer, bus):
        self.sim, self.producer, self.bus = sim, producer, bus
        self.venue = producer.venue.id

    async def until(self, condition, what, seconds=15.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {seconds} s; states {self.bus.states[-8:]}"
            await asyncio.sleep(0.02)

    def books(self):
        """Every instrument's last published book."""
        return {item.symbol: self.bus.last.get(subjects.BOOK + item.tail) for item in self.producer.instruments}

    def all_books_live(self):
        books = self.books()
        return bool(books) and all(book is not None and book.quality == "sim" for book in books.values())

    async def books_equal_the_truth(self, seconds=15.0):
        """Freeze the market; within the time every published book must equal the exchange's own."""
        self.sim.pause()
        wrong = {}

        def equal():
            wrong.clear()
            wrong.update(self.differences())
            return not wrong

        try:
            await self.until(equal, f"books differ: {wrong}", seconds)
        except AssertionError:
            raise AssertionError(f"books differ from the exchange's own: {wrong}; {self.bus.states[-10:]}") from None
        finally:
            self.sim.resume()

    def differences(self):
        found = {}
        for item in self.producer.instruments:
            book = self.bus.last.get(subjects.BOOK + item.tail)
            truth = self.sim.book(self.venue, "spot" if item.contract == "spot" else "linear", item.venue_symbol)
            if book is None or book.quality != "sim":
                found[item.symbol] = f"not live: {book and book.quality}"
                continue
            shown = min(40, self.producer.venue.book.depth or 40)
            if wrong := list(differences(item, book, truth, shown)):
                found[item.symbol] = wrong
        return found


def differences(instrument, book, truth, shown):
    """Compare the best `shown` levels a side with the exchange's own, which may count contracts."""
    size = float(instrument.contract_size or 1)
    for name in ("bids", "asks"):
        ours = [(float(price), float(amount)) for price, amount in getattr(book, name)][:shown]
        rows = [(float(price), float(amount) * size) for price, amount in truth[name]][:shown]
        theirs = [(price, worth / price) for price, worth in rows] if instrument.is_inverse else rows
        if [p for p, _ in ours] != [p for p, _ in theirs] or any(
            abs(a[1] - b[1]) > 1e-9 * max(1, b[1]) for a, b in zip(ours, theirs, strict=True)
        ):
            yield f"{name}: {ours[:3]} is not {theirs[:3]}"


@pytest.fixture
def rig():
    """Makes rigs, one venue each; keywords are the symbols, another address, changes of policy and simulator."""

    @asynccontextmanager
    async def make(venue_id, *, symbols=("BTC", "ETH"), policy=None, client="picows", ws_url=None, **changes):
        venue = VENUES[venue_id]
        change_venue, refresh = changes.pop("change_venue", None), changes.pop("refresh", 3600.0)
        cache = changes.pop("cache", None)
        if change_venue is not None:
            venue = change_venue(venue)
        fast_policy = replace(venue.policy, connect_pace=0.0, pace=0.02, **(policy or {}))
        config: dict[str, Any] = {"seed": 7, "rate": 3.0, "enforce_limits": False, **changes}
        async with Simulator(SimulatorConfig(venues=(venue_id,), **config)) as sim:
            bus = Bus()

            async def save(_venue, body):
                bus.instruments += msgspec.json.decode(body)

            plan = ProducerPlan(
                venue=venue,
                symbols=symbols,
                ws_url=ws_url or sim.ws_url(venue_id),
                rest_url=sim.rest_url(venue_id),
                pace=BookPace(interval=0.05, depth=50),
                policy=fast_policy,
                refresh=refresh,
            )
            producer = Producer(plan, bus, OPENERS[client], save, cache=cache)
            bus.feeds = lambda: producer.feeds
            task = asyncio.create_task(producer.run())
            try:
                yield Rig(sim, producer, bus)
                if task.done():
                    task.result()
            finally:
                task.cancel()
                await asyncio.wait({task}, timeout=5)

    return make
