"""Carries out what the queues give: calls Telegram, publishes what became of each job, then acknowledges it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from nats.js.errors import NotFoundError
from opentelemetry.trace import SpanKind

from consumers.telegram import calls
from consumers.telegram.calls import BadPhotoError, Call, Outcome
from consumers.telegram.client import BotApi
from consumers.telegram.core import Batch, Gateway, Queued
from contracts import streams
from contracts.services.telegram.jobs import (
    ChatBlocked,
    ChatMigrated,
    State,
    TelegramJob,
    TelegramResult,
    result_subject,
)
from contracts.subjects import HEADER_MESSAGE_ID
from runtime import clock
from runtime.app.service import OnHop, time_nothing
from runtime.nats.bus import Bus
from runtime.tracing.tracing import OFF, Tracing

_log = structlog.get_logger("telegram")
MOST_UNDER_WAY: Final = 30  # jobs that are called and not acknowledged: so many may be sent twice after a crash
_BACKOFF: Final = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds of Telegram's time between tries while it is away
_MOST_ATTEMPTS: Final = 8  # of a job that Telegram says it failed at
_TOKEN_SECONDS: Final = 30.0
Record = TelegramResult | ChatBlocked | ChatMigrated


@dataclass(frozen=True, slots=True)
class Ticking:
    """Telegram's time: `speed` seconds of it in a real one, 1 but for tests against a server that runs faster."""

    speed: float = 1.0

    def now(self) -> float:
        """Return its seconds; only differences mean anything."""
        return clock.monotonic() * self.speed

    def real(self, seconds: float) -> float:
        """Return how long so many of its seconds are."""
        return seconds / self.speed


class Ledger:
    """What became of jobs, on its stream; a job that has a result there is not carried out again."""

    def __init__(self, bus: Bus) -> None:
        self._bus, self._js = bus, bus.jetstream(timeout=5.0)
        self._waiters: dict[str, list[asyncio.Future[TelegramResult]]] = {}

    async def find(self, chat_id: int, job_id: str) -> TelegramResult | None:
        """Return the result of a job, by the chat that it named."""
        try:
            found = await self._js.get_last_msg(streams.TELEGRAM, result_subject(chat_id, job_id), direct=True)
        except NotFoundError:
            return None
        return TelegramResult.model_validate_json(found.data or b"")

    async def publish(self, record: Record) -> None:
        """Publish it until its stream has it; who waits for the result of the job has it then."""
        name = f"{record.subject}.{record.ts}"
        body = record.model_dump_json().encode()
        await self._bus.publish_acked(record.subject, body, headers={HEADER_MESSAGE_ID: name}, stream=streams.TELEGRAM)
        if isinstance(record, TelegramResult):
            for waiter in self._waiters.pop(record.id, []):
                if not waiter.done():
                    waiter.set_result(record)

    def expect(self, job_id: str) -> asyncio.Future[TelegramResult]:
        """Return the future of a job's result; cancel it where it is not waited for any more."""
        waiter: asyncio.Future[TelegramResult] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(job_id, []).append(waiter)
        waiter.add_done_callback(lambda _: self._forget(job_id, waiter))
        return waiter

    def _forget(self, job_id: str, waiter: asyncio.Future[TelegramResult]) -> None:
        waiters = self._waiters.get(job_id)
        if waiters is not None and waiter in waiters:
            waiters.remove(waiter)
            if not waiters:
                del self._waiters[job_id]


class Sender:
    """Starts what may start, one call a job, as many at a time as the limits allow.

    `hop` takes how long each call took, from the job's arrival here to Telegram's answer.

    `settle(job)` acknowledges a job; `on_moved(chat, new)` keeps where a group went.
    """

    def __init__(
        self,
        gateway: Gateway,
        api: BotApi,
        ledger: Ledger,
        *,
        settle: Callable[[Queued], Coroutine[Any, Any, None]],
        on_moved: Callable[[int, int], Coroutine[Any, Any, None]],
        ticking: Ticking,
        hop: OnHop = time_nothing,
        tracing: Tracing = OFF,
    ) -> None:
        self._tracing = tracing
        self.gateway, self._api, self._ledger = gateway, api, ledger
        self._settle, self._on_moved, self._ticking = settle, on_moved, ticking
        self._hop = hop
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = 0
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.counts = dict.fromkeys(("done", "digested", "dropped", "failed", "again"), 0)

    @property
    def under_way(self) -> int:
        """How many jobs are called, or their results published."""
        return len(self._tasks)

    def add(self, one: Queued) -> None:
        """Queue a job."""
        self.gateway.add(one, self._ticking.now())
        self._wake.set()

    def drop(self, one: Queued, reason: str) -> None:
        """Record that a job is not carried out."""
        _log.info("telegram.dropped", job=one.job.id, reason=reason)
        self._spawn(self._finish(one, "dropped", reason=reason))

    async def run(self) -> None:
        """Start calls until it is cancelled."""
        while True:
            self._wake.clear()
            if self.under_way >= MOST_UNDER_WAY:
                await self._wake.wait()
                continue
            found = self.gateway.next(self._ticking.now(), clock.now_ns())
            if isinstance(found, Batch):
                self._spawn(self._deliver(found))
                await clock.sleep(0)
                continue
            seconds = None if found is None or found == float("inf") else self._ticking.real(found)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def close(self, seconds: float) -> None:
        """Wait for the answers of calls under way."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        self.failed.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)

    async def _deliver(self, batch: Batch) -> None:
        known = [await self._ledger.find(one.asked_chat_id, one.job.id) for one in batch.jobs]
        if any(known):
            await self._leave_out(batch, known)
            return
        for one in batch.jobs:
            one.attempts += 1
        outcome = await self._call(batch)
        now = self._ticking.now()
        for one in batch.jobs:
            self._hop("send", "all", one.job.operation.op, (now - one.since) / self._ticking.speed)
        self.gateway.finish(batch, now)
        await self._react(batch, outcome, now)

    async def _call(self, batch: Batch) -> Outcome:
        """Call Telegram, in the trace of the first job that has one."""
        trace = next((one.trace for one in batch.jobs if one.trace is not None), None)
        name = f"send {batch.first.job.operation.op}"
        with self._tracing.continuing(name, trace, kind=SpanKind.CLIENT) as span:
            try:
                outcome = await self._api.call(_call_of(batch))
            except BadPhotoError as error:
                outcome = calls.Failed(400, str(error))
            span.set_attribute("hydrophone.telegram.outcome", type(outcome).__name__.lower())
        return outcome

    async def _leave_out(self, batch: Batch, known: list[TelegramResult | None]) -> None:
        """Acknowledge the jobs that were carried out before, and queue the others again."""
        now = self._ticking.now()
        self.gateway.finish(batch, now)
        self.gateway.put_back([one for one, result in zip(batch.jobs, known, strict=True) if result is None], now)
        for one, result in zip(batch.jobs, known, strict=True):
            if result is not None:
                await self._settle(one)

    async def _react(self, batch: Batch, outcome: Outcome, now: float) -> None:
        chat_id = batch.first.job.chat_id
        match outcome:
            case calls.Done(message_id):
                self._failures = 0
                state: State = "done" if batch.text is None else "digested"
                await asyncio.gather(*(self._finish(one, state, message_id=message_id) for one in batch.jobs))
            case calls.Failed(code, reason):
                await self._fail(batch, code, reason)
            case calls.Blocked(reason):
                self.gateway.drop_messages(chat_id, reason)
                await self._ledger.publish(ChatBlocked(chat_id=chat_id, reason=reason, ts=clock.now_ns()))
                await self._fail(batch, 403, reason)
            case calls.Migrated(new_chat_id):
                await self._move(chat_id, new_chat_id, now)
                self._again(batch, now)
            case calls.Unparsable(reason):
                await self._in_plain(batch, reason, now)
            case calls.NoTopic():
                for one in batch.jobs:
                    one.job = one.job.model_copy(update={"thread_id": None})
                self._again(batch, now)
            case calls.TooMany(seconds):
                self.gateway.pace.refuse(chat_id, seconds, now)
                self._again(batch, now)
            case calls.Unreachable():
                await self._back_off(batch, outcome, now)

    async def _move(self, chat_id: int, new_chat_id: int, now: float) -> None:
        await self._on_moved(chat_id, new_chat_id)
        await self._ledger.publish(ChatMigrated(chat_id=chat_id, new_chat_id=new_chat_id, ts=clock.now_ns()))
        self.gateway.move(chat_id, new_chat_id, now)

    async def _back_off(self, batch: Batch, outcome: calls.Unreachable, now: float) -> None:
        """Wait with everything; a job that Telegram fails at again and again is given up."""
        self._failures += 1
        seconds = _TOKEN_SECONDS if outcome.token else _BACKOFF[min(self._failures, len(_BACKOFF)) - 1]
        _log.warning("telegram.unreachable", reason=outcome.reason, seconds=seconds)
        self.gateway.pace.pause(seconds, now)
        if outcome.answered and batch.first.attempts >= _MOST_ATTEMPTS:
            await self._fail(batch, 500, outcome.reason)
        else:
            self._again(batch, now)

    async def _in_plain(self, batch: Batch, reason: str, now: float) -> None:
        first = batch.first
        if batch.text is not None or first.plain or not calls.is_formatted(first.job):
            await self._fail(batch, 400, reason)
            return
        first.plain = True
        self._again(batch, now)

    def _again(self, batch: Batch, now: float) -> None:
        self.counts["again"] += 1
        self.gateway.put_back(batch.jobs, now)

    async def _fail(self, batch: Batch, code: int, reason: str) -> None:
        _log.warning("telegram.refused", method=batch.first.job.operation.op, code=code, reason=reason)
        await asyncio.gather(*(self._finish(one, "failed", reason=reason, error_code=code) for one in batch.jobs))

    async def _finish(self, one: Queued, state: State, **more: Any) -> None:
        """Publish what became of a job, then acknowledge it: in between it would be found as carried out."""
        self.counts[state] += 1
        job: TelegramJob = one.job
        result = TelegramResult(
            id=job.id,
            op=job.operation.op,
            chat_id=job.chat_id,
            asked_chat_id=one.asked_chat_id,
            state=state,
            plain=one.plain,
            attempts=one.attempts,
            ts=clock.now_ns(),
            **more,
        )
        await self._ledger.publish(result)
        await self._settle(one)


def _call_of(batch: Batch) -> Call:
    """Return the request of a batch: of its only job, or of its digest."""
    first = batch.first
    if batch.text is None:
        return calls.make_call(first.job, plain=first.plain)
    thread = {} if first.job.thread_id is None else {"message_thread_id": first.job.thread_id}
    silent = {"link_preview_options": {"is_disabled": True}}
    return Call("sendMessage", {"chat_id": first.job.chat_id, "text": batch.text, **thread, **silent})
