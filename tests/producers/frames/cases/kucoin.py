"""The recordings of KuCoin spot, and where their expected records mean other things."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from tests.producers.frames.cases.case import Case, Record, payload_of


def exact_time(record: Record, raw: str) -> Record:
    """Cryptofeed reads KuCoin's ns as a float and stamps no ticker, tardis cuts ns to us; we keep the frame's."""
    data = payload_of(raw)["data"]
    if record["type"] == "ticker":
        assert record["timestamp"] is None
        return {**record, "timestamp": Decimal(data["time"]) / 1000}
    if record["type"] in {"trade", "candle"} and "time" in data:
        return {**record, "timestamp": _nearly(record["timestamp"], int(data["time"]))}
    return record


def _nearly(theirs: Any, ours: int) -> Decimal:
    """Give the exact time, in seconds, where theirs is the same within two microseconds (a float's worth)."""
    seconds = Decimal(datetime.fromisoformat(theirs).timestamp()) if isinstance(theirs, str) else theirs
    assert abs(seconds * 10**9 - ours) < 2000
    return Decimal(ours) / 10**9


def no_removals(record: Record, raw: str) -> Record:
    """Tardis leaves a level that was removed while it waited for the snapshot in the book, with an amount of 0."""
    if record["type"] != "book_change" or not record["isSnapshot"]:
        return record
    kept = {side: [level for level in record[side] if level["amount"]] for side in ("bids", "asks")}
    return {**record, **kept}


CASES: Final = (
    Case(
        folder="kucoin",
        name="cryptofeed_ws1",
        venue="kucoin",
        market="spot",
        seed="cryptofeed_http.rest",
        translate=(exact_time,),
    ),
    Case(
        folder="kucoin",
        name="tardis_kucoin_m20220816",
        venue="kucoin",
        market="spot",
        translate=(exact_time, no_removals),
    ),
)
