"""Plays a venue against its simulated exchange without sockets and clocks: requests in, frames and answers out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from contracts.instrument import Instrument
from producers.normalize.events import Makers
from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Answer, Frame, Request, Session, Tick
from producers.simulator.market.listing import Listing
from producers.simulator.market.market import Market, MarketConfig
from producers.simulator.transport.bodies import read_fields
from producers.simulator.venue import Snapshots
from producers.venue import CHANNELS, ConnectionPlan, Decoder, RestCall, Unreadable, Venue

BEGIN_US = 1_790_000_000_000_000
STEP_MS = 50
STEPS = 60
BASE = "ws://exchange/venue"
BASES = ("BTC", "ETH")


@dataclass(frozen=True, slots=True)
class Received:
    """One frame of a connection, when it came (ns), and what the connection's decoder made of it."""

    frame: bytes
    ts_recv: int
    decoded: list[Any]


@dataclass(slots=True)
class Connection:
    """One planned socket with everything that came over it."""

    plan: ConnectionPlan
    session: Session
    decoder: Decoder
    received: list[Received] = field(default_factory=list[Received])


@dataclass(frozen=True, slots=True)
class Pace:
    """How busy the simulated market is; so busy, prices do not last for minutes."""

    rate: float = 10.0
    whale_every_s: tuple[float, float] = (0.5, 0.5)
    cascade_every_s: tuple[float, float] = (1.0, 1.0)
    bases: tuple[str, ...] = BASES


class Exchange:
    """One simulated exchange and a client of its own; time passes only by `run`."""

    def __init__(self, venue: Venue, pace: Pace = Pace()) -> None:  # frozen
        config = SimulatorConfig(venues=(venue.id,), bases=pace.bases, rate=pace.rate)
        terms = MarketConfig(
            config.seed, config.venues, pace.bases, pace.rate, pace.whale_every_s, pace.cascade_every_s
        )
        self.venue = venue
        self.market = Market(terms, BEGIN_US)
        self.now_us = BEGIN_US
        self._snapshots = Snapshots()
        self.far = config.open_venue(venue.id, self.market.list_of(venue.id), self._snapshots)
        self._elapsed_ms = 0
        for _ in range(20):
            self._step()
        self.pages: list[tuple[str, bytes]] = []  # answers of the listing, each with its market
        self.instruments = self._list_instruments()
        self._listed = {(market, item.venue_symbol): item for market, item in self.instruments}

    def ask(self, call: RestCall, *, stale: bool = False) -> Answer:
        """Give the simulator's answer to one call; a `stale` book is some seconds old."""
        query = dict(call.params) | (read_fields(call.body.encode()) if call.body else {})
        headers = {name.lower(): value for name, value in call.headers.items()}
        return self.far.answer(Request(call.path, query, stale=stale, headers=headers, method=call.method), self.now_us)

    def _list_instruments(self) -> list[tuple[str, Instrument]]:
        found: list[tuple[str, Instrument]] = []
        for market, first in self.venue.rest.instrument_calls():
            call: RestCall | None = first
            while call is not None:
                self.pages.append((market, self.ask(call).body.encode()))
                page, call = self.venue.rest.decode_instruments(*self.pages[-1])
                assert not [item for item in page if isinstance(item, Unreadable)]
                found += [(market, item) for item in page if isinstance(item, Instrument)]
        return found

    def find(self, market: str, venue_symbol: str) -> Instrument:
        """Find a listed instrument as producers do; one that is not listed is named without its metadata."""
        return find_listed(self.venue, self._listed, market, venue_symbol)

    def new_decoder(self, plan: ConnectionPlan) -> Decoder:
        """Make a decoder that knows nothing yet."""
        return self.venue.decoder(plan.market, lambda symbol: self.find(plan.market, symbol), makers=Makers(sim=True))

    def run(self, steps: int = STEPS, step_ms: int = STEP_MS) -> list[Connection]:
        """Subscribe to everything and let time pass; gives the connections with what they received."""
        connections = self.connect()
        self.play(connections, steps, step_ms)
        return connections

    def connect(self) -> list[Connection]:
        """Open every planned socket and subscribe to everything."""
        plans = self.venue.plan(BASE, [item for _, item in self.instruments], CHANNELS)
        connections = [self._connect(number, plan) for number, plan in enumerate(plans)]
        for connection in connections:
            for request in connection.plan.requests:
                self.send(connection, request.frame)
        return connections

    def play(self, connections: list[Connection], steps: int, step_ms: int = STEP_MS) -> None:
        """Let time pass; the connections receive what the exchange sends."""
        for _ in range(steps):
            for frame in self.step(step_ms):
                for connection in connections:
                    if connection.session in frame.sessions:
                        self.deliver(connection, [frame.text])

    def step(self, step_ms: int = STEP_MS) -> list[Frame]:
        """Let one step pass; gives what the exchange publishes after it."""
        self._step(step_ms)
        return self.far.list_frames(Tick(self.now_us, self._elapsed_ms, step_ms))

    def _step(self, step_ms: int = STEP_MS) -> None:
        self.now_us += step_ms * 1000
        self._elapsed_ms += step_ms
        self.market.step(self.now_us, step_ms * 1000)
        self._snapshots.keep(self.listings, self.now_us)

    @property
    def listings(self) -> list[Listing]:
        """What the exchange lists."""
        return list(self.market.listings.values())

    def _connect(self, number: int, plan: ConnectionPlan) -> Connection:
        url = plan.url
        if self.venue.ticket is not None:
            answer = self.ask(self.venue.ticket.call(plan))
            url, _ = self.venue.ticket.admit(plan, self.venue.policy, answer.body.encode())
        split = urlsplit(url)
        path = split.path.removeprefix(urlsplit(BASE).path) or "/"
        assert self.far.accepts(path), f"{plan.name}: the exchange serves no socket at {path}"
        headers = {name.lower(): value for name, value in plan.headers.items()}
        session = Session(number, path, dict(parse_qsl(split.query)), self.now_us, headers=headers)
        connection = Connection(plan, session, self.new_decoder(plan))
        self.deliver(connection, self.far.on_open(session, self.now_us))
        return connection

    def send(self, connection: Connection, frame: str) -> None:
        """Send a frame of ours; the connection receives the exchange's answers."""
        if not frame:
            return  # it stands for what the venue says by itself
        if self.venue.stamp is not None:
            frame = self.venue.stamp(frame, self.now_us * 1000)
        self.deliver(connection, self.far.on_text(connection.session, frame, self.now_us))

    def deliver(self, connection: Connection, texts: list[str]) -> None:
        """Decode what a connection receives, and answer what is to be answered."""
        for text in texts:
            frame = gzip.compress(text.encode(), mtime=0) if connection.session.gzipped else text.encode()
            ts_recv = self.now_us * 1000
            decoded = list(connection.decoder.decode(frame, ts_recv))
            connection.received.append(Received(frame, ts_recv, decoded))
            for item in decoded:
                if item.kind == "reply":
                    self.send(connection, item.frame)


def find_listed(
    venue: Venue, listed: Mapping[tuple[str, str], Instrument], market: str, venue_symbol: str
) -> Instrument:
    """Return the instrument of that name; of several (spot and swap) the market's own, of none a guess."""
    found = [item for (_, symbol), item in listed.items() if symbol == venue_symbol]
    if len(found) == 1:
        return found[0]
    guessed = venue.guess(market, venue_symbol)
    return next((item for item in found if item.symbol == guessed.symbol), guessed)


def events(connections: list[Connection], kinds: frozenset[str]) -> Iterator[Any]:
    """List the events of these kinds, in order."""
    for connection in connections:
        for received in connection.received:
            yield from (item for item in received.decoded if item.kind in kinds)


def as_text(item: Any) -> str:
    """Write whatever a decoder gave so that it can be compared."""
    return repr(item) if not hasattr(item, "__struct_fields__") else json.dumps([item.kind, repr(item)])


def named(page: Iterable[Instrument | Unreadable]) -> list[Instrument]:
    """Return the instruments of a page of a listing, without the rows that could not be named."""
    return [item for item in page if isinstance(item, Instrument)]
