"""The detectors on the bus: reads their streams, samples books, publishes signals once each, and explains them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
from faststream.nats import NatsRouter

from consumers.detectors.explained import detector_rules
from consumers.detectors.feeds import SIGNALS, Detectors
from consumers.detectors.reading import Place, Reading, Watching
from consumers.detectors.rules import SECOND, DetectorRules, Outputs
from consumers.detectors.samples import BookSampler
from contracts import streams, subjects
from runtime import clock
from runtime.app.explaining.commands import add_explaining
from runtime.app.intervals import ticks
from runtime.app.resume import Start
from runtime.app.service import Consumer, Service
from runtime.app.serving import Serving
from runtime.nats.announce import Announcer
from runtime.nats.bus import Bus
from runtime.nats.deadletter import DeadLetters
from runtime.nats.kv.mirror import Mirror
from runtime.nats.kv.restore import Restored
from runtime.nats.kv.writer import BucketWriter
from runtime.nats.lanes.publisher import LanePublisher, LaneReader
from runtime.nats.lanes.reader import Batch, Watchers, read_event
from runtime.nats.signals import publish_signal
from runtime.nats.streams.past import read_past

KEY: Final = "detectors"
FUNDING_KEYS: Final = "detectors.funding."
LISTING_KEYS: Final = "detectors.listings."
_UNSENT: Final = (
    10_000  # signals that wait for their acknowledgement; more end the process, which goes on from its save
)
_MARGIN: Final = 60 * SECOND


class Saved(msgspec.Struct):
    """Up to which message each stream was folded, by its name."""

    places: dict[str, Place]


class TooManyUnsentError(RuntimeError):
    """The stream of signals takes nothing any more and more signals wait than may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorPlan:
    """The limits, ns between samples of a book, seconds between ticks and between saves."""

    rules: DetectorRules = field(default_factory=DetectorRules)
    sample_every: int = 10 * SECOND
    tick_seconds: float = 0.05
    save_seconds: float = 1.0


class _Unsent:
    """Signals in the order in which they were decided, until the stream has them."""

    def __init__(self, bus: Bus, known: frozenset[str]) -> None:
        self._bus, self._known = bus, known
        self._waiting: deque[tuple[str, Any]] = deque()
        self.sent = 0

    def add(self, outputs: Outputs) -> None:
        self._waiting.extend(outputs)
        if len(self._waiting) > _UNSENT:
            raise TooManyUnsentError(f"{len(self._waiting)} signals wait for stream {streams.SIGNALS}")

    async def send(self) -> None:
        """Publish what waits; afterwards, until the next await, whatever was folded is sent."""
        while self._waiting:
            subject, signal = self._waiting[0]
            if signal.id not in self._known:
                await publish_signal(self._bus, subject, signal)
                self.sent += 1
            self._waiting.popleft()


def make_consumer(plan: DetectorPlan) -> Consumer:
    """Return the consumer that detects until it is stopped, and explains its signals meanwhile."""
    detectors = Detectors(plan.rules)
    services: list[Service] = []
    router = NatsRouter()
    rules = detector_rules(plan.rules, detectors.funding.find_known)
    add_explaining(router, "detectors", rules, lambda: services[-1].bus)

    async def run(service: Service) -> None:
        services.append(service)
        service.keeps(detectors.sizes)
        serving = Serving(service.bus, service.broker, router)
        try:
            await serving.open()
            await _run(service, plan, detectors)
        finally:
            await serving.close()

    return Consumer(run, router)


async def _run(service: Service, plan: DetectorPlan, detectors: Detectors) -> None:
    """Detect until the service is stopped; then send what is decided, and save."""
    bus = service.bus
    letters, announcer = DeadLetters(bus, service.name), Announcer(bus, service.name)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with AsyncExitStack() as stack:
        stack.callback(failed.cancel)
        writer = BucketWriter(bus, streams.POSITIONS)
        for end in (writer.close, letters.flush, announcer.flush):
            stack.push_async_callback(end)
        saved = await _restore(bus, detectors, letters)
        known = await _find_published(bus, detectors, saved, letters)
        unsent = _Unsent(bus, frozenset(signal.id for signal in known))
        watching = Watching(letters.keep, announcer.on_missed, unsent.add)
        readings = [Reading(bus, feed, watching, failed) for feed in detectors.feeds()]
        for reading in readings:
            stack.push_async_callback(reading.close)
            await reading.open(saved.places.get(reading.feed.stream), known)
            if reading.feed.stream == streams.MARKET:  # the prices that the others value by
                await reading.until_current()
        books = await _sample(bus, plan, letters, stack)
        service.ready()
        report = partial(_report, service, detectors, unsent)
        save = partial(_save, writer, detectors, readings)
        await _serve(service, plan, (unsent, save, report), (failed, books.failed))
        for reading in readings:
            await reading.close()
        await unsent.send()
        save()


async def _serve(
    service: Service,
    plan: DetectorPlan,
    doing: tuple[_Unsent, Callable[[], None], Callable[[], None]],
    failing: tuple[asyncio.Future[None], ...],
) -> None:
    unsent, save, report = doing
    saved = clock.monotonic()
    async for _ in ticks(service.stop, plan.tick_seconds, *failing):
        await unsent.send()
        if clock.monotonic() - saved >= plan.save_seconds:
            save()
            report()
            saved = clock.monotonic()


async def _sample(bus: Bus, plan: DetectorPlan, letters: DeadLetters, stack: AsyncExitStack) -> LaneReader:
    """Publish samples of the books from now on."""
    lane = LanePublisher(bus, on_gap=_pass_over)
    stack.callback(lane.close)
    sampler = BookSampler(plan.sample_every, lane)
    books = LaneReader(bus, Watchers(letters.keep, _pass_over))
    stack.push_async_callback(books.close)
    await books.subscribe(subjects.ALL_BOOKS, sampler.decode, sampler.on_batch)
    return books


def _pass_over(_messages: int) -> None:
    """Do nothing: the next book of each instrument is a sample as good."""


async def _restore(bus: Bus, detectors: Detectors, letters: DeadLetters) -> Saved:
    """Take back what was saved and return where to go on."""
    mirror = await Mirror(bus, streams.POSITIONS).open()
    await mirror.close()
    place = Restored(streams.POSITIONS, letters.keep)
    for prefix, restore in ((FUNDING_KEYS, detectors.funding.restore), (LISTING_KEYS, detectors.listings.restore)):
        for key, entry in mirror.entries(prefix):
            place.read(key, entry.value, partial(restore, key.removeprefix(prefix)))
    entry = mirror.get(KEY)
    saved = None if entry is None else place.read(KEY, entry.value, msgspec.json.Decoder(Saved).decode)
    return saved or Saved({})


async def _find_published(bus: Bus, detectors: Detectors, saved: Saved, letters: DeadLetters) -> list[Any]:
    """Return the signals that were published since the longest silence before the oldest saved place began."""
    oldest = min((place.time_ns for place in saved.places.values()), default=clock.now_ns())
    since = Start(time_ns=oldest - detectors.longest_cooldown - _MARGIN)
    rows = await read_past(bus, streams.SIGNALS, SIGNALS, since)
    return [signal for _, signal in Batch(rows, read_event, letters.keep).events]


def _save(writer: BucketWriter, detectors: Detectors, readings: list[Reading]) -> None:
    for tail, document in detectors.funding.save().items():
        writer.put(FUNDING_KEYS + tail, document)
    for unit, document in detectors.listings.save().items():
        writer.put(LISTING_KEYS + unit, document)
    places = {reading.feed.stream: reading.place for reading in readings}
    writer.put(KEY, msgspec.json.encode(Saved(places)))


def _report(service: Service, detectors: Detectors, unsent: _Unsent) -> None:
    service.report("signals", unsent.sent)
    service.report("forgotten", detectors.forgotten)
