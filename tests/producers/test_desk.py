"""The books of a connection: how a seed is waited for, what is said of it, and what is published meanwhile."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from contracts import market
from contracts.codec import fast
from contracts.instrument import make_instrument
from producers.connection.books import BookDesk, BookPace
from producers.venue import BookRule

FastDelta = fast(market.BookDelta)
FastBook = fast(market.BookSnapshot)
BTC = make_instrument("binance", "BTC/USDT", "BTCUSDT")
HEAD = {"id": "x", "venue": "binance", "symbol": "BTC/USDT", "venue_symbol": "BTCUSDT", "ts_event": 1, "sim": False}
REST = BookRule(seed="rest", chain="exact")
PUSHED = BookRule(seed="ws", chain="exact")


class Room:
    """A desk for one instrument, with what it published, said and asked for."""

    def __init__(self, rule: BookRule) -> None:
        self.books: list[Any] = []
        self.said: list[tuple[str, str | None]] = []
        self.resyncs: list[str] = []
        self.desk = BookDesk(
            rule,
            BookPace(interval=0.0),
            self.books.append,
            lambda _symbol, state, reason: self.said.append((state, reason)),
            on_resync=self.resyncs.append,
        )
        self.desk.open([BTC], now=0.0)

    def delta(self, seq: int, bids=(), asks=(), *, now: float, whole: bool = False) -> None:
        self.desk.on_event(
            FastDelta(**HEAD, ts_recv=ns(now), bids=list(bids), asks=list(asks), seq=seq, prev_seq=seq - 1,
                      is_snapshot=whole),
            now=now,
        )  # fmt: skip

    def snapshot(self, seq: int, *, now: float) -> None:
        book = FastBook(**HEAD, ts_recv=ns(now), bids=[("10", "1")], asks=[("11", "1")], seq=seq, quality="live")
        self.desk.on_snapshot(BTC, book, now=now)

    def tick(self, now: float) -> bool:
        return self.desk.tick(ts=ns(now), now=now)


def ns(now: float) -> int:
    return 10**18 + round(now * 10**9)


@pytest.mark.parametrize("lag", [0.5, 3, 5, 20, 30])
def test_snapshot_that_lags_the_stream_joins_soon_after_it_can(lag: float) -> None:
    room, requests, due, now = Room(REST), 0, None, 0.0
    while ("live", None) not in room.said:
        now = round(now + 0.1, 1)
        assert now < lag + 6, room.said
        room.delta(10_000 + round(now * 10), [("9", "1")], now=now)
        if room.desk.wanted(now=now):
            requests, due = requests + 1, (now + 0.2, 10_000 + round((now - lag) * 10))
        if due is not None and now >= due[0]:
            room.snapshot(due[1], now=now)
            due = None
    assert requests <= 15
    waits = [reason for state, reason in room.said if state == "resync"]
    assert len(waits) == (requests > 1), "what is waited for is said once"
    assert all("ends before the first delta" in (why or "") for why in waits)


def test_snapshot_that_cannot_be_had_is_asked_for_less_and_less_often_and_said() -> None:
    room, asked, now = Room(REST), [], 0.0
    while now < 60:
        now = round(now + 0.1, 1)
        if room.desk.wanted(now=now):
            asked.append(now)
            room.desk.on_snapshot(BTC, None, now=now)
    pauses = [round(later - sooner, 1) for sooner, later in itertools.pairwise(asked)]
    assert pauses == sorted(pauses)
    assert len(asked) < 12
    assert [state for state, _ in room.said] == ["resync"]


def test_crossed_book_is_not_published_until_it_is_none() -> None:
    room = Room(PUSHED)
    room.delta(1, [("10", "1")], [("11", "1")], now=0.0, whole=True)
    assert room.tick(0.1)
    room.delta(2, [("11.5", "1")], now=0.2)
    assert not room.tick(0.3)
    assert not room.desk.tick(ts=ns(0.4), now=0.4, force=True)
    room.delta(3, asks=[("11", "0"), ("12", "1")], now=0.5)
    assert room.tick(0.6)
    assert [book.bids[0][0] for book in room.books] == ["10", "11.5"]
    assert room.said == [("live", None)]
    assert room.resyncs == []


def test_book_that_stays_crossed_is_a_gap() -> None:
    room = Room(PUSHED)
    room.delta(1, [("10", "1")], [("11", "1")], now=0.0, whole=True)
    room.tick(0.1)
    room.delta(2, [("11.5", "1")], now=0.2)
    assert not room.tick(3.1)
    assert room.tick(3.3)
    assert [state for state, _ in room.said] == ["live", "gap", "resync"]
    assert [book.quality for book in room.books] == ["live", "gap"]
    assert room.resyncs == ["BTC/USDT"]


def test_book_that_is_seeded_crossed_is_live_when_it_is_none() -> None:
    room = Room(PUSHED)
    room.delta(1, [("12", "1")], [("11", "1")], now=0.0, whole=True)
    assert not room.tick(0.1)
    assert room.said == []
    assert not room.desk.all_live
    room.delta(2, [("12", "0"), ("10", "1")], now=0.2)
    assert room.tick(0.3)
    assert room.said == [("live", None)]
    assert [book.bids for book in room.books] == [[("10", "1")]]
