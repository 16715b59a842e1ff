"""What is kept of an endpoint's events: rows in pages, the dead, and what the reconciler looks at. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_ROWS: Final = 100  # of one page


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event as it is kept; `body` are the bytes that are posted. `digest` names the event it is coalesced into.

    `trace`: the W3C `traceparent` of an event that is sampled.
    """

    sequence: int
    event_id: str
    event_type: str
    lane: str
    body: bytes
    created_ns: int
    digest: str | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive events of one endpoint."""

    endpoint: str
    owner: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """An event that will not be posted again by itself, and whose fault that is."""

    event_id: str
    endpoint: str
    owner: str
    sequence: int
    event_type: str
    at_ns: int
    attempts: int
    fault: str
    error: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What the reconciler looks at: `wake` is when an event is due (ns UTC), -1 for none."""

    next: int
    wake: int
    blocked_until: int
    disabled: int
    open: int  # how many were looked at and are not settled
    is_stopped: bool  # by an open circuit, or disabled
    notice: bool  # of a change that its owner is not notified of yet
    asked: bool  # a replay, a retry or a resume waits to be read
