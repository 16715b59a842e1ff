"""Runs a rule over the recorded past: reads what it needs, folds it in order, and keeps what it did at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from contracts import streams, subjects
from contracts.arithmetic.usd import CELL, HOUR_NS, price_tails
from contracts.instrument import split_symbol
from contracts.services.explaining import ReadSpan
from runtime.app.explaining.rule import ANY, Batched, FastEvent, Limits, Rule, Running, Scope, Source
from runtime.app.explaining.trace import Done, Recorded, Trace
from runtime.nats.bus import Bus
from runtime.nats.lanes.reader import read_all, read_event
from runtime.nats.streams.past import scan_past
from runtime.nats.streams.reader import Row

_PRICES: Final = 12 * CELL  # how long before a moment dated prices are read, where some come all the time
_DOLLARS: Final = ".USD.spot"
SECONDS: Final = 7.0  # for which one stream is read: whoever asks waits a little longer


@dataclass(frozen=True, slots=True)
class Span:
    """From when on a rule's decisions are wanted, and until when; by the streams' time, ns UTC, both included."""

    start: int
    end: int


@dataclass(slots=True)
class Past:
    """The events that were read, in order, and which stretches of which streams they are of."""

    events: list[Recorded] = field(default_factory=list[Recorded])
    spans: list[ReadSpan] = field(default_factory=list[ReadSpan])

    def sort(self) -> None:
        """Put the events of several streams into the order in which the streams took them."""
        self.events.sort(key=attrgetter("at"))


async def read(bus: Bus, rule: Rule, scope: Scope, span: Span) -> Past:
    """Read everything that the rule needs for a span, prices of the quotes that occur included."""
    past = Past()
    for source in rule.sources(scope):
        await _read_source(bus, source, span, past)
    if rule.dated:
        await _read_prices(bus, span, past)
    past.sort()
    return past


async def scan(bus: Bus, source: Source, span: Span, take: Callable[[Sequence[Row]], None]) -> ReadSpan:
    """Hand over the messages of one source as they are read, without keeping them; TimeoutError after `SECONDS`."""
    start, wants = span.start - source.before, source.wants

    def on_rows(rows: Sequence[Row]) -> None:
        take(rows if wants is None else [row for row in rows if wants(row.subject)])

    scanned = await scan_past(bus, source.stream, source.subjects, (start, span.end), on_rows=on_rows, timeout=SECONDS)
    whole = scanned.whole or source.newest
    return ReadSpan(stream=source.stream, start=start, end=span.end, messages=scanned.messages, complete=whole)


async def scan_in_time(bus: Bus, source: Source, span: Span, take: Callable[[Sequence[Row]], None]) -> ReadSpan:
    """Hand over the messages of one source; where `SECONDS` do not suffice, return how far they were read."""
    read, reached = 0, span.start - source.before

    def on_rows(rows: Sequence[Row]) -> None:
        nonlocal read, reached
        take(rows)
        read += len(rows)
        reached = rows[-1].position.time_ns if rows else reached

    try:
        return await scan(bus, source, span, on_rows)
    except TimeoutError:
        start = span.start - source.before
        return ReadSpan(stream=source.stream, start=start, end=reached, messages=read, complete=False)


def events_of(source: Source, rows: Sequence[Row]) -> list[Recorded]:
    """Return the events of a source's rows."""
    return (source.decode or decode)(rows)


def decode(rows: Sequence[Row]) -> list[Recorded]:
    """Return the events of rows; those that cannot be read were dead letters when they came."""
    events, faults = read_all(rows, read_event)
    bad = {index for index, _ in faults}
    kept = [row for index, row in enumerate(rows) if index not in bad] if bad else rows
    found: list[Recorded] = []
    for (subject, event), row in zip(events, kept, strict=True):
        position = row.position
        found.append(Recorded(position.time_ns, subject, event, position.stream_seq))
    return found


async def _read_source(bus: Bus, source: Source, span: Span, past: Past) -> int:
    before = len(past.events)
    past.spans.append(await scan(bus, source, span, lambda rows: past.events.extend(events_of(source, rows))))
    return len(past.events) - before


async def _read_prices(bus: Bus, span: Span, past: Past) -> None:
    """Read the dated prices of the quotes that occur; an hour of them where they come rarely."""
    quotes = {split_symbol(item.event.symbol)[1] for item in past.events}
    tails = sorted({tail for quote in quotes for tail in price_tails(quote) if tail.endswith(_DOLLARS)})
    if not tails:
        return
    wanted = tuple(subjects.TICKER + tail for tail in tails)
    last = len(past.spans)
    if not await _read_source(bus, Source(streams.MARKET, wanted, _PRICES), span, past):
        del past.spans[last]
        await _read_source(bus, Source(streams.MARKET, wanted, HOUR_NS + CELL), span, past)


class Replay:
    """One run of a rule: what comes before the span only fills its windows, and its silences are those published."""

    def __init__(
        self,
        rule: Rule,
        scope: Scope,
        known: Iterable[FastEvent],
        *,
        start: int,
        limits: Limits | None = None,
        traced: bool = True,
    ) -> None:
        self._trace = Trace() if traced else None
        self._running: Running = rule.run(scope, limits or {}, self._trace)
        self._start, self._known, self._within = start, list(known), False
        self._signals = (rule.signals + scope.signals).split(".")
        self.done: list[Done] = []
        self.before: Done | None = None  # the last step before the span
        self.outputs: list[tuple[str, FastEvent]] = []

    def fold(self, events: Iterable[Recorded]) -> None:
        """Fold events in order; what the rule refuses was a dead letter when it came."""
        for item in events:
            if not self._within and item.at >= self._start:
                self._begin()
            try:
                outputs = list(self._running.fold(item.subject, item.event, item.at))
            except (ValueError, ArithmeticError):
                outputs = []
            self._keep(item, outputs)

    def fold_rows(self, source: Source, rows: Sequence[Row]) -> None:
        """Fold the events of rows: many at once, by their own time, where the rule can and nobody asks why."""
        if self._trace is not None or not isinstance(self._running, Batched):
            self.fold(events_of(source, rows))
            return
        events, _ = read_all(rows, read_event)
        self._within = True
        self._keep(None, list(self._running.fold_batch(events)))

    def end(self, at: int) -> None:
        """Let the time be `at`, ns UTC."""
        if not self._within:
            self._begin()
        self._keep(None, list(self._running.end(at)))

    def _begin(self) -> None:
        self._within = True
        self._running.recall(self._known)

    def _keep(self, item: Recorded | None, found: list[tuple[str, FastEvent]]) -> None:
        outputs = [output for output in found if self._is_wanted(output[0])] if found else found
        if self._within:
            self.outputs += outputs
        if self._trace is None:
            return
        step = self._trace.take()
        if self._within and (outputs or step.comparisons or step.silence is not None):
            self.done.append(Done(item, step, outputs))
        elif step.comparisons:
            self.before = Done(item, step, [])

    def _is_wanted(self, subject: str) -> bool:
        tokens = subject.split(".")
        return len(tokens) == len(self._signals) and all(
            wanted in {ANY, token} for wanted, token in zip(self._signals, tokens, strict=True)
        )
