"""What an attempt came to, and what is to become of its event. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from consumers.webhooks.delivery.rules import SECOND_NS
from consumers.webhooks.transport import Answer, DeliveryError, RefusedAddressError

Kind = Literal["delivered", "failed", "hopeless", "gone"]
Fault = Literal["receiver", "ours"]
KEPT_BYTES: Final = 1024
_GONE: Final = 410
_ASKS_FOR_PATIENCE: Final = frozenset({429, 503})
_LONGEST_ERROR: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One attempt. `hopeless`: it can never succeed; `gone`: the receiver wants nothing any more.

    `retry_after`: seconds that the receiver asked for.
    """

    kind: Kind
    status: int | None = None
    seconds: float = 0.0
    answer: bytes = b""
    error: str | None = None
    fault: Fault = "receiver"
    retry_after: float | None = None


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


def read_retry_after(headers: Mapping[str, str], now_ns: int) -> float | None:
    """Return the seconds of a Retry-After header, in seconds or as a date; None where there is none to read.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.fromtimestamp(now_ns / SECOND_NS, UTC)).total_seconds())


def _text(kind: str, error: Exception) -> str:
    return f"{kind}: {error}"[:_LONGEST_ERROR]
