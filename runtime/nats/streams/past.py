"""What a stream already holds, read to its present end, or to a time, and no further."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from runtime.nats.bus import Bus
from runtime.nats.streams.api import call, parse_rfc3339
from runtime.nats.streams.reader import Row, Start, StreamReader

OnRows = Callable[[Sequence[Row]], bool | None]
"""Is handed rows in order; True ends the reading."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """How many messages were handed over, and whether the stream still held the place at which reading began."""

    messages: int
    whole: bool


async def read_past(
    bus: Bus, stream: str, subjects: Sequence[str], start: Start, *, limit: int = 100_000, timeout: float = 30.0
) -> list[Row]:
    """Give the messages of some subjects from `start` to the end, the last `limit` of them, in order.

    TimeoutError names the stream where that takes longer than `timeout` seconds.
    """
    rows: deque[Row] = deque(maxlen=limit)
    await _scan(bus, (stream, subjects, start), _Scanning(rows.extend), timeout)
    return list(rows)


async def scan_past(
    bus: Bus, stream: str, subjects: Sequence[str], span: tuple[int, int], *, on_rows: OnRows, timeout: float = 30.0
) -> Scanned:
    """Hand over the messages that the stream took from one time up to another (ns UTC, both included), in order.

    Raises what `on_rows` raises; TimeoutError names the stream where that takes longer than `timeout` seconds.
    """
    since, until = span
    state = (await call(bus, f"STREAM.INFO.{stream}"))["state"]
    first = cast("dict[str, Any]", state)
    whole = int(first["first_seq"]) <= 1 or (bool(first["messages"]) and parse_rfc3339(str(first["first_ts"])) <= since)
    what = (stream, subjects, Start(time_ns=max(since, 0)))
    messages = await _scan(bus, what, _Scanning(on_rows, until), timeout)
    return Scanned(messages, whole)


async def _scan(bus: Bus, what: tuple[str, Sequence[str], Start], scanning: _Scanning, timeout: float) -> int:
    stream, subjects, start = what
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    reader = StreamReader(
        bus, stream, tuple(subjects), on_messages=scanning.take, on_gap=lambda _: None, failed=failed, start=start
    )
    done = asyncio.ensure_future(scanning.done.wait())
    try:
        async with asyncio.timeout(timeout):
            await reader.open()
            if reader.backlog:
                await asyncio.wait({done, failed}, return_when=asyncio.FIRST_COMPLETED)
                if failed.done():
                    failed.result()
    except TimeoutError:
        raise TimeoutError(f"stream {stream}: not read to its end within {timeout} s") from None
    finally:
        await reader.close()
        failed.cancel()
        done.cancel()
    return scanning.messages


class _Scanning:
    """Hands rows on until the end is reached: the stream's, the wanted time, or the callback's."""

    def __init__(self, on_rows: OnRows, until: int | None = None) -> None:
        self.done = asyncio.Event()
        self.messages = 0
        self._on_rows, self._until = on_rows, until

    def take(self, rows: Sequence[Row]) -> None:
        if self.done.is_set():
            return
        last = rows[-1].position
        ended = last.pending == 0
        if self._until is not None and last.time_ns > self._until:
            rows = [row for row in rows if row.position.time_ns <= self._until]
            ended = True
        self.messages += len(rows)
        if (rows and self._on_rows(rows)) or ended:
            self.done.set()
