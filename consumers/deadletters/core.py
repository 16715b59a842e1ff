"""What a dead letter says, from its subject, headers and body. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts import streams, subjects
from contracts.services.deadletters import LONGEST_BODY, DeadLetter

_ONE_READER: Final = {
    streams.REMINDERS: subjects.WEBHOOK_JOB,
    streams.JOBS: subjects.TELEGRAM_JOB,
    streams.ANALYTICS: subjects.ANALYTICS,
}


def read_letter(number: int, subject: str, body: bytes, *, at: int, headers: Mapping[str, str]) -> DeadLetter:
    """Return a message of the stream as a letter."""
    consumer, _, original = subject.removeprefix(subjects.DEAD_LETTER).partition(".")
    deliveries = headers.get(subjects.HEADER_DELIVERIES, "")
    return DeadLetter(
        id=str(number),
        consumer=consumer,
        subject=original,
        at=at,
        error=headers.get(subjects.HEADER_ERROR, ""),
        deliveries=int(deliveries) if deliveries.isdigit() else None,
        body=body[: 4 * LONGEST_BODY].decode(errors="replace")[:LONGEST_BODY],
        size=len(body),
        retryable=stream_of(original) is not None,
    )


def stream_of(subject: str) -> str | None:
    """Return the stream that a message is published to again.

    None where that may not be: what many read, each of them would get twice.
    """
    return next((stream for stream, prefix in _ONE_READER.items() if subject.startswith(prefix)), None)


def read_headers(block: bytes) -> dict[str, str]:
    """Return the headers of a stored message, from their bytes as they stand in the stream."""
    lines = block.decode("utf-8", "replace").split("\r\n")  # the first is the version
    return {name.strip(): value.strip() for name, mark, value in (line.partition(":") for line in lines) if mark}
