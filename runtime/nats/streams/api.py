"""The JetStream API's words: requests with their refusals, positions in reply subjects, times."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from runtime.nats.bus import Bus

NOT_FOUND = 404  # an ApiRefusalError's code where there is no such stream, consumer or message
_SHORT_ACK_TOKENS = 9
_SECOND_NS = 1_000_000_000


class ApiRefusalError(RuntimeError):
    """The server refused a JetStream request; `code` is HTTP-like."""

    def __init__(self, request: str, code: int, description: str) -> None:
        super().__init__(f"{request}: {description} ({code})")
        self.code = code


@dataclass(frozen=True, slots=True)
class Position:
    """Where a delivered message stands; `time_ns` is when the stream took it (ns UTC), `pending` how many follow."""

    stream_seq: int
    consumer_seq: int
    time_ns: int
    pending: int


async def call(bus: Bus, name: str, body: bytes = b"", timeout: float = 5.0) -> dict[str, Any]:
    """One JetStream request's answer within `timeout` seconds; ApiRefusalError carries the server's own words."""
    answer = cast("dict[str, Any]", json.loads(await bus.api(name, body, timeout)))
    if error := answer.get("error"):
        raise ApiRefusalError(name, int(error.get("code", 0)), str(error.get("description", error)))
    return answer


def ack_position(reply: bytes) -> Position:
    """Read `$JS.ACK.[domain.account.]stream.consumer.delivered.stream_seq.consumer_seq.time.pending`.

    https://docs.nats.io/reference/reference-protocols/nats_api_reference
    """
    tokens = reply.split(b".")
    at = 5 if len(tokens) == _SHORT_ACK_TOKENS else 7
    return Position(*(int(token) for token in tokens[at : at + 4]))


def rfc3339(time_ns: int) -> str:
    """A time as the server writes it: UTC, nanoseconds without trailing zeros."""
    seconds, fraction = divmod(time_ns, _SECOND_NS)
    text = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def parse_rfc3339(text: str) -> int:
    """A time as the server writes it, as ns UTC; ValueError for another form."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.strptime(f"{whole}+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp()
    return int(seconds) * _SECOND_NS + int(f"{fraction:0<9}")
