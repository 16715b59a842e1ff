"""Matches the events of the bus with endpoints, numbers and keeps them, and queues a job: one process at a time does.

The order of writes: pages with their sequences, then jobs, then how far the streams were read. Whoever goes on after a
death reads some events again and knows by their ids those that are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import structlog
from nats.errors import Error as NatsError

from consumers.webhooks.delivery.queue import JobQueue
from consumers.webhooks.delivery.rules import SECOND_NS, DigestRules
from consumers.webhooks.matching.coalescing import Coalescing, Matched
from consumers.webhooks.matching.numbering import Numbering
from consumers.webhooks.matching.reading import StreamRow
from consumers.webhooks.matching.subscribers import Subscribers
from consumers.webhooks.payloads.body import event_id
from consumers.webhooks.payloads.facts import NO_SOURCES, Fact, Sources
from consumers.webhooks.registry.endpoint import Endpoint
from consumers.webhooks.store.events import EventStore
from runtime import clock
from runtime.app.fold import Fault, fold_each
from runtime.app.resume import Mark, find_start
from runtime.nats.bus import Bus
from runtime.nats.lanes.publisher import LaneReader
from runtime.nats.streams.api import call
from runtime.tracing.context import Parent
from runtime.tracing.tracing import Tracing, trace_of

_log = structlog.get_logger("webhooks")
_KNOWN: Final = 200_000  # ids of the newest events
_MOST_WAITING: Final = 50_000  # matched and not kept yet; more end the consumer, which goes on from what it kept
_MARGIN_NS: Final = 60 * SECOND_NS
_SAVE_SECONDS: Final = 5.0  # what was read again is known by its ids
_NEWEST: Final = 500  # of an endpoint: more than is written at once


class TooManyWaitingError(RuntimeError):
    """The documents take nothing any more, and more events wait than may."""


class Matcher:
    """Of the process that has the lease."""

    def __init__(
        self,
        events: EventStore,
        queue: JobQueue,
        subscribers: Subscribers,
        *,
        digests: DigestRules,
        sources: Sources = NO_SOURCES,
    ) -> None:
        self._events, self._queue = events, queue
        self._tracing = queue.bus.tracing
        self._subscribers, self._sources = subscribers, sources
        self._margin_ns = _MARGIN_NS + int(digests.seconds * SECOND_NS)
        self._coalescing = Coalescing(digests)
        self._numbering = Numbering()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._groups: list[list[Matched]] = []
        self._read: dict[str, int] = {}  # by stream: the last sequence that was read
        self._saved: dict[str, int] = {}
        self._saved_at = float("-inf")
        self.matched = 0
        self.coalesced = 0

    async def open(self, bus: Bus, reader: LaneReader, reading: Sequence[StreamRow]) -> None:
        """Go on reading where the last process was; from now on where none was."""
        positions = await self._events.load_positions()
        if positions:
            oldest = min(read_by for _, read_by in positions.values())
            async for known in self._events.ids_since(oldest - self._margin_ns):
                self._know(known)
        for row in reading:
            stream = row.stream
            if stream not in positions:
                last = int((await call(bus, f"STREAM.INFO.{stream}"))["state"]["last_seq"])
                positions[stream] = (last, clock.now_ns())
                await self._events.save_positions({stream: positions[stream]})
            sequence, read_by = positions[stream]
            start = (await find_start(bus, stream, Mark(sequence, read_by))).start
            self._read[stream] = self._saved[stream] = sequence
            await reader.stream(stream, row.subjects, row.decode, partial(self.on_batch, row), start=start)

    def on_batch(self, row: StreamRow, batch: Sequence[tuple[str, Any]], last: int) -> Sequence[Fault]:
        """Match a batch of events; give the faults of those that no fact can be made of."""
        now_ns, before = clock.now_ns(), self._read.get(row.stream, 0)

        def on_event(_subject: str, event: Any) -> None:
            fact = row.make_fact(event, self._sources)
            if fact is not None:
                self._match(fact, row.stream, before, now_ns)

        faults = fold_each(batch, on_event)
        self._read[row.stream] = last
        if len(self._groups) > _MOST_WAITING:
            raise TooManyWaitingError(f"{len(self._groups)} events wait for the documents")
        return faults

    def add(self, endpoint: Endpoint, fact: Fact) -> None:
        """Queue an event of our own for one endpoint; one that is known already is left out."""
        self._admit(Matched(endpoint.id, event_id(endpoint.id, fact.source_id), fact), clock.now_ns())

    def _match(self, fact: Fact, stream: str, before: int, now_ns: int) -> None:
        parent = self._tracing.known.find(fact.source_id) if self._tracing.on else None
        for endpoint in self._subscribers.wanting(fact, now_ns):
            known = event_id(endpoint.id, fact.source_id)
            trace = None if parent is None else _trace_job(self._tracing, parent, known, fact.event_type)
            self._admit(Matched(endpoint.id, known, fact, stream, before, trace), now_ns)

    def _admit(self, matched: Matched, now_ns: int) -> None:
        if matched.event_id in self._known:
            return
        self._know(matched.event_id)
        if self._coalescing.admit(matched, now_ns):
            self._groups.append([matched])

    def _know(self, known: str) -> None:
        self._known[known] = None
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)

    async def write(self, *, everything: bool = False) -> int:
        """Keep and queue what was matched; return how many events. `everything`: what is held for digests, too."""
        now_ns = clock.now_ns()
        ended = list(self._coalescing.ended(now_ns, all_of_them=everything))
        groups, self._groups = [*self._groups, *ended], []
        read, held = dict(self._read), self._coalescing.positions()
        owners, known = await self._begin({group[0].endpoint for group in groups})
        groups = [[one for one in group if one.endpoint in owners and one.event_id not in known] for group in groups]
        groups = [group for group in groups if group]
        pages = self._numbering.pages(groups, owners, now_ns)
        if pages:
            await self._events.add_pages(pages)
            try:
                await self._queue.wake_all(list(owners))
            except NatsError as error:  # the reconciler queues them
                _log.warning("webhooks.not_queued", endpoints=len(owners), error=str(error) or type(error).__name__)
            self.matched += sum(len(group) for group in groups)
            self.coalesced += sum(len(group) for group in groups if len(group) > 1)
        await self._save_positions({stream: min(last, held.get(stream, last)) for stream, last in read.items()})
        return sum(len(page.rows) for page in pages)

    async def _begin(self, endpoints: set[str]) -> tuple[dict[str, str], set[str]]:
        """Return the owners of those that are still there, each with a sequence to go on from.

        Also the ids of the newest events of those that are begun: whoever had the lease before may have written them
        since this process began. From now on one of two writers fails.
        """
        owners, known = dict[str, str](), set[str]()
        for endpoint_id in endpoints:
            endpoint = self._subscribers.find(endpoint_id)
            if endpoint is None:
                self._numbering.forget(endpoint_id)
                continue
            if self._numbering.last(endpoint_id) is None:
                last = await self._events.last_sequence(endpoint_id)
                self._numbering.begin(endpoint_id, last)
                known |= await self._events.ids_after(endpoint_id, last - _NEWEST)
            owners[endpoint_id] = endpoint.owner
        return owners, known

    async def last_sequence(self, endpoint_id: str) -> int:
        """Return the last sequence of an endpoint."""
        last = self._numbering.last(endpoint_id)
        return await self._events.last_sequence(endpoint_id) if last is None else last

    async def _save_positions(self, positions: dict[str, int]) -> None:
        if positions == self._saved or clock.monotonic() - self._saved_at < _SAVE_SECONDS:
            return
        now_ns = clock.now_ns()
        moved = {stream: (at, now_ns) for stream, at in positions.items() if self._saved.get(stream) != at}
        await self._events.save_positions(moved)
        self._saved, self._saved_at = positions, clock.monotonic()


def _trace_job(tracing: Tracing, parent: Parent, known: str, event_type: str) -> str | None:
    """Return the `traceparent` of an event that an endpoint gets, under a span from its receipt until now."""
    about = {"hydrophone.webhook.event.id": known, "hydrophone.webhook.event.type": event_type}
    span = tracing.start("match webhook", parent, attributes=about, start_ns=parent.received_ns or None)
    span.end()
    return trace_of(span)
