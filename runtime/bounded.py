"""Memory that never grows: values by time, sizes counted in buckets of about six percent, lows."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

V = TypeVar("V")

_EXACT: Final = 32  # values below are counted exactly; above, sixteen buckets for each power of two


def bucket_of(value: int) -> int:
    """Give the bucket of a value; negative ones count as 0."""
    if value < _EXACT:
        return max(value, 0)
    shift = value.bit_length() - 5
    return (shift << 4) + (value >> shift)


def edge_of(bucket: int) -> int:
    """Give the smallest value of a bucket."""
    if bucket < _EXACT:
        return bucket
    shift = (bucket >> 4) - 1
    return (bucket - (shift << 4)) << shift


class Window(Generic[V]):
    """The values of the last `span` of time, by id; time is that of the values themselves. At most `limit` of them."""

    __slots__ = ("_count", "_held", "_limit", "_order", "end", "span")

    def __init__(self, span: int, limit: int) -> None:
        self.span, self._limit = span, limit
        self._held: dict[str, V] = {}
        self._order: list[tuple[int, int, str]] = []  # time, arrival, id
        self._count = 0
        self.end = 0  # the latest time

    def __contains__(self, key: str) -> bool:
        return key in self._held

    def __len__(self) -> int:
        return len(self._held)

    def add(self, key: str, value: V, at: int) -> list[V]:
        """Take a value and give those that left: what is now too old, and the oldest where there are too many."""
        self._count += 1
        self._held[key] = value
        insort(self._order, (at, self._count, key))
        self.end = max(self.end, at)
        keep = bisect_right(self._order, (self.end - self.span, self._count + 1, ""))
        keep = max(keep, len(self._order) - self._limit)
        gone = [self._held.pop(name) for _, _, name in self._order[:keep]]
        del self._order[:keep]
        return gone

    def values(self) -> Iterable[V]:
        """The values in the order in which they came."""
        return self._held.values()


class RollingHistogram:
    """Counts values of the last `slots` x `width` ns; a quantile is exact to one part in sixteen."""

    __slots__ = ("_slots", "_width", "count")

    def __init__(self, slots: int, width: int) -> None:
        self._width = width
        self._slots: deque[tuple[int, dict[int, int]]] = deque(maxlen=slots)
        self.count = 0

    def add(self, value: int, at: int) -> None:
        """Count a value at a time (ns); a time before the newest slot counts into the newest."""
        slot = at // self._width
        if not self._slots or slot > self._slots[-1][0]:
            self._slots.append((slot, {}))
            self._expire(slot)
        counts = self._slots[-1][1]
        bucket = bucket_of(value)
        counts[bucket] = counts.get(bucket, 0) + 1
        self.count += 1

    def find_quantile(self, share: tuple[int, int]) -> int | None:
        """Give what `share` (numerator, denominator) of all do not exceed, at most 1/16 too high; None for none."""
        merged: dict[int, int] = {}
        for _, counts in self._slots:
            for bucket, number in counts.items():
                merged[bucket] = merged.get(bucket, 0) + number
        total = sum(merged.values())
        wanted = -(-total * share[0] // share[1])
        passed = 0
        for bucket in sorted(merged):
            passed += merged[bucket]
            if passed >= wanted:
                return edge_of(bucket + 1) - 1
        return None

    def list_slots(self) -> dict[int, dict[int, int]]:
        """Return the counts of each slot (its number since 1970) by bucket, the oldest first."""
        return dict(self._slots)

    def restore(self, slots: dict[int, dict[int, int]]) -> None:
        """Take back what `list_slots` gave, in place of the slots of the same numbers."""
        merged = sorted({**dict(self._slots), **slots}.items())
        self._slots = deque(merged, maxlen=self._slots.maxlen)
        if merged:
            self._expire(merged[-1][0])

    def _expire(self, newest: int) -> None:
        kept = self._slots.maxlen or 1
        while self._slots and self._slots[0][0] <= newest - kept:
            self._slots.popleft()
        self.count = sum(sum(counts.values()) for _, counts in self._slots)


class RollingLow:
    """The `rank`-th lowest value of the last `slots` x `width` ns: a lowest that `rank` - 1 wild ones cannot move."""

    __slots__ = ("_rank", "_slots", "_width")

    def __init__(self, slots: int, width: int, rank: int = 3) -> None:
        self._width, self._rank = width, rank
        self._slots: deque[tuple[int, list[int]]] = deque(maxlen=slots)

    def add(self, value: int, at: int) -> None:
        """Take a value, of any sign, at a time (ns); a time before the newest slot counts into the newest."""
        slot = at // self._width
        if not self._slots or slot > self._slots[-1][0]:
            self._slots.append((slot, []))
            kept = self._slots.maxlen or 1
            while self._slots[0][0] <= slot - kept:
                self._slots.popleft()
        lowest = self._slots[-1][1]
        if len(lowest) < self._rank or value < lowest[-1]:
            insort(lowest, value)
            del lowest[self._rank :]

    def find(self) -> int | None:
        """Give the `rank`-th lowest; None while there are fewer values."""
        lowest = sorted(value for _, values in self._slots for value in values)
        return lowest[self._rank - 1] if len(lowest) >= self._rank else None
