"""The gateway's queues: which job is next, which wait, are too old, or go together in one message. Pure."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumers.telegram.pacing import Pace
from consumers.telegram.texts import LONGEST, Digest
from contracts.services.telegram.jobs import PRIORITIES, Priority, TelegramJob
from contracts.services.telegram.operations import MESSAGES, SendMessage

DIGEST_FROM: Final = 5  # so many that wait for a chat become one
_MOST_MERGED: Final = 100


@dataclass(slots=True)
class Queued:
    """A job with what the queue knows of it: its place on the stream names it; `trace` is its W3C `traceparent`."""

    job: TelegramJob
    key: tuple[str, int]
    since: float
    asked_chat_id: int
    attempts: int = 0
    plain: bool = False
    trace: str | None = None

    @property
    def message(self) -> bool:
        """Whether it is one of the messages that a chat's limits count."""
        return isinstance(self.job.operation, MESSAGES)


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes out in one call: one job, or many as a digest, which is `text` then."""

    jobs: tuple[Queued, ...]
    text: str | None = None

    @property
    def first(self) -> Queued:
        """The job that names chat and topic."""
        return self.jobs[0]


@dataclass(slots=True)
class _Lane:
    """What waits for one chat in one priority, messages apart from other acts."""

    chat_id: int
    message: bool
    priority: Priority
    jobs: deque[Queued] = field(default_factory=deque[Queued])
    queued: bool = False  # whether the heap has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How jobs are merged: after so many seconds of waiting; `digest` None for never."""

    digest: Digest | None = None
    digest_after: float = 10.0


class Gateway:
    """Jobs that wait, by chat and priority; `on_dropped(job, reason)` is called for those that are not carried out."""

    def __init__(self, pace: Pace, rules: Rules, on_dropped: Callable[[Queued, str], None]) -> None:
        self.pace, self._rules, self._on_dropped = pace, rules, on_dropped
        self._lanes: dict[tuple[int, bool, Priority], _Lane] = {}
        self._heaps: dict[Priority, list[tuple[float, int, _Lane]]] = {priority: [] for priority in PRIORITIES}
        self._count = 0
        self._moved: dict[int, int] = {}

    def waiting(self, priority: Priority) -> int:
        """Return how many jobs wait."""
        return sum(len(lane.jobs) for lane in self._lanes.values() if lane.priority == priority)

    def jobs(self) -> list[TelegramJob]:
        """Return the jobs that wait."""
        return [one.job for lane in self._lanes.values() for one in lane.jobs]

    def chats(self) -> int:
        """Return for how many chats something waits."""
        return len({lane.chat_id for lane in self._lanes.values() if lane.jobs})

    def add(self, one: Queued, now: float) -> None:
        """Queue a job behind those of its chat and priority; a chat that has moved is where it moved to."""
        self._place(one, now, at_end=True)

    def put_back(self, jobs: Sequence[Queued], now: float) -> None:
        """Queue jobs again that were tried, before those that wait."""
        for one in reversed(jobs):
            self._place(one, now, at_end=False)

    def move(self, chat_id: int, new_chat_id: int, now: float) -> None:
        """Send to another chat what waits for one, and what will."""
        self._moved[chat_id] = new_chat_id
        for lane in self._of(chat_id):
            for one in self._clear(lane):
                self._place(one, now, at_end=True)

    def drop_messages(self, chat_id: int, reason: str) -> None:
        """Drop the messages that wait for a chat."""
        for lane in self._of(chat_id):
            if lane.message:
                for one in self._clear(lane):
                    self._on_dropped(one, reason)

    def next(self, now: float, now_ns: int) -> Batch | float | None:
        """Return what may start now, or the seconds until something may; None where nothing waits.

        It counts as started: call `finish` with it.
        """
        soonest: float | None = None
        for priority in PRIORITIES:
            found = self._next_of(priority, now, now_ns)
            if isinstance(found, Batch):
                return found
            if found is not None:
                soonest = found if soonest is None else min(soonest, found)
        return soonest

    def finish(self, batch: Batch, now: float) -> None:
        """Take note that a call was answered."""
        first = batch.first
        self.pace.end(first.job.chat_id, now, message=first.message)
        for lane in self._of(first.job.chat_id):
            self._queue(lane, now)

    def _next_of(self, priority: Priority, now: float, now_ns: int) -> Batch | float | None:
        urgent, heap = priority == "urgent", self._heaps[priority]
        overall = self.pace.wait_overall(now, urgent=urgent)
        while heap:
            ready_at, _, lane = heap[0]
            if overall > 0 or ready_at > now:
                return max(overall, ready_at - now)
            heapq.heappop(heap)
            lane.queued = False
            self._drop_stale(lane, now_ns)
            if not lane.jobs:
                self._forget(lane)
                continue
            wait = self.pace.wait_chat(lane.chat_id, now, message=lane.message, urgent=urgent)
            if wait > 0:
                self._queue(lane, now, wait)  # not at all while one is under way: `finish` does it
                continue
            return self._take(lane, now)
        return None

    def _take(self, lane: _Lane, now: float) -> Batch:
        batch = self._merged(lane, now) or Batch((lane.jobs.popleft(),))
        self.pace.start(lane.chat_id, message=lane.message)
        self._queue(lane, now)
        self._forget(lane)
        return batch

    def _merged(self, lane: _Lane, now: float) -> Batch | None:
        first, digest = lane.jobs[0], self._rules.digest
        late = now - first.since >= self._rules.digest_after
        if digest is None or not late or first.job.digest is None:
            return None
        thread = first.job.thread_id
        found: list[Queued] = []
        lines: list[str] = []
        room = LONGEST - 200
        for one in lane.jobs:
            if (
                one.job.digest is not None
                and one.job.thread_id == thread
                and isinstance(one.job.operation, SendMessage)
            ):
                room -= len(one.job.digest) + 3
                if room < 0 or len(found) == _MOST_MERGED:
                    break
                found.append(one)
                lines.append(one.job.digest)
        if len(found) < DIGEST_FROM:
            return None
        merged = {one.key for one in found}
        lane.jobs = deque(one for one in lane.jobs if one.key not in merged)
        return Batch(tuple(found), digest(lines))

    def _drop_stale(self, lane: _Lane, now_ns: int) -> None:
        while lane.jobs and lane.jobs[0].job.expires is not None and lane.jobs[0].job.expires <= now_ns:
            self._on_dropped(lane.jobs.popleft(), "too old")

    def _place(self, one: Queued, now: float, *, at_end: bool) -> None:
        while (moved := self._moved.get(one.job.chat_id)) is not None:
            one.job = one.job.model_copy(update={"chat_id": moved})
        key = (one.job.chat_id, one.message, one.job.priority)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(*key)
        (lane.jobs.append if at_end else lane.jobs.appendleft)(one)
        self._queue(lane, now)

    def _queue(self, lane: _Lane, now: float, wait: float | None = None) -> None:
        """Let a lane come up when its chat may take something; not while that depends on an answer."""
        if lane.queued or not lane.jobs:
            return
        urgent = lane.priority == "urgent"
        if wait is None:
            wait = self.pace.wait_chat(lane.chat_id, now, message=lane.message, urgent=urgent)
        if wait == float("inf"):
            return
        self._count += 1
        lane.queued = True
        heapq.heappush(self._heaps[lane.priority], (now + max(0.0, wait), self._count, lane))

    def _of(self, chat_id: int) -> list[_Lane]:
        found = (self._lanes.get((chat_id, message, priority)) for message in (True, False) for priority in PRIORITIES)
        return [lane for lane in found if lane is not None]

    def _clear(self, lane: _Lane) -> Iterable[Queued]:
        jobs, lane.jobs = lane.jobs, deque()
        self._forget(lane)
        return jobs

    def _forget(self, lane: _Lane) -> None:
        """Forget a lane that is empty; one that the heap has is forgotten when it comes up."""
        if not lane.jobs and not lane.queued:
            self._lanes.pop((lane.chat_id, lane.message, lane.priority), None)
