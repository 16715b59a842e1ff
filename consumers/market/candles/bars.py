"""Candles of two sources made into one series: ours where they are whole, else the exchange's, holes named. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import msgspec

from contracts.timeframes import DAY, MINUTE, TIMEFRAMES, find_start

CHUNK: Final = 500  # candles of a venue's history that are asked for, and kept, together
_ANCHOR: Final = 4 * DAY  # a Monday: every time frame has a start there
Why = Literal["no_trades", "not_heard", "unknown"]


class Row(msgspec.Struct, frozen=True, gc=False):
    """One candle as the bus sends it: the fields that are shown."""

    start_ts: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    closed: bool
    ts_recv: int
    sim: bool
    quote_volume: str | None = None
    trades: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """`count` candles of a time frame, of which `last` is the start of the newest; ns UTC.

    `behind`: how many candles there are after it by now; 0 where the newest is the open one.
    """

    timeframe: str
    last: int
    count: int
    behind: int = 0

    @property
    def size(self) -> int:
        """The length of a candle, ns."""
        return TIMEFRAMES[self.timeframe]

    @property
    def open_start(self) -> int | None:
        """The start of the candle that is still open; None for a window in the past."""
        return None if self.behind else self.last

    @property
    def end(self) -> int:
        """The end of the candle that is open now."""
        return self.last + (self.behind + 1) * self.size

    def lengthen(self, count: int) -> Window:
        """Return the same with so many older candles before."""
        return replace(self, count=self.count + count)

    @property
    def starts(self) -> range:
        """The start of each candle, oldest first."""
        return range(self.last - (self.count - 1) * self.size, self.last + 1, self.size)


@dataclass(frozen=True, slots=True)
class Own:
    """Our own candles by start; those from `since` (ns UTC) on lack nothing but what the `gaps` took.

    `gaps` are (from, to), oldest first and disjoint.
    """

    rows: Mapping[int, Row] = field(default_factory=dict[int, Row])
    since: int | None = None
    gaps: tuple[tuple[int, int], ...] = ()

    def knows(self, start: int, size: int) -> bool:
        """Whether all trades of a candle of this start and length (ns) were listened to."""
        if self.since is None or start < self.since:
            return False
        after = bisect_right(self.gaps, start, key=lambda gap: gap[1])
        return after == len(self.gaps) or self.gaps[after][0] >= start + size


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a venue's history, from one start up to, but not with, another; ns UTC."""

    start: int
    end: int

    def is_closed(self, now_ns: int) -> bool:
        """Whether nothing in it can change any more."""
        return self.end + MINUTE <= now_ns


@dataclass(frozen=True, slots=True)
class Shown:
    """One candle of the series: from where it is, and whether it lacks nothing."""

    row: Row
    source: Literal["own", "exchange"]
    whole: bool


@dataclass(frozen=True, slots=True)
class Hole:
    """Candles that are not there: the first and last start, how many, and why."""

    start: int
    end: int
    count: int
    reason: Why


@dataclass(frozen=True, slots=True)
class Merged:
    """The series and what is missing in it."""

    shown: tuple[Shown, ...]
    holes: tuple[Hole, ...]

    @property
    def complete(self) -> bool:
        """Whether every candle is there and whole, but for intervals in which nothing was traded."""
        return all(item.whole for item in self.shown) and all(hole.reason == "no_trades" for hole in self.holes)


def make_span(timeframe: str, now_ns: int, span: tuple[int | None, int | None], limit: int) -> Window:
    """Return at most `limit` candles that start in a span (from, and up to, but not with; ns UTC), none in the future.

    Of a span with a beginning they are the oldest, else the newest.
    """
    size, current = TIMEFRAMES[timeframe], find_start(timeframe, now_ns)
    since, until = span
    last = current if until is None else min(current, find_start(timeframe, until - 1))
    count = limit
    if since is not None:
        first = find_start(timeframe, since + size - 1)
        count = max(0, min(limit, (last - first) // size + 1))
        last = first + (count - 1) * size
    return Window(timeframe, last, count, max(0, (current - last) // size))


def list_needed(window: Window, own: Own) -> list[Chunk]:
    """List the chunks of history that hold what our own candles lack, oldest first.

    The newest candle is not asked for where we listen: nothing was traded in it yet.
    """
    found: dict[int, Chunk] = {}
    length = CHUNK * window.size
    for start in window.starts:
        whole = own.knows(start, window.size) and (start in own.rows or start == window.open_start)
        if not whole:
            first = start - (start - _ANCHOR) % length
            found[first] = Chunk(first, min(first + length, window.end))
    return list(found.values())


def merge(window: Window, own: Own, past: Mapping[int, Row], answered: Sequence[Chunk]) -> Merged:
    """Make one series: our whole candles, then the exchange's, then ours that began too late.

    `answered`: the chunks that the exchange has answered for; what it left out there was not traded.
    """
    shown: list[Shown] = []
    missing: list[tuple[int, Why]] = []
    for start in window.starts:
        knows = own.knows(start, window.size)
        item = _choose(own.rows.get(start), past.get(start), knows=knows)
        if item is not None:
            shown.append(item)
        elif any(chunk.start <= start < chunk.end for chunk in answered) or (start == window.open_start and knows):
            missing.append((start, "no_trades"))
        else:
            missing.append((start, "not_heard" if knows else "unknown"))
    return Merged(tuple(shown), tuple(join_holes(missing, window.size)))


def _choose(own: Row | None, past: Row | None, *, knows: bool) -> Shown | None:
    if own is not None and knows:
        return Shown(own, "own", whole=True)
    if past is not None:
        return Shown(past, "exchange", whole=True)
    return None if own is None else Shown(own, "own", whole=False)


def join_holes(missing: Iterable[tuple[int, Why]], size: int) -> list[Hole]:
    """Make one hole of neighbours with the same reason."""
    holes: list[Hole] = []
    for start, reason in missing:
        last = holes[-1] if holes else None
        if last is not None and last.reason == reason and start - last.end == size:
            holes[-1] = Hole(last.start, start, last.count + 1, reason)
        else:
            holes.append(Hole(start, start, 1, reason))
    return holes
