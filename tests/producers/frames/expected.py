"""Reads the expected records of a recording, whose sources name the same things differently, as fields of our events.

Numbers compare by value where the source gives numbers and as text where it gives text; a time compares exactly.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tests.producers.frames.cases.case import Case, Record

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ABSENT: Final = object()
_EXPONENT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?E[+-]?[0-9]+")
_KINDS: Final = {
    "trade": "trade",
    "ticker": "ticker",
    "book_ticker": "ticker",
    "ticker24h": "ticker",
    "ticker_state_after": "ticker",
    "candle": "candle",
    "liquidation": "liquidation",
}
# field of our event -> the names that the sources have for it
_NAMES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "trade": {
        "trade_id": ("id",),
        "price": ("price",),
        "amount": ("amount",),
        "contracts": ("contracts",),
        "side": ("side",),
    },
    "ticker": {
        "bid": ("bid", "bidPrice"),
        "bid_amount": ("bid_size", "bidAmount"),
        "ask": ("ask", "askPrice"),
        "ask_amount": ("ask_size", "askAmount"),
        "last": ("last",),
        "low_24h": ("low",),
        "high_24h": ("high",),
        "open_24h": ("price_24h_ago",),
        "volume_24h": ("base_volume",),
        "quote_volume_24h": ("quote_volume",),
        "seq": ("seq",),
    },
    "candle": {
        **{name: (name,) for name in ("open", "high", "low", "close", "volume", "closed")},
        "timeframe": ("interval",),
    },
    "liquidation": {
        "price": ("price", "bankruptcy_price"),
        "amount": ("amount",),
        "contracts": ("contracts",),
        "position_side": ("position_side",),
        # tardis' one side of a liquidation is the side of the order that closed the position
        "order_side": ("order_side", "side"),
        "average_price": ("average_price",),
    },
}


def read_expected(path: Path) -> dict[int, list[Record]]:
    """Read the records by line; a source either writes one a row or a list under `expected`."""
    records: dict[int, list[Record]] = defaultdict(list)
    if path.exists():
        for text in path.read_text(encoding="utf-8").splitlines():
            row = plain(json.loads(text, parse_float=Decimal))
            records[row["line"]].extend(row.get("expected", [row]))
    return records


def read_summary(path: Path) -> Record:
    """Read the summary; empty where there is none."""
    return plain(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def plain(value: Any) -> Any:
    """Write the numbers among a record's texts without exponent, as the bus does."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return format(Decimal(value), "f")
    return value


def translated(case: Case, records: list[Record], raw: str) -> list[Record]:
    """Say the records as we would, by the case's own functions."""
    for change in case.translate:
        records = [said for record in records if (said := change(record, raw)) is not None]
    return records


def kind_of(record: Record) -> str | None:
    """Tell which of our events a record describes; None for books, which are rebuilt, and for merged states."""
    return _KINDS.get(record["type"])


def differences(record: Record, event: Any) -> list[str]:
    """List what an event says otherwise than the record does."""
    wanted = {
        name: value
        for name, theirs in _NAMES[event.kind].items()
        if (value := next((record[key] for key in theirs if key in record), _ABSENT)) is not _ABSENT
    }
    if "exchange" in record and getattr(event, "contracts", None) is not None and "amount" in wanted:
        wanted["contracts"] = wanted.pop("amount")  # tardis gives contracts as the amount where the venue sends them
    if wanted.get("trade_id", "") is None or (event.kind == "liquidation" and "id" in record):
        wanted.pop("trade_id", None)
    if (time := _time(record)) is not _ABSENT:
        wanted["ts_event"] = time
    if "start" in record:
        wanted["start_ts"] = int(record["start"] * 10**9)
    return [
        f"{name}: expected {value!r}, decoded {getattr(event, name)!r}"
        for name, value in wanted.items()
        if not _same(value, getattr(event, name))
    ]


def merged_differences(record: Record, events: list[Any]) -> list[str]:
    """Compare tardis' merged derivative ticker: whatever our events of this frame say must be in it."""
    said: dict[str, Any] = {}
    for event in events:
        if event.kind == "ticker":
            said["lastPrice"] = event.last
        elif event.kind == "funding":
            said |= {"fundingRate": event.rate, "markPrice": event.mark_price, "indexPrice": event.index_price}
            said["fundingTimestamp"] = event.next_ts
        elif event.kind == "interest":
            said["openInterest"] = event.contracts if event.contracts is not None else event.amount
    said = {name: value for name, value in said.items() if value is not None}
    if not said:
        return ["no ticker, funding or interest came of this frame"]
    wanted = {name: _iso(record[name]) if name == "fundingTimestamp" else record[name] for name in said}
    return [
        f"{name}: expected {wanted[name]!r}, decoded {value!r}"
        for name, value in said.items()
        if not _same(wanted[name], value)
    ]


def _same(wanted: Any, decoded: Any) -> bool:
    if isinstance(wanted, Decimal | int) and isinstance(decoded, str):
        return Decimal(decoded) == wanted
    return bool(wanted == decoded)


def _time(record: Record) -> Any:
    if "timestamp_ms" in record:
        time = record["timestamp_ms"]
        return None if time is None else time * 1_000_000
    if "timestamp_s" in record:
        return record["timestamp_s"] * 10**9
    time = record.get("timestamp", _ABSENT)
    if isinstance(time, str):
        return _iso(time)
    return int(time * 10**9) if isinstance(time, Decimal | int) else time


def _iso(text: str | None) -> int | None:
    if text is None:
        return None
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1) * 1000
