"""The recordings of Gate, and where their expected records mean other things."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tests.producers.frames.cases.case import Case, Record, payload_of


def exact_trade_time(record: Record, raw: str) -> Record:
    """Cryptofeed reads Gate's `create_time_ms`, which goes beyond microseconds, as a float; we keep its digits."""
    if record["type"] != "trade" or "exchange" in record:
        return record
    exact = Decimal(payload_of(raw)["result"]["create_time_ms"]) / 1000
    assert abs(exact - record["timestamp"]) < Decimal("0.000001")
    return {**record, "timestamp": exact}


def base_volume(record: Record, raw: str) -> Record | None:
    """Cryptofeed gives Gate's `v` as a candle's volume: the quote coin's on spot, contracts elsewhere.

    Without the base coin's `a` (not sent in 2021) or a contract's worth no volume but zero is known: no candle.
    """
    if record["type"] != "candle":
        return record
    result = payload_of(raw)["result"]
    row = result[0] if isinstance(result, list) else result
    assert "a" not in row
    assert Decimal(row["v"]) == Decimal(record["volume"])
    return None if Decimal(row["v"]) else {**record, "volume": "0"}


def no_multiplier(record: Record, raw: str) -> Record:
    """Tardis gives Gate's best sizes in contracts; we give coins, so null where the contract's worth is unknown."""
    if record["type"] != "book_ticker":
        return record
    assert payload_of(raw)["channel"] == "futures.book_ticker"
    return {**record, "bidAmount": None, "askAmount": None}


CASES: Final = (
    Case(
        folder="gate",
        name="cryptofeed_ws1",
        venue="gate",
        market="spot",
        seed="cryptofeed_http.rest",
        translate=(exact_trade_time, base_volume),
    ),
    Case(folder="gate", name="tardis_gate-io_m20250801", venue="gate", market="spot"),
    Case(
        folder="gate_futures",
        name="cryptofeed_ws1",
        venue="gate",
        market="linear",
        seed="cryptofeed_http.rest",
        translate=(base_volume,),
    ),
    Case(
        folder="gate_futures",
        name="tardis_gate-io-futures",
        venue="gate",
        market="linear",
        translate=(no_multiplier,),
    ),
)
