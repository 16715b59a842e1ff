"""Serves commands of the bus: a request comes in, its reply always goes out, a bounded number at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from runtime.nats.bus import Bus

_log = structlog.get_logger("commands")


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply with headers."""

    body: bytes
    headers: Mapping[str, str]


Answer = Callable[[bytes], Awaitable[bytes | Replied]]
WAITING: Final = 256  # requests that may wait; the server drops more, and their askers hear nothing in time


def failure(code: str, message: str, **details: object) -> bytes:
    """The body of a reply that is only an error (`contracts.commands.Failure`)."""
    return json.dumps({"error": {"code": code, "message": message, "details": details}}).encode()


class CommandServer:
    """Answers one subject; replicas in the same `queue` share the requests.

    At most `at_once` requests are worked on, each for at most `seconds`; one more is refused as BUSY. What `answer`
    raises is logged, and answered as INTERNAL_ERROR without details.
    """

    def __init__(self, bus: Bus, subject: str, queue: str, answer: Answer) -> None:
        self._bus, self._subject, self._queue, self._answer = bus, subject, queue, answer
        self._subscription: Subscription | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_once, self._seconds = 16, 10.0

    async def open(self, *, at_once: int = 16, seconds: float = 10.0) -> CommandServer:
        """Subscribe, for as long as the bus lives or until `close`."""
        self._at_once, self._seconds = at_once, seconds
        self._subscription = await self._bus.client.subscribe(
            self._subject, queue=self._queue, cb=self._on_request, pending_msgs_limit=WAITING
        )
        return self

    async def close(self) -> None:
        """Take no more requests; those that are worked on are cut off."""
        if self._subscription is not None and not self._bus.client.is_closed:
            await self._subscription.unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _on_request(self, message: Msg) -> None:
        if len(self._tasks) >= self._at_once:
            await self._reply(message, failure("BUSY", f"{self._subject} is busy: try again", at_once=self._at_once))
            return
        task = asyncio.create_task(self._work(message), name=self._subject)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, message: Msg) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._answer(message.data)
        except Exception as error:  # noqa: BLE001 - the asker waits for a reply, whatever went wrong
            _log.error("command.failed", subject=self._subject, error=f"{type(error).__name__}: {error}", exc_info=True)
            body = failure("INTERNAL_ERROR", "Something went wrong there")
        await self._reply(message, body)

    async def _reply(self, message: Msg, reply: bytes | Replied) -> None:
        if not message.reply:
            return
        body, headers = (reply, None) if isinstance(reply, bytes) else (reply.body, dict(reply.headers))
        try:
            await self._bus.client.publish(message.reply, body, headers=headers)
        except NatsError as error:  # the asker's own time limit tells it
            _log.warning("command.reply_lost", subject=self._subject, error=str(error) or type(error).__name__)
