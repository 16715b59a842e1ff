"""What this process keeps of the documents, for a bounded time, until an event says that it changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from contracts.services.community.events import CommunityEvent
from runtime.clients.ttl_cache import TtlCache

T = TypeVar("T")
HOUR: Final = 3600.0
SECONDS: Final = {"group": HOUR, "settings": HOUR, "roles": HOUR, "rules": HOUR, "user": HOUR / 2}
MOST_KEPT: Final = 4096
_CHANGED: Final = {"role": "roles", "rule": "rules", "settings": "settings"}


class Caches:
    """Documents by what they are and their key; dropped by the event of their change."""

    def __init__(self) -> None:
        self._kept = TtlCache(most=MOST_KEPT, class_of=lambda _key: "default")

    async def get(self, what: str, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return what is kept, read once if need be; what is dropped while it is read is not kept."""
        return await self._kept.get(f"{what}.{key}", fetch, lambda _value: SECONDS[what])

    def drop(self, event: CommunityEvent) -> int:
        """Drop what an event says that it changed; return how much that was."""
        names = set(_names_of(event))
        return self._kept.drop(lambda keys: any(key in names for key in keys), lambda key: (key,))

    def clear(self) -> None:
        """Drop everything: events may have been missed."""
        self._kept.clear()

    @property
    def hits(self) -> int:
        """How often something was there."""
        return self._kept.hits

    @property
    def misses(self) -> int:
        """How often something was read."""
        return self._kept.misses

    async def close(self) -> None:
        """End what is under way."""
        await self._kept.close()


def user_key(owner: str, user_id: int) -> str:
    """Return the key of a profile: each owner has one of a user."""
    return f"{owner}:{user_id}"


def _names_of(event: CommunityEvent) -> Iterable[str]:
    if event.what == "user":
        yield from (f"user.{user_key(event.owner, int(key))}" for key in event.keys or (event.key,))
    elif event.what == "group":
        yield from (f"group.{group_id}" for group_id in event.group_ids)
        yield from (f"{what}.{event.group}" for what in _CHANGED.values())
    elif event.what in _CHANGED:
        yield f"{_CHANGED[event.what]}.{event.group}"
