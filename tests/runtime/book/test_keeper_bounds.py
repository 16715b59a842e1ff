"""Where the rules of one book turn: exact numbers, what is said of a loss, what a reset leaves."""

from __future__ import annotations

from typing import Any

import pytest

from contracts import market
from contracts.codec import fast
from runtime.book.keeper import MOST_WAITING, BookKeeper, Change, Outcome
from runtime.book.rule import BookChecksum, BookRule
from runtime.book.sides import NoSide

EXACT = BookRule(seed="rest", chain="exact")
OVERLAP = BookRule(seed="rest", chain="overlap")
PUSHED = BookRule(seed="ws", chain="exact")
UNCHAINED = BookRule(seed="ws", chain="none")
PARTIAL = BookRule(seed="rest", chain="exact", seed_depth=4)
HEAD = {"id": "x", "venue": "v", "symbol": "A/B", "venue_symbol": "AB", "ts_event": 1, "ts_recv": 2, "sim": False}
APPLIED, IGNORED, BUFFERED = Outcome(Change.APPLIED), Outcome(Change.IGNORED), Outcome(Change.BUFFERED)
BIDS, ASKS = [("10", "1"), ("9", "2"), ("8", "1"), ("7", "1")], [("11", "1"), ("12", "2")]


def delta(
    prev: int | None, seq: int | None, bids: Any = (), asks: Any = (), *, whole: bool = False, **more: Any
) -> Any:
    return fast(market.BookDelta)(
        **HEAD | more, bids=list(bids), asks=list(asks), seq=seq, prev_seq=prev, is_snapshot=whole
    )


def snapshot(seq: int | None, bids: Any = BIDS, asks: Any = ASKS, **more: Any) -> Any:
    return fast(market.BookSnapshot)(**HEAD | more, bids=list(bids), asks=list(asks), seq=seq, quality="live")


def seeded(rule: BookRule, seq: int | None = 100) -> BookKeeper:
    keeper = BookKeeper(rule)
    whole = delta(None, seq, BIDS, ASKS, whole=True) if rule.seed == "ws" else snapshot(seq)
    outcome = keeper.on_delta(whole) if rule.seed == "ws" else keeper.on_snapshot(whole)
    assert outcome == APPLIED
    return keeper


def gap(reason: str) -> Outcome:
    return Outcome(Change.GAP, reason)


# ---- how it begins
def test_a_rule_begins_as_documented() -> None:
    assert BookRule("rest", "exact", None, 3.0, None, 100, "joined", proven=False) == EXACT
    assert BookChecksum("kraken", 10, lambda _bids, _asks: 7).compute([], []) == 7
    assert MOST_WAITING == 20_000
    assert [one.value for one in Change] == ["applied", "buffered", "ignored", "gap", "too_old"]


def test_a_book_begins_empty_and_waits() -> None:
    keeper = BookKeeper(EXACT)
    assert (keeper.live, keeper.refilling, keeper.limited, keeper.crossed, keeper.thin) == (False,) * 5
    assert (keeper.seq, keeper.ts_event, keeper.ts_recv, keeper.unit) == (None, None, 0, "base")
    assert (keeper.edge(1), keeper.edge(-1), len(keeper.bids), len(keeper.asks)) == (None, None, 0, 0)
    assert BookKeeper(PARTIAL).limited is True
    assert keeper.list_after(snapshot(None)) == []


def test_a_book_that_another_process_keeps_has_no_levels_but_its_numbers() -> None:
    keeper = BookKeeper(EXACT, kept=False)
    assert keeper.on_snapshot(snapshot(100)) == APPLIED
    assert keeper.on_delta(delta(100, 101, bids=[("11", "1")])) == APPLIED
    assert isinstance(keeper.bids, NoSide)
    assert (keeper.seq, keeper.bids.top(), keeper.asks.top(), keeper.bids.best()) == (101, [], [], None)
    assert keeper.on_delta(delta(102, 103)) == gap("102 does not continue 101")


def test_what_the_last_event_says_is_what_the_book_says() -> None:
    keeper = BookKeeper(EXACT)
    keeper.on_snapshot(snapshot(100, ts_event=50, ts_recv=60, unit="contracts"))
    assert (keeper.seq, keeper.ts_event, keeper.ts_recv, keeper.unit) == (100, 50, 60, "contracts")
    keeper.on_delta(delta(100, 105, ts_event=None, ts_recv=70))
    assert (keeper.seq, keeper.ts_event, keeper.ts_recv, keeper.unit) == (105, 50, 70, "contracts")
    keeper.on_delta(delta(105, 106, ts_event=71, ts_recv=72))
    assert (keeper.ts_event, keeper.ts_recv) == (71, 72)
    unnumbered = seeded(UNCHAINED)
    unnumbered.on_delta(delta(None, None))
    assert unnumbered.seq == 100


def test_a_book_of_one_side_is_not_crossed() -> None:
    for bids, asks, crossed in (([], ASKS, False), (BIDS, [], False), (BIDS, ASKS, False), (BIDS, [("10", "1")], True)):
        keeper = BookKeeper(EXACT)
        keeper.on_snapshot(snapshot(100, bids, asks))
        assert keeper.crossed is crossed


# ---- what continues it
@pytest.mark.parametrize(
    ("rule", "prev", "seq", "outcome"),
    [
        (EXACT, 98, 3, gap("the sequence began again at 3 after 98")),
        (EXACT, 99, 99, IGNORED),
        (EXACT, None, 99, IGNORED),
        (OVERLAP, 98, 3, IGNORED),
        (EXACT, 98, 100, IGNORED),
        (EXACT, 101, 101, APPLIED),
        (OVERLAP, 101, 101, IGNORED),
        (OVERLAP, 90, 101, IGNORED),
        (EXACT, None, 105, gap("what 105 continues was not received")),
        (OVERLAP, None, 105, gap("what 105 continues was not received")),
        (EXACT, 102, 105, gap("102 does not continue 101")),
        (EXACT, 100, 105, gap("100 does not continue 101")),
        (OVERLAP, 100, 105, APPLIED),
        (OVERLAP, 102, 105, gap("102 does not continue 101")),
        (EXACT, 101, 7, APPLIED),
    ],
)
def test_a_delta_continues_a_book_or_is_old_or_shows_a_gap(
    rule: BookRule, prev: int | None, seq: int, outcome: Outcome
) -> None:
    keeper = seeded(rule)
    assert keeper.on_delta(delta(100, 101)) == APPLIED
    assert keeper.on_delta(delta(prev, seq)) == outcome
    assert keeper.live is (outcome.change is not Change.GAP)


def test_only_the_first_delta_after_a_requested_snapshot_may_begin_before_it() -> None:
    for rule, first, second in ((EXACT, APPLIED, gap("99 does not continue 105")), (PUSHED, None, None)):
        keeper = seeded(rule)
        assert keeper.on_delta(delta(98, 105)) == (first or gap("98 does not continue 100"))
        if second is not None:
            assert keeper.on_delta(delta(99, 106)) == second


def test_without_a_number_to_continue_a_book_takes_what_comes() -> None:
    keeper = seeded(EXACT, None)
    assert keeper.on_delta(delta(7, 8)) == APPLIED
    assert keeper.on_delta(delta(9, 10)) == gap("9 does not continue 8")


@pytest.mark.parametrize("rule", [EXACT, PUSHED], ids=["requested", "pushed"])
def test_of_old_deltas_in_a_row_one_too_many_is_a_gap(rule: BookRule) -> None:
    keeper = seeded(rule)
    old = delta(None, 50)
    assert [keeper.on_delta(old) for _ in range(200)] == [IGNORED] * 200
    assert keeper.on_delta(delta(100, 101)) == APPLIED  # ends the row
    assert [keeper.on_delta(old) for _ in range(200)] == [IGNORED] * 200
    assert keeper.on_delta(old) == gap("200 deltas in a row are older than 101")
    again = seeded(rule)
    assert [again.on_delta(old) for _ in range(200)] == [IGNORED] * 200
    assert again.on_delta(old) == gap("200 deltas in a row are older than 100")


def test_old_deltas_that_waited_do_not_count_for_the_row_after_the_snapshot() -> None:
    keeper = BookKeeper(EXACT)
    for seq in range(50, 60):
        assert keeper.on_delta(delta(seq - 1, seq)) == BUFFERED
    assert keeper.on_snapshot(snapshot(100)) == APPLIED
    assert [keeper.on_delta(delta(None, 50)).change for _ in range(201)] == [Change.IGNORED] * 200 + [Change.GAP]
    assert [keeper.on_delta(delta(seq - 1, seq)).change for seq in (101, 101)] == [Change.BUFFERED] * 2
    assert keeper.on_snapshot(snapshot(101)) == APPLIED  # both are repeats then, which are in no row of old ones
    keeper.on_delta(delta(101, 102))
    assert [keeper.on_delta(delta(None, 50)).change for _ in range(201)] == [Change.IGNORED] * 200 + [Change.GAP]


def test_a_crossed_book_without_numbers_is_a_gap_with_its_reason() -> None:
    keeper = seeded(UNCHAINED)
    assert keeper.on_delta(delta(None, None, bids=[("11", "1")])) == gap("crossed")
    assert (keeper.live, keeper.refilling, keeper.seq) == (False, False, None)
    assert (keeper.bids.top(), keeper.asks.top()) == ([], [])


def test_a_checksum_that_differs_is_a_gap_that_names_both() -> None:
    keeper = seeded(EXACT)
    assert keeper.on_proof(7, 7) == APPLIED
    assert keeper.live
    assert keeper.on_proof(7, 8) == gap("checksum 8 is not the venue's 7")
    assert keeper.live is False


# ---- what waits for a snapshot
def test_what_waits_is_bounded_and_said() -> None:
    keeper = BookKeeper(EXACT, max_buffer=2)
    assert [keeper.on_delta(delta(n, n + 1)) for n in (1, 2)] == [BUFFERED] * 2
    assert keeper.on_delta(delta(3, 4)) == gap("more than 2 deltas while waiting for a snapshot")
    assert keeper.on_delta(delta(3, 4)) == BUFFERED
    assert keeper.list_after(snapshot(None)) == [delta(3, 4)]


def test_a_snapshot_that_ends_before_what_waits_is_refused_with_both_numbers() -> None:
    keeper = BookKeeper(EXACT)
    keeper.on_delta(delta(101, 102))
    outcome = Outcome(Change.TOO_OLD, "snapshot 100 ends before the first delta continues 101")
    assert keeper.on_snapshot(snapshot(100)) == outcome
    assert keeper.list_after(snapshot(100)) == [delta(101, 102)]
    assert keeper.on_snapshot(snapshot(None)) == APPLIED  # one without a number is taken as it is


def test_deltas_without_numbers_wait_and_join() -> None:
    keeper = BookKeeper(BookRule(seed="rest", chain="none"))
    for _ in range(2):
        assert keeper.on_delta(delta(None, None, bids=[("5", "1")])) == BUFFERED
    assert keeper.on_snapshot(snapshot(100)) == APPLIED
    assert keeper.bids.top()[-1] == ("5", "1")


def test_a_repeat_waits_beside_what_it_repeats() -> None:
    keeper = BookKeeper(EXACT)
    assert [keeper.on_delta(delta(99, 101)), keeper.on_delta(delta(101, 101))] == [BUFFERED] * 2
    assert keeper.on_snapshot(snapshot(100)) == APPLIED
    assert keeper.seq == 101


def test_a_gap_among_what_waited_is_a_gap_though_more_comes_after_it() -> None:
    keeper = BookKeeper(EXACT)
    for prev, seq in ((99, 101), (105, 106), (106, 107)):
        keeper.on_delta(delta(prev, seq))
    assert keeper.on_snapshot(snapshot(100)) == gap("105 does not continue 101")
    assert keeper.live is False
    assert keeper.on_snapshot(snapshot(100)) == APPLIED, "nothing of before waits any more"


def test_what_is_not_in_a_snapshot_comes_after_it() -> None:
    keeper = BookKeeper(EXACT)
    waiting = [delta(99, 100), delta(100, 101), delta(101, 102)]
    for one in waiting:
        keeper.on_delta(one)
    assert keeper.list_after(snapshot(100)) == waiting[1:]
    assert keeper.list_after(snapshot(None)) == waiting
    unnumbered = BookKeeper(BookRule(seed="rest", chain="none"))
    unnumbered.on_delta(delta(None, None))
    assert unnumbered.list_after(snapshot(100)) == [delta(None, None)]


def test_while_a_live_book_is_filled_again_deltas_are_kept_too() -> None:
    keeper = seeded(PARTIAL)
    keeper.refill()
    assert keeper.refilling is True
    keeper.on_delta(delta(100, 101))
    keeper.refill()
    keeper.on_delta(delta(101, 102))
    assert keeper.list_after(snapshot(100)) == [delta(101, 102)]
    keeper.reset()
    assert (keeper.live, keeper.refilling, keeper.list_after(snapshot(None))) == (False, False, [])
    assert keeper.on_snapshot(snapshot(50)) == APPLIED


@pytest.mark.parametrize("pushed", [False, True])
def test_what_was_joined_to_a_snapshot_is_not_kept(pushed: bool) -> None:
    keeper = BookKeeper(BookRule(seed="either", chain="exact"))
    keeper.on_delta(delta(99, 101))
    assert keeper.list_after(snapshot(None)) == [delta(99, 101)]
    keeper.on_delta(delta(None, 100, BIDS, ASKS, whole=True)) if pushed else keeper.on_snapshot(snapshot(100))
    assert (keeper.live, keeper.list_after(snapshot(None))) == (True, [])


def test_a_snapshot_that_nobody_waits_for_is_ignored() -> None:
    keeper = seeded(EXACT)
    assert keeper.on_snapshot(snapshot(200)) == IGNORED
    assert keeper.seq == 100


# ---- what only the top is known of
def test_a_side_is_thin_below_half_of_what_was_known() -> None:
    keeper = seeded(PARTIAL)
    assert (keeper.edge(1), keeper.edge(-1)) == (7, None)
    keeper.on_delta(delta(100, 101, bids=[("10", "0"), ("9", "0")]))
    assert (len(keeper.bids), keeper.thin) == (2, False)
    keeper.on_delta(delta(101, 102, bids=[("8", "0")]))
    assert (len(keeper.bids), keeper.thin) == (1, True)
    keeper.reset()
    assert keeper.thin is False
    whole = seeded(EXACT)
    whole.on_delta(delta(100, 101, bids=[(price, "0") for price, _ in BIDS]))
    assert (len(whole.bids), whole.thin) == (0, False)


def test_a_snapshot_of_fewer_levels_than_asked_for_is_the_whole_side() -> None:
    keeper = BookKeeper(PARTIAL)
    keeper.on_snapshot(snapshot(100, BIDS[:3], [*ASKS, ("13", "1"), ("14", "1"), ("15", "1")]))
    assert (keeper.edge(1), keeper.edge(-1)) == (None, 15)
    keeper.on_delta(delta(100, 101, bids=[("1", "1")], asks=[("16", "1"), ("15", "3")]))
    assert (keeper.bids.worst(), keeper.asks.worst(), keeper.asks.top()[-1]) == (1, 15, ("15", "3"))


def test_a_pushed_snapshot_is_the_whole_book() -> None:
    keeper = BookKeeper(BookRule(seed="either", chain="exact", seed_depth=2))
    keeper.on_delta(delta(None, 100, BIDS, ASKS, whole=True))
    assert (keeper.edge(1), keeper.edge(-1)) == (None, None)
