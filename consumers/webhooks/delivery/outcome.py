"""What an attempt came to, and what is to become of its event. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from consumers.webhooks.delivery.rules import SECOND_NS

Kind = Literal["delivered", "failed", "hopeless", "gone"]
Fault = Literal["receiver", "ours"]
KEPT_BYTES: Final = 1024


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
