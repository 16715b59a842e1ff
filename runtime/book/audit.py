"""Compares a live book with a fresh snapshot of its venue: what neither a number nor a checksum shows. Pure.

Joined: a second keeper is seeded by the snapshot and continued by the same deltas, by the same rule. Where both have
reached the same number, their best levels must be the same: a level that was lost, one that should be gone, a wrong
amount. Untouched: where the snapshot's number is of no count of the stream's changes, or it has none, the levels that
no change has named from before the snapshot until well after it must be the same. What was named is right by that.

A stream that sends only what is left of 100 ms may leave out a level that came and went, and a snapshot from between
shows it: what is truly wrong differs at the same price again in the next audits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from math import inf
from typing import Any, ClassVar, Final, Protocol

from msgspec import Raw

from runtime.book.book_side import RawLevels, read_levels
from runtime.book.keeper import BookKeeper, Change
from runtime.book.rule import BookRule

Levels = Sequence[tuple[str, str]]
SECOND_NS: Final = 1_000_000_000
SETTLE_NS: Final = 3 * SECOND_NS // 2  # after an unjoined snapshot came: changes before it have come by then


class Verdict(Enum):
    """What an audit has found."""

    WAITING = "waiting"  # for the snapshot, or for the deltas to reach it
    RIGHT = "right"
    WRONG = "wrong"
    OPEN = "open"  # nothing can be said: ask again


class Audit(Protocol):
    """One comparison of one book. Deltas and the snapshot are given to it, then it judges; it changes nothing.

    `lead`: seconds from its beginning until the snapshot is fetched. `patience_ns`: for how long it may wait in all.
    `agreeing`: how many audits in a row must find the same difference. `differing` says by side and price what is
    here, and what there. `shown` is what the snapshot held, where the next one must be another: None where it need not,
    as numbers join them, or nothing changed.
    """

    lead: ClassVar[float]
    patience_ns: ClassVar[int]
    agreeing: ClassVar[int]
    differing: dict[tuple[str, float], str]

    @property
    def shown(self) -> Any | None:
        """Return what the snapshot held, to be compared with another's."""
        ...

    def on_delta(self, delta: Any) -> None:
        """Take one change that the live book has taken."""
        ...

    def on_snapshot(self, snapshot: Any | None) -> None:
        """Take the snapshot; None where it could not be had."""
        ...

    def judge(self, live: BookKeeper, *, ts: int) -> Verdict:
        """Compare with the live book as soon as that can be done; `ts` is now, ns UTC."""
        ...


class JoinedAudit:
    """An audit by a second keeper, where the snapshot's number is of the count of the stream's changes."""

    lead: ClassVar = 0.0
    patience_ns: ClassVar = 10 * SECOND_NS
    agreeing: ClassVar = 2

    def __init__(self, rule: BookRule) -> None:
        self._shadow = BookKeeper(replace(rule, seed="rest", seed_depth=1))  # its levels end where the snapshot's do
        self._open = False
        self.differing: dict[tuple[str, float], str] = {}

    @property
    def shown(self) -> None:
        """Return nothing: what joins is new."""
        return

    def on_delta(self, delta: Any) -> None:
        """Take one change that the live book has taken."""
        self._open = self._open or delta.is_snapshot or self._shadow.on_delta(delta).change is Change.GAP

    def on_snapshot(self, snapshot: Any | None) -> None:
        """Take the snapshot; None where it could not be had."""
        if snapshot is None or snapshot.seq is None or self._shadow.on_snapshot(snapshot).change is not Change.APPLIED:
            self._open = True

    def judge(self, live: BookKeeper, *, ts: int) -> Verdict:
        """Compare with the live book, as soon as both are at the same number."""
        shadow = self._shadow
        if self._open or not live.live or (shadow.live and _behind(shadow, live)):
            return Verdict.OPEN
        if not shadow.live or shadow.seq != live.seq:
            return Verdict.WAITING
        levels = live.rule.audit_depth
        for name, ours, theirs, sign in (("bid", live.bids, shadow.bids, 1), ("ask", live.asks, shadow.asks, -1)):
            best = [side.top(levels) for side in (ours, theirs)]
            edges = [sign * edge for edge in (live.edge(sign), shadow.edge(sign)) if edge is not None]
            edges += [sign * float(side[-1][0]) for side in best if len(side) >= levels]
            here, there = (_amounts(side, sign, max(edges, default=-inf)) for side in best)
            self.differing |= _differing(name, here, there)
        return Verdict.WRONG if self.differing else Verdict.RIGHT


class UntouchedAudit:
    """An audit of the levels that no change names meanwhile, where a snapshot joins no stream.

    It may be as old as the audit when it is fetched (`lead`); one that names an earlier time says nothing.
    """

    lead: ClassVar = 1.5
    patience_ns: ClassVar = 20 * SECOND_NS
    agreeing: ClassVar = 3

    def __init__(self, live: BookKeeper) -> None:
        self._since = live.ts_event  # the venue's clock
        self._touched: set[tuple[str, float]] = set()
        self._snapshot: Any | None = None
        self._open = False
        self.differing: dict[tuple[str, float], str] = {}

    @property
    def shown(self) -> Any | None:
        """Return what the snapshot held: the same once more, though the book changes, is one from a cache."""
        found = self._snapshot
        return None if found is None or not self._touched else (found.bids, found.asks)

    def on_delta(self, delta: Any) -> None:
        """Take one change that the live book has taken."""
        if delta.is_snapshot:
            self._open = True
        for name, levels in (("bid", delta.bids), ("ask", delta.asks)):
            self._touched.update((name, float(price)) for price, _ in _read(levels))

    def on_snapshot(self, snapshot: Any | None) -> None:
        """Take the snapshot; None where it could not be had."""
        self._snapshot = snapshot
        at = None if snapshot is None else snapshot.ts_event
        is_older = at is not None and self._since is not None and at < self._since
        self._open = self._open or snapshot is None or is_older

    def judge(self, live: BookKeeper, *, ts: int) -> Verdict:
        """Compare with the live book some time after the snapshot came (`SETTLE_NS`)."""
        found = self._snapshot
        if self._open or not live.live:
            return Verdict.OPEN
        if found is None or ts < found.ts_recv + SETTLE_NS:
            return Verdict.WAITING
        levels = live.rule.audit_depth
        for name, side, rows, sign in (("bid", live.bids, found.bids, 1), ("ask", live.asks, found.asks, -1)):
            ours, theirs = side.top(levels), _best(_read(rows), sign, levels)
            edges = [sign * float(some[-1][0]) for some in (ours, theirs) if len(some) >= levels]
            edges += [sign * float(row[0]) for row in theirs[-1:]]  # it may be cut there
            if (edge := live.edge(sign)) is not None:
                edges.append(sign * edge)
            if theirs:
                here, there = (self._untouched(name, some, sign, max(edges)) for some in (ours, theirs))
                self.differing |= _differing(name, here, there)
        return Verdict.WRONG if self.differing else Verdict.RIGHT

    def _untouched(self, name: str, levels: Levels, sign: int, limit: float) -> dict[float, float]:
        amounts = _amounts(levels, sign, limit)
        return {price: amount for price, amount in amounts.items() if (name, price) not in self._touched}


def begin_audit(live: BookKeeper) -> Audit:
    """Return a new audit of a book, by what its rule says of its venue's snapshots."""
    return JoinedAudit(live.rule) if live.rule.audit == "joined" else UntouchedAudit(live)


def lead_of(rule: BookRule) -> float:
    """Return the seconds between the beginning of an audit and the call for its snapshot."""
    return JoinedAudit.lead if rule.audit == "joined" else UntouchedAudit.lead


def _read(levels: Levels | RawLevels) -> Levels:
    """Return levels, which may be JSON."""
    return read_levels(levels) if isinstance(levels, bytes | str | Raw) else levels


def _best(levels: Levels, sign: int, most: int) -> Levels:
    """Return the best levels of a side, the best first."""
    return sorted(levels, key=lambda level: -sign * float(level[0]))[:most]


def _differing(name: str, here: dict[float, float], there: dict[float, float]) -> dict[tuple[str, float], str]:
    """Return the prices at which two sides differ, and how."""
    found: dict[tuple[str, float], str] = {}
    for price in here.keys() | there.keys():
        if here.get(price) != there.get(price):
            amounts = f"{here.get(price, 0.0):g}, there {there.get(price, 0.0):g}"
            found[name, price] = f"the book differs from the venue's: {name} {price:g} has {amounts}"
    return found


def _behind(shadow: BookKeeper, live: BookKeeper) -> bool:
    """Whether the snapshot ended before what the live book had when the audit began: no delta will join it."""
    return shadow.seq is not None and live.seq is not None and shadow.seq < live.seq


def _amounts(levels: Levels, sign: int, limit: float) -> dict[float, float]:
    """Return the amounts by price, of those that are not worse than a signed price."""
    return {float(price): float(amount) for price, amount in levels if sign * float(price) >= limit}
