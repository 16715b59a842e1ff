"""Silences after signals: which one holds a key at a time, and what began it. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from contracts.recent import Recent

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Silence:
    """A cooldown that holds: the id of the signal that began it, and its ends; ns by the events' own time."""

    fired_id: str
    since: int
    until: int


class Cooldowns(Generic[K]):
    """When each key fired last. At least the `limit` keys used last are kept, at most twice as many."""

    __slots__ = ("_fired",)

    def __init__(self, limit: int) -> None:
        self._fired: Recent[K, tuple[int, str]] = Recent(limit)

    def __len__(self) -> int:
        return len(self._fired)

    def begin(self, key: K, at: int, fired_id: str) -> None:
        """Take note that a key fired; one that fired later already stays as it is."""
        held = self._fired.get(key)
        if held is None or at > held[0]:
            self._fired.put(key, (at, fired_id))

    def find(self, key: K, at: int, span: int) -> Silence | None:
        """Return the silence of `span` ns that holds a key at a time, None where none does."""
        held = self._fired.get(key)
        if held is None or at >= held[0] + span:
            return None
        return Silence(held[1], held[0], held[0] + span)

    def clear(self) -> None:
        """Forget every silence."""
        self._fired.clear()
