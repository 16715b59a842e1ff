"""JSON as webhooks write it: decimals as number literals with all their digits, times in ISO 8601. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

_SECOND_NS: Final = 1_000_000_000
_encoder: Final = msgspec.json.Encoder()
encode: Final = _encoder.encode


def raw(json: bytes) -> Any:
    """Return what `encode` writes as it is."""
    return msgspec.Raw(json)


def number(text: str | Decimal | None) -> Any:
    """Return what `encode` writes as exactly these digits; a text of the bus is a JSON number already."""
    if text is None:
        return None
    return msgspec.Raw((text if isinstance(text, str) else format(text, "f")).encode())


def seconds(span_ns: int) -> Any:
    """Return a span of ns as a number of seconds, whole where it is."""
    whole, rest = divmod(span_ns, _SECOND_NS)
    return whole if rest == 0 else number(Decimal(span_ns).scaleb(-9).normalize())


def iso(ts_ns: int) -> str:
    """Return ns UTC as `2026-01-01T12:00:00.125000Z`."""
    whole, rest = divmod(ts_ns, _SECOND_NS)
    moment = datetime.fromtimestamp(whole, UTC).replace(microsecond=rest // 1000, tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"
