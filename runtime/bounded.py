"""Memory that never grows: values by time, sizes counted in buckets of about six percent, lows."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final, Generic, TypeVar

from msgspec import Meta

V = TypeVar("V")
MOST_BUCKET: Final = 2**16 - 1  # that of values of 4,096 bits
SavedCounts = dict[Annotated[int, Meta(ge=0, le=MOST_BUCKET)], Annotated[int, Meta(ge=0, le=2**63 - 1)]]
"""Counts by bucket, as a document has them: what breaks the bounds is refused where it is read."""

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


class BucketCounts:
    """How often each bucket was counted, in two columns by bucket: ten bytes each."""

    __slots__ = ("_buckets", "_counts")

    def __init__(self, counts: Mapping[int, int]) -> None:
        found = sorted(counts.items())
        self._buckets = array("H", [bucket for bucket, _ in found])
        self._counts = array("Q", [count for _, count in found])

    def add(self, bucket: int) -> None:
        """Count a bucket once more."""
        at = bisect_left(self._buckets, bucket)
        if at < len(self._buckets) and self._buckets[at] == bucket:
            self._counts[at] += 1
        else:
            self._buckets.insert(at, bucket)
            self._counts.insert(at, 1)

    def items(self) -> Iterator[tuple[int, int]]:
        """Give each bucket with its count, the smallest first."""
        return zip(self._buckets, self._counts, strict=True)

    def size(self) -> int:
        """Return the bytes that it takes, its columns with it."""
        return object.__sizeof__(self) + sys.getsizeof(self._buckets) + sys.getsizeof(self._counts)

    def total(self) -> int:
        """Return how often all of them were counted."""
        return sum(self._counts)


def _merge(several: Iterable[BucketCounts]) -> dict[int, int]:
    merged: dict[int, int] = {}
    for counts in several:
        for bucket, number in counts.items():
            merged[bucket] = merged.get(bucket, 0) + number
    return merged


class RollingHistogram:
    """Counts values of the last `slots` x `width` ns; a quantile is exact to one part in sixteen."""

    __slots__ = ("_older", "_slots", "_width", "count")

    def __init__(self, slots: int, width: int) -> None:
        self._width = width
        self._slots: deque[tuple[int, BucketCounts]] = deque(maxlen=slots)
        self._older: BucketCounts | None = None  # those of all slots but the newest, once they were asked for
        self.count = 0

    def add(self, value: int, at: int) -> None:
        """Count a value at a time (ns); a time before the newest slot counts into the newest."""
        slot = at // self._width
        if not self._slots or slot > self._slots[-1][0]:
            self._slots.append((slot, BucketCounts({})))
            self._expire(slot)
        self._slots[-1][1].add(bucket_of(value))
        self.count += 1

    def find_quantile(self, share: tuple[int, int]) -> int | None:
        """Give what `share` (numerator, denominator) of all do not exceed, at most 1/16 too high; None for none."""
        if not self._slots:
            return None
        if self._older is None:
            self._older = BucketCounts(_merge(counts for _, counts in list(self._slots)[:-1]))
        merged = _merge((self._older, self._slots[-1][1]))
        total = sum(merged.values())
        wanted = -(-total * share[0] // share[1])
        passed = 0
        for bucket in sorted(merged):
            passed += merged[bucket]
            if passed >= wanted:
                return edge_of(bucket + 1) - 1
        return None

    def list_slots(self, since: int | None = None) -> dict[int, dict[int, int]]:
        """Return the counts of each slot (its number since 1970), or of those from one on, by bucket, oldest first."""
        return {slot: dict(counts.items()) for slot, counts in self._slots if since is None or slot >= since}

    def find_slot(self, slot: int) -> dict[int, int]:
        """Return the counts of one slot by bucket."""
        return next((dict(counts.items()) for number, counts in self._slots if number == slot), dict[int, int]())

    def restore(self, slots: Mapping[int, Mapping[int, int]]) -> None:
        """Take back what `list_slots` gave, in place of the slots of the same numbers."""
        taken = {slot: BucketCounts(counts) for slot, counts in slots.items()}
        merged = sorted({**dict(self._slots), **taken}.items())
        self._slots = deque(merged, maxlen=self._slots.maxlen)
        if merged:
            self._expire(merged[-1][0])

    def size(self) -> int:
        """Return the bytes that its counts take."""
        older = 0 if self._older is None else self._older.size()
        return older + sum(counts.size() for _, counts in self._slots)

    def _expire(self, newest: int) -> None:
        self._older = None
        kept = self._slots.maxlen or 1
        while self._slots and self._slots[0][0] <= newest - kept:
            self._slots.popleft()
        self.count = sum(counts.total() for _, counts in self._slots)


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
