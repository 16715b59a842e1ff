"""The fast lane's writing side: market data that nobody waits for, one write for each iteration of the loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from contracts.subjects import HEADER_MESSAGE_ID, HEADER_TRACE, HEADER_TTL
from runtime.clock import now_ns
from runtime.nats import wire
from runtime.nats.bus import Bus, subject_class
from runtime.nats.lanes.reader import LaneReader as LaneReader  # noqa: PLC0414  # both sides of the lane from one place
from runtime.nats.lanes.words import Words, header_value

_RECOVER_SECONDS = 0.1
_CRLF = b"\r\n"
_ID = f"{HEADER_MESSAGE_ID}: "


class LanePublisher:
    """Publishes without awaiting and without acknowledgement.

    While the bus is away, or more than `max_buffered` bytes wait for the socket, messages are dropped and counted.
    `on_gap(n)` is called once the way is free again: n messages were dropped, 0 means that the connection broke and
    what was on its way is not known. `write_at` is the number of bytes that are written before the
    iteration of the loop ends.
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
        self._size = 0
        self._stamp = ""
        self._heads: dict[str, str] = {}  # of this iteration: they hold its time
        self._words = Words()
        self._admitted = self._words.admitted
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
        schema: str,
        msg_id: str | None = None,
        traceparent: str | None = None,
        ttl: int | None = None,
    ) -> None:
        """Send it with this iteration of the loop; ValueError for a subject that the bus would misread.

        A stream drops it after `ttl` seconds.
        """
        if subject not in self._admitted:
            self._words.admit(subject)
        if not self._size:
            self._begin_turn()
        head = self._heads.get(schema)
        if head is None:
            head = self._heads[schema] = f"{self._words.head(schema)}{self._stamp}"
        if msg_id is not None:
            head = f"{head}{_ID}{msg_id if msg_id.isascii() and msg_id.isprintable() else header_value(msg_id)}\r\n"
        if traceparent is not None:
            head += f"{HEADER_TRACE}: {header_value(traceparent)}\r\n"
        if ttl is not None:
            head += f"{HEADER_TTL}: {ttl}\r\n"
        length = len(head) + 2
        total = length + len(payload)
        self._parts += (f"HPUB {subject} {length} {total}\r\n{head}\r\n".encode(), payload, _CRLF)
        self._size += total
        if self._size >= self._write_at:
            self.flush()

    def flush(self) -> None:
        """Write, or drop, what was published since the last write; the loop calls it at the end of each turn."""
        parts = self._parts
        if not parts:
            return
        self._parts, self._size = [], 0
        if self._in_gap or not self._free(self._max_buffered):
            self._drop(parts)
            return
        messages = len(parts) // 3
        wire.write(self._bus.client, b"".join(parts), messages)
        self.published += messages
        self._written = True

    def _begin_turn(self) -> None:
        self._stamp = f"{now_ns()}\r\n"
        self._heads.clear()
        self._loop.call_soon(self.flush)

    def _free(self, limit: int) -> bool:
        client = self._bus.client
        return wire.writable(client) and wire.buffered(client) <= limit

    def _drop(self, parts: list[bytes]) -> None:
        subjects = [part.split(b" ", 2)[1].decode() for part in parts[::3]]
        self._dropped += len(subjects)
        classes = Counter(subject_class(subject) for subject in subjects)
        for event, messages in classes.items():
            self._bus.count_drop(event, messages)
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
