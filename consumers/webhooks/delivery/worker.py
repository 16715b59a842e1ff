"""Takes jobs off the work queue and drains their endpoints, many at once; any number of processes may do it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.client import JetStreamContext

from consumers.webhooks.delivery.drain import Drain
from consumers.webhooks.delivery.queue import Hold, read_due, read_job
from consumers.webhooks.delivery.sending import Sending
from consumers.webhooks.registry.sealing import UnsealableError
from consumers.webhooks.store.events import StaleWriterError
from contracts.subjects import ALL_WEBHOOKS_CHANGED, WEBHOOK_CHANGED
from runtime import clock
from runtime.nats.bus import NoAnswerError
from runtime.nats.streams.api import ApiRefusalError
from runtime.store import StoreError

_log = structlog.get_logger("webhooks")
_FETCH: Final = 64
_FETCH_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 0.5
_PASSING: Final = (NatsError, StoreError, StaleWriterError, NoAnswerError, ApiRefusalError, UnsealableError)


class Worker:
    """Drains at most `at_once` endpoints at a time."""

    def __init__(self, sending: Sending, *, at_once: int = 500) -> None:
        self._sending, self._at_once = sending, at_once
        self._drains: dict[asyncio.Task[None], Hold] = {}
        self._room = asyncio.Event()

    @property
    def under_way(self) -> int:
        """How many endpoints are drained now."""
        return len(self._drains)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, then let what is posted come to its end."""
        queue = self._sending.queue
        changes = await queue.bus.client.subscribe(ALL_WEBHOOKS_CHANGED, cb=self._on_changed)
        unlisten = queue.bus.listen_reconnect(self._on_reconnect)
        names = queue.names
        pulls = [
            asyncio.create_task(self._pull(stop, names.jobs, names.durable, self._on_job), name="webhook jobs"),
            asyncio.create_task(self._pull(stop, names.schedules, names.due, self._on_due), name="webhooks due"),
        ]
        stopped = asyncio.create_task(stop.wait(), name="webhooks stop")
        try:
            await asyncio.wait({stopped, *pulls}, return_when=asyncio.FIRST_COMPLETED)
            for task in pulls:
                if task.done():
                    task.result()
        finally:
            for task in (stopped, *pulls):
                task.cancel()
            unlisten()
            if queue.bus.connected:
                await changes.unsubscribe()
            for hold in self._drains.values():
                hold.stopping = True
            await asyncio.gather(*pulls, *self._drains, return_exceptions=True)

    async def _on_changed(self, message: Msg) -> None:
        self._sending.changed[message.subject.removeprefix(WEBHOOK_CHANGED)] += 1

    def _on_reconnect(self) -> None:
        """Have each endpoint read again: what changed meanwhile was not received."""
        for endpoint in list(self._sending.changed):
            self._sending.changed[endpoint] += 1

    async def _pull(self, stop: asyncio.Event, stream: str, durable: str, handle: Callable[[Msg], Any]) -> None:
        js = self._sending.queue.bus.jetstream()
        subscription = await js.pull_subscribe_bind(durable, stream=stream)
        try:
            while not stop.is_set():
                await self._wait_for_room()
                for message in await self._fetch(subscription, stream):
                    await handle(message)
        finally:
            if self._sending.queue.bus.connected:
                await subscription.unsubscribe()

    async def _wait_for_room(self) -> None:
        while len(self._drains) >= self._at_once:
            self._room.clear()
            await self._room.wait()

    async def _fetch(self, subscription: JetStreamContext.PullSubscription, stream: str) -> list[Msg]:
        most = min(self._at_once - len(self._drains), _FETCH)
        try:
            return await subscription.fetch(most, timeout=_FETCH_SECONDS)
        except TimeoutError:
            return []
        except NatsError as error:
            _log.warning("webhooks.waiting", stream=stream, error=str(error) or type(error).__name__)
            await clock.sleep(_AGAIN_SECONDS)
            return []

    async def _on_due(self, message: Msg) -> None:
        try:
            await self._sending.queue.wake(read_due(message.subject))
            await message.ack()
        except NatsError as error:  # it comes again
            _log.warning("webhooks.waiting", error=str(error) or type(error).__name__)

    async def _on_job(self, message: Msg) -> None:
        endpoint, event = read_job(message.subject)
        hold = Hold(self._sending.queue.bus, message, self._sending.queue.names.ack_wait)
        work = self._drain(endpoint, hold) if event is None else self._send_again(endpoint, message, hold)
        task = asyncio.create_task(self._settled(work, endpoint, hold), name=f"drain of {endpoint}")
        self._drains[task] = hold
        task.add_done_callback(self._on_drained)

    def _on_drained(self, task: asyncio.Task[None]) -> None:
        del self._drains[task]
        self._room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("webhooks.drain_failed", error=f"{type(error).__name__}: {error}", exc_info=error)

    async def _settled(self, work: Any, endpoint: str, hold: Hold) -> None:
        try:
            await work
        except _PASSING as error:
            _log.warning("webhooks.again", endpoint=endpoint, error=f"{type(error).__name__}: {error}"[:300])
            await hold.let_go()
        except BaseException:
            await hold.let_go()
            raise

    async def _drain(self, endpoint_id: str, hold: Hold) -> None:
        sending = self._sending
        endpoint = await sending.endpoints.find(endpoint_id)
        if endpoint is None:  # deleted
            await hold.end()
            return
        drain = Drain(sending, endpoint, hold)
        again_ns = await drain.run()
        if not hold.held or hold.stopping:
            await hold.let_go()
            return
        if again_ns is not None and again_ns > sending.now_ns():
            await sending.queue.wake_at(endpoint_id, again_ns)
        await hold.end()
        if (again_ns is not None and again_ns <= sending.now_ns()) or await drain.has_more():
            await sending.queue.wake(endpoint_id)

    async def _send_again(self, endpoint_id: str, message: Msg, hold: Hold) -> None:
        """An administrator wants a dead event posted again."""
        try:
            sequence = int(json.loads(message.data)["sequence"])
        except (ValueError, KeyError, TypeError) as error:
            _log.error("webhooks.bad_job", subject=message.subject, error=str(error))
            await hold.end()
            return
        await self._sending.events.ask(endpoint_id, again=[sequence])
        await self._sending.queue.wake(endpoint_id)
        await hold.end()
