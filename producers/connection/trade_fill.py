"""Which rows of a venue's history lie in a cut or a hole of its trades, and what is missing after them. Pure.

A trade lies between the last one before and the first one after by its number where the venue counts its trades and
gives the number over REST too, else by its time; one whose id was received is never taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from contracts.codec import fast
from contracts.market import TradeRange

FastRange: Final = fast(TradeRange)
FastTrade = Any  # a struct of contracts.codec.fast
MOST_PAGES: Final = 10
MOST_TRIES: Final = 3  # of the newest rows, where they do not reach what came by the stream yet, or do not come at all
Counted = Literal["trade_id", "seq"] | None
Next = Literal["again", "older", "done"]
Order = tuple[int, int, int, str]


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
    """A part of the history that came whole; `reaches_back`: to what was received before the hole."""

    first: FastTrade
    last: FastTrade
    reaches_back: bool = False


@dataclass(slots=True)
class Fill:
    """One hole while its trades are fetched. `before_ids` and `after_ids` are those that the stream gave around it.

    `after` is None where only a heartbeat named what came last, its number `last`; `known_ts` (ns UTC) is when.
    `tied`: of the trades of the time of `before` not all ids are known, so that no row of that time is taken.
    `next` says what is to be fetched: the newest rows (again), those older than `oldest`, or nothing more.
    """

    before: Edge
    after: Edge | None
    before_ids: set[str]
    after_ids: set[str]
    counted: Counted
    last: int | None = None
    known_ts: int = 0
    tied: bool = False
    next: Next = "again"
    tries: int = 0
    _rows: dict[str, FastTrade] = field(default_factory=dict[str, FastTrade])
    _stretches: list[_Stretch] = field(default_factory=list[_Stretch])  # the last one is of the newest rows
    _pages: int = 0
    _reaches_on: bool = False  # the rows reach what came after the hole
    _unreadable: bool = False

    @property
    def oldest(self) -> FastTrade | None:
        """Return the oldest row of those that reach the newest one without a break."""
        return self._stretches[-1].first if self._stretches else None

    def on_rows(self, rows: Sequence[FastTrade], *, pageable: bool, unreadable: bool = False) -> None:
        """Take an answer. `pageable`: the venue gives rows older than one; `unreadable`: some could not be read."""
        self._unreadable = self._unreadable or unreadable
        older, before = self.next == "older", self.oldest
        if rows:
            self._join(_Stretch(min(rows, key=self._order), max(rows, key=self._order)))
        for row in rows:
            self._take(row)
        if older:
            self._pages += 1
            ends = self._pages >= MOST_PAGES or self.oldest is before
        else:
            self.tries += 1
            ends = self.oldest is None
            if not self._reaches_on and self.tries < MOST_TRIES:
                return
        ends = ends or not pageable or self._stretches[-1].reaches_back
        self.next = "done" if ends else "older"

    def on_failure(self) -> None:
        """An answer could not be had."""
        self.tries += 1
        self.next = "done" if self.tries >= MOST_TRIES else self.next

    def _join(self, new: _Stretch) -> None:
        """Join the rows of an answer to those that they touch; older ones touch those that they were fetched for."""
        if self.next == "older":
            held = self._stretches[-1]
            held.first = min(held.first, new.first, key=self._order)
            return
        touching = [one for one in self._stretches if self._order(new.first) <= self._order(one.last)]
        for one in touching:
            new.first = min(new.first, one.first, key=self._order)
            new.last = max(new.last, one.last, key=self._order)
            new.reaches_back = new.reaches_back or one.reaches_back
        self._stretches = [*(one for one in self._stretches if one not in touching), new]

    def _take(self, row: FastTrade) -> None:
        edge, held = edge_of(row, self.counted), self._stretches[-1]
        back, on = self._place(edge)
        if row.id in self.before_ids:
            held.reaches_back = True
        elif row.id in self.after_ids:
            self._reaches_on = self._reaches_on or on or (self.after is not None and edge.ts >= self.after.ts)
        elif back or (on and not self._is_last(edge)):
            held.reaches_back, self._reaches_on = held.reaches_back or back, self._reaches_on or on
        elif not (self.tied and edge.ts == self.before.ts):
            self._reaches_on = self._reaches_on or on
            self._rows[row.id] = row

    def _place(self, edge: Edge) -> tuple[bool, bool]:
        """Return whether a trade lies at or before the hole's beginning, and at or behind its end."""
        before, after = self.before, self.after
        if edge.number is not None and before.number is not None and (after is None or after.number is not None):
            end = self.last if after is None else after.number
            return edge.number <= before.number, end is not None and edge.number >= end
        return edge.ts < before.ts, after is not None and edge.ts > after.ts

    def _is_last(self, edge: Edge) -> bool:
        """Whether it is the trade that a heartbeat named, which belongs to the hole itself."""
        return self.after is None and edge.number == self.last

    def _order(self, row: FastTrade) -> Order:
        return (number_of(row, self.counted) or 0, row.ts_event or 0, len(row.trade_id), row.trade_id)

    def take_found(self) -> list[FastTrade]:
        """Return the trades of the hole that the stream has not given meanwhile, in the venue's order."""
        return sorted((row for row in self._rows.values() if row.id not in self.after_ids), key=self._order)

    def ranges(self, found: Sequence[FastTrade]) -> tuple[list[Any], list[Any]]:
        """Return what is filled with these trades, and what is missing (fast TradeRanges)."""
        start, end = self.before.ts, self._end(found)
        if self._unreadable or not self._stretches:
            filled = [whole_range(found, found[0].ts_event, found[-1].ts_event)] if found else []
            return filled, [_unknown(start, end, None if self._unreadable else self._lost(None))]
        filled, missing = list[Any](), list[Any]()
        for place, one in enumerate(self._stretches):
            own = [row for row in found if self._order(one.first) <= self._order(row) <= self._order(one.last)]
            on = self._reaches_on and place == len(self._stretches) - 1
            until = end if on else min(end, max(start, one.last.ts_event or end))
            since = start if one.reaches_back else min(until, max(start, one.first.ts_event or start))
            if since > start:
                lost = self._lost(own[0]) if own and not filled else None
                missing.append(_unknown(filled[-1].end_ts if filled else start, since, lost))
            if own or one.reaches_back:
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
    """Return the range between two times (ns UTC) that has these trades, and no others."""
    return FastRange(
        first_id=found[0].trade_id if found else None,
        last_id=found[-1].trade_id if found else None,
        start_ts=start,
        end_ts=max(start, end),
        trades=len(found),
    )


def _unknown(start: int, end: int, trades: int | None) -> Any:
    return FastRange(first_id=None, last_id=None, start_ts=start, end_ts=max(start, end), trades=trades)


def count_missing(ranges: Iterable[Any]) -> int:
    """Return how many trades are missing at least: one for a range of which no number is known."""
    return sum(1 if one.trades is None else one.trades for one in ranges)
