"""What a book publishes, and what is said and marked where its continuity, its connection or its channel is lost."""

from __future__ import annotations

import pytest

from contracts.instrument import make_instrument
from runtime.book.rule import BookChecksum, BookRule
from tests.runtime.book.rig import BTC, Rig, live, ns, whole_of

ETH = make_instrument("binance", "ETH/USDT", "ETHUSDT")
REST = BookRule(seed="rest", chain="exact")
LOST = "something was lost"


# ---- losses
@pytest.mark.parametrize("symbol", [BTC.symbol, None])
def test_a_loss_marks_what_was_published_and_requests_at_once(symbol: str | None) -> None:
    rig = live(REST)
    rig.tick(1.1)
    rig.books.on_gap(symbol, LOST, now=2.0)
    assert rig.said == [("gap", LOST), ("resync", LOST)]
    assert [book.quality for book in rig.published] == ["live", "gap"]
    assert (rig.books.count_live(), rig.books.list_lost(), rig.resyncs) == (0, [], [])
    assert rig.requested(2.0, 5.0) == [2.0, 3.0, 4.0]
    rig.said.clear()
    rig.books.on_gap(symbol, LOST, now=6.0)
    assert rig.said == [], "it is not live"


def test_a_loss_of_one_book_is_of_no_other() -> None:
    rig = live()
    rig.books.open([ETH], now=1.0)
    rig.books.on_gap(ETH.symbol, LOST, now=2.0)
    assert (rig.said, rig.books.count_live()) == ([], 1)


def test_a_gap_in_the_numbers_is_said_with_its_reason() -> None:
    rig = live()
    rig.delta(5, now=2.0)
    assert rig.said == [("gap", "4 does not continue 1"), ("resync", "4 does not continue 1")]


def test_a_checksum_is_compared_over_its_levels_and_shown() -> None:
    rig = live()
    asked: list[tuple[int, int]] = []

    def compute(bids: object, asks: object) -> int:
        assert isinstance(bids, list)
        assert isinstance(asks, list)
        asked.append((len(bids), len(asks)))
        return 7

    method = BookChecksum("x", 1, compute)
    rig.delta(2, [("9", "1")], [("12", "1")], now=1.5)
    rig.books.on_proof(BTC.symbol, 7, method, now=2.0)
    assert (rig.books.proven, asked) == (1, [(1, 1)])
    rig.tick(2.1)
    assert [book.venue_checksum for book in rig.published] == [7]
    rig.books.on_proof(BTC.symbol, 8, method, now=3.0)
    assert rig.books.proven == 1
    assert rig.said[0] == ("gap", "checksum 7 is not the venue's 8")
    assert rig.books.held[BTC.symbol].venue_checksum is None
    rig.books.on_proof(BTC.symbol, 7, method, now=3.0)
    assert (rig.books.proven, len(asked)) == (1, 2), "it is not live"


def test_silence_marks_what_was_published_and_the_book_goes_on() -> None:
    rig = live()
    rig.tick(1.1)
    rig.books.on_silence(BTC.symbol)
    assert ([book.quality for book in rig.published], rig.books.count_live()) == (["live", "stale"], 1)


def test_a_lost_connection_marks_every_book_and_asks_for_nothing() -> None:
    rig = live(REST)
    rig.tick(1.1)
    rig.books.resync(BTC.symbol, now=2.0)
    rig.books.on_disconnect()
    held = rig.books.held[BTC.symbol]
    assert (held.keeper.live, held.announced, held.request_at) == (False, False, None)
    assert ([book.quality for book in rig.published], rig.said) == (["live", "gap"], [])
    assert rig.books.take_due(now=99.0) == []


def test_a_book_that_is_not_followed_any_more_is_marked_and_gone() -> None:
    rig = live()
    rig.tick(1.1)
    rig.books.close(BTC.symbol)
    assert ([book.quality for book in rig.published], list(rig.books.held)) == (["live", "gap"], [])


# ---- what is published
def test_changed_books_are_published_once_an_interval_and_all_of_them_by_force() -> None:
    rig = live(interval=0.5)
    assert [rig.tick(now) for now in (1.0, 1.4, 1.5)] == [True, False, False]
    rig.delta(2, [("9", "1")], now=1.6)
    assert [rig.tick(now) for now in (1.9, 2.0, 2.5)] == [False, True, False]
    assert rig.books.tick(ts=ns(2.6), now=2.6, force=True) is True
    assert [rig.tick(now) for now in (3.0, 3.1)] == [False, False]
    assert [book.seq for book in rig.published] == [1, 2, 2]


def test_a_book_may_be_crossed_for_three_seconds_from_the_first_moment() -> None:
    rig = live()
    rig.delta(2, [("11.5", "1")], now=2.0)
    rig.delta(3, [("11.6", "1")], now=4.0)
    rig.tick(5.0)
    assert rig.said == []
    assert rig.books.tick(ts=ns(5.0) + 1, now=5.0) is True
    assert rig.said == [("gap", "crossed for 3 s"), ("resync", "crossed for 3 s")]
    rig.delta(9, [("10", "1")], [("11", "1")], now=6.0, whole=True)
    rig.tick(20.0)
    assert rig.said[2:] == [("live", None)], "it is crossed no more"


def test_a_book_that_is_crossed_at_the_loss_begins_anew() -> None:
    rig = live()
    rig.delta(2, [("11.5", "1")], now=2.0)
    rig.books.on_gap(BTC.symbol, LOST, now=3.0)
    assert rig.books.held[BTC.symbol].crossed_ts is None
    other = live()
    other.delta(2, [("11.5", "1")], now=2.0)
    other.books.on_disconnect()
    assert other.books.held[BTC.symbol].crossed_ts is None


def test_a_side_that_becomes_thin_is_filled_a_second_after_the_last_snapshot() -> None:
    rig = Rig(BookRule(seed="rest", chain="exact", seed_depth=1))
    rig.books.take_due(now=1.0)
    rig.snapshot(1, now=1.0)
    rig.delta(2, [("10", "0")], now=1.2)
    assert rig.books.take_due(now=9.0) == [], "half of one level is none"
    thin = Rig(BookRule(seed="rest", chain="exact", seed_depth=2))
    for now in (1.0, 5.0):
        thin.books.take_due(now=now)
        book = whole_of(round(now), now)
        book.bids.append(("9", "1"))
        thin.books.on_snapshot(BTC, book, now=now)
        thin.delta(round(now) + 1, [("10", "0"), ("9", "0")], now=now + 0.2)
        assert not thin.books.is_renewed(BTC.symbol)
        assert thin.books.take_due(now=now + 0.9) == []
        assert thin.books.take_due(now=now + 1.0) == [BTC]
        thin.delta(round(now) + 2, now=now + 1.0)
        thin.snapshot(round(now) + 2, now=now + 1.1)
        assert thin.books.is_renewed(BTC.symbol)
        thin.books.resync(BTC.symbol, now=now + 3)
    assert thin.said == [("live", None)]


def test_pauses_begin_again_for_a_side_that_becomes_thin() -> None:
    rig = Rig(BookRule(seed="rest", chain="exact", seed_depth=2))
    rig.requested(0.0, 10.0)
    rig.snapshot(1, now=10.0)
    rig.delta(2, [("9", "1")], [("12", "1")], now=10.5)
    book = whole_of(2, 10.6)
    book.bids.append(("9", "1"))
    rig.books.on_gap(BTC.symbol, LOST, now=10.6)
    rig.books.on_snapshot(BTC, book, now=10.6)
    rig.delta(3, [("10", "0"), ("9", "0")], now=10.7)
    assert rig.requested(11.0, 16.0) == [11.6, 12.6, 13.6, 15.6]


# ---- books that another process keeps
def test_of_books_that_are_kept_elsewhere_seeds_are_given_on_and_nothing_is_published() -> None:
    rig = Rig(REST, kept=False)
    for seq in (5, 6, 7):
        rig.delta(seq, now=0.1)
    rig.books.take_due(now=1.0)
    rig.snapshot(1, now=1.0)
    assert rig.seeds == [], "it is too old"
    rig.snapshot(6, now=2.0)
    assert (rig.seeds, rig.said[-1]) == ([(6, [7])], ("live", None))
    assert rig.tick(3.0) is False
    assert rig.books.tick(ts=ns(3.0), now=3.0, force=True) is False
    assert rig.published == []
    kept = Rig(REST)
    kept.delta(7, now=0.1)
    kept.snapshot(6, now=2.0)
    assert kept.seeds == [(6, [])], "who keeps it folds what waited"
