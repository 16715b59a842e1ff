"""A lane that begins a trace with a share of trades, liquidations, funding and open interest: from frame to bus.

It stands before the lane of a process that traces, and nowhere else.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from opentelemetry.trace import SpanKind

from contracts import subjects
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA
from producers.connection.publisher import Lane
from runtime import clock
from runtime.nats.bus import subject_class
from runtime.nats.lanes.message import Parts, make_parts, split_message
from runtime.tracing.context import Parent
from runtime.tracing.tracing import Tracing, trace_of

_KINDS: Final = (subjects.TRADE, subjects.LIQUIDATION, subjects.FUNDING, subjects.INTEREST)
_TRACED: Final = tuple(f"HPUB {subject}".encode() for subject in _KINDS)
_decode: Final = msgspec.json.Decoder().decode


class TracedLane:
    """Passes everything on; a sampled event of those with the `traceparent` of its spans."""

    def __init__(self, lane: Lane, tracing: Tracing) -> None:
        self._write, self._tracing = lane.write, tracing

    def write(self, parts: Parts) -> None:
        """Hand over one message."""
        if parts[0].startswith(_TRACED) and self._tracing.chooses():
            parts = self._trace(parts)
        self._write(parts)

    def _trace(self, parts: Parts) -> Parts:
        """Return a message with its trace: a span from the receipt of its frame on, and one of its publishing."""
        subject, headers, body = split_message(parts)
        event: dict[str, Any] = _decode(body)
        about: dict[str, str | int | bool] = {
            "hydrophone.event.id": event["id"],
            "hydrophone.venue": event["venue"],
            "hydrophone.symbol": event["symbol"],
            "hydrophone.simulated": event["sim"],
        }
        if event.get("ts_event") is not None:
            about["hydrophone.receive_ms"] = (event["ts_recv"] - event["ts_event"]) // 1_000_000
        now = clock.now_ns()
        start = min(event["ts_recv"], now)
        frame = self._tracing.start(
            f"frame {event['venue']}", None, kind=SpanKind.CONSUMER, attributes=about, start_ns=start
        )
        within = frame.get_span_context()
        name = f"publish {subject_class(subject)}"
        publish = self._tracing.start(
            name, Parent(within.trace_id, within.span_id), kind=SpanKind.PRODUCER, start_ns=now
        )
        publish.end()
        frame.end()
        return make_parts(
            subject,
            body,
            schema=headers[HEADER_SCHEMA],
            msg_id=headers[HEADER_MESSAGE_ID],
            traceparent=trace_of(publish),
        )
