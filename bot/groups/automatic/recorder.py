"""Batches of what was seen in groups, for dry runs of rules; and work beside the updates, so much at a time."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from secrets import token_hex
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog

from bot.requests import Requests
from contracts.errors import HydrophoneError, NotFoundError
from contracts.services.community.bot import Recorded, RecordSeen
from contracts.services.community.rules import MOST_SEEN, Seen
from runtime.tasks import end_tasks

_log = structlog.get_logger("bot")
MOST_WAITING: Final = 20_000  # messages and joins that wait, of all groups
MOST_TASKS: Final = 10_000
AT_ONCE: Final = 24  # fewer than the gateway answers at once


class Recorder:
    """What was seen and not recorded yet; `flush` sends it."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._waiting: defaultdict[int, deque[Seen]] = defaultdict(deque)
        self.dropped = 0

    def add(self, group_id: int, seen: Seen) -> None:
        """Note a message or a join; where too many wait, those of the group that has most are dropped."""
        self._waiting[group_id].append(seen)
        if sum(map(len, self._waiting.values())) > MOST_WAITING:
            self.dropped += 1
            max(self._waiting.values(), key=len).popleft()

    async def flush(self) -> None:
        """Send what waits, a batch a group; what could not be sent waits on."""
        for group_id in list(self._waiting):
            waiting = self._waiting[group_id]
            batch = [waiting.popleft() for _ in range(min(MOST_SEEN, len(waiting)))]
            if not waiting:
                del self._waiting[group_id]
            request = RecordSeen(group_id=group_id, batch=token_hex(16), seen=batch)
            try:
                await self._requests.request("community.record", request, Recorded)
            except NotFoundError:
                continue
            except HydrophoneError as error:
                _log.debug("groups.not_recorded", group=group_id, error=str(error))
                self._waiting[group_id].extendleft(reversed(batch))
                return


class Work:
    """Tasks beside the updates, `AT_ONCE` at a time; more than MOST_TASKS are refused, with a record."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._names: set[str] = set()
        self._lanes: WeakValueDictionary[tuple[int, int], asyncio.Lock] = WeakValueDictionary()

    def start(
        self,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        name: str | None = None,
        lane: tuple[int, int] | None = None,
    ) -> None:
        """Do it as soon as there is room; in a lane (a chat and a user) in the order in which it was started.

        Of a name one is under way at a time, the others are left out.
        """
        if name in self._names:
            return
        if len(self._tasks) >= MOST_TASKS:
            _log.error("groups.too_much", tasks=len(self._tasks))
            return
        lock = None if lane is None else self._lanes.setdefault(lane, asyncio.Lock())
        task = asyncio.create_task(self._do(work) if lock is None else self._in_lane(lock, work))
        self._tasks.add(task)
        if name is not None:
            self._names.add(name)
            task.add_done_callback(lambda _: self._names.discard(name))
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is under way."""
        await end_tasks(self._tasks)

    async def _in_lane(self, lock: asyncio.Lock, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async with lock:
            await self._do(work)

    async def _do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async with self._room:
            try:
                await work()
            except HydrophoneError as error:
                _log.warning("groups.not_done", error=str(error))
            except Exception as error:  # noqa: BLE001  # whatever it is, it costs this update only
                _log.error("groups.failed", exc_info=error)
