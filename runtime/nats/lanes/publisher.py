"""The fast lane's writing side: market data that nobody waits for, one write for each iteration of the loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import islice

from runtime.nats import wire
from runtime.nats.bus import Bus, subject_class
from runtime.nats.lanes.message import END, Parts, make_parts, subjects_of
from runtime.nats.lanes.reader import LaneReader as LaneReader  # noqa: PLC0414  # both sides of the lane from one place

_RECOVER_SECONDS = 0.1
_MEASURE_EVERY = 100  # parts: some twenty messages


class LanePublisher:
    """Publishes without awaiting and without acknowledgement.

    While the bus is away, or more than `max_buffered` bytes wait for the socket, messages are dropped and counted.
    `on_gap(n)` is called once the way is free again: n messages were dropped, 0 means that the connection broke and
    what was on its way is not known. `write_at` is the number of bytes that are written before the iteration of the
    loop ends.
    """

    def __init__(
        self,
        bus: Bus,
        *,
        on_gap: Callable[[int], None],
        max_buffered: int = 4 * 1024 * 1024,
        write_at: int = 256 * 1024,
    ) -> None:
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._on_gap = on_gap
        self._max_buffered = max_buffered
        self._write_at = write_at
        self._parts: list[bytes] = []
        self._measure_at = _MEASURE_EVERY
        self._measured, self._size = 0, 0  # how many parts were added up, and their bytes
        self._dropped = 0
        self._in_gap = False
        self._written = False
        self.published = 0
        self._unlisten = bus.listen_reconnect(self._on_reconnect)

    def close(self) -> None:
        """Write what waits and let go of the connection."""
        self.flush()
        self._unlisten()

    def publish(
        self,
        subject: str,
        payload: bytes,
        *,
        schema: str | None,
        msg_id: str | None = None,
        traceparent: str | None = None,
        ttl: int | None = None,
    ) -> None:
        """Send it with this iteration of the loop; ValueError for a subject that the bus would misread.

        A stream drops it after `ttl` seconds.
        """
        self.write(make_parts(subject, payload, schema=schema, msg_id=msg_id, traceparent=traceparent, ttl=ttl))

    def write(self, parts: Parts) -> None:
        """Send a message, which is in parts (runtime.nats.lanes.message), with this iteration of the loop."""
        waiting = self._parts
        if not waiting:
            self._loop.call_soon(self.flush)
        waiting += parts
        if len(waiting) > self._measure_at:
            self._measure()

    def _measure(self) -> None:
        """Write where enough waits; how much it is, is added up once in a while only, and each part once."""
        parts = self._parts
        self._size += sum(map(len, islice(parts, self._measured, None)))
        self._measured = len(parts)
        if self._size >= self._write_at:
            self.flush()
        else:
            self._measure_at = self._measured + _MEASURE_EVERY

    def flush(self) -> None:
        """Write, or drop, what was published since the last write; the loop calls it at the end of each turn."""
        parts = self._parts
        if not parts:
            return
        self._parts, self._measure_at = [], _MEASURE_EVERY
        self._measured, self._size = 0, 0
        if self._in_gap or not self._free(self._max_buffered):
            self._drop(parts)
            return
        messages = parts.count(END)
        wire.write(self._bus.client, b"".join(parts), messages)
        self.published += messages
        self._written = True

    def _free(self, limit: int) -> bool:
        client = self._bus.client
        return wire.writable(client) and wire.buffered(client) <= limit

    def _drop(self, parts: list[bytes]) -> None:
        subjects = subjects_of(parts)
        self._dropped += len(subjects)
        classes = Counter(subject_class(subject) for subject in subjects)
        for event, count in classes.items():
            self._bus.count_drop(event, count)
        if not self._in_gap:
            self._in_gap = True
            self._loop.call_later(_RECOVER_SECONDS, self._recover)

    def _recover(self) -> None:
        if not self._in_gap or self._bus.client.is_closed:
            return
        if not self._free(self._max_buffered // 2):
            self._loop.call_later(_RECOVER_SECONDS, self._recover)
            return
        dropped, self._dropped, self._in_gap = self._dropped, 0, False
        self._on_gap(dropped)

    def _on_reconnect(self) -> None:
        if self._written:
            self._written = False
            self._in_gap = True
            self._recover()
