"""Where to go on in a stream after what was read before: the one decision for every reader, at its start and later.

A sequence alone proves nothing: a stream that was deleted and made again, or that lost its tail in a power cut, gives
the same numbers to other messages, and soon has grown past the one that was read. What proves it is time by the
server's clock: nothing that the stream took after we had read a message can be that message.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

import structlog

from runtime.nats.bus import Bus
from runtime.nats.streams.api import ApiRefusalError, call, parse_rfc3339

_log = structlog.get_logger("resume")


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin: at a stream sequence, at a time (ns UTC), or, both None, with what comes from now on."""

    sequence: int | None = None
    time_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """The last message that was read: its sequence, and a time by which it had been read (ns UTC, the server's clock).

    That is the message's own time (`exact`), or the one at which the document that names the sequence was stored.
    """

    sequence: int
    read_by: int
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the server says of a stream: times in ns UTC; `taken_at` of the marked message, None where it has none.

    `created` is when the stream began to be what it is: a restored one is younger to the server than what it holds.
    """

    created: int
    first: int
    last: int
    taken_at: int | None


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where to go on. `missed`: messages that aged out unread; None: not known, it is another stream."""

    start: Start
    missed: int | None = 0


def decide_start(mark: Mark, found: Found) -> Resumed:
    """Go on after the marked message where the stream still is the one that was read, else after the mark's time."""
    taken_at = mark.read_by if found.taken_at is None else found.taken_at
    later = taken_at != mark.read_by if mark.exact else taken_at > mark.read_by
    if later or found.created > mark.read_by or found.last < mark.sequence:
        return Resumed(Start(time_ns=mark.read_by + 1), None)
    return Resumed(Start(sequence=mark.sequence + 1), max(0, found.first - mark.sequence - 1))


async def find_start(bus: Bus, stream: str, mark: Mark) -> Resumed:
    """Ask the server and decide; a stream that is another one now is logged. ApiRefusalError where there is none."""
    info = await call(bus, f"STREAM.INFO.{stream}")
    state = cast("dict[str, Any]", info["state"])
    first, last = int(state["first_seq"]), int(state["last_seq"])
    taken_at = await _find_time(bus, stream, mark.sequence) if first <= mark.sequence <= last else None
    resumed = decide_start(mark, Found(_find_beginning(info), first, last, taken_at))
    if resumed.missed is None:
        _log.warning("resume.other_stream", stream=stream, sequence=mark.sequence, last=last)
    return resumed


def _find_beginning(info: dict[str, Any]) -> int:
    """When the stream was created, or took its first message where that is earlier: only a restored one has older."""
    created = parse_rfc3339(str(info["created"]))
    state = cast("dict[str, Any]", info["state"])
    return min(created, parse_rfc3339(str(state["first_ts"]))) if state["messages"] else created


async def _find_time(bus: Bus, stream: str, sequence: int) -> int | None:
    """When the stream took a message; None where a newer one of its subject replaced it."""
    try:
        answer = await call(bus, f"STREAM.MSG.GET.{stream}", json.dumps({"seq": sequence}).encode())
    except ApiRefusalError:
        return None
    return parse_rfc3339(str(answer["message"]["time"]))
