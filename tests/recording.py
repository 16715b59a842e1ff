"""What a process would trace with, its spans in memory: for tests of traces."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime.tracing.exporting import WithoutTexts, make_provider
from runtime.tracing.tracing import Tracing

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
"""The `traceparent` of a sampled span of somebody else."""


def recording(ratio: float = 1.0, part: str = "test") -> tuple[Tracing, InMemorySpanExporter]:
    """Return a tracing that begins a trace for this share (0 to 1), and the spans that ended so far."""
    spans, provider = InMemorySpanExporter(), make_provider(part)
    provider.add_span_processor(SimpleSpanProcessor(WithoutTexts(spans)))
    return Tracing(provider, ratio), spans


def ids(span: ReadableSpan) -> tuple[int, int]:
    """Return the ids of a span's trace and of the span."""
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def parent_ids(span: ReadableSpan) -> tuple[int, int] | None:
    """Return the ids of the span that it is under, as `ids` does; None of a root."""
    return None if span.parent is None else (span.parent.trace_id, span.parent.span_id)
