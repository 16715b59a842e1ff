"""Values kept for a time by key: concurrent misses become one call, entries are bounded, expire, and can be dropped."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from contracts.services.cache import CLASS_SECONDS, DEFAULT
from runtime import clock
from runtime.clients.market_reply import Counts
from runtime.tasks import end_tasks

T = TypeVar("T")
MOST_KEPT: Final = 128
DEFAULT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A value with when it was fetched (ns UTC) and until when it is kept (monotonic seconds)."""

    value: object
    fetched_ns: int
    until: float


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """What is kept of one class: entries, how often they were used, and when the oldest of them came (ns UTC)."""

    entries: int
    hits: int
    misses: int
    oldest_ns: int | None


def class_of(key: str) -> str:
    """Return the class of a key: its first word where that is one, `default` otherwise."""
    first = key.partition(".")[0]
    return first if first in CLASS_SECONDS else DEFAULT


class TtlCache:
    """Values by key (`<class>.<name>`); `enabled` False keeps nothing and still makes one call of concurrent ones."""

    def __init__(
        self,
        *,
        enabled: bool = True,
        most: int = MOST_KEPT,
        default_seconds: float = DEFAULT_SECONDS,
        class_of: Callable[[str], str] = class_of,
    ) -> None:
        self._enabled, self._most, self._class_of = enabled, most, class_of
        self._seconds: Mapping[str, float] = {**CLASS_SECONDS, DEFAULT: default_seconds}
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._counts: defaultdict[str, Counts] = defaultdict(Counts)

    @property
    def hits(self) -> int:
        """How often a value was there, or under way already."""
        return sum(counts.hits for counts in self._counts.values())

    @property
    def misses(self) -> int:
        """How often a value was fetched."""
        return sum(counts.misses for counts in self._counts.values())

    async def get(self, key: str, fetch: Callable[[], Awaitable[T]], keep_for: Callable[[T], float] | None = None) -> T:
        """Return the value of a key, fetched if need be.

        It is kept for the seconds of its class, or for those that `keep_for` says. Who stops waiting does not end the
        call for the others.
        """
        counts = self._counts[self._class_of(key)]
        kept = self._kept.get(key)
        if kept is not None and kept.until > clock.monotonic():
            counts.hits += 1
            return cast("T", kept.value)
        task = self._under_way.get(key)
        if task is None:
            counts.misses += 1
            task = self._under_way[key] = asyncio.create_task(self._fetch(key, fetch, keep_for), name=f"fetch {key}")
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._on_done(key, done))
        else:
            counts.hits += 1
        return await asyncio.shield(task)

    def drop(self, is_meant: Callable[[Iterable[str]], bool], names: Callable[[str], Iterable[str]]) -> int:
        """Drop what is meant by its names, and keep no value of such a key that is under way; return how many."""
        meant = [key for key in {*self._kept, *self._under_way} if is_meant(names(key))]
        for key in meant:
            self._under_way.pop(key, None)
        return sum(self._kept.pop(key, None) is not None for key in meant)

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self._under_way.clear()

    def figures(self) -> dict[str, ClassFigures]:
        """Return what is kept, by class."""
        fetched: defaultdict[str, list[int]] = defaultdict(list)
        now = clock.monotonic()
        for key, kept in self._kept.items():
            if kept.until > now:
                fetched[self._class_of(key)].append(kept.fetched_ns)
        return {
            name: ClassFigures(
                len(fetched[name]), self._counts[name].hits, self._counts[name].misses, min(fetched[name], default=None)
            )
            for name in sorted({*self._counts, *fetched})
        }

    async def close(self) -> None:
        """End what is under way."""
        await end_tasks(self._tasks)

    async def _fetch(self, key: str, fetch: Callable[[], Awaitable[T]], keep_for: Callable[[T], float] | None) -> T:
        value = await fetch()
        if self._enabled and self._under_way.get(key) is asyncio.current_task():  # otherwise dropped meanwhile
            seconds = self._seconds[self._class_of(key)] if keep_for is None else keep_for(value)
            self._kept.pop(key, None)
            self._kept[key] = Kept(value, clock.now_ns(), clock.monotonic() + seconds)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value

    def _on_done(self, key: str, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if self._under_way.get(key) is task:
            del self._under_way[key]
