"""Spans of one process: begun for a share of what comes, and of everything that came under a sampled trace.

A process that exports nothing has `OFF`: whoever has something to trace asks `on` first, and does no more where it is
False. No text of an error and no body is in a span (`runtime.tracing.exporting`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from random import random
from typing import Any, Final, Protocol
from zlib import crc32

from opentelemetry import context as contexts
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    TracerProvider,
    get_current_span,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace import NoOpTracer as _NoOpTracer

from contracts.subjects import HEADER_TRACE
from runtime import clock
from runtime.tracing.context import KnownParents, Parent, find_header, read_parent, source_ids, write_parent

Attributes = Mapping[str, str | int | bool]
NO_ATTRIBUTES: Final[Attributes] = {}
NO_LINKS: Final[Sequence[Parent]] = ()
BEGUN: Final = contexts.create_key("hydrophone-begun")
"""Of a context in which a trace is begun by us: `runtime.tracing.exporting` samples no other root."""
_CLOSE_SECONDS: Final = 5.0
_CRC_MOST: Final = 2**32


class Provider(Protocol):
    """What makes tracers, and exports what waits when it is shut down."""

    def get_tracer(self, name: str, /) -> Tracer:
        """Return a tracer."""
        ...

    def shutdown(self) -> None:
        """Export what waits; may block."""
        ...


class Tracing:
    """What a process traces with. `ratio`: the share (0 to 1) of events and requests for which a trace is begun.

    `on`: whether spans are exported at all. `provider` is FastStream's, too; None for the OpenTelemetry of the process.
    """

    def __init__(
        self, provider: Any = None, ratio: float = 0.0, *, chance: Callable[[], float] = random
    ) -> None:  # a `Provider`
        self.on = provider is not None
        self.ratio = ratio if self.on else 0.0
        self.provider: TracerProvider | None = provider
        self.known = KnownParents()
        self._exporting: Provider | None = provider
        self._tracer: Tracer = _NoOpTracer() if provider is None else provider.get_tracer("hydrophone")
        self._chance = chance

    async def close(self) -> None:
        """Export what waits, for at most 5 seconds."""
        if self._exporting is None:
            return
        exporting, self._exporting = self._exporting, None
        await asyncio.wait([asyncio.ensure_future(asyncio.to_thread(exporting.shutdown))], timeout=_CLOSE_SECONDS)

    def chooses(self) -> bool:
        """Return whether to begin a trace with what has just come."""
        return self.ratio > 0 and self._chance() < self.ratio

    def chooses_id(self, event_id: str) -> bool:
        """Return whether to begin a trace with an event: the same for the same id, however often it is published."""
        return crc32(event_id.encode()) < self.ratio * _CRC_MOST

    def start(
        self,
        name: str,
        parent: Parent | None,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = NO_ATTRIBUTES,
        links: Sequence[Parent] = NO_LINKS,
        start_ns: int | None = None,
    ) -> Span:
        """Return a span that is begun under `parent`, and begins a trace where that is None; whoever has it ends it."""
        if parent is None:
            context = contexts.set_value(BEGUN, value=True, context=contexts.Context())
        else:
            context = set_span_in_context(NonRecordingSpan(_context_of(parent)), contexts.Context())
        return self._tracer.start_span(
            name,
            context,
            kind,
            dict(attributes),
            [Link(_context_of(one)) for one in links],
            start_ns,
        )

    def note(self, headers: bytes, event: Any) -> None:
        """Remember the trace that an event came under, if any; `headers` as they came."""
        parent = read_parent(find_header(headers), clock.now_ns()) if headers else None
        if parent is not None:
            self.known.put(event.id, parent)

    def note_current(self, event: Any) -> None:
        """Remember that an event is handled under the present span."""
        if (parent := current_parent()) is not None:
            self.known.put(event.id, parent)

    def find_sources(self, event: Any) -> list[Parent]:
        """Return the spans that a signal or alert follows from, the one to continue last; empty for none."""
        found = self.known.find_all(source_ids(event))
        if not found and (present := current_parent()) is not None:
            return [present]
        return found

    @contextmanager
    def publishing(self, name: str, event: Any, attributes: Attributes = NO_ATTRIBUTES) -> Generator[dict[str, str]]:
        """Yield the headers of an event that follows from others, in a span from their receipt until it is published.

        Without sampled sources a trace is begun for a share of events; empty where there is none.
        """
        sources = self.find_sources(event) if self.on else []
        if not sources and not (self.on and self.chooses_id(event.id)):
            yield {}
            return
        span = self.start(
            name,
            sources[-1] if sources else None,
            kind=SpanKind.PRODUCER,
            attributes={"hydrophone.event.id": event.id, **attributes},
            links=sources[:-1],
            start_ns=(sources[-1].received_ns or None) if sources else None,
        )
        with use_span(span, end_on_exit=True):
            yield headers_of(span)

    @contextmanager
    def continuing(
        self, name: str, trace: str | None, *, kind: SpanKind, attributes: Attributes = NO_ATTRIBUTES
    ) -> Generator[Span]:
        """Yield a span under a `traceparent`, the present one while it lasts; one that records nothing without it."""
        parent = read_parent(trace) if self.on else None
        if parent is None:
            yield INVALID_SPAN
            return
        with use_span(self.start(name, parent, kind=kind, attributes=attributes), end_on_exit=True) as span:
            yield span

    @contextmanager
    def beginning(self, name: str, *, kind: SpanKind, attributes: Attributes = NO_ATTRIBUTES) -> Generator[Span]:
        """Yield a span that begins a trace, the present one while it lasts; whether to begin one `chooses` says."""
        with use_span(self.start(name, None, kind=kind, attributes=attributes), end_on_exit=True) as span:
            yield span

    @contextmanager
    def answering(self, method: str, route: str, trace: str) -> Generator[Span]:
        """Yield the span of an HTTP request, under the caller's `traceparent` if it is a sampled one.

        Of what was requested only the route is in it: paths, queries and callers may be anybody's secret.
        """
        about = {"http.request.method": method, "http.route": route}
        span = self.start(f"{method} {route}", read_parent(trace), kind=SpanKind.SERVER, attributes=about)
        with use_span(span, end_on_exit=True):
            yield span

    @contextmanager
    def requesting(self, subject: str) -> Generator[dict[str, str]]:
        """Yield the headers of a request that is made under the present span, with a span of its own; empty without."""
        parent = current_parent() if self.on else None
        if parent is None:
            yield {}
            return
        span = self.start(f"request {subject}", parent, kind=SpanKind.CLIENT)
        with use_span(span, end_on_exit=True):
            yield headers_of(span)


OFF: Final = Tracing()
"""Of a process that exports no spans; it keeps nothing."""


def current_parent() -> Parent | None:
    """Return the present span; None where there is none, or it is not sampled."""
    found = get_current_span().get_span_context()
    return Parent(found.trace_id, found.span_id) if found.is_valid and found.trace_flags.sampled else None


def current_headers() -> dict[str, str]:
    """Return the headers that name the present span; empty where there is none."""
    return headers_of(get_current_span())


def headers_of(span: Span) -> dict[str, str]:
    """Return the headers that name a span; empty where it is not sampled."""
    trace = trace_of(span)
    return {} if trace is None else {HEADER_TRACE: trace}


def trace_of(span: Span) -> str | None:
    """Return the `traceparent` of a span; None where it is not sampled."""
    found = span.get_span_context()
    return write_parent(found.trace_id, found.span_id) if found.is_valid and found.trace_flags.sampled else None


def _context_of(parent: Parent) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=flags)
