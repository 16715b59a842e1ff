"""An audit finds what is silently wrong in a live book, and nothing in a right one; whatever comes before what."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from runtime.book.audit import BookAudit, Verdict
from runtime.book.keeper import BookKeeper
from runtime.book.rule import BookRule

EXACT, OVERLAP = BookRule(seed="rest", chain="exact"), BookRule(seed="rest", chain="overlap")
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


def audited(keeper: BookKeeper, venue: Venue, *, before: int, late: int, depth: int = 100) -> BookAudit:
    """Run an audit: so many changes come before the snapshot is made, and so many before it arrives."""
    audit = BookAudit(keeper.rule)

    def follow(count: int) -> None:
        for _ in range(count):
            delta = venue.change()
            keeper.on_delta(delta)
            audit.on_delta(delta)

    follow(before)
    snapshot = venue.whole(depth)
    follow(late)
    assert audit.judge(keeper) is Verdict.WAITING
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
    assert audit.judge(keeper) is Verdict.RIGHT, audit.differing


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
    assert audit.judge(keeper) is Verdict.WRONG
    name = "bid" if sign == 1 else "ask"
    assert audit.differing.keys() == {(name, price + 0.5 if kind == "ghost" else float(price))}


@pytest.mark.parametrize(("depth", "verdict"), [(50, Verdict.RIGHT), (100, Verdict.WRONG)])
def test_the_end_of_what_a_stream_covers_is_compared_only_where_its_rule_says_so(depth: int, verdict: Verdict) -> None:
    rule = replace(OVERLAP, audit_depth=depth)
    venue = Venue(random.Random(7))
    keeper = live(rule, venue)
    far = sorted(venue.sides[1], reverse=True)[90]
    keeper.bids.apply([(str(far), "0")])
    assert audited(keeper, venue, before=0, late=0, depth=100).judge(keeper) is verdict


def test_a_snapshot_that_is_ahead_waits_for_the_deltas() -> None:
    venue = Venue(random.Random(7))
    keeper = live(EXACT, venue)
    audit = BookAudit(EXACT)
    ahead = venue.change()
    audit.on_snapshot(venue.whole(100))
    assert audit.judge(keeper) is Verdict.WAITING
    keeper.on_delta(ahead)
    audit.on_delta(ahead)
    assert audit.judge(keeper) is Verdict.RIGHT


def test_where_nothing_can_be_said_nothing_is_said() -> None:
    venue = Venue(random.Random(7))
    keeper = live(EXACT, venue)
    old, audit = venue.whole(100), BookAudit(EXACT)
    keeper.on_delta(venue.change())
    audit.on_snapshot(old)  # older than what the book had when the audit began
    assert audit.judge(keeper) is Verdict.OPEN
    missing = BookAudit(EXACT)
    missing.on_snapshot(None)
    assert missing.judge(keeper) is Verdict.OPEN
    lost = BookAudit(EXACT)
    keeper.lose("a gap")
    assert lost.judge(keeper) is Verdict.OPEN
