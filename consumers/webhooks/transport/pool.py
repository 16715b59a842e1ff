"""Connections that wait for their next request, and how many posts go to one URL at once: both bounded."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from consumers.webhooks.transport.connection import Connection

Key = tuple[str, int, bool, bool]
IDLE_SECONDS: Final = 30.0
LONGEST_SECONDS: Final = 300.0  # from when it was dialled: where a name leads by then is looked up again
MOST_IDLE: Final = 1000  # of all receivers
MOST_OF_ONE: Final = 8


class Pool:
    """Idle connections by where they lead; the one that was used last is used next."""

    def __init__(self) -> None:
        self._idle: OrderedDict[Key, list[Connection]] = OrderedDict()
        self._count = 0
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, key: Key) -> Connection | None:
        """Return a connection that is still open, which is the caller's from now on."""
        kept = self._idle.get(key)
        if not kept:
            return None
        now = asyncio.get_running_loop().time()
        while kept:
            connection = self._pop(key, -1)
            if connection.reusable and not _is_old(connection, now):
                return connection
            connection.close()
        return None

    def put(self, key: Key, connection: Connection) -> None:
        """Keep a connection for the next request; the oldest of all makes room for it."""
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        kept = self._idle.setdefault(key, [])
        kept.append(connection)
        self._count += 1
        self._idle.move_to_end(key)
        if len(kept) > MOST_OF_ONE:
            self._pop(key, 0).close()
        elif self._count > MOST_IDLE:
            self._pop(next(iter(self._idle)), 0).close()
        if self._sweeping is None:
            self._sweeping = loop.call_later(IDLE_SECONDS, self._sweep)

    def close(self) -> None:
        """Close them all."""
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        self._count = 0
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    def _pop(self, key: Key, place: int) -> Connection:
        kept = self._idle[key]
        connection = kept.pop(place)
        self._count -= 1
        if not kept:
            del self._idle[key]
        return connection

    def _sweep(self) -> None:
        """Close what has waited for long, and come again while anything waits."""
        loop = asyncio.get_running_loop()
        now, self._sweeping = loop.time(), None
        for key, kept in list(self._idle.items()):
            good = [one for one in kept if one.reusable and not _is_old(one, now)]
            for connection in kept:
                if connection not in good:
                    connection.close()
            self._count -= len(kept) - len(good)
            if good:
                self._idle[key] = good
            else:
                del self._idle[key]
        if self._idle:
            self._sweeping = loop.call_later(IDLE_SECONDS, self._sweep)


def _is_old(connection: Connection, now: float) -> bool:
    return now - connection.idle_since > IDLE_SECONDS or now - connection.opened > LONGEST_SECONDS


class Slots:
    """At most so many at once for each URL; nothing is kept of a URL that nobody posts to."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._held: dict[str, _Queue] = {}

    def of(self, url: str) -> _Slot:
        """Hold one of a URL's slots for as long as the block lasts, waiting for it."""
        return _Slot(self._held, url, self._at_once)


@dataclass(slots=True)
class _Queue:
    """Who holds a slot of a URL or waits for one."""

    semaphore: asyncio.Semaphore
    users: int = 0


class _Slot:
    """One post's slot. A class, since a generator costs as much again for each post."""

    __slots__ = ("_held", "_queue", "_url")

    def __init__(self, held: dict[str, _Queue], url: str, at_once: int) -> None:
        self._held, self._url = held, url
        queue = held.get(url)
        if queue is None:
            queue = held[url] = _Queue(asyncio.Semaphore(at_once))
        self._queue = queue

    async def __aenter__(self) -> None:
        self._queue.users += 1
        try:
            await self._queue.semaphore.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_raised: object) -> None:
        self._queue.semaphore.release()
        self._leave()

    def _leave(self) -> None:
        self._queue.users -= 1
        if not self._queue.users:
            del self._held[self._url]
