"""The documents of a bucket as of one moment: those that were read, and which ones an answer needs beside. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable


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
