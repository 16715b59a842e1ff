"""The work queue of deliveries: one job for each endpoint, refused while another one waits or is worked on.

A job is a reminder, not the work: what is to be posted stands in the documents. So a job too many does nothing, and
whoever ends one looks once more whether anything has come since.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from secrets import token_hex
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from contracts import streams, subjects
from contracts.subjects import (
    DUE,
    HEADER_MESSAGE_ID,
    HEADER_SCHEDULE,
    HEADER_SCHEDULE_TARGET,
    JOB,
    SCHEDULE,
    WEBHOOK_CHANGED,
    WEBHOOK_JOB,
)
from runtime import clock, retry
from runtime.nats.bus import Bus
from runtime.nats.streams.api import rfc3339

_log = structlog.get_logger("webhooks")
_UNDER_WAY: Final = 10077  # "maximum messages per subject exceeded"
_PUBLISH: Final = retry.Policy(timeout=10.0)
_RENEW_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 1.0
_BELIEF: Final = 2 / 3  # of the time after which the server gives the job to somebody else


@dataclass(frozen=True, slots=True)
class Names:
    """The streams and durables, for tests that have their own."""

    jobs: str = streams.REMINDERS
    schedules: str = streams.SCHEDULES
    durable: str = "webhooks"
    due: str = "webhooks_due"
    ack_wait: float = 5.0


class JobQueue:
    """Publishes jobs, now and for later, acknowledged."""

    def __init__(self, bus: Bus, names: Names = Names()) -> None:
        self.bus, self.names = bus, names
        self._js = bus.jetstream(timeout=2.0)

    async def wake(self, endpoint: str) -> None:
        """Have an endpoint looked at, soon; nats.errors.Error where the bus does not take the job in time."""

        async def publish() -> None:
            try:
                headers = {HEADER_MESSAGE_ID: f"webhook.{endpoint}.{token_hex(8)}"}
                await self._js.publish(WEBHOOK_JOB + endpoint, b"", stream=self.names.jobs, headers=headers)
            except APIError as error:
                if error.err_code != _UNDER_WAY:
                    raise

        await retry.retried(publish, on=NatsError, policy=_PUBLISH)

    async def wake_all(self, endpoints: list[str], at_once: int = 64) -> None:
        """Have endpoints looked at."""
        for start in range(0, len(endpoints), at_once):
            await asyncio.gather(*(self.wake(endpoint) for endpoint in endpoints[start : start + at_once]))

    async def wake_at(self, endpoint: str, at_ns: int) -> None:
        """Have an endpoint looked at at a time (ns UTC), in place of the time that it had before."""
        tail = f"{WEBHOOK_JOB.removeprefix(JOB)}{endpoint}"
        headers = {
            HEADER_MESSAGE_ID: f"webhook.{endpoint}.{at_ns}.{token_hex(4)}",
            HEADER_SCHEDULE: f"@at {rfc3339(at_ns)}",
            HEADER_SCHEDULE_TARGET: DUE + tail,
        }

        async def publish() -> None:
            await self._js.publish(SCHEDULE + tail, b"", stream=self.names.schedules, headers=dict(headers))

        await retry.retried(publish, on=NatsError, policy=_PUBLISH)

    async def announce(self, endpoint: str) -> None:
        """Publish that an endpoint has changed; who receives that reads it again."""
        await self.bus.client.publish(WEBHOOK_CHANGED + endpoint, b"")


class Hold:
    """A job that this process has: nobody else posts for its endpoint while `held`.

    The server gives it to somebody else when it has no word of it for `ack_wait` seconds; we stop believing that it
    is ours well before. The job of a process that has stopped believing is never acknowledged by it.
    """

    def __init__(self, bus: Bus, message: Msg, ack_wait: float) -> None:
        self._bus, self._message = bus, message
        self._ack_wait = ack_wait
        self.stopping = False  # nothing more is to be posted
        self._believed_until = clock.monotonic() + ack_wait * _BELIEF
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._renewer = asyncio.create_task(self._renew(), name=f"hold of {message.subject}")

    @property
    def held(self) -> bool:
        """Whether we may post for it now."""
        return clock.monotonic() < self._believed_until

    async def end(self) -> None:
        """Acknowledge it; nats.errors.Error where the server has not taken that in time."""
        self._stop()
        if self.held:
            await self._message.ack_sync(timeout=self._ack_wait)

    async def let_go(self) -> None:
        """Leave it to whoever takes it next."""
        self._stop()
        if self.held and self._bus.connected:
            await self._message.nak(delay=0 if self.stopping else _AGAIN_SECONDS)

    def _stop(self) -> None:
        self._renewer.cancel()
        self.lost.cancel()

    async def _renew(self) -> None:
        while self.held:
            await clock.sleep(min(_RENEW_SECONDS, self._ack_wait / 5))
            began = clock.monotonic()
            try:
                await self._bus.client.request(self._message.reply, b"+WPI", timeout=self._ack_wait / 3)
            except NatsError:
                continue
            self._believed_until = began + self._ack_wait * _BELIEF
        if not self.lost.done():
            self.lost.set_result(None)


def read_job(subject: str) -> tuple[str, str | None]:
    """Return the endpoint of a job's subject, and the event, where it is about one."""
    endpoint, _, event = subject.removeprefix(WEBHOOK_JOB).partition(".")
    return endpoint, event or None


def read_due(subject: str) -> str:
    """Return the endpoint that is due."""
    return subject.removeprefix(subjects.DUE + WEBHOOK_JOB.removeprefix(JOB))
