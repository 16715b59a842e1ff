"""Sends what is queued for Telegram while it holds the lease, and serves `cmd.v1.telegram.*`; others stand by."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from nats.aio.msg import Msg
from pydantic import SecretStr, ValidationError

from consumers.telegram.answers import Reads, make_router
from consumers.telegram.client import BotApi
from consumers.telegram.core import Gateway, Queued, Rules
from consumers.telegram.pacing import GROUP_SECONDS, Pace
from consumers.telegram.queue import WorkQueue
from consumers.telegram.sending import Ledger, Sender, Ticking
from contracts import streams, subjects
from contracts.services.telegram.jobs import PRIORITIES, TelegramJob, TelegramResult
from contracts.streams import DURABLES, DurableSpec
from runtime import clock
from runtime.app.intervals import ticks
from runtime.app.leased import hold
from runtime.app.service import Service
from runtime.app.serving import Serving
from runtime.nats.bus import Bus
from runtime.nats.deadletter import DeadLetters
from runtime.nats.kv.mirror import Mirror
from runtime.nats.kv.writer import BucketWriter
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import Start

QUEUES: Final[tuple[DurableSpec, ...]] = tuple(spec for spec in DURABLES if spec.name.startswith("telegram_"))
_LOOK_SECONDS: Final = 1.0
_FINISH_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramPlan:
    """Where the Bot API is and the bot's token; `ticking` runs faster where the server's limits do."""

    url: str
    token: SecretStr
    rules: Rules = field(default_factory=Rules)
    ticking: Ticking = field(default_factory=Ticking)
    lease: str = "telegram"
    lease_seconds: float = 15.0


async def run(service: Service, plan: TelegramPlan) -> None:
    """Send until the service is stopped; then wait for the answers of what is under way."""
    async with AsyncExitStack() as stack:
        held = await hold(service, stack, plan.lease, plan.lease_seconds)
        if held is not None:
            api = await stack.enter_async_context(BotApi(plan.url, plan.token.get_secret_value()))
            await _Sending(service, plan, api).run(stack, held.lost)


class _Sending:
    """One turn as the sender."""

    def __init__(self, service: Service, plan: TelegramPlan, api: BotApi) -> None:
        self._service, self._plan, self._api = service, plan, api
        self._letters = DeadLetters(service.bus, service.name)
        self._writer = BucketWriter(service.bus, streams.MOVED_CHATS)
        self._queues: dict[str, WorkQueue] = {}
        self._refusing: set[asyncio.Task[None]] = set()

    async def run(self, stack: AsyncExitStack, lost: asyncio.Future[None]) -> None:
        """Send until the service is stopped, or what it stands on fails."""
        service, bus = self._service, self._service.bus
        for end in (self._writer.close, self._letters.flush):
            stack.push_async_callback(end)
        ledger = Ledger(bus)
        self._sender = sender = await self._make_sender(ledger)
        stack.push_async_callback(partial(sender.close, _FINISH_SECONDS))
        failing: list[asyncio.Future[None]] = [lost, sender.failed]
        for spec in QUEUES:
            queue = self._queues[spec.name] = WorkQueue(bus, spec, self._on_message)
            stack.push_async_callback(queue.close)
            failing += await queue.open()
        sending = asyncio.create_task(sender.run(), name="telegram")
        stack.callback(sending.cancel)
        reads = Reads(self._api, ledger, sender, self._plan.ticking)
        serving = Serving(bus, service.broker, make_router(reads, bus))
        try:
            await serving.open()
            service.ready()
            async for _ in ticks(service.stop, _LOOK_SECONDS, serving.failed, sending, *failing):
                self._report(sender)
        finally:
            await serving.close()

    async def _make_sender(self, ledger: Ledger) -> Sender:
        ticking, bus = self._plan.ticking, self._service.bus
        pace = Pace(ticking.now())
        await _recall(bus, pace, ticking)
        gateway = Gateway(pace, self._plan.rules, self._on_dropped)
        for chat_id, moved in (await _find_moved(bus)).items():
            gateway.move(chat_id, moved, ticking.now())
        return Sender(
            gateway,
            self._api,
            ledger,
            settle=self._settle,
            on_moved=self._on_moved,
            ticking=ticking,
            hop=self._service.hop,
            tracing=self._service.bus.tracing,
        )

    def _on_dropped(self, one: Queued, reason: str) -> None:
        self._sender.drop(one, reason)

    def _on_message(self, key: tuple[str, int], message: Msg) -> None:
        try:
            job = TelegramJob.model_validate_json(message.data)
        except ValidationError as error:
            self._letters.keep(message.subject, message.data, error)
            task = asyncio.create_task(self._queues[key[0]].refuse(key[1]))
            self._refusing.add(task)
            task.add_done_callback(self._refusing.discard)
            return
        trace = (message.headers or {}).get(subjects.HEADER_TRACE)
        self._sender.add(Queued(job, key, self._plan.ticking.now(), job.chat_id, trace=trace))

    async def _settle(self, one: Queued) -> None:
        name, sequence = one.key
        await self._queues[name].done(sequence)

    async def _on_moved(self, chat_id: int, new_chat_id: int) -> None:
        self._writer.put(str(chat_id), str(new_chat_id).encode())

    def _report(self, sender: Sender) -> None:
        for name, count in sender.counts.items():
            self._service.report(name, count)
        for priority in PRIORITIES:
            self._service.report(f"waiting_{priority}", sender.gateway.waiting(priority))


async def _recall(bus: Bus, pace: Pace, ticking: Ticking) -> None:
    """Take note of what was sent within the longest window before this process began."""
    now, now_ns = ticking.now(), clock.now_ns()
    since = now_ns - int(ticking.real(GROUP_SECONDS) * 1e9)
    rows = await read_past(bus, streams.TELEGRAM, (subjects.ALL_TELEGRAM_RESULTS,), Start(time_ns=since))
    digests: set[tuple[int, int | None]] = set()
    for row in rows:
        result = TelegramResult.model_validate_json(row.payload)
        place = (result.chat_id, result.message_id)
        if result.state == "dropped" or (result.state == "digested" and place in digests):
            continue
        digests.add(place)
        pace.recall(result.chat_id, now - (now_ns - result.ts) / 1e9 * ticking.speed)


async def _find_moved(bus: Bus) -> dict[int, int]:
    """Return where groups moved to."""
    mirror = await Mirror(bus, streams.MOVED_CHATS).open()
    await mirror.close()
    return {int(chat_id): int(entry.value) for chat_id, entry in mirror.entries()}
