"""The documents of a bucket as of one moment: those that were read, and which ones an answer needs beside. Pure.

What an answer of a moment needs is about what one of now does: that is found first, and read at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from contracts import subjects
from contracts.state import PLACES, find_page_place


class PastBucket:
    """What was read of a bucket (None: there was no such key); `wanted` collects the keys that were not read yet.

    `list_keys` lists those that the bucket has now: one that is newer than the moment has no document.
    """

    def __init__(self, list_keys: Callable[[], Iterable[str]] = tuple) -> None:
        self.read: dict[str, bytes | None] = {}
        self.wanted: set[str] = set()
        self._list_keys = list_keys

    def get(self, key: str) -> bytes | None:
        """Return the document of a key; None, and it is wanted, where it was not read."""
        if key not in self.read:
            self.wanted.add(key)
            return None
        return self.read[key]

    def keys(self) -> Iterable[str]:
        """List the keys."""
        return self._list_keys()

    def save(self, found: dict[str, bytes | None]) -> None:
        """Take documents that were read."""
        self.read |= found
        self.wanted -= found.keys()


class NotedBucket:
    """A bucket as it is now; `asked` are the keys whose documents an answer needed."""

    def __init__(self, get: Callable[[str], bytes | None], list_keys: Callable[[], Iterable[str]] = tuple) -> None:
        self.asked: set[str] = set()
        self._get, self._list_keys = get, list_keys

    def get(self, key: str) -> bytes | None:
        """Return the document of a key, and take note that it was needed."""
        self.asked.add(key)
        return self._get(key)

    def keys(self) -> Iterable[str]:
        """List the keys."""
        return self._list_keys()


def list_pages(keys: Iterable[str]) -> set[str]:
    """Return every page of the trades of the instruments that some keys are of: others than now were named then."""
    tails = {key.removeprefix(subjects.STATE_TRADE) for key in keys if key.startswith(subjects.STATE_TRADE)}
    return {subjects.STATE_TRADES_PAGE + find_page_place(place, tail) for place in range(PLACES) for tail in tails}
