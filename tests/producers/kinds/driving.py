"""A venue's connection without a socket: frames and REST answers in; events, feed states and wishes for a seed out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from contracts import codec
from producers.connection.interfaces import DepthAnswer
from producers.connection.session import Session, SessionParts
from producers.normalize.messages import Message
from producers.registry import VENUES
from producers.venue import ConnectionPlan, Subscription
from runtime.book.books import BookPace
from runtime.nats.lanes.message import Parts, split_message

START_S = 1_795_600_000


@dataclass
class Driven:
    """One connection of a venue, driven by a virtual clock (seconds). `states`: (state, channel, symbol, reason)."""

    venue_id: str
    names: list[str]
    channels: tuple[str, ...] = ("book",)
    market: str = ""
    events: list[Any] = field(default_factory=list)
    states: list[tuple[str, str | None, str | None, str | None]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    resyncs: list[str] = field(default_factory=list)
    published: Counter[str] = field(default_factory=Counter)
    now: float = 0.0

    def __post_init__(self) -> None:
        venue = self.venue = VENUES[self.venue_id]
        market = self.market or venue.markets[0]
        self.find = cache(partial(venue.guess, market))
        wanted = [Subscription(f"{c}:{n}", c, self.find(n), 30.0) for n in self.names for c in self.channels]
        parts = SessionParts(
            venue=venue,
            find=self.find,
            publisher=self,  # pyright: ignore[reportArgumentType]
            on_undecodable=lambda _frame, error: self.unread.append(str(error)),
            pace=BookPace(interval=0.0),
        )
        self.session = Session(ConnectionPlan("driven", market, "ws://x", tuple(wanted), ()), parts, self)
        self.open()

    @property
    def ts(self) -> int:
        return START_S * 10**9 + round(self.now * 1000) * 10**6

    def open(self) -> None:
        """Begin a connection (again: what the last one's decoder remembers is handed on)."""
        self.session.open(ts=self.ts, now=self.now, sim=False)

    def close(self) -> None:
        self.session.close(ts=self.ts, reason="cut")

    def feed(self, *frames: str | bytes, every: float = 0.1) -> Driven:
        for frame in frames:
            self.session.on_frame(frame.encode() if isinstance(frame, str) else frame, self.ts)
            self.wait(every)
        return self

    def wait(self, seconds: float) -> None:
        self.now = round(self.now + seconds, 3)
        self.session.tick(ts=self.ts, now=self.now)

    def wanted(self) -> list[str]:
        """Return the symbols whose snapshot is due now; they count as asked for."""
        due = self.session.books.take_due(now=self.now)
        for instrument in due if self.venue.book_request is not None else ():
            self.session.books.on_snapshot_requested(instrument.symbol, now=self.now)
        return [instrument.symbol for instrument in due]

    def answer(self, name: str, body: str | None) -> None:
        """Hand over a REST depth answer; None: it could not be had."""
        raw = None if body is None else body.encode()
        reason = self.session.on_snapshot(DepthAnswer(self.find(name), raw, self.ts, False), now=self.now)
        assert reason is None, reason

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.kind == kind]

    def said(self, channel: str) -> list[str]:
        return [state for state, of, _, _ in self.states if of == channel]

    def reasons(self, state: str, channel: str) -> list[str]:
        return [why or "" for said, of, _, why in self.states if (said, of) == (state, channel)]

    # what a session calls
    def publish(self, event: Any) -> None:
        self.events.append(event.event if isinstance(event, Message) else event)

    def write(self, parts: Parts) -> None:
        subject, _, body = split_message(parts)
        self.events.append(codec.decoder(codec.EVENTS[codec.kind_of(subject)]).decode(body))

    def is_ours(self, symbol: str) -> bool:
        return True

    def publish_state(
        self, state: str, *, channel: str | None, symbol: str | None, reason: str | None, **_more: Any
    ) -> None:
        self.states.append((state, channel, symbol, reason))

    def on_control(self, control: Any) -> None: ...

    def on_event(self, kind: str, symbol: str | None) -> None: ...

    def on_resync(self, symbol: str) -> None:
        self.resyncs.append(symbol)
