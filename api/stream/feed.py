"""What the stream reads of the bus: one plain subscription for each subject pattern that clients need."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from contracts import codec
from runtime.clock import sleep
from runtime.nats.bus import Bus
from runtime.nats.lanes.reader import UNDECODABLE, read_event

OnEvent = Callable[[str, str, Any], None]
PENDING_MESSAGES: Final = 20_000
PENDING_BYTES: Final = 16 * 1024 * 1024
_AGAIN_SECONDS: Final = 0.5
_log = structlog.get_logger("stream")


class StreamFeed:
    """Subscribes to what is wanted and no more; `on_event(kind, subject, event)` gets each decoded event."""

    def __init__(self, bus: Bus, on_event: OnEvent) -> None:
        self._bus = bus
        self._on_event = on_event
        self._wanted: Counter[str] = Counter()
        self._held: dict[str, Subscription] = {}
        self._changed = asyncio.Event()

    def acquire(self, pattern: str) -> None:
        """Read a pattern of subjects for one more client."""
        self._wanted[pattern] += 1
        self._changed.set()

    def release(self, pattern: str) -> None:
        """Read it for one client less."""
        self._wanted[pattern] -= 1
        if self._wanted[pattern] <= 0:
            del self._wanted[pattern]
        self._changed.set()

    async def run(self) -> None:
        """Keep the subscriptions as they are wanted; the bus must have been connected once."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._settle()
            except NatsError as error:
                _log.warning("stream.subscribe_failed", error=str(error) or type(error).__name__)
                self._changed.set()
                await sleep(_AGAIN_SECONDS)

    async def _settle(self) -> None:
        for pattern in [pattern for pattern in self._held if pattern not in self._wanted]:
            await self._held.pop(pattern).unsubscribe()
        for pattern in [pattern for pattern in self._wanted if pattern not in self._held]:
            self._held[pattern] = await self._bus.client.subscribe(
                pattern,
                cb=self._on_message,
                pending_msgs_limit=PENDING_MESSAGES,
                pending_bytes_limit=PENDING_BYTES,
            )

    async def _on_message(self, message: Msg) -> None:
        try:
            event = read_event(message.subject, message.data)
        except UNDECODABLE as error:
            _log.error("stream.undecodable", subject=message.subject, error=str(error))
            return
        self._on_event(codec.kind_of(message.subject), message.subject, event)
