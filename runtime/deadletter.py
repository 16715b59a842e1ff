"""What could not be handled: kept on the dead-letter stream with its error, without stopping who met it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque

import structlog
from nats.errors import Error as NatsError

from contracts.streams import DLQ
from contracts.subjects import DEAD_LETTER, HEADER_ERROR, HEADER_MESSAGE_ID
from runtime.bus import Bus, subject_class

_log = structlog.get_logger("deadletter")

_ERROR_LENGTH = 500


class DeadLetters:
    """One consumer's dead letters, published acknowledged in the background; beyond `bound` the oldest are dropped."""

    def __init__(self, bus: Bus, consumer: str, *, stream: str = DLQ, bound: int = 1000) -> None:
        self._bus, self._consumer, self._stream = bus, consumer, stream
        self._waiting: deque[tuple[str, bytes, str]] = deque(maxlen=bound)
        self._sender: asyncio.Task[None] | None = None

    def keep(self, subject: str, payload: bytes, error: Exception) -> None:
        """Send `payload` to `dlq.v1.<consumer>.<subject>` with the error in a header; the same letter is kept once."""
        if len(self._waiting) == self._waiting.maxlen:
            self._bus.count_drop(f"{DEAD_LETTER}{self._consumer}", 1)
        self._waiting.append((subject, payload, f"{type(error).__name__}: {error}"))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name=f"dead letters of {self._consumer}")

    async def flush(self) -> None:
        """Wait until everything kept so far was sent or given up."""
        if self._sender is not None:
            await self._sender

    async def _send(self) -> None:
        while self._waiting:
            subject, payload, error = self._waiting.popleft()
            name = hashlib.sha256(f"{self._consumer}|{subject}|".encode() + payload).hexdigest()[:32]
            headers = {HEADER_MESSAGE_ID: name, HEADER_ERROR: error[:_ERROR_LENGTH]}
            try:
                await self._bus.publish_acked(
                    f"{DEAD_LETTER}{self._consumer}.{subject}", payload, headers=headers, stream=self._stream
                )
            except NatsError as failure:
                self._bus.count_drop(f"{DEAD_LETTER}{self._consumer}", 1)
                _log.error("deadletter.lost", event_class=subject_class(subject), error=error, failure=str(failure))
