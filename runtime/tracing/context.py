"""The W3C trace context of a message, and the contexts of the newest events by their ids. Pure.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, Final, NamedTuple

from contracts.subjects import HEADER_TRACE

_PARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")
_LINE: Final = f"\r\n{HEADER_TRACE}: ".encode()
_SAMPLED: Final = 1
_SOURCES: Final = ("trade_ids", "whale_ids", "liquidation_ids", "event_ids", "causes")
MOST_KNOWN: Final = 20_000


class Parent(NamedTuple):
    """The span that a message was published under, and when the message was received here (ns UTC, 0: not known)."""

    trace_id: int
    span_id: int
    received_ns: int = 0


def read_parent(text: str | None, received_ns: int = 0) -> Parent | None:
    """Return the span that a `traceparent` names; None where there is none, it is malformed, or not sampled."""
    found = None if text is None else _PARENT.fullmatch(text)
    if found is None or not int(found[3], 16) & _SAMPLED:
        return None
    return Parent(int(found[1], 16), int(found[2], 16), received_ns)


def write_parent(trace_id: int, span_id: int) -> str:
    """Return the `traceparent` of a sampled span."""
    return f"00-{trace_id:032x}-{span_id:016x}-{_SAMPLED:02x}"


def find_header(headers: bytes) -> str | None:
    """Return the `traceparent` among the headers of a message as they came; None where there is none."""
    at = headers.find(_LINE)
    if at < 0:
        return None
    begin = at + len(_LINE)
    return headers[begin : headers.find(b"\r\n", begin)].decode("ascii", "replace")


def source_ids(event: Any) -> list[str]:
    """Return the ids of the events that a signal or alert follows from, the one that completed it last."""
    return [known for name in _SOURCES for known in getattr(event, name, None) or ()]


class KnownParents:
    """The spans of the newest events that came with a trace context, by the events' ids; at most `most`."""

    def __init__(self, most: int = MOST_KNOWN) -> None:
        self._known: OrderedDict[str, Parent] = OrderedDict()
        self._most = most

    def put(self, event_id: str, parent: Parent) -> None:
        """Remember an event's span."""
        self._known[event_id] = parent
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def find(self, event_id: str) -> Parent | None:
        """Return an event's span; None where it is not sampled, or is forgotten."""
        return self._known.get(event_id)

    def find_all(self, event_ids: list[str]) -> list[Parent]:
        """Return the spans of those that are known, in order."""
        return [known for one in event_ids if (known := self._known.get(one)) is not None] if self._known else []
