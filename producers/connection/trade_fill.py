"""Which rows of a venue's history lie in a cut or a hole of its trades, and what is missing after them. Pure.

A trade lies between the last one before and the first one after by its number where the venue counts its trades and
gives the number over REST too, else by its time; one whose id was received is never taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from contracts.codec import fast
from contracts.market import TradeRange

FastRange: Final = fast(TradeRange)
FastTrade = Any  # a struct of contracts.codec.fast
MOST_PAGES: Final = 10
STREAMED_NS: Final = 1_000_000_000  # after a stream went on, trades are left to it (the venue's clock and ours differ)
MOST_TRIES: Final = 3  # of the newest rows, where they do not reach what came by the stream yet, or do not come at all
Counted = Literal["trade_id", "seq"] | None
Next = Literal["again", "older", "done"]


@dataclass(frozen=True, slots=True)
class Edge:
    """A trade beside a hole: the venue's time (ns UTC), and its number where the venue counts its trades."""

    ts: int
    number: int | None


def edge_of(trade: FastTrade, counted: Counted) -> Edge:
    """Return a trade as an edge."""
    return Edge(trade.ts_event or trade.ts_recv, number_of(trade, counted))


def number_of(trade: FastTrade, counted: Counted) -> int | None:
    """Return the number by which a venue counts its trades; None where it does not, or the trade lacks it."""
    number = None if counted is None else trade.trade_id if counted == "trade_id" else trade.seq
    return None if number is None else int(number)


def find_before(recent: Sequence[FastTrade], counted: Counted) -> Edge:
    """Return the newest of the trades that were received last, as an edge."""
    return max((edge_of(trade, counted) for trade in recent), key=lambda edge: (edge.number or 0, edge.ts))


@dataclass(slots=True)
class _Stretch:
    """Rows that follow each other without a break, oldest first."""

    rows: list[FastTrade]

    @property
    def start(self) -> int:
        return self.rows[0].ts_event

    @property
    def end(self) -> int:
        return self.rows[-1].ts_event


@dataclass(slots=True)
class Fill:
    """One hole while its trades are fetched.

    `before_ids` and `after_ids` are those that the stream gave around it, `later_ids` what it gave after its next cut
    or hole (`is_followed` is false from there on), `passed` others, which show no end of the hole.
    `after` is None where only a heartbeat named what came last, its number `last`, or where nothing came yet: it is
    open then. `known_ts` (ns UTC) is when a heartbeat named it, or when the stream went on.
    `next` says what is to be fetched: the newest rows (again), those older than `oldest`, or nothing more.
    """

    before: Edge
    after: Edge | None
    before_ids: set[str]
    after_ids: set[str]
    counted: Counted
    last: int | None = None
    known_ts: int = 0
    passed: AbstractSet[str] = frozenset()
    later_ids: set[str] = field(default_factory=set[str])
    is_followed: bool = True
    next: Next = "again"
    tries: int = 0
    _stretches: list[_Stretch] = field(default_factory=list[_Stretch])  # the last one has the newest rows
    _pages: int = 0
    _unreadable: bool = False

    @property
    def is_open(self) -> bool:
        """Whether nothing shows where it ends but the time at which the stream went on."""
        return self.after is None and self.last is None

    @property
    def oldest(self) -> FastTrade | None:
        """Return the oldest row of those that reach the newest one without a break."""
        return self._stretches[-1].rows[0] if self._stretches else None

    def on_trade(self, trade_id: str) -> None:
        """Take the id of a trade that the stream gives meanwhile."""
        (self.after_ids if self.is_followed else self.later_ids).add(trade_id)

    def on_rows(self, rows: Sequence[FastTrade], *, pageable: bool, unreadable: bool = False) -> None:
        """Take an answer. `pageable`: the venue gives rows older than one; `unreadable`: some could not be read."""
        self._unreadable = self._unreadable or unreadable
        older, before = self.next == "older", self.oldest
        if any(number_of(row, self.counted) is None for row in rows):
            self.counted = None  # the venue's REST does not give the number
        if rows:
            self._join(self._in_order(rows))
        if older:
            self._pages += 1
            ends = self._pages >= MOST_PAGES or self.oldest is before
        else:
            self.tries += 1
            ends = self.oldest is None
            if not self._reaches_on and self.tries < MOST_TRIES:
                return
        ends = ends or not pageable or self._reaches_back(self._stretches[-1])
        self.next = "done" if ends else "older"

    def on_failure(self) -> None:
        """An answer could not be had."""
        self.tries += 1
        self.next = "done" if self.tries >= MOST_TRIES else self.next

    def _in_order(self, rows: Sequence[FastTrade]) -> list[FastTrade]:
        """Return an answer's rows oldest first: by their numbers, or as they stand, from whichever end is older."""
        if self.counted is not None:
            return sorted(rows, key=lambda row: (number_of(row, self.counted) or 0, row.ts_event))
        return list(rows if rows[0].ts_event < rows[-1].ts_event else reversed(rows))

    def _join(self, rows: list[FastTrade]) -> None:
        """Join the rows of an answer to those that they overlap; older ones to those that they were fetched for."""
        held = self._stretches[-1].rows if self._stretches else []
        known = {row.id for row in held}
        new = [row for row in rows if row.id not in known]
        if self.next == "older":
            held[:0] = new
        elif len(new) < len(rows):
            held += new
        else:
            self._stretches.append(_Stretch(rows))

    def _reaches_back(self, stretch: _Stretch) -> bool:
        """Return whether a stretch begins with what was received before the hole."""
        return any(row.id in self.before_ids or self._side(row) < 0 for row in stretch.rows)

    @property
    def _reaches_on(self) -> bool:
        """Whether the newest rows have something of what came after the hole, or the last that a heartbeat named.

        Of an open hole no row can show it: they were fetched when the venue's history had had time to reach its end.
        """
        rows = self._stretches[-1].rows if self._stretches else []
        if self.is_open:
            return bool(rows)
        return any(self._is_on(row) for row in rows) and (
            self.after is not None or any((number_of(row, self.counted) or 0) >= (self.last or 0) for row in rows)
        )

    def _is_on(self, row: FastTrade) -> bool:
        """Return whether a row came after the hole, or is the last one that a heartbeat named."""
        is_received = row.id in self.after_ids or row.id in self.later_ids
        return (is_received and self._side(row) >= 0) or self._side(row) > 0

    def _side(self, row: FastTrade) -> int:
        """Return -1 for a row before the hole, 1 for one after it, by its number; 0 for one in it or without one."""
        number, before = number_of(row, self.counted), self.before.number
        if number is None or before is None:
            return 0
        end = self.after.number if self.after is not None else None if self.last is None else self.last + 1
        return -1 if number <= before else 1 if end is not None and number >= end else 0

    def _lost_of(self, stretch: _Stretch) -> list[FastTrade]:
        """Return the rows of a stretch that lie in the hole and were not received.

        Of an open hole those that were made a while after the stream went on are left to it.
        """
        rows = self._inside(stretch.rows)
        if self.is_open:
            until = self.known_ts + STREAMED_NS
            rows = rows[: next((at for at, row in enumerate(rows) if row.ts_event > until), None)]
        received = self.before_ids.union(self.after_ids, self.later_ids, self.passed)
        return [row for row in rows if row.id not in received]

    def _inside(self, rows: list[FastTrade]) -> list[FastTrade]:
        """Return the rows that lie in the hole: by their numbers, or behind and before rows that were received.

        Only where none that was received is among them, their times say. Times may step back from one row to the
        next, or be the same: they say nothing where an id does.
        """
        if self.before.number is not None and self.counted is not None:
            return [row for row in rows if self._side(row) == 0]
        first = max((at + 1 for at, row in enumerate(rows) if row.id in self.before_ids), default=0)
        end = next((at for at in range(first, len(rows)) if rows[at].id in self.after_ids), None)
        if first or end is not None:
            return rows[first:end]
        until = None if self.after is None else self.after.ts
        return [row for row in rows if self.before.ts <= row.ts_event <= (row.ts_event if until is None else until)]

    def take_found(self) -> list[FastTrade]:
        """Return the trades of the hole that the stream has not given meanwhile, in the venue's order."""
        return [row for stretch in self._stretches for row in self._lost_of(stretch)]

    def ranges(self, found: Sequence[FastTrade]) -> tuple[list[Any], list[Any]]:
        """Return what is filled with these trades, and what is missing (fast TradeRanges)."""
        start, end = self.before.ts, self._end(found)
        if self._unreadable or not self._stretches:
            filled = [whole_range(found, found[0].ts_event, found[-1].ts_event)] if found else []
            return filled, [_unknown(start, end, None if self._unreadable else self._lost(None))]
        filled, missing = list[Any](), list[Any]()
        for stretch in self._stretches:
            own = self._lost_of(stretch)
            on = self._reaches_on and stretch is self._stretches[-1]
            back = self._reaches_back(stretch)
            until = end if on else min(end, max(start, stretch.end))
            since = start if back else min(until, max(start, stretch.start))
            if since > start:
                lost = self._lost(own[0]) if own and not filled else None
                missing.append(_unknown(filled[-1].end_ts if filled else start, since, lost))
            if own or back:
                filled.append(whole_range(own, since, until))
        if not filled:
            return [], [_unknown(start, end, self._lost(None))]
        if not self._reaches_on:
            missing.append(_unknown(filled[-1].end_ts, end, None))
        return filled, missing

    def _end(self, found: Sequence[FastTrade]) -> int:
        if self.after is not None:
            return max(self.before.ts, self.after.ts)
        newest = found[-1].ts_event if found and self._reaches_on else None
        if self.is_open:
            return max(self.before.ts, self.known_ts, newest or 0)
        return max(self.before.ts, newest or self.known_ts)

    def _lost(self, first: FastTrade | None) -> int | None:
        """Return how many trades there are between the edge before and `first` (or the end), where numbers tell."""
        before = self.before.number
        if first is not None:
            end = number_of(first, self.counted)
        else:
            end = self.after.number if self.after is not None else None if self.last is None else self.last + 1
        return None if before is None or end is None else max(0, end - before - 1)


def whole_range(found: Sequence[FastTrade], start: int, end: int) -> Any:
    """Return the range between two times (ns UTC) that has these trades, and no others; wider where they need it."""
    times = [row.ts_event for row in found]
    return FastRange(
        first_id=found[0].trade_id if found else None,
        last_id=found[-1].trade_id if found else None,
        start_ts=min(start, *times) if times else start,
        end_ts=max(start, end, *times),
        trades=len(found),
    )


def _unknown(start: int, end: int, trades: int | None) -> Any:
    return FastRange(first_id=None, last_id=None, start_ts=start, end_ts=max(start, end), trades=trades)


def count_missing(ranges: Iterable[Any]) -> int:
    """Return how many trades are missing at least: one for a range of which no number is known."""
    return sum(1 if one.trades is None else one.trades for one in ranges)
