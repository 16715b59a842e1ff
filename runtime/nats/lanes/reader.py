"""The fast lane's reading side: decoded batches of whatever arrived, handed to a synchronous callback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from nats.aio.subscription import Subscription

from contracts import codec
from contracts.schema.routes import subject_text
from runtime import clock
from runtime.app.fold import Fault
from runtime.nats import wire
from runtime.nats.bus import Bus, subject_class
from runtime.nats.lanes.parser import Message
from runtime.nats.streams.reader import HEARTBEAT_SECONDS, Row, Start, StreamReader
from runtime.tracing.tracing import Tracing

E = TypeVar("E")
Decode = Callable[[str, bytes], E]
OnBad = Callable[[str, bytes, Exception], None]
OnGap = Callable[[int], None]
Faults = Sequence[Fault]
Messages = Sequence[tuple[bytes, ...]]
"""Tuples that begin with the subject and the payload of a message."""

UNDECODABLE = codec.UNDECODABLE


def read_event(subject: str, body: bytes) -> Any:  # a fast struct
    """Decode an event by its subject and hold it to every rule of the contract; raises one of UNDECODABLE."""
    return codec.decode(subject, body, clock.now_ns())


def read_all(messages: Messages, decode: Decode[E]) -> tuple[list[tuple[str, E]], list[Fault]]:
    """Return the (subject, event) of each message, and the faults of those that cannot be decoded.

    Messages are tuples that begin with subject and payload. `read_event` has a form for many at once.
    """
    if decode is read_event:
        return codec.decode_all(messages, clock.now_ns())
    events: list[tuple[str, E]] = []
    faults: list[Fault] = []
    for index, message in enumerate(messages):
        subject = subject_text(message[0])
        try:
            events.append((subject, decode(subject, message[1])))
        except UNDECODABLE as error:
            faults.append((index, error))
    return events, faults


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is called with what could not be decoded or folded (subject, payload, error), and gaps (0: unknown)."""

    on_bad: OnBad
    on_gap: OnGap


class CoreLane(Generic[E]):
    """One plain subscription: keeps at most `max_pending` messages, drops and counts the newest beyond that."""

    def __init__(
        self,
        decode: Decode[E],
        on_batch: Callable[[Sequence[tuple[str, E]]], Faults | None],
        *,
        bus: Bus,
        watchers: Watchers,
        failed: asyncio.Future[None],
        max_pending: int,
    ) -> None:
        self._decode, self._on_batch = decode, on_batch
        self._bus, self._watchers, self._failed = bus, watchers, failed
        self._loop = asyncio.get_running_loop()
        self._max_pending = max_pending
        self._pending: list[Message] = []
        self._dropped = 0

    def take(self, messages: list[Message], /) -> None:
        """Keep messages for this iteration's batch."""
        pending = self._pending
        if not pending:
            self._loop.call_soon(self._hand_over)
        room = self._max_pending - len(pending)
        if len(messages) > room:
            self._dropped += len(messages) - room
            del messages[room:]
        pending += messages

    def _hand_over(self) -> None:
        pending, self._pending = self._pending, []
        dropped, self._dropped = self._dropped, 0
        if self._failed.done():
            return
        try:
            batch = Batch(pending, self._decode, self._watchers.on_bad)
            if self._bus.tracing.on:
                batch.note(self._bus.tracing)
            batch.refuse(self._on_batch(batch.events))
            if dropped:
                self._bus.count_drop(subject_class(subject_text(pending[-1][0])), dropped)
                self._watchers.on_gap(dropped)
        except Exception as error:  # noqa: BLE001  # given to whoever awaits `failed`
            self._failed.set_exception(error)


class Batch(Generic[E]):
    """Messages decoded: `events` are the (subject, event) of those that could be, the others go to `on_bad`."""

    __slots__ = ("_kept", "_on_bad", "events")

    def __init__(self, messages: Messages, decode: Decode[E], on_bad: OnBad) -> None:
        self.events, faults = read_all(messages, decode)
        self._on_bad = on_bad
        self._kept = messages
        if faults:
            self.refuse(faults)
            left_out = {index for index, _ in faults}
            self._kept = [message for index, message in enumerate(messages) if index not in left_out]

    def note(self, tracing: Tracing) -> None:
        """Remember the traces that events came under; messages need their headers."""
        for message, (_, event) in zip(self._kept, self.events, strict=True):
            tracing.note(message[3], event)

    def refuse(self, faults: Faults | None) -> None:
        """Hand over the messages of the events that could not be folded, with the reason of each."""
        for index, error in faults or ():
            subject, payload = self._kept[index][:2]
            self._on_bad(subject_text(subject), payload, error)


class LaneReader:
    """Reads for one consumer. What a callback gives back as faults goes to the watchers with its messages.

    `failed` ends with the first error that a callback raises as a whole, and reading stops then.

    A stream that is silent for three times `heartbeat` seconds is requested again.
    """

    def __init__(self, bus: Bus, watchers: Watchers, *, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self._bus = bus
        self._heartbeat = heartbeat
        self._watchers = watchers
        self._subscriptions: list[Subscription] = []
        self._streams: list[StreamReader] = []
        self._unlisten: Callable[[], None] | None = None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def subscribe(
        self,
        subject: str | Sequence[str],
        decode: Decode[E],
        on_batch: Callable[[Sequence[tuple[str, E]]], Faults | None],
        *,
        queue: str = "",
        max_pending: int = 65_536,
    ) -> None:
        """Read what is published from now on; on_gap(0) tells of a reconnect, what was sent meanwhile is not known.

        Of several subjects the messages come in the order in which the server sent them.
        """
        lane = CoreLane(
            decode, on_batch, bus=self._bus, watchers=self._watchers, failed=self.failed, max_pending=max_pending
        )
        for one in [subject] if isinstance(subject, str) else subject:
            self._subscriptions.append(await wire.subscribe(self._bus.client, one, queue, lane))
        if self._unlisten is None:
            self._unlisten = self._bus.listen_reconnect(lambda: self._watchers.on_gap(0))

    async def stream(
        self,
        stream: str,
        subjects: Sequence[str],
        decode: Decode[E],
        on_batch: Callable[[Sequence[tuple[str, E]], int], Faults | None],
        *,
        start: Start,
        wanted: Callable[[bytes], bool] | None = None,
    ) -> None:
        """Read a stream in order, nothing missed and nothing twice; on_batch(batch, last stream sequence of it).

        `on_gap` tells of messages that the stream itself no longer had, or never will (0: it is another stream now).
        With several subjects the server looks each message up for a catch-up, which costs it 20 times as much: where
        most of the stream is wanted anyway, read it by one subject and say of each message's own whether it is
        `wanted`; what is not is not decoded.
        """

        def on_messages(rows: Sequence[Row]) -> None:
            kept = rows if wanted is None else [row for row in rows if wanted(row[0])]
            batch = Batch(kept, decode, self._watchers.on_bad)
            if self._bus.tracing.on:
                batch.note(self._bus.tracing)
            batch.refuse(on_batch(batch.events, rows[-1].position.stream_seq))

        reader = StreamReader(
            self._bus,
            stream,
            tuple(subjects),
            on_messages=on_messages,
            on_gap=self._watchers.on_gap,
            failed=self.failed,
            start=start,
            heartbeat=self._heartbeat,
        )
        self._streams.append(reader)
        await reader.open()

    async def close(self) -> None:
        """End every subscription and stream of this reader."""
        for reader in self._streams:
            await reader.close()
        for subscription in self._subscriptions:
            await wire.unsubscribe(self._bus.client, subscription)
        self._subscriptions, self._streams = [], []
        if self._unlisten is not None:
            self._unlisten()
        self.failed.cancel()
