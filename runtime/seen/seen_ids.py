"""Ids that were seen last, by their hashes. Pure; its compiled form is used where that was built."""

from __future__ import annotations

import sys
from typing import Final

_QUARTERS: Final = 4
_HASH_BYTES: Final = sys.getsizeof(2**62)


class SeenIds:
    """Remembers at least the last `limit` ids, at most a quarter more.

    By their hashes, which take half of what ids take: that two of so many ids have one of 2**64 is less likely than
    that the machine errs. Dropped a quarter at a time, so that no id needs a time.
    """

    __slots__ = ("_before", "_now", "_quarter")

    def __init__(self, limit: int) -> None:
        self._quarter = -(-limit // _QUARTERS)
        self._now: set[int] = set()
        self._before: tuple[set[int], ...] = (set(),) * _QUARTERS  # the oldest first

    def __contains__(self, key: str) -> bool:
        found = hash(key)
        first, second, third, fourth = self._before
        return found in self._now or found in fourth or found in third or found in second or found in first

    def add(self, key: str) -> bool:
        """Remember an id; False where it is remembered already."""
        found, now = hash(key), self._now
        first, second, third, fourth = self._before
        if found in now or found in fourth or found in third or found in second or found in first:
            return False
        if len(now) >= self._quarter:
            self._before = (second, third, fourth, now)
            now = self._now = set()
        now.add(found)
        return True

    def discard(self, key: str) -> None:
        """Forget an id that was just added."""
        self._now.discard(hash(key))

    def size(self) -> int:
        """Return the bytes that it takes, its sets and their hashes with it."""
        parts = {id(part): part for part in (self._now, *self._before)}.values()
        return object.__sizeof__(self) + sum(sys.getsizeof(part) + _HASH_BYTES * len(part) for part in parts)
