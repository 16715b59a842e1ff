"""Reads what a post came to: an answer, a refusal, or a failure."""

from __future__ import annotations

from typing import Final

from consumers.webhooks.delivery.outcome import KEPT_BYTES, Outcome, read_retry_after
from consumers.webhooks.transport import Answer, DeliveryError, RefusedAddressError

_GONE: Final = 410
_ASKS_FOR_PATIENCE: Final = frozenset({429, 503})
_LONGEST_ERROR: Final = 300


def of_answer(answer: Answer, now_ns: int) -> Outcome:
    """Return the outcome of an answer: 2xx is a delivery, 410 the end, anything else (a redirect, too) a failure."""
    body = answer.body[:KEPT_BYTES]
    if answer.status // 100 == 2:  # noqa: PLR2004
        return Outcome(kind="delivered", status=answer.status, seconds=answer.seconds, answer=body)
    asked = read_retry_after(answer.headers, now_ns) if answer.status in _ASKS_FOR_PATIENCE else None
    return Outcome(
        kind="gone" if answer.status == _GONE else "failed",
        status=answer.status,
        seconds=answer.seconds,
        answer=body,
        error=f"HTTP {answer.status}",
        retry_after=asked,
    )


def of_error(error: Exception) -> Outcome:
    """Return the outcome of an attempt without an answer; what is no fault of the receiver is ours."""
    if isinstance(error, RefusedAddressError):
        return Outcome(kind="hopeless", error=_text("refused", error))
    if isinstance(error, DeliveryError):
        return Outcome(kind="failed", error=_text(error.kind, error), seconds=error.seconds)
    return Outcome(kind="failed", error=_text(type(error).__name__, error), fault="ours")


def _text(kind: str, error: Exception) -> str:
    return f"{kind}: {error}"[:_LONGEST_ERROR]
