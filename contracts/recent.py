"""A mapping that never grows beyond a bound: it keeps what was used last and says how much it dropped. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps at least the `limit` entries that were used last, at most twice as many; `dropped` counts the others.

    Using one means `get` or `put`. `on_drop` is called with each entry that goes.
    """

    __slots__ = ("_before", "_limit", "_now", "_on_drop", "dropped")

    def __init__(self, limit: int, on_drop: Callable[[K, V], None] | None = None) -> None:
        self._limit = limit
        self._on_drop = on_drop
        self._now: dict[K, V] = {}
        self._before: dict[K, V] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._now) + len(self._before)

    def __contains__(self, key: K) -> bool:
        return key in self._now or key in self._before

    def get(self, key: K) -> V | None:
        """Give the value of a key and keep it for longer; None where there is none."""
        value = self._now.get(key)
        if value is None and key in self._before:
            value = self._before.pop(key)
            self.put(key, value)
        return value

    def put(self, key: K, value: V) -> V:
        """Keep a value and give it back."""
        self._before.pop(key, None)
        if len(self._now) >= self._limit and key not in self._now:
            self._turn()
        self._now[key] = value
        return value

    def pop(self, key: K) -> V | None:
        """Take an entry away; None where there is none."""
        held = self._now.pop(key, None)
        return self._before.pop(key, None) if held is None else held

    def values(self) -> Iterator[V]:
        """Every value, the less recently used first; nothing may be put meanwhile."""
        yield from self._before.values()
        yield from self._now.values()

    def items(self) -> Iterator[tuple[K, V]]:
        """Every key with its value, the less recently used first; nothing may be put meanwhile."""
        yield from self._before.items()
        yield from self._now.items()

    def clear(self) -> None:
        """Forget everything, uncounted."""
        self._now, self._before = {}, {}

    def _turn(self) -> None:
        gone, self._before, self._now = self._before, self._now, {}
        self.dropped += len(gone)
        if self._on_drop is not None:
            for key, value in gone.items():
                self._on_drop(key, value)
