"""Reads one stream for detectors: what came before the saved place only fills their windows, what follows decides.

The silences at that place are those of the signals that were published, so that nothing is decided otherwise because
of a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from consumers.detectors.rules import Detector, FastEvent, Outputs
from runtime import clock
from runtime.app.fold import fold_each
from runtime.app.resume import Mark, find_start
from runtime.nats.bus import Bus
from runtime.nats.lanes.reader import Batch, Decode, OnBad
from runtime.nats.streams.api import call
from runtime.nats.streams.reader import Row, Start, StreamReader

Fold = Callable[[str, FastEvent], Outputs]
Read = Callable[[Sequence[Row], OnBad], list[tuple[str, FastEvent]]]
MARGIN: Final = 60_000_000_000  # ns: events arrive later than they happened
_UP_TO_DATE: Final = 60.0  # seconds: how long reading up to the present may take before others begin


class Place(msgspec.Struct):
    """The last message that was folded: its sequence, and when its stream took it, ns UTC."""

    seq: int = 0
    time_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One stream: its subjects, how far back (ns) they matter, how events are read and folded, and by whom.

    `whole`: without a saved place it is read from its beginning.
    """

    stream: str
    subjects: tuple[str, ...]
    window: int
    decode: Decode[FastEvent]
    fold: Fold
    detectors: dict[str, Detector]
    read: Callable[[Row], FastEvent | None] | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Watching:
    """Who is called with what cannot be read, with what was missed of a stream, and with signals."""

    on_bad: OnBad
    on_missed: Callable[[str, int], None]
    on_signals: Callable[[Outputs], None]


class Reading:
    """The reader of one feed."""

    def __init__(self, bus: Bus, feed: Feed, watching: Watching, failed: asyncio.Future[None]) -> None:
        self.feed = feed
        self.place = Place()
        self._bus, self._watching, self._failed = bus, watching, failed
        self._floor, self._begun = 0, False
        self._known: list[FastEvent] = []
        self._opened = 0
        self._current = asyncio.Event()
        self._reader: StreamReader | None = None

    async def open(self, place: Place | None, known: Iterable[FastEvent]) -> None:
        """Read on from a saved place, from the present where there is none, with the window before it."""
        self._known = [signal for signal in known if signal.kind in self.feed.detectors]
        self._opened = clock.now_ns()
        start = await self._find_start(place)
        self._reader = StreamReader(
            self._bus,
            self.feed.stream,
            self.feed.subjects,
            on_messages=self._on_rows,
            on_gap=lambda missed: self._watching.on_missed(self.feed.stream, missed),
            failed=self._failed,
            start=start,
        )
        await self._reader.open()
        if not self._reader.backlog:
            self._current.set()

    async def until_current(self) -> None:
        """Wait until everything was folded that the stream held when this was opened; at most a minute."""
        waiting = asyncio.ensure_future(self._current.wait())
        await asyncio.wait({waiting, self._failed}, timeout=_UP_TO_DATE, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def close(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            await self._reader.close()

    async def _find_start(self, place: Place | None) -> Start:
        feed = self.feed
        if place is None:
            state = (await call(self._bus, f"STREAM.INFO.{feed.stream}"))["state"]
            self.place = Place(int(state["last_seq"]), self._opened)
            self._floor = self.place.seq
            return Start(sequence=1) if feed.whole else Start(time_ns=self._opened - feed.window)
        self.place = Place(place.seq, place.time_ns)
        resumed = await find_start(self._bus, feed.stream, Mark(place.seq, place.time_ns))
        if resumed.missed != 0:
            self._watching.on_missed(feed.stream, resumed.missed or 0)
        if resumed.missed is None:
            return resumed.start
        self._floor = place.seq
        return resumed.start if feed.whole else Start(time_ns=place.time_ns - feed.window)

    def _on_rows(self, rows: Sequence[Row]) -> None:
        first, last = rows[0].position, rows[-1].position
        if first.stream_seq <= self._floor:
            old = [row for row in rows if row.position.stream_seq <= self._floor]
            self._fold(old, _was_kept)
            rows = rows[len(old) :]
        if rows:
            if not self._begun:
                self._begin()
            self._watching.on_signals(self._fold(rows, self._watching.on_bad))
            self.place = Place(last.stream_seq, last.time_ns)
        if last.pending == 0 or last.time_ns >= self._opened:
            self._current.set()

    def _begin(self) -> None:
        self._begun = True
        for detector in self.feed.detectors.values():
            detector.cooldowns.clear()
        for signal in self._known:
            self.feed.detectors[signal.kind].recall(signal)
        self._known = []

    def _fold(self, rows: Sequence[Row], on_bad: OnBad) -> Outputs:
        outputs = Outputs()

        def fold(subject: str, event: FastEvent) -> None:
            outputs.extend(self.feed.fold(subject, event))

        if self.feed.read is not None:
            self._fold_each(rows, fold, on_bad)
            return outputs
        batch = Batch(rows, self.feed.decode, on_bad)
        if self._bus.tracing.on:
            batch.note(self._bus.tracing)
        batch.refuse(fold_each(batch.events, fold))
        return outputs

    def _fold_each(self, rows: Sequence[Row], fold: Callable[[str, FastEvent], None], on_bad: OnBad) -> None:
        """Fold what is read with its place in the stream."""
        read = self.feed.read
        for row in rows:
            subject = row.subject.decode(errors="backslashreplace")
            try:
                event = None if read is None else read(row)
                if event is not None:
                    fold(subject, event)
            except ValueError as error:
                on_bad(subject, row.payload, error)


def _was_kept(_subject: str, _body: bytes, _error: Exception) -> None:
    """Leave out what cannot be read: it is among the dead letters since it came."""
