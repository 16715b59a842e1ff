"""A crossed frame crosses the book of every venue that can show it, whatever else the frame changes."""

from __future__ import annotations

from typing import Any

import pytest

from producers.registry import VENUES
from producers.simulator.hub import Frame
from producers.simulator.registry import VENUES as SIMULATED
from tests.producers.playing import BEGIN_US, Connection, Exchange

WANTED = 20
UNTIL_US = BEGIN_US + 60_000_000
SHOWING = sorted(name for name, venue in SIMULATED.items() if "crossed" not in venue.lacks)


@pytest.mark.parametrize("venue_id", SHOWING)
def test_crossed_frame_leaves_a_bid_above_the_best_ask(venue_id: str) -> None:
    exchange = Exchange(VENUES[venue_id])
    connections = exchange.run()
    checked = 0
    while checked < WANTED:
        assert exchange.now_us < UNTIL_US, checked
        for frame in exchange.step():
            for connection in connections if frame.is_delta else ():
                if connection.session in frame.sessions:
                    checked += check(exchange, connection, frame)


def check(exchange: Exchange, connection: Connection, frame: Frame) -> int:
    """How many books of a crossed frame were checked."""
    exchange.deliver(connection, [exchange.far.mutate(frame, "crossed")])
    books = [item for item in connection.received[-1].decoded if item.kind in {"book", "delta"}]
    for book in books:
        assert best_bid(book) > best_ask(exchange, book.venue_symbol), frame.text[:300]
    return len(books)


def best_bid(event: Any) -> float:
    levels = dict(event.bids)
    return max(float(price) for price, amount in levels.items() if float(amount) > 0)


def best_ask(exchange: Exchange, venue_symbol: str) -> float:
    listings = [item for item in exchange.listings if item.instrument.symbol == venue_symbol]
    return min(float(item.instrument.price_text(item.book.best_ask)) for item in listings)
