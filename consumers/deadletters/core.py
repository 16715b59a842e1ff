"""What a dead letter says, from its subject, headers and body. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts import subjects
from contracts.services.deadletters import LONGEST_BODY, DeadLetter

_ONE_READER: Final = (subjects.JOB, subjects.ANALYTICS)  # of what all others read each would get a second copy


def read_letter(number: int, subject: str, at: int, headers: Mapping[str, str], body: bytes) -> DeadLetter:
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
        retryable=original.startswith(_ONE_READER),
    )


def stream_of(subject: str) -> str | None:
    """Return the stream that a letter's message goes back to; None where it may not be published again."""
    if subject.startswith(subjects.JOB):
        return "JOBS"
    return "ANALYTICS" if subject.startswith(subjects.ANALYTICS) else None
