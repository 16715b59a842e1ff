"""What could not be handled: kept on the dead-letter stream with its error, without stopping who met it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from contextlib import suppress

import structlog
from nats.errors import Error as NatsError

from contracts.streams import DLQ
from contracts.subjects import DEAD_LETTER, HEADER_ERROR, HEADER_MESSAGE_ID
from runtime import clock
from runtime.nats.bus import Bus, subject_class

_log = structlog.get_logger("deadletter")

_ERROR_LENGTH = 500
_OVERHEAD = 512  # bytes that a letter costs beside its payload
_AT_ONCE = 8  # letters under way together
_PAUSE_SECONDS = 0.05  # between them: a flood of letters must not take the loop from what is good
_FLUSH_SECONDS = 10.0
_SAY_SECONDS = 10.0


class Allowance:
    """How many bytes may be spent: `burst` at once, and `per_second` again and again."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst, self._per_second = float(burst), per_second
        self._left, self._at = float(burst), clock.monotonic()

    def take(self, size: int) -> bool:
        """Spend `size` bytes; False where they are not there."""
        now = clock.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if size > self._left:
            return False
        self._left -= size
        return True


class DeadLetters:
    """One consumer's dead letters, published acknowledged in the background.

    A flood of bad messages costs at most `burst` bytes of the stream at once and `per_second` bytes on; what is beyond
    is dropped, counted on the bus and logged. The same letter is kept once.
    """

    def __init__(
        self,
        bus: Bus,
        consumer: str,
        *,
        stream: str = DLQ,
        burst: int = 16 * 1024 * 1024,
        per_second: float = 16 * 1024,
    ) -> None:
        self._bus, self._consumer, self._stream = bus, consumer, stream
        self._allowance = Allowance(burst, per_second)
        self._waiting: deque[tuple[str, bytes, str]] = deque()
        self._sender: asyncio.Task[None] | None = None
        self._hurried = asyncio.Event()
        self._said = float("-inf")
        self.kept = 0
        self.dropped = 0

    def keep(self, subject: str, payload: bytes, error: Exception) -> None:
        """Send `payload` to `dlq.v1.<consumer>.<subject>` with the error in a header."""
        reason = one_line(error)
        if not self._allowance.take(len(payload) + len(subject) + _OVERHEAD):
            self._drop(subject, reason)
            return
        self.kept += 1
        self._waiting.append((subject, payload, reason))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name=f"dead letters of {self._consumer}")

    async def flush(self, timeout: float = _FLUSH_SECONDS) -> None:
        """Send what waits, now; what is not sent within `timeout` seconds is given up, counted and logged."""
        if self._sender is None:
            return
        self._hurried.set()
        done, _ = await asyncio.wait({self._sender}, timeout=timeout)
        if not done:
            self._sender.cancel()
            lost = len(self._waiting)
            self._bus.count_drop(f"{DEAD_LETTER}{self._consumer}", lost)
            _log.error("deadletter.unsent", consumer=self._consumer, letters=lost)
            self._waiting.clear()
        self._hurried.clear()

    async def _send(self) -> None:
        while self._waiting:
            letters = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            await asyncio.gather(*(self._publish(*letter) for letter in letters))
            with suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE_SECONDS):
                    await self._hurried.wait()

    async def _publish(self, subject: str, payload: bytes, error: str) -> None:
        name = hashlib.sha256(f"{self._consumer}|{subject}|".encode() + payload).hexdigest()[:32]
        headers = {HEADER_MESSAGE_ID: name, HEADER_ERROR: error}
        try:
            await self._bus.publish_acked(
                f"{DEAD_LETTER}{self._consumer}.{subject}", payload, headers=headers, stream=self._stream
            )
        except (NatsError, ValueError, TimeoutError) as failure:
            self._bus.count_drop(f"{DEAD_LETTER}{self._consumer}", 1)
            _log.error("deadletter.lost", event_class=subject_class(subject), error=error, failure=str(failure))

    def _drop(self, subject: str, reason: str) -> None:
        self.dropped += 1
        self._bus.count_drop(f"{DEAD_LETTER}{self._consumer}", 1)
        if clock.monotonic() - self._said >= _SAY_SECONDS:
            self._said = clock.monotonic()
            _log.error(
                "deadletter.flood",
                consumer=self._consumer,
                dropped=self.dropped,
                event_class=subject_class(subject),
                error=reason,
            )


def one_line(error: Exception) -> str:
    """Return an error as a header's value or a log's field: its kind and text in one printable ASCII line, cut."""
    text = " ".join(f"{type(error).__name__}: {str(error)[: 2 * _ERROR_LENGTH]}".split())
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text)[:_ERROR_LENGTH]
