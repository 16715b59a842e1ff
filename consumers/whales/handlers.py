"""Reads trades and dollar prices from their stream, publishes whales acknowledged, and goes on where it was."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from faststream.nats import NatsRouter

from consumers.whales.core import WhaleDetector
from consumers.whales.explained import whale_rule
from consumers.whales.rules import WhaleRules
from consumers.whales.saving import HOUR_KEYS, KEY
from contracts import streams, subjects
from runtime import clock
from runtime.app.explaining.commands import add_explaining
from runtime.app.explaining.pricing import is_dollar_ticker
from runtime.app.fold import Fault
from runtime.app.intervals import ticks
from runtime.app.resume import Mark, Resumed, Start, find_start
from runtime.app.service import Consumer, Service
from runtime.app.serving import Serving
from runtime.nats.announce import Announcer
from runtime.nats.deadletter import DeadLetters
from runtime.nats.kv.mirror import Mirror
from runtime.nats.kv.restore import Restored
from runtime.nats.kv.writer import BucketWriter
from runtime.nats.lanes.publisher import LaneReader
from runtime.nats.lanes.reader import Batch, Watchers, read_event
from runtime.nats.signals import publish_signal
from runtime.nats.streams.api import call
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import NEW

_UNSENT: Final = 10_000  # whales that wait for their acknowledgement; more end the process, which goes on from its save
_KNOWN: Final = 5_000  # signals of the stream's end that are known as published after a restart


@dataclass(frozen=True, slots=True, kw_only=True)
class WhalePlan:
    """Where to read and write; seconds between ticks and between saves."""

    rules: WhaleRules
    stream: str = streams.MARKET
    signals_stream: str = streams.SIGNALS
    feeds: str = streams.FEEDS
    signals: str = subjects.ALL_WHALES
    bucket: str = streams.POSITIONS
    dlq: str = streams.DLQ
    tick_seconds: float = 0.02
    save_seconds: float = 1.0


_TRADE: Final = subjects.TRADE.encode()


def is_wanted(subject: bytes) -> bool:
    """Return whether a message of the stream is a trade, or the ticker of a dollar price."""
    return subject.startswith(_TRADE) or is_dollar_ticker(subject)


class TooManyUnsentError(RuntimeError):
    """The stream of signals takes nothing any more and more whales wait than may."""


class _UnsentWhales:
    """Whales in the order in which they were decided, until the stream has them."""

    def __init__(self, service: Service, detector: WhaleDetector, plan: WhalePlan, known: frozenset[str]) -> None:
        self._bus, self._detector, self._plan, self._known = service.bus, detector, plan, known
        self._unsent: deque[tuple[str, Any]] = deque()

    def on_batch(self, batch: Sequence[tuple[str, Any]], last: int) -> Sequence[Fault]:
        whales, faults = self._detector.fold(batch, last, clock.now_ns())
        self._unsent.extend(whales)
        if len(self._unsent) > _UNSENT:
            raise TooManyUnsentError(f"{len(self._unsent)} whales wait for stream {self._plan.signals_stream}")
        return faults

    def on_tick(self) -> None:
        self._unsent.extend(self._detector.tick(clock.now_ns()))

    async def send(self) -> None:
        """Publish what waits; afterwards, until the next await, whatever was folded is sent or in `save`."""
        while self._unsent:
            subject, whale = self._unsent[0]
            if whale.id not in self._known:
                await publish_signal(self._bus, subject, whale, stream=self._plan.signals_stream)
            self._unsent.popleft()


def make_consumer(plan: WhalePlan) -> Consumer:
    """Return the consumer of trades that detects until it is stopped, and explains its whales meanwhile."""
    services: list[Service] = []
    router = NatsRouter()
    add_explaining(router, "whales", (whale_rule(plan.rules, plan.stream),), lambda: services[-1].bus)

    async def run_serving(service: Service) -> None:
        services.append(service)
        serving = Serving(service.bus, service.broker, router)
        try:
            await serving.open()
            await run(service, plan)
        finally:
            await serving.close()

    return Consumer(run_serving, router)


async def run(service: Service, plan: WhalePlan) -> None:
    """Detect until the service is stopped; then send what is decided, and save."""
    detector = WhaleDetector(plan.rules)
    service.keeps(detector.sizes)
    letters = DeadLetters(service.bus, service.name, stream=plan.dlq)
    announcer = Announcer(service.bus, service.name, stream=plan.feeds)
    on_missed = partial(announcer.on_missed, plan.stream)
    async with AsyncExitStack() as stack:
        writer = BucketWriter(service.bus, plan.bucket)
        for end in (writer.close, letters.flush, announcer.flush):
            stack.push_async_callback(end)
        resumed = await _restore(service, detector, plan, letters)
        if resumed.missed != 0:
            on_missed(resumed.missed or 0)
        unsent = _UnsentWhales(service, detector, plan, await _find_published(service, plan, resumed.start, letters))
        reader = LaneReader(service.bus, Watchers(letters.keep, on_missed))
        saved = clock.monotonic()
        try:
            every = (subjects.ALL_MARKET_DATA,)
            await reader.stream(plan.stream, every, read_event, unsent.on_batch, start=resumed.start, wanted=is_wanted)
            service.ready()
            async for _ in ticks(service.stop, plan.tick_seconds, reader.failed):
                unsent.on_tick()
                await unsent.send()
                if clock.monotonic() - saved >= plan.save_seconds:
                    _save(writer, detector)
                    _report(service, detector)
                    saved = clock.monotonic()
        finally:
            await reader.close()
        await unsent.send()
        _save(writer, detector)


def _save(writer: BucketWriter, detector: WhaleDetector) -> None:
    for key, hour in detector.save_hours().items():
        writer.put(key, hour)
    writer.put(KEY, detector.save())


async def _restore(service: Service, detector: WhaleDetector, plan: WhalePlan, letters: DeadLetters) -> Resumed:
    """Take back what was saved and give where to go on; what comes from now on where nothing was."""
    mirror = await Mirror(service.bus, plan.bucket).open()
    await mirror.close()
    entry = mirror.get(KEY)
    place = Restored(plan.bucket, letters.keep)
    if plan.rules.adaptive is not None:
        for key, hour in mirror.entries(HOUR_KEYS):
            place.read(key, hour.value, detector.restore_hour)
    sequence = None if entry is None else place.read(KEY, entry.value, detector.restore)
    if entry is None or sequence is None:
        return Resumed(NEW)
    if not sequence:
        return Resumed(Start(time_ns=entry.time_ns))
    return await find_start(service.bus, plan.stream, Mark(sequence, entry.time_ns))


async def _find_published(service: Service, plan: WhalePlan, start: Start, letters: DeadLetters) -> frozenset[str]:
    """Give the ids at the end of the signals' stream: a whale decided again after a crash is not published again."""
    if start == NEW:
        return frozenset()
    state = (await call(service.bus, f"STREAM.INFO.{plan.signals_stream}"))["state"]
    since = Start(sequence=max(1, int(state["last_seq"]) - _KNOWN))
    rows = await read_past(service.bus, plan.signals_stream, (plan.signals,), since)
    batch = Batch(rows, read_event, letters.keep)
    return frozenset(whale.id for _, whale in batch.events)


def _report(service: Service, detector: WhaleDetector) -> None:
    counts = detector.counts
    service.report("folded", counts.folded)
    service.report("duplicates", counts.duplicates)
    service.report("sideless", counts.sideless)
    service.report("unsized", counts.unsized)
    service.report("unvalued", counts.unvalued)
    service.report("emitted", counts.emitted)
    service.report("old", counts.old)
    service.report("cut", counts.cut)
    service.report("unsaved", counts.unsaved)
    service.report("forgotten", detector.forgotten)
