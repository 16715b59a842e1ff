"""Whales, liquidations and alerts as their streams have them: what comes, for all clients, and what one of them missed.

One ordered reader a stream serves every client of this process. What a client missed is read once by a reader of its
own, bounded in events and seconds; nothing of a client is kept on the bus.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import structlog

from api.stream import messages, protocol
from api.stream.events.cursor import Places, format_cursor
from api.stream.fan_out import FanOut
from api.stream.feed import on_bad
from api.stream.hub import Subscribers, encoded
from api.stream.topics import EVENTS, topics_of_event
from contracts import codec
from contracts.errors import HydrophoneError, NotReadyError
from contracts.schema.routes import subject_text
from contracts.streams import LIQUIDATIONS, OWN_ALERTS, SIGNALS
from contracts.subjects import PRICE_ALERT
from runtime.app.resume import Mark, Start, find_start
from runtime.clock import sleep
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.lanes.reader import UNDECODABLE, read_event
from runtime.nats.streams.api import ApiRefusalError, call, parse_rfc3339
from runtime.nats.streams.reader import Row, StreamReader

MOST_MISSED: Final = 10_000  # events that a client may have missed, of each stream
READ_SECONDS: Final = 10.0  # for reading them
AT_ONCE: Final = 8  # clients whose missed events are read
CHANNELS: Final = {
    SIGNALS: (protocol.WHALES, protocol.ALERTS),
    LIQUIDATIONS: (protocol.LIQUIDATIONS,),
}
PREFIXES: Final = {stream: tuple(chain(*map(EVENTS.__getitem__, held))) for stream, held in CHANNELS.items()} | {
    OWN_ALERTS: (PRICE_ALERT,)
}
_AGAIN_SECONDS: Final = 0.5
_log = structlog.get_logger("stream")


@dataclass(frozen=True, slots=True)
class Missed:
    """What a client missed of one stream: (subject, event, place) in order, and why more of it may be missing."""

    stream: str
    events: list[tuple[str, Any, Mark]]
    gap: str | None = None


class EventLog:
    """Reads the streams for all clients; `subscribers` get what comes from then on."""

    def __init__(self, bus: Bus, fan_out: FanOut) -> None:
        self._bus = bus
        self._fan_out = fan_out
        self.subscribers = Subscribers()
        self.places: Places = {}  # of each stream that is read, in one order
        self._ready = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def until_ready(self, seconds: float) -> None:
        """Return once every stream is read; raises NotReadyError where that takes longer."""
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            raise NotReadyError("The streams are not read yet", waiting_for=["bus"]) from None

    async def run(self) -> None:
        """Read for ever; the bus must have been connected once."""
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        readers = [await self._open(stream, failed) for stream in PREFIXES]
        self._ready.set()
        try:
            await failed
        finally:
            for reader in readers:
                await reader.close()

    async def find_missed(self, stream: str, mark: Mark, subjects: Sequence[str], until: Mark) -> Missed:
        """Return what the stream took of some subjects behind a client's place and up to another, if not too much.

        Raises NoAnswerError while the bus is away.
        """
        if mark == until:
            return Missed(stream, [])
        try:
            async with self._room, asyncio.timeout(READ_SECONDS):
                resumed = await find_start(self._bus, stream, mark)
                rows = await self._read(stream, subjects, resumed.start, until.sequence)
        except (TimeoutError, ApiRefusalError) as error:
            _log.warning("stream.not_resumed", stream=stream, error=str(error) or type(error).__name__)
            return Missed(stream, [], "what was missed could not be read in time")
        if rows is None:
            return Missed(stream, [], f"more than {MOST_MISSED} events were missed")
        gap = None
        if resumed.missed is None:
            gap = "the stream is another one now"
        elif resumed.missed:
            gap = f"{resumed.missed} messages of the stream are not kept any more"
        return Missed(stream, list(_decoded(rows)), gap)

    async def _open(self, stream: str, failed: asyncio.Future[None]) -> StreamReader:
        """Return a reader that was opened, as soon as the stream is there."""
        while True:
            try:
                place = await self._find_end(stream)
                reader = self._reader(stream, place, failed)
                try:
                    self.places[stream] = place
                    await reader.open()
                except BaseException:
                    del self.places[stream]
                    await reader.close()
                    raise
            except (NoAnswerError, ApiRefusalError) as error:
                _log.warning("stream.waiting", stream=stream, error=str(error))
                await sleep(_AGAIN_SECONDS)
            else:
                return reader

    def _reader(self, stream: str, place: Mark, failed: asyncio.Future[None]) -> StreamReader:
        """Return a reader of everything behind a place."""

        def on_messages(rows: Sequence[Row]) -> None:
            for row in rows:
                self._on_row(stream, row)

        def on_gap(missed: int) -> None:
            if not missed:  # another stream: whatever it holds comes as new
                self.places[stream] = Mark(0, self.places[stream].read_by, exact=True)
            self._on_gap(f"stream {stream}: {missed or 'an unknown number of'} messages are lost")

        return StreamReader(
            self._bus,
            stream,
            tuple(prefix + ">" for prefix in PREFIXES[stream]),
            on_messages=on_messages,
            on_gap=on_gap,
            failed=failed,
            start=Start(sequence=place.sequence + 1),
        )

    async def _find_end(self, stream: str) -> Mark:
        info = await call(self._bus, f"STREAM.INFO.{stream}")
        state = info["state"]
        newest = state["last_ts"] if state["messages"] else info["ts"]
        return Mark(int(state["last_seq"]), parse_rfc3339(str(newest)), exact=True)

    async def _read(self, stream: str, subjects: Sequence[str], start: Start, until: int) -> list[Row] | None:
        """Return the messages of some subjects from `start` to a sequence; None where they are too many."""
        rows: list[Row] = []
        done = asyncio.Event()
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_messages(batch: Sequence[Row]) -> None:
            rows.extend(row for row in batch if row.position.stream_seq <= until)
            if batch[-1].position.pending == 0 or batch[-1].position.stream_seq >= until:
                done.set()

        reader = StreamReader(
            self._bus,
            stream,
            tuple(subjects),
            on_messages=on_messages,
            on_gap=lambda _missed: None,
            failed=failed,
            start=start,
        )
        try:
            await reader.open()
            if reader.backlog > MOST_MISSED:
                return None
            if reader.backlog:
                await done.wait()
        finally:
            await reader.close()
            failed.cancel()
        return rows

    def _on_row(self, stream: str, row: Row) -> None:
        position = row.position
        self.places[stream] = Mark(position.stream_seq, position.time_ns, exact=True)
        subject = subject_text(row.subject)
        try:
            own = stream == OWN_ALERTS
            event = read_event(subject, row.payload) if own else None
            outboxes = self.subscribers.find(topics_of_event(subject, event))
            if outboxes:
                fields = messages.event_message(codec.kind_of(subject), event or read_event(subject, row.payload))
                self._fan_out.push(encoded(fields, None, format_cursor(self.places)), outboxes)
        except (*UNDECODABLE, HydrophoneError) as error:
            on_bad(subject, row.payload, error)

    def _on_gap(self, reason: str) -> None:
        message = encoded(messages.gap_message(reason), None, format_cursor(self.places))
        self._fan_out.push(message, self.subscribers.everybody())


def _decoded(rows: Sequence[Row]) -> Iterator[tuple[str, Any, Mark]]:
    for row in rows:
        subject, position = subject_text(row.subject), row.position
        try:
            event = read_event(subject, row.payload)
        except UNDECODABLE as error:
            on_bad(subject, row.payload, error)
        else:
            yield subject, event, Mark(position.stream_seq, position.time_ns, exact=True)
