"""Decimals as text, each with its time, oldest first, in a third of the memory that pairs take: 72 bytes each. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right


class DatedDecimals:
    """Decimals in order of their times (ns UTC, or whatever counts upwards); the text is kept as it is given."""

    __slots__ = ("texts", "times")

    def __init__(self) -> None:
        self.times = array("q")
        self.texts: list[str] = []

    def __len__(self) -> int:
        return len(self.texts)

    def append(self, ts: int, text: str) -> None:
        """Take one that is newer than all."""
        self.times.append(ts)
        self.texts.append(text)

    def newest(self) -> int | None:
        """Return the time of the newest; None where there is none."""
        return self.times[-1] if self.times else None

    def find(self, ts: int) -> tuple[int, str] | None:
        """Return the newest that is not newer than `ts`, with its time; None where there is none."""
        place = bisect_right(self.times, ts)
        return (self.times[place - 1], self.texts[place - 1]) if place else None

    def drop(self, count: int) -> None:
        """Forget so many of the oldest; none where that is not positive."""
        if count > 0:
            del self.times[:count], self.texts[:count]
