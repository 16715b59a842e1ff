"""Compares a live book with a fresh snapshot of its venue: what neither a number nor a checksum shows. Pure.

A second keeper is seeded by the snapshot and continued by the same deltas, by the same rule. Where both have reached
the same number, their best levels must be the same: a level that was lost, one that should be gone, a wrong amount.
A stream that sends only what is left of 100 ms may leave out a level that came and went, and a snapshot from between
shows it: what is truly wrong differs at the same price again in the next audit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from math import inf
from typing import Any

from runtime.book.keeper import BookKeeper, Change
from runtime.book.rule import BookRule

Levels = Sequence[tuple[str, str]]


class Verdict(Enum):
    """What an audit has found."""

    WAITING = "waiting"  # for the snapshot, or for the deltas to reach it
    RIGHT = "right"
    WRONG = "wrong"
    OPEN = "open"  # nothing can be said: ask again


class BookAudit:
    """One comparison of one book. Deltas and the snapshot are given to it, then it judges; it changes nothing."""

    def __init__(self, rule: BookRule) -> None:
        self._shadow = BookKeeper(replace(rule, seed="rest", seed_depth=1))  # its levels end where the snapshot's do
        self._open = False
        self.differing: dict[tuple[str, float], str] = {}  # by side and price: what is here, and what there

    def on_delta(self, delta: Any) -> None:
        """Take one change that the live book has taken."""
        self._open = self._open or delta.is_snapshot or self._shadow.on_delta(delta).change is Change.GAP

    def on_snapshot(self, snapshot: Any | None) -> None:
        """Take the snapshot; None where it could not be had."""
        if snapshot is None or snapshot.seq is None or self._shadow.on_snapshot(snapshot).change is not Change.APPLIED:
            self._open = True

    def judge(self, live: BookKeeper) -> Verdict:
        """Compare with the live book, as soon as both are at the same number; `differing` says where it is wrong."""
        shadow = self._shadow
        if self._open or not live.live or (shadow.live and _behind(shadow, live)):
            return Verdict.OPEN
        if not shadow.live or shadow.seq != live.seq:
            return Verdict.WAITING
        for name, ours, theirs, sign in (("bid", live.bids, shadow.bids, 1), ("ask", live.asks, shadow.asks, -1)):
            known = [keeper.edge(sign) for keeper in (live, shadow)]
            edges = [sign * edge for edge in known if edge is not None]
            levels = live.rule.audit_depth
            best = [side.top(levels) for side in (ours, theirs)]
            edges += [sign * float(side[-1][0]) for side in best if len(side) >= levels]
            here, there = (_amounts(side, sign, max(edges, default=-inf)) for side in best)
            self._compare(name, here, there)
        return Verdict.WRONG if self.differing else Verdict.RIGHT

    def _compare(self, name: str, here: dict[float, float], there: dict[float, float]) -> None:
        """Note the prices at which two sides differ."""
        for price in here.keys() | there.keys():
            if here.get(price) != there.get(price):
                amounts = f"{here.get(price, 0.0):g}, there {there.get(price, 0.0):g}"
                self.differing[name, price] = f"the book differs from the venue's: {name} {price:g} has {amounts}"


def _behind(shadow: BookKeeper, live: BookKeeper) -> bool:
    """Whether the snapshot ended before what the live book had when the audit began: no delta will join it."""
    return shadow.seq is not None and live.seq is not None and shadow.seq < live.seq


def _amounts(levels: Levels, sign: int, limit: float) -> dict[float, float]:
    """Return the amounts by price, of those that are not worse than a signed price."""
    return {float(price): float(amount) for price, amount in levels if sign * float(price) >= limit}
