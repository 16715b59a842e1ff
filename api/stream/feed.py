"""What the stream reads of the bus: one plain subscription for each subject pattern that clients need."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import structlog
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from runtime.app.fold import fold_each
from runtime.clock import sleep
from runtime.nats import wire
from runtime.nats.bus import Bus
from runtime.nats.lanes.reader import CoreLane, Watchers, read_event

OnEvent = Callable[[str, Any], None]
PENDING_MESSAGES: Final = 20_000
_AGAIN_SECONDS: Final = 0.5
_log = structlog.get_logger("stream")


class StreamFeed:
    """Subscribes to what is wanted and no more; `on_event(subject, event)` gets each decoded event."""

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
            await wire.unsubscribe(self._bus.client, self._held.pop(pattern))
        for pattern in [pattern for pattern in self._wanted if pattern not in self._held]:
            self._held[pattern] = await wire.subscribe(self._bus.client, pattern, "", self._lane())

    def _lane(self) -> CoreLane[Any]:
        """Return what reads one subscription: drops are counted by the bus, whose listeners send them as gaps."""
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        return CoreLane(
            read_event,
            lambda batch: fold_each(batch, self._on_event),
            bus=self._bus,
            watchers=Watchers(on_bad, lambda _missed: None),
            failed=failed,
            max_pending=PENDING_MESSAGES,
        )


def on_bad(subject: str, payload: bytes, error: Exception) -> None:
    """Write what could not be read or sent to the log: nobody gets it from here."""
    _log.error("stream.refused", subject=subject, bytes=len(payload), error=str(error), exc_info=error)
