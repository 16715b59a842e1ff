"""Reads a part of a stream's past, event by event, as far as it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.codec import UNDECODABLE, decode
from contracts.errors import TimedOutError
from contracts.schema.routes import subject_text
from contracts.services.explaining import ReadSpan
from runtime.nats.bus import Bus
from runtime.nats.streams.api import Position, call, parse_rfc3339
from runtime.nats.streams.reader import Row, Start, StreamReader

SECONDS: Final = 7.0  # a command's asker waits for eight
OnEvent = Callable[[str, Any, Position], bool]
"""Takes a subject, its event and where that stands; returns whether more is wanted."""


@dataclass(slots=True)
class Read:
    """How much of a stream was read: the times of the first and last event, and whether the beginning was there."""

    stream: str
    complete: bool
    messages: int = 0
    start: int = 0
    end: int = 0

    def as_span(self) -> ReadSpan:
        """Return it as explanations have it."""
        return ReadSpan(
            stream=self.stream, start=self.start, end=self.end, messages=self.messages, complete=self.complete
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages of a stream, and from where on."""

    stream: str
    patterns: tuple[str, ...]
    start: Start


async def read_span(bus: Bus, wanted: Wanted, on_event: OnEvent) -> Read:
    """Give `on_event` what a stream holds from `start` on, until it wants no more or the stream's present end.

    TimedOutError where that takes more than `SECONDS`. What cannot be read is left out, as it is live.
    """
    stream, start = wanted.stream, wanted.start
    state = (await call(bus, f"STREAM.INFO.{stream}"))["state"]
    last = int(state["last_seq"])
    read = Read(stream, complete=_has_begin(state, start))
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    def on_messages(rows: Sequence[Row]) -> None:
        for row in rows:
            if done.is_set():
                return
            position = row.position
            if position.stream_seq > last or not _give(row, position, read, on_event):
                done.set()
        if rows[-1].position.pending == 0 or rows[-1].position.stream_seq >= last:
            done.set()

    reader = StreamReader(
        bus, stream, wanted.patterns, on_messages=on_messages, on_gap=lambda _: None, failed=failed, start=start
    )
    waiting = asyncio.ensure_future(done.wait())
    try:
        async with asyncio.timeout(SECONDS):
            await reader.open()
            if reader.backlog:
                await asyncio.wait({waiting, failed}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            failed.result()
    except TimeoutError:
        message = f"Stream {stream} was not read in time: take a shorter span"
        raise TimedOutError(message, limit_seconds=SECONDS) from None
    finally:
        waiting.cancel()
        await reader.close()
        failed.cancel()
    return read


def _has_begin(state: dict[str, Any], start: Start) -> bool:
    first = int(state["first_seq"])
    if start.sequence is not None:
        return first <= max(1, start.sequence)
    return first <= 1 or parse_rfc3339(str(state["first_ts"])) <= (start.time_ns or 0)


def _give(row: Row, position: Position, read: Read, on_event: OnEvent) -> bool:
    subject = subject_text(row.subject)
    try:
        event = decode(subject, row.payload)
    except UNDECODABLE:
        return True
    read.messages += 1
    read.start = read.start or event.ts_recv
    read.end = max(read.end, event.ts_recv)
    return on_event(subject, event, position)
