"""The last message of each of many subjects, as of a time or a place in a stream, in few requests (`multi_last`).

https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-31.md
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.schema.routes import subject_text
from runtime.nats import wire
from runtime.nats.bus import Bus, NoAnswerError
from runtime.nats.lanes.parser import Message
from runtime.nats.streams.api import ApiRefusalError, parse_rfc3339, rfc3339

MOST_SUBJECTS: Final = 256  # of one request; a server takes 1024
_NO_RESULTS: Final = b"NATS/1.0 404"
_END: Final = b"NATS/1.0 204"
_STATUS: Final = b"NATS/1.0 "
_SUBJECT: Final = b"Nats-Subject: "
_SEQUENCE: Final = b"Nats-Sequence: "
_LAST: Final = b"Nats-Last-Sequence: "
_UP_TO: Final = b"Nats-UpTo-Sequence: "
_PENDING: Final = b"Nats-Num-Pending: "
_TIME: Final = b"Nats-Time-Stamp: "
_DELETED: Final = (b"KV-Operation: DEL", b"KV-Operation: PURGE", b"Nats-Marker-Reason: ")


@dataclass(frozen=True, slots=True)
class Kept:
    """One message: `seq` in its stream; of one that another stream published again, `time_ns` is when that took it.

    `value` is None where it says that a key was deleted.
    """

    seq: int
    time_ns: int
    value: bytes | None


class _Answers:
    """Receives what one request is answered with until it ends."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.found: dict[str, Kept] = {}

    def take(self, messages: list[Message], /) -> None:
        """Keep the messages; what ends them is the result of `ended`, or NoAnswerError."""
        for message in messages:
            _, payload, _, headers = message[:4]
            if not payload and headers.startswith(_STATUS):
                if not self.ended.done():
                    self.ended.set_result(headers)
            else:
                subject = subject_text(_last(headers, _SUBJECT))
                time_ns = parse_rfc3339(_first(headers, _TIME).decode())
                deleted = any(mark in headers for mark in _DELETED)
                self.found[subject] = Kept(int(_last(headers, _SEQUENCE)), time_ns, None if deleted else payload)


async def read_lasts(
    bus: Bus, stream: str, subjects: Sequence[str], *, time_ns: int | None = None, seq: int | None = None
) -> dict[str, Kept]:
    """Return by subject the last message that the stream took at a time (ns UTC) or before, or up to a sequence.

    A subject without one is left out. ApiRefusalError for a request that the server refuses, NoAnswerError where it
    does not answer within 2 s.
    """
    found: dict[str, Kept] = {}
    for begin in range(0, len(subjects), MOST_SUBJECTS):
        body: dict[str, Any] = {"multi_last": list(subjects[begin : begin + MOST_SUBJECTS])}
        if seq is not None:
            body["up_to_seq"] = seq
        elif time_ns is not None:
            body["up_to_time"] = rfc3339(time_ns + 1)  # the server's bound is not in it
        while body:
            answers = await _request(bus, stream, body)
            found |= answers.found
            body = _rest(body, answers.ended.result())
    return found


async def _request(bus: Bus, stream: str, body: dict[str, Any]) -> _Answers:
    inbox, answers = bus.client.new_inbox(), _Answers()
    subscription = await wire.subscribe(bus.client, inbox, "", answers)
    try:
        await bus.client.publish(f"$JS.API.DIRECT.GET.{stream}", json.dumps(body).encode(), reply=inbox)
        async with asyncio.timeout(_SECONDS):
            end = await answers.ended
    except TimeoutError:
        raise NoAnswerError(f"stream {stream}: no answer within {_SECONDS} s") from None
    finally:
        await wire.unsubscribe(bus.client, subscription)
    if not end.startswith((_END, _NO_RESULTS)):
        raise ApiRefusalError(f"DIRECT.GET.{stream}", int(end[9:12]), end[12:].split(b"\r\n")[0].decode().strip())
    return answers


def _rest(body: dict[str, Any], end: bytes) -> dict[str, Any]:
    """Return the request of what an answer had no room for; nothing where it had."""
    if end.startswith(_NO_RESULTS) or int(_last(end, _PENDING)) == 0:
        return {}
    return {"multi_last": body["multi_last"], "seq": int(_last(end, _LAST)) + 1, "up_to_seq": int(_last(end, _UP_TO))}


def _first(headers: bytes, name: bytes) -> bytes:
    at = headers.index(name) + len(name)
    return headers[at : headers.index(b"\r\n", at)]


def _last(headers: bytes, name: bytes) -> bytes:
    at = headers.rindex(name) + len(name)
    return headers[at : headers.index(b"\r\n", at)]


_SECONDS: Final = 2.0
