"""The book keeps what the venue's rule proves and asks for a new seed as soon as it cannot."""

from __future__ import annotations

import random

import pytest

from contracts import market
from contracts.codec import fast
from producers.venue import BookRule
from runtime.book import keeper as book
from runtime.book.book_side import checksum
from runtime.book.keeper import BookKeeper, Change
from tests.runtime.book.book_sides import SIDES

FastDelta = fast(market.BookDelta)
FastBook = fast(market.BookSnapshot)
EXACT = BookRule(seed="rest", chain="exact")
OVERLAP = BookRule(seed="rest", chain="overlap")
PUSHED = BookRule(seed="ws", chain="exact")
UNCHAINED = BookRule(seed="ws", chain="none")
HEAD = {"id": "x", "venue": "v", "symbol": "A/B", "venue_symbol": "AB", "ts_event": 1, "ts_recv": 2, "sim": False}


@pytest.fixture(autouse=True, params=SIDES)
def _side(request, monkeypatch):
    """Keep every book of these tests with the Python side, and with the compiled one."""
    monkeypatch.setattr(book, "BookSide", request.param.BookSide)


def delta(prev, seq, bids=(), asks=(), *, whole=False):
    return FastDelta(**HEAD, bids=list(bids), asks=list(asks), seq=seq, prev_seq=prev, is_snapshot=whole)


def snapshot(seq, bids, asks):
    return FastBook(**HEAD, bids=list(bids), asks=list(asks), seq=seq, quality="live")


BOOK = snapshot(100, [("10", "1"), ("9", "2")], [("11", "1"), ("12", "2")])


def seeded(rule):
    keeper = BookKeeper(rule)
    assert keeper.on_snapshot(BOOK).change is Change.APPLIED
    return keeper


def test_delta_before_pushed_snapshot_is_dropped():
    keeper = BookKeeper(PUSHED)
    assert keeper.on_delta(delta(1, 2, bids=[("10", "1")])).change is Change.IGNORED
    assert not keeper.live
    assert keeper.on_delta(delta(None, 5, bids=[("10", "1")], whole=True)).change is Change.APPLIED
    assert keeper.live


def test_deltas_before_rest_snapshot_are_buffered_and_joined():
    keeper = BookKeeper(EXACT)
    for prev, seq in ((95, 98), (98, 102), (102, 103)):
        assert keeper.on_delta(delta(prev, seq, bids=[("9.5", str(seq))])).change is Change.BUFFERED
    assert keeper.on_snapshot(BOOK).change is Change.APPLIED
    assert keeper.seq == 103
    assert keeper.bids.top() == [("10", "1"), ("9.5", "103"), ("9", "2")]


def test_snapshot_older_than_the_buffer_is_refused():
    keeper = BookKeeper(EXACT)
    keeper.on_delta(delta(101, 102))
    assert keeper.on_snapshot(BOOK).change is Change.TOO_OLD
    assert not keeper.live


def test_snapshot_that_reaches_just_to_the_first_delta_is_taken():
    keeper = BookKeeper(EXACT)
    keeper.on_delta(delta(100, 102))
    assert keeper.on_snapshot(BOOK).change is Change.APPLIED
    assert keeper.seq == 102


def test_delta_that_ends_where_the_snapshot_ends_still_counts_where_the_chain_is_exact():
    keeper = seeded(EXACT)
    assert keeper.on_delta(delta(98, 100, bids=[("2", "7")])).change is Change.APPLIED
    assert keeper.bids.top() == [("10", "1"), ("9", "2"), ("2", "7")]
    assert keeper.on_delta(delta(98, 100, bids=[("2", "8")])).change is Change.IGNORED
    assert keeper.on_delta(delta(100, 104)).change is Change.APPLIED


def test_delta_older_than_the_snapshot_is_ignored():
    for rule in (EXACT, OVERLAP):
        assert seeded(rule).on_delta(delta(90, 99, bids=[("2", "7")])).change is Change.IGNORED


@pytest.mark.parametrize("rule", [EXACT, OVERLAP])
def test_gap_resets_the_book(rule):
    keeper = seeded(rule)
    assert keeper.on_delta(delta(100, 101)).change is Change.APPLIED
    outcome = keeper.on_delta(delta(102, 103))
    assert outcome.change is Change.GAP
    assert "102" in (outcome.reason or "")
    assert not keeper.live
    assert keeper.bids.top() == []


@pytest.mark.parametrize("rule", [EXACT, OVERLAP])
def test_duplicate_is_ignored(rule):
    keeper = seeded(rule)
    keeper.on_delta(delta(100, 101, bids=[("10", "5")]))
    assert keeper.on_delta(delta(100, 101, bids=[("10", "7")])).change is Change.IGNORED
    assert keeper.bids.top(1) == [("10", "5")]


def test_overlapping_delta_is_a_gap_where_the_chain_is_exact_and_applied_where_it_may_overlap():
    exact, overlap = seeded(EXACT), seeded(OVERLAP)
    for keeper in (exact, overlap):
        keeper.on_delta(delta(100, 105))
    assert exact.on_delta(delta(103, 108)).change is Change.GAP
    assert overlap.on_delta(delta(103, 108)).change is Change.APPLIED


def test_sequence_that_restarts_lower_is_followed_while_it_chains():
    keeper = seeded(EXACT)
    keeper.on_delta(delta(100, 101))
    assert keeper.on_delta(delta(101, 7)).change is Change.APPLIED
    assert keeper.on_delta(delta(7, 7)).change is Change.APPLIED
    assert keeper.on_delta(delta(7, 8)).change is Change.APPLIED


def test_sequence_that_began_anew_unseen_is_a_gap_not_a_frozen_book():
    keeper = seeded(EXACT)
    outcome = keeper.on_delta(delta(98, 3))
    assert outcome.change is Change.GAP
    assert "began again" in (outcome.reason or "")


def test_endless_row_of_old_deltas_is_a_gap_not_a_frozen_book():
    keeper = seeded(EXACT)
    changes = [keeper.on_delta(delta(n, n + 1)).change for n in range(1, 99)]
    assert set(changes) == {Change.IGNORED}
    again = [keeper.on_delta(delta(n % 50, n % 50 + 1)).change for n in range(150)]
    assert Change.GAP in again


def test_long_wait_for_a_snapshot_is_no_row_of_old_deltas():
    keeper = BookKeeper(EXACT)
    for n in range(-900, 100):
        keeper.on_delta(delta(n, n + 1))
    assert keeper.on_snapshot(BOOK).change is Change.APPLIED
    assert keeper.live


def test_deltas_are_kept_until_a_snapshot_joins_them():
    keeper = BookKeeper(EXACT)
    for seq in range(101, 140):
        keeper.on_delta(delta(seq - 1, seq, bids=[("8", str(seq))]))
    stale = snapshot(90, [("10", "1")], [("11", "1")])
    assert [keeper.on_snapshot(stale).change for _ in range(50)] == [Change.TOO_OLD] * 50
    assert keeper.on_snapshot(snapshot(120, [("10", "1")], [("11", "1")])).change is Change.APPLIED
    assert (keeper.seq, keeper.bids.top()) == (139, [("10", "1"), ("8", "139")])


def test_deltas_of_a_numbering_that_is_no_more_are_dropped_when_the_next_one_begins():
    keeper = BookKeeper(EXACT)
    keeper.on_delta(delta(5000, 5001))
    assert keeper.on_snapshot(BOOK).change is Change.TOO_OLD
    keeper.on_delta(delta(99, 100))
    assert keeper.on_snapshot(BOOK).change is Change.APPLIED
    assert keeper.on_delta(delta(100, 101)).change is Change.APPLIED


def test_crossed_book_with_unbroken_numbers_goes_on():
    keeper = seeded(EXACT)
    assert keeper.on_delta(delta(100, 101, bids=[("11", "1")])).change is Change.APPLIED
    assert keeper.crossed
    assert keeper.on_delta(delta(101, 102, asks=[("11", "0")])).change is Change.APPLIED
    assert not keeper.crossed
    assert keeper.on_delta(delta(103, 104)).change is Change.GAP


def test_crossed_book_without_numbers_is_a_gap_unless_checksums_prove_it():
    for rule, change in ((UNCHAINED, Change.GAP), (BookRule(seed="ws", chain="none", proven=True), Change.APPLIED)):
        keeper = BookKeeper(rule)
        keeper.on_delta(delta(None, None, [("10", "1")], [("11", "1")], whole=True))
        assert keeper.on_delta(delta(None, None, bids=[("11", "1")])).change is change


def test_level_that_fell_out_and_comes_back_within_one_message_is_what_is_said_of_it_then():
    keeper = BookKeeper(BookRule(seed="ws", chain="none", depth=2, proven=True))
    keeper.on_delta(delta(None, None, [("10", "1"), ("9", "5")], [("11", "1")], whole=True))
    keeper.on_delta(delta(None, None, bids=[("9.5", "1"), ("9.5", "0"), ("8", "3")]))
    assert keeper.bids.top() == [("10", "1"), ("8", "3")], "9 fell out when 9.5 came in"


def test_snapshot_is_cut_to_the_depth():
    keeper = BookKeeper(BookRule(seed="ws", chain="none", depth=2, proven=True))
    keeper.on_delta(delta(None, None, [("10", "1"), ("9", "5"), ("8", "1")], [("11", "1")], whole=True))
    assert keeper.bids.top() == [("10", "1"), ("9", "5")]


def test_zero_amount_removes_and_unknown_zero_is_normal():
    keeper = seeded(EXACT)
    assert keeper.on_delta(delta(100, 101, bids=[("10", "0"), ("3", "0")])).change is Change.APPLIED
    assert keeper.bids.top() == [("9", "2")]


def test_price_written_otherwise_is_the_same_level():
    keeper = seeded(EXACT)
    keeper.on_delta(delta(100, 101, bids=[("10.00", "4")]))
    assert keeper.bids.top() == [("10.00", "4"), ("9", "2")]


def test_book_is_cut_to_its_depth():
    keeper = BookKeeper(BookRule(seed="ws", chain="none", depth=2))
    keeper.on_delta(delta(None, None, [("10", "1"), ("9", "1")], [("11", "1")], whole=True))
    keeper.on_delta(delta(None, None, [("9.5", "1")], []))
    assert keeper.bids.top() == [("10", "1"), ("9.5", "1")]


def test_full_buffer_is_a_gap_not_a_silent_loss():
    keeper = BookKeeper(EXACT, max_buffer=2)
    keeper.on_delta(delta(1, 2))
    keeper.on_delta(delta(2, 3))
    assert keeper.on_delta(delta(3, 4)).change is Change.GAP


def test_book_equals_a_plain_dictionary_after_random_deltas():
    rng = random.Random(3)
    keeper = seeded(EXACT)
    bids, asks = {"10": "1", "9": "2"}, {"11": "1", "12": "2"}
    for step in range(2000):
        low = [(f"{rng.randint(1, 100) / 10}", rng.choice(["0", "1", "2.5"])) for _ in range(3)]
        high = [(f"{rng.randint(105, 300) / 10}", rng.choice(["0", "3"])) for _ in range(3)]
        assert keeper.on_delta(delta(100 + step, 101 + step, low, high)).change is Change.APPLIED
        for side, levels in ((bids, low), (asks, high)):
            for price, amount in levels:
                same = next((key for key in side if float(key) == float(price)), None)
                if same is not None:
                    del side[same]
                if amount != "0":
                    side[price] = amount
    assert keeper.bids.top() == sorted(bids.items(), key=lambda level: -float(level[0]))
    assert keeper.asks.top() == sorted(asks.items(), key=lambda level: float(level[0]))


def test_checksum_covers_every_level_in_order():
    assert checksum([("10", "1")], [("11", "2")]) == 634990338  # CRC-32 of b"10:1|11:2"
    assert checksum([("10", "1")], [("11", "2")]) != checksum([("11", "2")], [("10", "1")])


PARTIAL = BookRule(seed="rest", chain="overlap", seed_depth=4)


def partly_seeded():
    keeper = BookKeeper(PARTIAL)
    bids = [("10", "1"), ("9", "1"), ("8", "1"), ("7", "1")]
    assert keeper.on_snapshot(snapshot(100, bids, [("11", "1"), ("12", "2")])).change is Change.APPLIED
    return keeper


def test_levels_beyond_a_partial_snapshot_are_not_taken_and_a_whole_side_takes_any():
    keeper = partly_seeded()
    keeper.on_delta(delta(100, 101, bids=[("6", "1"), ("7", "5"), ("9.5", "1")], asks=[("99", "1")]))
    assert keeper.bids.top() == [("10", "1"), ("9.5", "1"), ("9", "1"), ("8", "1"), ("7", "5")]
    assert keeper.asks.top() == [("11", "1"), ("12", "2"), ("99", "1")]
    assert not keeper.thin


def test_side_that_lost_half_of_a_partial_snapshot_is_filled_while_the_book_stays_live():
    keeper = partly_seeded()
    keeper.on_delta(delta(100, 103, bids=[("10", "0"), ("9", "0"), ("8", "0")]))
    assert keeper.thin
    keeper.refill()
    assert not keeper.thin
    keeper.on_delta(delta(103, 104, bids=[("7.5", "2")]))
    keeper.on_delta(delta(104, 105, bids=[("5", "3")]))
    assert keeper.on_snapshot(snapshot(102, [("7", "1")], [])).change is Change.TOO_OLD
    fresh = [("7.5", "2"), ("7", "1"), ("6", "1"), ("5", "1"), ("4", "1")]
    assert keeper.on_snapshot(snapshot(104, fresh, [("11", "1")])).change is Change.APPLIED
    assert keeper.live
    assert keeper.seq == 105
    assert keeper.bids.top() == [("7.5", "2"), ("7", "1"), ("6", "1"), ("5", "3"), ("4", "1")]
    assert keeper.on_snapshot(snapshot(200, [], [])).change is Change.IGNORED


def test_snapshot_older_than_the_live_book_does_not_fill_it():
    keeper = partly_seeded()
    keeper.on_delta(delta(100, 103, bids=[("10", "0"), ("9", "0"), ("8", "0")]))
    keeper.refill()
    assert keeper.on_snapshot(snapshot(102, [("10", "1")], [])).change is Change.TOO_OLD
    assert keeper.bids.top() == [("7", "1")]


def test_delta_that_cannot_say_what_it_continues_is_a_gap_unless_it_is_old():
    keeper = seeded(PUSHED)
    assert keeper.on_delta(delta(None, 99)).change is Change.IGNORED
    assert keeper.live
    assert keeper.on_delta(delta(None, 105)).change is Change.GAP
    assert not keeper.live
