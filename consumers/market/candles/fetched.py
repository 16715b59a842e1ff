"""What has to be fetched, kept for a while: concurrent misses become one call, entries are bounded and expire."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from contracts.schema.literals import Age
from runtime import clock

T = TypeVar("T")
MOST_KEPT: Final = 128
RECENT_SECONDS: Final = 30.0  # a span that is still growing
STATIC_SECONDS: Final = 3600.0  # what does not change any more
FAILED_SECONDS: Final = 5.0  # who failed is not asked again at once


@dataclass(frozen=True, slots=True)
class Kept:
    """A value with when it was fetched (ns UTC) and until when it is kept (monotonic seconds)."""

    value: object
    fetched_ns: int
    until: float


class FetchCache:
    """Values by key; `enabled` False keeps nothing and still makes one call of concurrent ones."""

    def __init__(self, *, enabled: bool = True, most: int = MOST_KEPT) -> None:
        self._enabled, self._most = enabled, most
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self.hits = 0
        self.misses = 0

    async def get(self, key: str, fetch: Callable[[], Awaitable[T]], keep_for: Callable[[T], float]) -> T:
        """Give the value of a key, fetched if need be; `keep_for` says for how many seconds a value is kept.

        Who stops waiting does not end the call for the others.
        """
        kept = self._kept.get(key)
        if kept is not None and kept.until > clock.monotonic():
            self.hits += 1
            return cast("T", kept.value)
        task = self._under_way.get(key)
        if task is None:
            self.misses += 1
            task = self._under_way[key] = asyncio.create_task(self._fetch(key, fetch, keep_for), name=f"fetch {key}")
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(task)

    def describe(self) -> dict[str, Any]:
        """How many are kept, how they were used, and the oldest of them."""
        oldest = min((kept.fetched_ns for kept in self._kept.values()), default=None)
        return {
            "entries": len(self._kept),
            "hits": self.hits,
            "misses": self.misses,
            "oldest_age": None if oldest is None else Age(oldest),
        }

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, key: str, fetch: Callable[[], Awaitable[T]], keep_for: Callable[[T], float]) -> T:
        value = await fetch()
        if self._enabled:
            self._kept.pop(key, None)
            self._kept[key] = Kept(value, clock.now_ns(), clock.monotonic() + keep_for(value))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value
