"""When a snapshot of a book is requested, what is said of it meanwhile, and what a loss leaves."""

from __future__ import annotations

from itertools import pairwise

import pytest

from contracts.instrument import make_instrument
from runtime.book.books import SEED_DEADLINE
from runtime.book.rule import BookChecksum, BookRule
from tests.runtime.book.rig import BTC, PUSHED, Rig, live, whole_of

ETH = make_instrument("binance", "ETH/USDT", "ETHUSDT")
REST = BookRule(seed="rest", chain="exact")
EITHER = BookRule(seed="either", chain="exact", wait=3.0)
LOST = "something was lost"


# ---- how it begins
def test_books_begin_with_nothing_and_are_real() -> None:
    rig = Rig(REST)
    books = rig.books
    assert (books.simulated, books.proven, books.count_live(), books.all_live) == (False, 0, 0, False)
    assert (books.last_seq(BTC.symbol), books.last_seq("X/Y"), books.is_renewed(BTC.symbol)) == (None, None, False)
    assert list(books.held) == [BTC.symbol]
    assert (books.list_lost(), books.find_overdue(now=99.0)) == ([], None)


def test_a_live_book_counts_and_has_a_number() -> None:
    books = live().books
    assert (books.count_live(), books.all_live, books.last_seq(BTC.symbol)) == (1, True, 1)
    assert (books.list_lost(), books.is_renewed(BTC.symbol)) == ([BTC.symbol], True)
    assert books.is_renewed("X/Y") is False
    books.open([ETH], now=2.0)
    assert (books.count_live(), books.all_live, books.list_lost()) == (1, False, [BTC.symbol])


def test_what_is_of_no_book_is_ignored() -> None:
    rig = live()
    rig.books.close("X/Y")
    rig.books.on_delta("X/Y", None, now=2.0)
    rig.books.on_whole("X/Y", None, now=2.0)
    rig.books.on_gap("X/Y", LOST, now=2.0)
    rig.books.on_silence("X/Y")
    rig.books.on_proof("X/Y", 1, BookChecksum("x", 1, lambda _bids, _asks: 2), now=2.0)
    assert rig.books.resync("X/Y", now=2.0) is None
    assert (rig.said, rig.published, rig.books.count_live()) == ([], [], 1)


def test_a_new_connection_begins_the_same_book_empty_and_another_instrument_s_anew() -> None:
    rig = live()
    held = rig.books.held[BTC.symbol]
    rig.books.open([BTC], now=2.0)
    assert rig.books.held[BTC.symbol] is held
    assert (rig.books.count_live(), held.keeper.live) == (0, False)
    rig.books.open([make_instrument("binance", "BTC/USDT", "XBTUSDT")], now=3.0)
    assert rig.books.held[BTC.symbol] is not held


def test_simulated_books_are_marked() -> None:
    rig = Rig(PUSHED)
    rig.books.simulated = True
    rig.books.open([BTC], now=0.0)
    rig.delta(1, [("10", "1")], [("11", "1")], now=0.0, whole=True)
    rig.tick(0.1)
    assert [(book.quality, book.sim) for book in rig.published] == [("sim", True)]


# ---- requests
@pytest.mark.parametrize(("rule", "first"), [(REST, 0.5), (EITHER, 3.0)])
def test_the_first_request_waits_and_those_that_fail_pause_longer_and_longer(rule: BookRule, first: float) -> None:
    rig = Rig(rule)
    found = rig.requested(0.0, 40.0)
    pauses = [round(later - sooner, 1) for sooner, later in pairwise(found)]
    assert (found[0], pauses[:7]) == (first, [1.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0])
    assert rig.said == [("resync", "the snapshot could not be fetched, and is requested again")]


def test_a_pushed_snapshot_is_never_requested() -> None:
    assert Rig(PUSHED).requested(0.0, 10.0) == []


def test_one_request_at_a_time() -> None:
    rig = Rig(REST)
    assert rig.books.take_due(now=0.4) == []
    assert rig.books.take_due(now=0.5) == [BTC]
    assert rig.books.take_due(now=0.6) == []
    rig.books.on_snapshot(BTC, None, now=0.7)
    assert rig.said == [("resync", "the snapshot could not be fetched, and is requested again")], "the first time"


def test_the_wait_for_a_seed_begins_with_the_subscription() -> None:
    rig = Rig(REST)
    assert rig.books.take_due(now=0.6, subscribed=lambda _: False) == []
    assert rig.books.take_due(now=1.0) == []
    assert rig.books.take_due(now=1.1) == [BTC]
    pushed = Rig(PUSHED)
    pushed.books.take_due(now=0.6, subscribed=lambda _: False)
    assert pushed.books.held[BTC.symbol].request_at is None
    other = live(REST)
    other.books.resync(BTC.symbol, now=2.0)
    assert other.books.take_due(now=2.0, subscribed=lambda _: False) == [BTC], "a live book has its changes"


def test_snapshots_that_are_too_old_pause_less_at_first() -> None:
    rig, found, now = Rig(REST), [], 0.0
    rig.delta(1000, now=0.0)
    while now < 60:
        if rig.books.take_due(now=now):
            found.append(now)
            rig.snapshot(1, now=now)
        now = round(now + 0.1, 3)
    pauses = [round(later - sooner, 1) for sooner, later in pairwise(found)]
    assert pauses[:13] == [0.3, 0.6, 1.2, 2.4, 3.0, 3.0, 3.0, 3.0, 3.0, 5.0, 5.0, 10.0, 10.0]
    assert rig.said == [("resync", "snapshot 1 ends before the first delta continues 999")]


def test_a_request_on_the_socket_is_made_again_after_its_deadline() -> None:
    rig = Rig(REST)
    rig.books.take_due(now=0.5)
    rig.books.on_snapshot_requested(BTC.symbol, now=1.0)
    assert SEED_DEADLINE == 5.0
    assert rig.books.take_due(now=5.9) == []
    assert rig.books.take_due(now=6.0) == [BTC]


def test_a_book_that_was_asked_for_on_the_socket_is_live() -> None:
    rig = Rig(REST)
    rig.books.on_whole(BTC.symbol, whole_of(7, 1.0), now=1.0)
    assert (rig.said, rig.books.last_seq(BTC.symbol)) == ([("live", None)], 7)


def test_a_new_subscription_without_a_snapshot_is_overdue() -> None:
    rig = Rig(EITHER)
    rig.books.take_due(now=3.0)
    assert rig.books.find_overdue(now=99.0) is None
    rig.books.on_resubscribed(BTC.symbol, now=1.0)
    held = rig.books.held[BTC.symbol]
    assert (held.request_at, held.fetching) == (None, False)
    assert rig.books.find_overdue(now=6.0) is None
    assert rig.books.find_overdue(now=6.1) == BTC.symbol
    rig.delta(1, [("10", "1")], [("11", "1")], now=6.2, whole=True)
    assert rig.books.find_overdue(now=99.0) is None
    rig.books.on_gap(BTC.symbol, LOST, now=7.0)
    assert rig.books.find_overdue(now=99.0) is None, "its snapshot came"


# ---- a fresh snapshot is asked for
def test_a_pushed_book_is_given_up_for_a_fresh_snapshot() -> None:
    rig = live()
    rig.tick(1.1)
    assert rig.books.resync(BTC.symbol, now=2.0) == "requested"
    reason = "a fresh snapshot was asked for"
    assert rig.said == [("gap", reason), ("resync", reason)]
    assert ([book.quality for book in rig.published], rig.resyncs) == (["live", "gap"], [BTC.symbol])
    assert rig.books.resync(BTC.symbol, now=99.0) == "pending"


def test_a_book_that_can_be_fetched_stays_live_for_a_fresh_snapshot() -> None:
    rig = live(REST)
    assert rig.books.resync(BTC.symbol, now=2.0) == "requested"
    assert (rig.said, rig.books.count_live(), rig.books.is_renewed(BTC.symbol)) == ([], 1, False)
    assert rig.books.take_due(now=2.0) == [BTC]
    assert rig.books.resync(BTC.symbol, now=31.9) == "pending"
    assert rig.said == []
    assert rig.books.resync(BTC.symbol, now=32.0) == "requested"
    assert [state for state, _ in rig.said] == ["gap", "resync"]
    assert rig.resyncs == []
    assert rig.books.resync(BTC.symbol, now=99.0) == "pending"


def test_a_fresh_snapshot_that_is_fetched_renews_a_live_book() -> None:
    rig = live(REST)
    rig.books.resync(BTC.symbol, now=2.0)
    rig.books.take_due(now=2.0)
    rig.delta(2, [("9", "1")], now=2.1)
    rig.snapshot(1, now=2.2)
    assert (rig.said, rig.books.last_seq(BTC.symbol), rig.books.is_renewed(BTC.symbol)) == ([], 2, True)


def test_pauses_begin_again_for_a_live_book_and_nothing_is_said_of_them() -> None:
    rig = Rig(REST)
    rig.requested(0.0, 10.0)
    rig.snapshot(1, now=10.0)
    rig.said.clear()
    rig.books.resync(BTC.symbol, now=20.0)
    assert rig.requested(20.0, 24.0) == [20.0, 21.0, 22.0, 24.0]
    assert rig.said == []
