"""How far down an audit compares, when it says nothing, and the words for what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runtime.book import audit
from runtime.book.audit import JoinedAudit, UntouchedAudit, Verdict, begin_audit, lead_of
from runtime.book.keeper import BookKeeper
from runtime.book.rule import BookRule
from tests.runtime.book.test_audit import Change

JOINED = BookRule(seed="rest", chain="exact", audit_depth=3)
UNTOUCHED = BookRule(seed="ws", chain="none", audit="untouched", audit_depth=3)
BIDS = [("10", "1"), ("9", "2"), ("8", "3"), ("7", "4")]
ASKS = [("11", "1"), ("12", "2"), ("13", "3"), ("14", "4")]
SETTLED = 1 + 1_500_000_000
Levels = list[tuple[str, str]]


def book(rule: BookRule, bids: Levels = BIDS, asks: Levels = ASKS) -> BookKeeper:
    keeper = BookKeeper(rule)
    keeper.on_snapshot(Change(100, None, bids, asks))
    return keeper


def joined(ours: tuple[Levels, Levels], theirs: tuple[Levels, Levels], rule: BookRule = JOINED) -> dict[Any, str]:
    made = JoinedAudit(rule)
    made.on_snapshot(Change(100, None, *theirs))
    verdict = made.judge(book(rule, *ours), ts=0)
    assert verdict is (Verdict.WRONG if made.differing else Verdict.RIGHT)
    return made.differing


def untouched(ours: tuple[Levels, Levels], theirs: tuple[Levels, Levels], rule: BookRule = UNTOUCHED) -> dict[Any, str]:
    keeper = book(rule, *ours)
    made = UntouchedAudit(keeper)
    made.on_snapshot(Change(7, None, *theirs))
    verdict = made.judge(keeper, ts=SETTLED)
    assert verdict is (Verdict.WRONG if made.differing else Verdict.RIGHT)
    return made.differing


def test_an_audit_waits_as_documented() -> None:
    waits = [(one.lead, one.patience_ns, one.agreeing) for one in (JoinedAudit, UntouchedAudit)]
    assert waits == [(0.0, 10 * 10**9, 2), (1.5, 20 * 10**9, 3)]
    assert audit.SETTLE_NS == SETTLED - 1
    assert (lead_of(JOINED), lead_of(UNTOUCHED)) == (0.0, 1.5)
    assert [one.value for one in Verdict] == ["waiting", "right", "wrong", "open"]
    for made in (JoinedAudit(JOINED), begin_audit(book(UNTOUCHED))):
        assert (made.differing, made.shown) == ({}, None)


@pytest.mark.parametrize("compare", [joined, untouched])
def test_what_differs_is_said_by_side_and_price_with_both_amounts(compare: Any) -> None:
    ours = ([("10", "1.5"), *BIDS[1:]], ASKS)
    assert compare(ours, (BIDS, ASKS[1:])) == {
        ("bid", 10.0): "the book differs from the venue's: bid 10 has 1.5, there 1",
        ("ask", 11.0): "the book differs from the venue's: ask 11 has 1, there 0",
    }
    assert compare((BIDS, ASKS[1:]), (BIDS, ASKS)) == {
        ("ask", 11.0): "the book differs from the venue's: ask 11 has 0, there 1"
    }
    assert compare(([("10.00", "1.0"), *BIDS[1:]], ASKS), (BIDS, ASKS)) == {}


@pytest.mark.parametrize("compare", [joined, untouched])
@pytest.mark.parametrize(("place", "is_found"), [(0, True), (2, True), (3, False)])
def test_the_best_levels_of_the_rule_are_compared_to_the_last(compare: Any, place: int, is_found: bool) -> None:
    for side, name in enumerate(("bid", "ask")):
        ours = [list(BIDS), list(ASKS)]
        price, _ = ours[side][place]
        ours[side][place] = (price, "99")
        found = compare(tuple(ours), (BIDS, ASKS))
        assert found.keys() == ({(name, float(price))} if is_found else set())


@pytest.mark.parametrize("compare", [joined, untouched])
def test_where_one_of_both_ends_the_comparison_ends(compare: Any) -> None:
    assert compare((BIDS, ASKS), (BIDS[:1], ASKS[:2])) == {}
    assert compare((BIDS, ASKS), (BIDS[:2], [("11", "1"), ("12", "7")])).keys() == {("ask", 12.0)}


def test_of_a_live_book_of_which_only_the_top_is_known_that_is_compared() -> None:
    for rule, compare in ((JOINED, joined), (UNTOUCHED, untouched)):
        limited = replace(rule, seed_depth=2)
        assert compare((BIDS[:2], ASKS[:2]), (BIDS, ASKS), limited) == {}
        found = compare((BIDS[:2], [("11", "1"), ("12", "5")]), (BIDS, ASKS), limited)
        assert found.keys() == {("ask", 12.0)}


def test_whole_sides_are_compared_to_the_end() -> None:
    numbered = replace(JOINED, audit_depth=100)
    assert joined((BIDS, ASKS), (BIDS, []), numbered).keys() == {("ask", float(price)) for price, _ in ASKS}
    deep = replace(UNTOUCHED, audit_depth=100)
    assert untouched((BIDS, ASKS), (BIDS, []), deep) == {}, "nothing is known of a side without a level"
    assert untouched((BIDS, []), (BIDS, ASKS), deep).keys() == {("ask", float(price)) for price, _ in ASKS}


def test_a_snapshot_without_a_number_joins_nothing() -> None:
    keeper = book(JOINED)
    for seq, verdict in ((None, Verdict.OPEN), (99, Verdict.OPEN), (100, Verdict.RIGHT), (101, Verdict.WAITING)):
        made = JoinedAudit(JOINED)
        made.on_snapshot(Change(seq, None, BIDS, ASKS))  # type: ignore[arg-type]
        assert made.judge(keeper, ts=0) is verdict


def test_a_gap_or_a_new_snapshot_meanwhile_says_nothing() -> None:
    keeper = book(JOINED)
    for first, second in (((100, 101), (105, 106)), ((100, 101), (101, 102))):
        made = JoinedAudit(JOINED)
        made.on_snapshot(Change(100, None, BIDS, ASKS))
        for prev, seq in (first, second):
            made.on_delta(Change(seq, prev, [], []))
        assert made.judge(keeper, ts=0) is (Verdict.OPEN if second[0] == 105 else Verdict.WAITING)
    made = JoinedAudit(JOINED)
    made.on_snapshot(Change(100, None, BIDS, ASKS))
    made.on_delta(Change(100, None, BIDS, ASKS, is_snapshot=True))
    assert made.judge(keeper, ts=0) is Verdict.OPEN
    made.on_delta(Change(101, 100, [], []))
    assert made.judge(keeper, ts=0) is Verdict.OPEN


def test_a_book_that_is_not_live_is_not_judged() -> None:
    for made, rule in ((JoinedAudit(JOINED), JOINED), (UntouchedAudit(book(UNTOUCHED)), UNTOUCHED)):
        made.on_snapshot(Change(100, None, BIDS, ASKS))
        assert made.judge(BookKeeper(rule), ts=SETTLED) is Verdict.OPEN


def test_levels_that_a_change_names_are_not_compared_on_their_side() -> None:
    keeper = book(UNTOUCHED, [("10", "9"), *BIDS[1:]], [("11", "9"), *ASKS[1:]])
    made = UntouchedAudit(keeper)
    made.on_delta(Change(1, None, [("10.0", "9")], b'[["12","1"]]'))  # type: ignore[arg-type]
    made.on_snapshot(Change(7, None, BIDS, ASKS))
    assert made.judge(keeper, ts=SETTLED) is Verdict.WRONG
    assert made.differing.keys() == {("ask", 11.0)}
    assert made.shown == (BIDS, ASKS)


def test_snapshots_as_json_out_of_order_are_compared_as_they_are() -> None:
    assert untouched((BIDS, ASKS), (BIDS[::-1], ASKS[::-1])) == {}
    raw: Any = b'[["9","2"],["10","1"],["8","3"]]'
    assert untouched((BIDS, ASKS), (raw, ASKS)) == {}


@pytest.mark.parametrize(
    ("live_ts", "at", "verdict"),
    [(50, 49, Verdict.OPEN), (50, 50, Verdict.RIGHT), (None, 1, Verdict.RIGHT), (50, None, Verdict.RIGHT)],
)
def test_a_snapshot_that_names_an_earlier_time_says_nothing(live_ts: int | None, at: int | None, verdict: Any) -> None:
    keeper = BookKeeper(UNTOUCHED)
    keeper.on_snapshot(Change(100, None, BIDS, ASKS, ts_event=live_ts))
    made = UntouchedAudit(keeper)
    assert made.judge(keeper, ts=SETTLED) is Verdict.WAITING
    made.on_snapshot(Change(7, None, BIDS, ASKS, ts_event=at, ts_recv=1))
    assert made.judge(keeper, ts=SETTLED - 1) is (verdict if verdict is Verdict.OPEN else Verdict.WAITING)
    assert made.judge(keeper, ts=SETTLED) is verdict
