"""An audit finds what is silently wrong in a live book, and nothing in a right one; whatever comes before what."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from runtime.book.audit import SETTLE_NS, JoinedAudit, UntouchedAudit, Verdict, begin_audit, lead_of
from runtime.book.keeper import BookKeeper
from runtime.book.rule import BookRule

EXACT, OVERLAP = BookRule(seed="rest", chain="exact"), BookRule(seed="rest", chain="overlap")
UNTOUCHED = BookRule(seed="ws", chain="none", audit="untouched")
LIMITED = BookRule(seed="rest", chain="overlap", seed_depth=120)


@dataclass
class Change:
    """A delta, or a snapshot."""

    seq: int
    prev_seq: int | None
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    is_snapshot: bool = False
    ts_event: int | None = None
    ts_recv: int = 1
    unit: str = "base"


@dataclass
class Venue:
    """A venue's true book, which changes at random; some changes are the second half of two numbers."""

    rng: random.Random
    seq: int = 100
    sides: dict[int, dict[int, int]] = field(default_factory=dict[int, Any])

    def __post_init__(self) -> None:
        self.sides = {1: {1000 - at: at + 1 for at in range(150)}, -1: {1001 + at: at + 1 for at in range(150)}}

    def change(self) -> Change:
        rows: dict[int, list[tuple[str, str]]] = {1: [], -1: []}
        for _ in range(self.rng.randint(1, 4)):
            sign = self.rng.choice((1, -1))
            price = self.rng.randint(*((850, 1000) if sign == 1 else (1001, 1150)))
            amount = self.rng.choice((0, 0, self.rng.randint(1, 99)))
            self.sides[sign].pop(price, None)
            if amount:
                self.sides[sign][price] = amount
            rows[sign].append((str(price), str(amount)))
        before, self.seq = self.seq, self.seq + self.rng.randint(1, 3)
        return Change(self.seq, before, rows[1], rows[-1])

    def whole(self, depth: int) -> Change:
        bids = sorted(self.sides[1].items(), reverse=True)[:depth]
        asks = sorted(self.sides[-1].items())[:depth]
        pairs = [[(str(price), str(amount)) for price, amount in side] for side in (bids, asks)]
        return Change(self.seq, None, pairs[0], pairs[1])


def live(rule: BookRule, venue: Venue) -> BookKeeper:
    keeper = BookKeeper(rule)
    keeper.on_snapshot(venue.whole(rule.seed_depth or 1000))
    keeper.on_delta(venue.change())
    return keeper


def audited(keeper: BookKeeper, venue: Venue, *, before: int, late: int, depth: int = 100) -> JoinedAudit:
    """Run an audit: so many changes come before the snapshot is made, and so many before it arrives."""
    audit = JoinedAudit(keeper.rule)

    def follow(count: int) -> None:
        for _ in range(count):
            delta = venue.change()
            keeper.on_delta(delta)
            audit.on_delta(delta)

    follow(before)
    snapshot = venue.whole(depth)
    follow(late)
    assert audit.judge(keeper, ts=0) is Verdict.WAITING
    audit.on_snapshot(snapshot)
    return audit


@pytest.mark.parametrize("rule", [EXACT, OVERLAP, LIMITED], ids=["exact", "overlap", "limited"])
@pytest.mark.parametrize("seed", range(60))
def test_a_right_book_is_found_right(rule: BookRule, seed: int) -> None:
    rng = random.Random(seed)
    venue = Venue(rng)
    keeper = live(rule, venue)
    audit = audited(
        keeper, venue, before=rng.randint(0, 5), late=rng.randint(0, 5), depth=rng.choice((5, 50, 100, 500))
    )
    assert audit.judge(keeper, ts=0) is Verdict.RIGHT, audit.differing


@pytest.mark.parametrize("rule", [EXACT, OVERLAP], ids=["exact", "overlap"])
@pytest.mark.parametrize("kind", ["lost", "ghost", "amount"])
@pytest.mark.parametrize("seed", range(40))
def test_what_is_silently_wrong_is_found(rule: BookRule, kind: str, seed: int) -> None:
    rng = random.Random(seed)
    venue = Venue(rng)
    keeper = live(rule, venue)
    sign = rng.choice((1, -1))
    side, truth = (keeper.bids, venue.sides[1]) if sign == 1 else (keeper.asks, venue.sides[-1])
    best = sorted(truth, reverse=sign == 1)[: keeper.rule.audit_depth - 10]
    price = rng.choice(best)
    if kind == "lost":
        side.apply([(str(price), "0")])
    elif kind == "ghost":
        side.apply([(f"{price}.5", "3")])
    else:
        side.apply([(str(price), "1234567")])
    audit = audited(keeper, venue, before=0, late=0)
    assert audit.judge(keeper, ts=0) is Verdict.WRONG
    name = "bid" if sign == 1 else "ask"
    assert audit.differing.keys() == {(name, price + 0.5 if kind == "ghost" else float(price))}


@pytest.mark.parametrize(("depth", "verdict"), [(50, Verdict.RIGHT), (100, Verdict.WRONG)])
def test_the_end_of_what_a_stream_covers_is_compared_only_where_its_rule_says_so(depth: int, verdict: Verdict) -> None:
    rule = replace(OVERLAP, audit_depth=depth)
    venue = Venue(random.Random(7))
    keeper = live(rule, venue)
    far = sorted(venue.sides[1], reverse=True)[90]
    keeper.bids.apply([(str(far), "0")])
    assert audited(keeper, venue, before=0, late=0, depth=100).judge(keeper, ts=0) is verdict


def test_a_snapshot_that_is_ahead_waits_for_the_deltas() -> None:
    venue = Venue(random.Random(7))
    keeper = live(EXACT, venue)
    audit = JoinedAudit(EXACT)
    ahead = venue.change()
    audit.on_snapshot(venue.whole(100))
    assert audit.judge(keeper, ts=0) is Verdict.WAITING
    keeper.on_delta(ahead)
    audit.on_delta(ahead)
    assert audit.judge(keeper, ts=0) is Verdict.RIGHT


def test_where_nothing_can_be_said_nothing_is_said() -> None:
    venue = Venue(random.Random(7))
    keeper = live(EXACT, venue)
    old, audit = venue.whole(100), JoinedAudit(EXACT)
    keeper.on_delta(venue.change())
    audit.on_snapshot(old)  # older than what the book had when the audit began
    assert audit.judge(keeper, ts=0) is Verdict.OPEN
    missing = JoinedAudit(EXACT)
    missing.on_snapshot(None)
    assert missing.judge(keeper, ts=0) is Verdict.OPEN
    lost = JoinedAudit(EXACT)
    keeper.lose("a gap")
    assert lost.judge(keeper, ts=0) is Verdict.OPEN


def looked_at(keeper: BookKeeper, venue: Venue, *, before: int, late: int, depth: int = 100) -> UntouchedAudit:
    """Run an audit of untouched levels: so many changes before the snapshot is made, and so many after it."""
    audit = UntouchedAudit(keeper)
    for at in range(before + late + 1):
        if at == before:
            audit.on_snapshot(replace(venue.whole(depth), seq=7_000_000, ts_recv=1))
        if at < before + late:
            delta = venue.change()
            keeper.on_delta(delta)
            audit.on_delta(delta)
    return audit


def in_time(audit: UntouchedAudit, keeper: BookKeeper) -> Verdict:
    assert audit.judge(keeper, ts=SETTLE_NS) is Verdict.WAITING
    return audit.judge(keeper, ts=1 + SETTLE_NS)


@pytest.mark.parametrize("seed", range(40))
def test_untouched_levels_of_a_right_book_are_right(seed: int) -> None:
    rng = random.Random(seed)
    venue = Venue(rng)
    keeper = live(UNTOUCHED, venue)
    depth = rng.choice((5, 50, 100, 500))
    audit = looked_at(keeper, venue, before=rng.randint(0, 9), late=rng.randint(0, 9), depth=depth)
    assert in_time(audit, keeper) is Verdict.RIGHT, audit.differing


@pytest.mark.parametrize("kind", ["lost", "ghost", "amount"])
@pytest.mark.parametrize("seed", range(20))
def test_untouched_levels_that_are_wrong_are_found(kind: str, seed: int) -> None:
    venue = Venue(random.Random(seed))
    keeper = live(UNTOUCHED, venue)
    price = sorted(venue.sides[-1])[50]
    keeper.asks.apply(
        [{"lost": (str(price), "0"), "ghost": (f"{price}.5", "3"), "amount": (str(price), "77777")}[kind]]
    )
    audit = looked_at(keeper, venue, before=0, late=0)
    assert in_time(audit, keeper) is Verdict.WRONG
    assert audit.differing.keys() == {("ask", price + 0.5 if kind == "ghost" else float(price))}


def test_what_a_change_names_is_not_compared() -> None:
    venue = Venue(random.Random(7))
    keeper = live(UNTOUCHED, venue)
    audit, old = UntouchedAudit(keeper), venue.whole(100)
    named = Change(200, None, [("990", "123456")], [])
    keeper.on_delta(named)
    audit.on_delta(named)
    audit.on_snapshot(old)
    assert in_time(audit, keeper) is Verdict.RIGHT


def test_a_snapshot_of_before_the_audit_says_nothing() -> None:
    venue = Venue(random.Random(7))
    keeper = live(UNTOUCHED, venue)
    keeper.on_delta(replace(venue.change(), ts_event=1_000))
    for ts_event, verdict in ((999, Verdict.OPEN), (1_000, Verdict.RIGHT), (None, Verdict.RIGHT)):
        audit = UntouchedAudit(keeper)
        audit.on_snapshot(replace(venue.whole(100), ts_event=ts_event))
        assert audit.judge(keeper, ts=1 + SETTLE_NS) is verdict


def test_a_book_that_is_seeded_meanwhile_is_not_judged() -> None:
    venue = Venue(random.Random(7))
    keeper = live(UNTOUCHED, venue)
    audit = UntouchedAudit(keeper)
    audit.on_snapshot(venue.whole(100))
    audit.on_delta(replace(venue.whole(100), is_snapshot=True))
    assert audit.judge(keeper, ts=1 + SETTLE_NS) is Verdict.OPEN
    missing = UntouchedAudit(keeper)
    missing.on_snapshot(None)
    assert missing.judge(keeper, ts=0) is Verdict.OPEN


def test_the_same_snapshot_of_a_book_that_changes_is_known() -> None:
    venue = Venue(random.Random(7))
    keeper = live(UNTOUCHED, venue)
    still = looked_at(keeper, venue, before=0, late=0)
    assert still.shown is None, "nothing changed: the same is no wonder"
    first, second = (looked_at(keeper, venue, before=1, late=0) for _ in range(2))
    assert first.shown == first.shown != second.shown


def test_the_rule_says_which_audit_a_book_has() -> None:
    assert isinstance(begin_audit(BookKeeper(EXACT)), JoinedAudit)
    assert isinstance(begin_audit(BookKeeper(UNTOUCHED)), UntouchedAudit)
    assert lead_of(EXACT) == 0 < lead_of(UNTOUCHED)
