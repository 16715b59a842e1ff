"""A simulated exchange played to two producers: one keeps its books, of the other's deltas the consumer does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from consumers.books.core import KeptBooks
from consumers.books.handlers import read_delta
from contracts import subjects
from producers.connection.interfaces import DepthAnswer
from producers.connection.publisher import Publisher
from producers.connection.session import Session, SessionParts
from producers.feed_service import describe_rule
from producers.registry import VENUES
from runtime.book.books import BookPace
from runtime.nats.lanes.message import Parts, split_message
from tests.producers.playing import Connection, Exchange

STEP_S = 0.05
PACE = BookPace(interval=0.0, depth=100)


class Taken:
    """Keeps what a producer publishes."""

    def __init__(self) -> None:
        self.parts: list[Parts] = []

    def write(self, parts: Parts) -> None:
        self.parts.append(parts)

    def take(self) -> list[tuple[str, bytes]]:
        taken, self.parts = self.parts, []
        return [(split.subject, split.body) for split in map(split_message, taken)]


class Side:
    """The sessions of one producer."""

    def __init__(self, rig: Rig, *, elsewhere: bool) -> None:
        self.rig, self.lane, self.renewed = rig, Taken(), False
        venue = rig.exchange.venue
        self.publisher = Publisher(venue.id, self.lane, lambda: rig.ts)
        self.sessions: list[Session] = []
        for connection in rig.connections:
            parts = SessionParts(
                venue=venue,
                find=lambda name, plan=connection.plan: rig.exchange.find(plan.market, name),
                publisher=self.publisher,
                on_undecodable=rig.refuse,
                pace=PACE,
                books_elsewhere=elsewhere,
            )
            self.sessions.append(Session(connection.plan, parts, self))
            self.sessions[-1].open(ts=rig.ts, now=rig.now, sim=True)

    # what a session calls
    def on_control(self, control: Any) -> None: ...

    def on_event(self, kind: str, symbol: str | None) -> None: ...

    def on_resync(self, symbol: str) -> None:
        self.rig.resubscribe(symbol, self)


class Rig:
    """Time passes by `step`; `lost(subject, body)` says which of the deltas the consumer does not receive."""

    def __init__(self, venue_id: str) -> None:
        self.exchange = Exchange(VENUES[venue_id])
        self.now = 100.0
        self.connections: list[Connection] = self.exchange.connect()
        self.kept, self.lost = KeptBooks(PACE, lambda: self.ts), lambda _subject, _body: False
        self._at = [0] * len(self.connections)
        self.producer, self.raw = Side(self, elsewhere=False), Side(self, elsewhere=True)
        self.ours: dict[str, bytes] = {}  # the last snapshot of each subject, and those of the last step
        self.theirs: dict[str, bytes] = {}
        self.states: list[Any] = []

    lost: Callable[[str, bytes], bool]

    @property
    def ts(self) -> int:
        return self.exchange.now_us * 1000

    def refuse(self, frame: bytes, error: Exception) -> None:
        raise AssertionError(frame[:200]) from error

    def step(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        """Let 50 ms pass; returns the snapshots that were published, by the producer and by the consumer."""
        for frame in self.exchange.step():
            for connection in self.connections:
                if connection.session in frame.sessions:
                    self.exchange.deliver(connection, [frame.text])
        self.now += STEP_S
        self._pass_on()
        for side in (self.producer, self.raw):
            for session, connection in zip(side.sessions, self.connections, strict=True):
                for instrument in session.books.take_due(now=self.now):
                    self._seed(session, connection, instrument)
        self._pass_on()
        for side in (self.producer, self.raw):
            for session in side.sessions:
                session.tick(ts=self.ts, now=self.now)
        return self._compare()

    def _pass_on(self) -> None:
        for place, connection in enumerate(self.connections):
            for received in connection.received[self._at[place] :]:
                for side in (self.producer, self.raw):
                    side.sessions[place].on_frame(received.frame, received.ts_recv)
            self._at[place] = len(connection.received)

    def _seed(self, session: Session, connection: Connection, instrument: Any) -> None:
        venue = self.exchange.venue
        frame = None if venue.book_request is None else venue.book_request(instrument)
        if frame is not None:
            session.books.on_snapshot_requested(instrument.symbol, now=self.now)
            self.exchange.send(connection, frame)
        elif venue.book_request is not None:
            self.resubscribe(instrument.symbol, self.raw)
        else:
            body = self.exchange.ask(venue.rest.depth_call(instrument)).body.encode()
            answer = DepthAnswer(instrument, body, self.ts, simulated=True)
            assert session.on_snapshot(answer, now=self.now) is None

    def resubscribe(self, symbol: str, side: Side) -> None:
        """Bring a pushed snapshot: by a new subscription, or by a new connection of both producers."""
        venue = self.exchange.venue
        for place, connection in enumerate(self.connections):
            for item in connection.plan.subscriptions:
                if item.channel == "book" and item.instrument is not None and item.instrument.symbol == symbol:
                    decoder: Any = side.sessions[place].decoder
                    if venue.resubscribe_learned is not None:
                        frames = venue.resubscribe_learned(item, decoder)
                    else:
                        frames = venue.resubscribe(item) if venue.resubscribe is not None else ()
                    if frames:  # as the feed does
                        side.sessions[place].books.on_resubscribed(symbol, now=self.now)
                    for frame in frames:
                        self.exchange.send(connection, frame)
                    if not frames:
                        self._renew(place)

    def _renew(self, place: int) -> None:
        plan = self.connections[place].plan
        connection = self.connections[place] = self.exchange._connect(100 + place, plan)
        self._at[place] = 0
        for side in (self.producer, self.raw):
            side.sessions[place].close(ts=self.ts, reason="renewed")
            side.sessions[place].open(ts=self.ts, now=self.now, sim=True)
        for request in plan.requests:
            self.exchange.send(connection, request.frame)

    def _compare(self) -> tuple[dict[str, bytes], dict[str, bytes]]:
        theirs = {subject: body for subject, body in self.producer.lane.take() if subject.startswith(subjects.BOOK)}
        kept = self.kept
        published = self.raw.lane.take()
        assert not [subject for subject, _ in published if subject.startswith(subjects.BOOK)]
        wanted = [
            (subject, read_delta(subject, body))
            for subject, body in published
            if subject.startswith((subjects.DELTA, subjects.FEED)) and not self.lost(subject, body)
        ]
        assert not kept.fold(wanted, now=self.now)
        for venue_id, symbol in kept.take_asks(now=self.now):
            outcomes = [session.books.resync(symbol, now=self.now) for session in self.raw.sessions]
            assert any(outcomes), symbol
            kept.on_reply(venue_id, symbol, describe_rule(self.exchange.venue), now=self.now)
        kept.tick(ts=self.ts, now=self.now)
        ours: dict[str, bytes] = {}
        for parts in kept.take_outputs():
            split = split_message(parts)
            if split.subject.startswith(subjects.BOOK):
                ours[split.subject] = split.body
            else:
                self.states.append(read_delta(split.subject, split.body))
        self.theirs |= theirs
        self.ours |= ours
        return theirs, ours
