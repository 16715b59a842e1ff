"""A venue's connections with their books and audits, played against its simulated exchange in simulated time.

What a feed does at every tick is done here by a clock of our own, with answers that take their time: so an hour of
fifty books takes minutes, and the same seed gives the same hour.
"""

from __future__ import annotations

import gzip
import heapq
import random
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from contracts import codec
from contracts.instrument import SPOT, Instrument
from producers.connection.auditing import EVERY_SECONDS, AuditTurns
from producers.connection.interfaces import DepthAnswer
from producers.connection.publisher import Publisher
from producers.connection.session import Session, SessionParts
from producers.registry import VENUES
from producers.simulator.hub import Session as Socket
from producers.simulator.market.listing import Listing
from producers.simulator.market.market import Market
from producers.venue import BOOK, ConnectionPlan, RestCall, Venue
from runtime.book.books import BookPace
from runtime.nats.lanes.message import Parts, split_message
from tests.producers.bases import bases_for
from tests.producers.playing import BASE, Exchange, Pace

STEP_MS: Final = 50
KEEP_EVERY: Final = 2  # steps: as feeds do
LAG_MS: Final = (5, 150)  # of a frame, and of each way of an answer
SECOND_NS: Final = 1_000_000_000
DIFFERENCE: Final = re.compile(
    r"the book differs from the venue's: (?P<side>bid|ask) (?P<price>\S+) has (?P<here>\S+), there (?P<there>\S+)"
)
GONE: Final = "the market has left a planted level behind"
FIFTY: Final = 50
CALM: Final = Pace(4.0, (5.0, 10.0), (30.0, 60.0))
BURSTS: Final = Pace(6.0, (1.0, 2.0), (5.0, 10.0))


@dataclass(frozen=True)
class Gap:
    """One book that was given up. `is_real`: at the exchange the level is as its snapshot shows it, not as ours has it.

    Where nothing was planted a seed has made it so: at the end of what a stream covers a snapshot from between two of
    its messages may lack a level that the stream takes for known, and prices may bring it among the audited ones.
    """

    symbol: str
    reason: str
    is_real: bool


def is_real(listing: Listing, reason: str) -> bool:
    """Return whether a level that only one of the two books has is there, or is not there, at the exchange itself."""
    found = DIFFERENCE.fullmatch(reason)
    if found is None or "0" not in (found["here"], found["there"]):
        return False
    prices = listing.book.bid_prices if found["side"] == "bid" else listing.book.ask_prices
    there = {f"{float(listing.instrument.price_text(price)):g}" for price in prices}
    return (found["price"] in there) == (found["there"] != "0")


def listings_of(market: Market, instruments: Iterable[Instrument]) -> dict[str, Listing]:
    """Return by unified symbol what the simulated exchange has of these instruments."""
    named = {(name, kind == SPOT): one for (_, kind, name), one in market.listings.items()}
    return {item.symbol: named[item.venue_symbol, item.contract == SPOT] for item in instruments}


@dataclass
class Line:
    """One connection: a session of ours at one end, the exchange's socket at the other."""

    world: World
    plan: ConnectionPlan
    socket: Socket
    turns: AuditTurns
    queue: deque[tuple[int, bytes]] = field(default_factory=deque[tuple[int, bytes]])

    def __post_init__(self) -> None:
        self.session = Session(self.plan, self.world.parts_of(self.plan), self)

    def on_control(self, control: Any) -> None:
        if control.kind == "reply":
            self.world.send(self, control.frame)

    def on_event(self, kind: str, symbol: str | None) -> None: ...

    def on_resync(self, symbol: str) -> None:
        venue, session = self.world.venue, self.session
        item = next(s for s in self.plan.subscriptions if s.instrument is not None and s.instrument.symbol == symbol)
        if venue.resubscribe_learned is not None and session.decoder is not None:
            frames = venue.resubscribe_learned(item, session.decoder)
        else:
            frames = venue.resubscribe(item) if venue.resubscribe is not None else ()
        assert frames, f"{symbol}: {self.world.venue.id} needs a new connection"
        session.books.on_resubscribed(symbol, now=self.world.now)
        for frame in frames:
            self.world.send(self, frame)


class World:
    """One venue with its books. `gaps` are all that were published, `audited` counts by symbol."""

    def __init__(
        self, venue_id: str, *, books: int = FIFTY, pace: Pace = CALM, every: float = EVERY_SECONDS, stale: bool = False
    ) -> None:
        self.venue: Venue = VENUES[venue_id]
        self.exchange = Exchange(self.venue, replace(pace, bases=bases_for(venue_id, books)))
        self.gaps: list[Gap] = []
        self.audited: Counter[str] = Counter()
        self.calls: list[float] = []
        self.stale = stale
        self.rng = random.Random(venue_id)
        followed = [item for _, item in self.exchange.instruments][:books]
        self._publisher = Publisher(venue_id, self, lambda: self.ts)
        self.listings = listings_of(self.exchange.market, followed)
        self._answers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        plans = self.venue.plan(BASE, followed, (BOOK,))
        self.lines = [self._open(number, plan, len(followed), every) for number, plan in enumerate(plans)]

    def parts_of(self, plan: ConnectionPlan) -> SessionParts:
        """Return what a connection's session works with."""
        return SessionParts(
            venue=self.venue,
            find=lambda symbol: self.exchange.find(plan.market, symbol),
            publisher=self._publisher,
            on_undecodable=self._on_undecodable,
            pace=BookPace(interval=3600.0),
        )

    def _open(self, number: int, plan: ConnectionPlan, books: int, every: float) -> Line:
        connection = self.exchange._connect(number, plan)
        turns = AuditTurns.of(self.venue, plan.books, books, every=every)
        line = Line(self, plan, connection.session, turns)
        line.session.open(ts=self.ts, now=self.now, sim=True)
        greetings = [received.frame for received in connection.received]
        for frame in greetings:
            self._receive(line, frame)
        for request in plan.requests:
            if request.frame:
                self.send(line, request.frame)
        return line

    @property
    def depth(self) -> int:
        """How many levels a side are audited, or proven by a checksum."""
        return self.venue.book.audit_depth if self.venue.checksum is None else self.venue.checksum.depth

    @property
    def ts(self) -> int:
        """Now, ns UTC."""
        return self.exchange.now_us * 1000

    @property
    def now(self) -> float:
        """Now, in seconds."""
        return self.exchange.now_us / 1e6

    def write(self, parts: Parts) -> None:
        """Take what is published, as a lane does."""
        if not parts[0].startswith(b"HPUB feed.") and not parts[0].startswith(b"PUB feed."):
            return
        message = split_message(parts)
        status = codec.decode(message.subject, message.body)
        self.audited.update(status.audited or ())
        if status.state == "gap" and status.symbol is not None and status.channel == BOOK:
            reason = status.reason or ""
            self.gaps.append(Gap(status.symbol, reason, is_real=is_real(self.listings[status.symbol], reason)))

    def _on_undecodable(self, frame: bytes, error: Exception) -> None:
        raise AssertionError(f"{frame[:200]!r}: {error}")

    def send(self, line: Line, frame: str) -> None:
        """Send a frame of ours."""
        if self.venue.stamp is not None:
            frame = self.venue.stamp(frame, self.ts)
        for text in self.exchange.far.on_text(line.socket, frame, self.exchange.now_us):
            self._receive(line, text.encode())

    def _receive(self, line: Line, frame: bytes) -> None:
        if line.socket.gzipped and not frame.startswith(b"\x1f\x8b"):
            frame = gzip.compress(frame, compresslevel=1, mtime=0)
        at = self.exchange.now_us + self.rng.randint(*LAG_MS) * 1000
        line.queue.append((max(at, line.queue[-1][0] if line.queue else 0), frame))

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._answers, (self.exchange.now_us + int(seconds * 1e6), self._count, act))

    def _fetch(
        self, call: RestCall, instrument: Instrument, take: Callable[..., Any], *, after: float, audit: bool
    ) -> None:
        """Let the exchange answer a call that is made after so many seconds, and its answer be received later."""

        def answer() -> None:
            self.calls.append(self.now)
            body = self.exchange.ask(call, stale=self.stale and audit).body.encode()
            self._later(self.rng.randint(*LAG_MS) / 1000, lambda: receive(body))

        def receive(body: bytes) -> None:
            take(DepthAnswer(instrument, body, self.ts, simulated=True, audit=audit), now=self.now)

        self._later(after + self.rng.randint(*LAG_MS) / 1000, answer)

    def _keep(self, line: Line) -> None:
        """Do what a feed does at every tick."""
        session, venue, now = line.session, self.venue, self.now
        for instrument in session.books.take_due(now=now):
            frame = venue.book_request(instrument) if venue.book_request is not None else None
            if frame is not None:
                session.books.on_snapshot_requested(instrument.symbol, now=now)
                self.send(line, frame)
            elif venue.book_request is not None:
                line.on_resync(instrument.symbol)
            else:
                self._fetch(venue.rest.depth_call(instrument), instrument, session.on_snapshot, after=0, audit=False)
        auditor = session.auditor
        symbol = None if auditor is None else auditor.choose(line.turns, now=now)
        if auditor is not None and symbol is not None and venue.rest.audit_call is not None:
            instrument = session.books.held[symbol].instrument
            session.start_audit(symbol, ts=self.ts)
            call = venue.rest.audit_call(instrument)
            self._fetch(call, instrument, session.on_audit, after=auditor.lead, audit=True)
        assert session.books.find_overdue(now=now) is None
        session.tick(ts=self.ts, now=now)

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Let time pass, for so many seconds or until something is true."""
        for number in range(int(seconds * 1000) // STEP_MS):
            self._step()
            if number % KEEP_EVERY == 0:
                for line in self.lines:
                    self._keep(line)
                if until():
                    return

    def _step(self) -> None:
        """Let one step of the market pass, and what was sent arrive."""
        for frame in self.exchange.step(STEP_MS):
            for line in self.lines:
                if line.socket in frame.sessions:
                    self._receive(line, frame.text.encode())
        at = self.exchange.now_us
        for line in self.lines:
            while line.queue and line.queue[0][0] <= at:
                line.session.on_frame(line.queue.popleft()[1], self.ts)
        while self._answers and self._answers[0][0] <= at:
            heapq.heappop(self._answers)[2]()

    def renew(self, symbol: str) -> None:
        """Give a book up."""
        for line in self.lines:
            line.session.books.on_gap(symbol, GONE, now=self.now)

    def is_live(self) -> bool:
        return all(line.session.books.all_live for line in self.lines)

    def verdicts(self) -> Counter[str]:
        auditors = [line.session.auditor for line in self.lines]
        return sum((one.counts for one in auditors if one is not None), Counter[str]())

    def keepers(self) -> dict[str, Any]:
        """The live books by symbol."""
        books = [line.session.books for line in self.lines]
        return {symbol: one.held[symbol].keeper for one in books for symbol in one.held if one.is_renewed(symbol)}
