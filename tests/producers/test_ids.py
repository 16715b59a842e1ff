"""Simulated minutes of every venue, ten in the long form: no two different events of one kind share an id."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contracts import codec, subjects
from contracts.codec import EVENTS
from producers.connection.publisher import Publisher
from producers.connection.session import Session, SessionParts
from producers.registry import VENUES
from runtime.book.books import BookPace
from runtime.nats.lanes.message import Parts, split_message
from tests.producers.playing import Connection, Exchange, Pace

MINUTES = (3, pytest.param(10, marks=pytest.mark.long))
STEP_MS = 500
CALM = Pace(rate=0.2, whale_every_s=(10.0, 20.0), cascade_every_s=(20.0, 60.0))


class Bus:
    """What was published, by kind and id; `clashes` are pairs of different events that share an id."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Any]] = {kind: {} for kind in EVENTS}
        self.clashes: list[tuple[Any, Any]] = []
        self.count = 0

    def write(self, parts: Parts) -> None:
        subject, headers, payload = split_message(parts)
        event = codec.decode(subject, payload)
        named = event.kind not in subjects.KINDS_WITHOUT_HEADERS
        assert headers.get(subjects.HEADER_MESSAGE_ID) == (event.id if named else None)
        self.count += 1
        first = self.held[event.kind].setdefault(event.id, event)
        if said(first) != said(event):
            self.clashes.append((first, event))


class NoConnection:
    """A connection that nobody listens to."""

    def on_control(self, control: Any) -> None:
        """One control."""

    def on_event(self, kind: str, symbol: str | None) -> None:
        """One event."""

    def on_resync(self, symbol: str) -> None:
        """One book."""


def said(event: Any) -> Any:
    """What the venue said: the same message may arrive twice, at two times."""
    return msgspec.structs.replace(event, ts_recv=0)


def play(exchange: Exchange, connection: Connection, publisher: Publisher) -> None:
    """Run a connection's frames through a session, with a tick after each of our steps."""
    errors: list[Exception] = []
    parts = SessionParts(
        venue=exchange.venue,
        find=lambda symbol: exchange.find(connection.plan.market, symbol),
        publisher=publisher,
        on_undecodable=lambda _frame, error: errors.append(error),
        pace=BookPace(),
    )
    session = Session(connection.plan, parts, NoConnection())
    first = connection.received[0].ts_recv if connection.received else 0
    session.open(ts=first, now=0.0, sim=True)
    for received in connection.received:
        now = (received.ts_recv - first) / 1e9
        session.on_frame(received.frame, received.ts_recv)
        session.tick(ts=received.ts_recv, now=now)
    session.close(ts=first + 1, reason="the end")
    assert errors == []


@pytest.mark.timeout(240)
@pytest.mark.parametrize("minutes", MINUTES)
@pytest.mark.parametrize("venue", sorted(VENUES))
def test_no_two_different_events_of_a_kind_share_an_id(venue: str, minutes: int) -> None:
    exchange = Exchange(VENUES[venue], CALM)
    connections = exchange.run(minutes * 60_000 // STEP_MS, STEP_MS)
    bus = Bus()
    publisher = Publisher(venue, bus, lambda: exchange.now_us * 1000)
    for connection in connections:
        play(exchange, connection, publisher)
    kinds = {kind: len(held) for kind, held in bus.held.items() if held}
    print(f"{venue}: {bus.count} events, ids by kind {kinds}, {len(bus.clashes)} clashes")
    assert kinds.keys() >= {"trade", "feed"}
    assert [f"{one}\n is not \n{other}" for one, other in bus.clashes[:3]] == []
