"""What the bus or a reader of its streams has lost, published as a FeedStatus on `feed.v1.bus` for everybody to see."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

import structlog
from nats.errors import Error as NatsError

from contracts import codec, streams, subjects
from contracts.market import FeedStatus
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA
from runtime import clock, retry
from runtime.nats.bus import Bus

_log = structlog.get_logger("announcing")
_FAST: Final = codec.fast(FeedStatus)
_SCHEMA: Final = codec.schema_of(FeedStatus)
_BOUND: Final = 100
_WITHIN: Final = retry.Policy(timeout=15.0)


class Announcer:
    """Publishes the gaps of one part (a consumer, the provisioner), acknowledged and in order, in the background.

    Beyond 100 that wait the oldest are dropped; what cannot be published in 15 s is logged and given up.
    """

    def __init__(self, bus: Bus, part: str, *, stream: str = streams.FEEDS) -> None:
        self._bus, self._part, self._stream = bus, part, stream
        self._waiting: deque[Any] = deque(maxlen=_BOUND)
        self._count = 0
        self._sender: asyncio.Task[None] | None = None

    def on_gap(self, reason: str) -> None:
        """Publish that something was lost, and why."""
        now = clock.now_ns()
        self._count += 1
        self._waiting.append(
            _FAST(
                id=f"{subjects.BUS}.feed.{self._part}.{now}.{self._count}",
                venue=subjects.BUS,
                symbol=None,
                venue_symbol=None,
                ts_event=None,
                ts_recv=now,
                sim=False,
                state="gap",
                reason=reason,
                channel=self._part,
            )
        )
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send(), name=f"announcer of {self._part}")

    def on_missed(self, stream: str, messages: int) -> None:
        """Publish what a reader of a stream missed; 0 or less: how much is not known, it is another stream now."""
        what = f"{messages} messages of it were not read" if messages > 0 else "it is not the one that was read"
        self.on_gap(f"stream {stream}: {what}")

    async def flush(self, timeout: float | None = None) -> None:
        """Wait until everything so far was published or given up, or for `timeout` seconds; publishing goes on."""
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=timeout)

    async def _send(self) -> None:
        while self._waiting:
            event = self._waiting.popleft()
            headers = {HEADER_MESSAGE_ID: event.id, HEADER_SCHEMA: _SCHEMA}
            subject = subjects.FEED + subjects.BUS
            try:
                await self._bus.publish_acked(
                    subject, codec.encode(event), headers=headers, stream=self._stream, policy=_WITHIN
                )
            except NatsError as error:
                _log.error("announcing.lost", part=self._part, reason=event.reason, error=str(error))
