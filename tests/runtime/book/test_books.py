"""The books of a connection: how a seed is waited for, and what is published meanwhile."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from producers.normalize.events import book_maker
from runtime.book.books import BookPace, Books
from runtime.book.rule import BookRule
from tests.runtime.book.rig import BTC, HEAD, PUSHED, FastDelta, Rig, ns

REST = BookRule(seed="rest", chain="exact")


@pytest.mark.parametrize("lag", [0.5, 3, 5, 20, 30])
def test_snapshot_that_lags_the_stream_joins_soon_after_it_can(lag: float) -> None:
    rig, requests, due, now = Rig(REST), 0, None, 0.0
    while ("live", None) not in rig.said:
        now = round(now + 0.1, 1)
        assert now < lag + 6, rig.said
        rig.delta(10_000 + round(now * 10), [("9", "1")], now=now)
        if rig.books.take_due(now=now):
            requests, due = requests + 1, (now + 0.2, 10_000 + round((now - lag) * 10))
        if due is not None and now >= due[0]:
            rig.snapshot(due[1], now=now)
            due = None
    assert requests <= 15
    waits = [reason for state, reason in rig.said if state == "resync"]
    assert len(waits) == (requests > 1), "what is waited for is said once"
    assert all("ends before the first delta" in (why or "") for why in waits)


def test_snapshot_that_cannot_be_had_is_asked_for_less_and_less_often_and_said() -> None:
    rig, asked, now = Rig(REST), [], 0.0
    while now < 60:
        now = round(now + 0.1, 1)
        if rig.books.take_due(now=now):
            asked.append(now)
            rig.books.on_snapshot(BTC, None, now=now)
    pauses = [round(later - sooner, 1) for sooner, later in itertools.pairwise(asked)]
    assert pauses == sorted(pauses)
    assert len(asked) < 12
    assert [state for state, _ in rig.said] == ["resync"]


def test_crossed_book_is_not_published_until_it_is_none() -> None:
    rig = Rig(PUSHED)
    rig.delta(1, [("10", "1")], [("11", "1")], now=0.0, whole=True)
    assert rig.tick(0.1)
    rig.delta(2, [("11.5", "1")], now=0.2)
    assert not rig.tick(0.3)
    assert not rig.books.tick(ts=ns(0.4), now=0.4, force=True)
    rig.delta(3, asks=[("11", "0"), ("12", "1")], now=0.5)
    assert rig.tick(0.6)
    assert [book.bids[0][0] for book in rig.published] == ["10", "11.5"]
    assert rig.said == [("live", None)]
    assert rig.resyncs == []


def test_books_are_kept_and_published_unless_another_process_has_them() -> None:
    published: list[Any] = []
    books: Books[Any] = Books(PUSHED, BookPace(), published.append, lambda *_: None, make=book_maker)
    books.open([BTC], now=0.0)
    levels: dict[str, Any] = {"bids": [("10", "1")], "asks": [("11", "1")], "is_snapshot": True}
    books.on_delta(BTC.symbol, FastDelta(**HEAD, ts_recv=ns(0.0), seq=1, prev_seq=None, **levels), now=0.0)
    assert books.tick(ts=ns(0.1), now=0.1)
    assert len(published) == 1


def test_book_that_stays_crossed_is_a_gap() -> None:
    rig = Rig(PUSHED)
    rig.delta(1, [("10", "1")], [("11", "1")], now=0.0, whole=True)
    rig.tick(0.1)
    rig.delta(2, [("11.5", "1")], now=0.2)
    assert not rig.tick(3.1)
    assert rig.tick(3.3)
    assert [state for state, _ in rig.said] == ["live", "gap", "resync"]
    assert [book.quality for book in rig.published] == ["live", "gap"]
    assert rig.resyncs == ["BTC/USDT"]


def test_book_that_is_seeded_crossed_is_live_when_it_is_none() -> None:
    rig = Rig(PUSHED)
    rig.delta(1, [("12", "1")], [("11", "1")], now=0.0, whole=True)
    assert not rig.tick(0.1)
    assert rig.said == []
    assert not rig.books.all_live
    rig.delta(2, [("12", "0"), ("10", "1")], now=0.2)
    assert rig.tick(0.3)
    assert rig.said == [("live", None)]
    assert [book.bids for book in rig.published] == [[("10", "1")]]
