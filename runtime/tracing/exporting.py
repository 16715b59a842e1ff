"""Where spans go: OTLP over HTTP, in batches from a thread of its own; without any text that an error had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

from opentelemetry import context as contexts
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, Status, TraceState
from opentelemetry.util.types import Attributes

from runtime.config.settings import TraceSettings
from runtime.tracing.tracing import BEGUN, OFF, Tracing

_SECONDS: Final = 5.0  # for one request of the exporter
_PATH: Final = "/v1/traces"
_ERROR_TYPE: Final = "exception.type"


def make_tracing(settings: TraceSettings, part: str) -> Tracing:
    """Return what a part traces with: `OFF` where no endpoint is set, and nothing of the exporter is loaded then."""
    if not settings.endpoint:
        return OFF
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - see above

    headers = None if settings.headers is None else read_headers(settings.headers.get_secret_value())
    endpoint = settings.endpoint.rstrip("/") + _PATH
    exporter = WithoutTexts(OTLPSpanExporter(endpoint=endpoint, headers=headers, timeout=_SECONDS))
    provider = make_provider(part)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider, float(settings.ratio))


def make_provider(part: str) -> TracerProvider:
    """Return a provider that records what was begun by `Tracing.start`, and what is under a sampled trace."""
    resource = Resource.create({"service.name": f"hydrophone-{part}", "service.namespace": "hydrophone"})
    return TracerProvider(sampler=ParentBased(_Begun()), resource=resource, shutdown_on_exit=False)


def read_headers(text: str) -> dict[str, str]:
    """Return headers that are written as `name=value,name=value`, percent-encoded.

    https://opentelemetry.io/docs/specs/otel/protocol/exporter/#specifying-headers-via-environment-variables
    """
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {unquote(name.strip()).lower(): unquote(value.strip()) for name, _, value in pairs}


class _Begun(Sampler):
    """Of roots takes those that `Tracing.start` begins: FastStream begins one for each message that has no parent."""

    def should_sample(  # noqa: PLR0917 - OpenTelemetry's signature
        self,
        parent_context: contexts.Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        begun = contexts.get_value(BEGUN, parent_context)
        return SamplingResult(Decision.RECORD_AND_SAMPLE if begun else Decision.DROP, attributes)

    def get_description(self) -> str:
        return "begun by Hydrophone"


class WithoutTexts(SpanExporter):
    """Exports spans without messages and stacks of errors, which may quote anything; an error's type is kept."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export spans; may block."""
        return self._exporter.export([bare(span) for span in spans])

    def shutdown(self) -> None:
        """Let go of connections."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Return whether everything was exported in time."""
        return self._exporter.force_flush(timeout_millis)


def bare(span: ReadableSpan) -> ReadableSpan:
    """Return a span without the texts of its events and of its status."""
    types = [
        event.attributes[_ERROR_TYPE] for event in span.events if event.attributes and _ERROR_TYPE in event.attributes
    ]
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={**(span.attributes or {}), **({"error.type": types[-1]} if types else {})},
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
