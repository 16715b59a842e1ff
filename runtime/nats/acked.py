"""Acknowledged publishing at speed: many messages under way at once, each repeated until its stream says it has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from nats.aio.subscription import Subscription

from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA
from runtime.nats import wire
from runtime.nats.bus import Bus
from runtime.nats.lanes.message import admit, header_value
from runtime.nats.lanes.parser import Message

_log = structlog.get_logger("acked")

_SWEEP_SECONDS = 0.25
_EXPECTED_STREAM = "Nats-Expected-Stream"
_NO_RESPONDERS = b"NATS/1.0 503"
_BAD_REQUEST = range(400, 500)


class BacklogFullError(RuntimeError):
    """More messages wait for their acknowledgement than may; await `room` before sending more."""


@dataclass(slots=True)
class _Sent:
    subject: str
    payload: bytes
    command: bytes
    at: float


class AckedPublisher:
    """Publishes to one stream; a message is repeated with its Nats-Msg-Id until it is acknowledged or refused.

    At most `max_waiting` messages wait. `on_refused(subject, payload, reason)` is called for what the stream never
    takes; a full or missing stream and an absent bus are no refusals, they are waited for.
    """

    def __init__(
        self,
        bus: Bus,
        stream: str,
        *,
        on_refused: Callable[[str, bytes, str], None],
        max_waiting: int = 4096,
        repeat_after: float = 2.0,
    ) -> None:
        self._bus, self._stream = bus, stream
        self._on_refused, self._max_waiting, self._repeat_after = on_refused, max_waiting, repeat_after
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, _Sent] = {}
        self._parts: list[bytes] = []
        self._count = 0
        self._room, self._idle = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._idle.set()
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def open(self) -> AckedPublisher:
        """Listen for acknowledgements; call it before `send`."""
        self._inbox = self._bus.client.new_inbox()
        self._subscription = await wire.subscribe(self._bus.client, f"{self._inbox}.*", "", self)
        self._bus.listen_reconnect(lambda: self._repeat(0.0))
        self._sweeper = asyncio.create_task(self._sweep(), name=f"acked publisher to {self._stream}")
        return self

    async def close(self, timeout: float = 10.0) -> None:
        """Wait for what is under way, then stop; TimeoutError when some of it was not acknowledged."""
        try:
            await self.flush(timeout)
        finally:
            if self._sweeper is not None:
                self._sweeper.cancel()
            if self._subscription is not None:
                await wire.unsubscribe(self._bus.client, self._subscription)

    def send(self, subject: str, payload: bytes, *, schema: str, msg_id: str) -> None:
        """Send in this loop iteration; BacklogFullError when too many wait, ValueError for an illegal subject."""
        if len(self._waiting) >= self._max_waiting:
            raise BacklogFullError(f"stream {self._stream}: {len(self._waiting)} messages wait for acknowledgement")
        admit(subject)
        headers = (
            f"NATS/1.0\r\n{HEADER_SCHEMA}: {header_value(schema)}\r\n{HEADER_MESSAGE_ID}: {header_value(msg_id)}\r\n"
            f"{_EXPECTED_STREAM}: {self._stream}\r\n\r\n"
        )
        self._count += 1
        size = len(headers)
        line = f"HPUB {subject} {self._inbox}.{self._count} {size} {size + len(payload)}\r\n{headers}"
        command = b"%b%b\r\n" % (line.encode("ascii"), payload)
        self._waiting[self._count] = _Sent(subject, payload, command, self._loop.time())
        self._idle.clear()
        if len(self._waiting) >= self._max_waiting:
            self._room.clear()
        self._write(command)

    async def room(self) -> None:
        """Return when `send` may be called; bound the wait yourself."""
        await self._room.wait()

    async def flush(self, timeout: float = 30.0) -> None:
        """Wait until everything is acknowledged or refused; TimeoutError names the stream and how many are not."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            raise TimeoutError(f"stream {self._stream}: {len(self._waiting)} messages not acknowledged") from None

    def take(self, messages: list[Message], /) -> None:
        """Take acknowledgements off the connection."""
        for subject, payload, _, headers in messages:
            self._take_one(subject, payload, headers)

    def _take_one(self, subject: bytes, payload: bytes, headers: bytes) -> None:
        number = int(subject[subject.rfind(b".") + 1 :])
        if headers.startswith(_NO_RESPONDERS) or number not in self._waiting:
            return  # without a stream: repeated later; or acknowledged before
        if b'"error"' in payload and (error := json.loads(payload).get("error")):
            if int(error.get("code", 0)) not in _BAD_REQUEST:
                return  # a full or leaderless stream: repeated later
            sent = self._waiting[number]
            self._loop.call_soon(self._on_refused, sent.subject, sent.payload, str(error.get("description", error)))
        del self._waiting[number]
        if not self._room.is_set() and len(self._waiting) < self._max_waiting // 2:
            self._room.set()
        if not self._waiting:
            self._room.set()
            self._idle.set()

    def _write(self, command: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush_parts)
        self._parts.append(command)

    def _flush_parts(self) -> None:
        parts, self._parts = self._parts, []
        if wire.writable(self._bus.client):
            wire.write(self._bus.client, b"".join(parts), len(parts))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._repeat(self._repeat_after)

    def _repeat(self, older_than: float) -> None:
        """Send again what waits that long."""
        now = self._loop.time()
        again = [number for number, sent in self._waiting.items() if now - sent.at >= older_than]
        if not again or not wire.writable(self._bus.client):
            return
        _log.info("acked.repeated", stream=self._stream, messages=len(again))
        for number in again:
            sent = self._waiting[number]
            sent.at = now
            self._write(sent.command)
