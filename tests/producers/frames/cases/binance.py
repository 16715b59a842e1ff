"""The recordings of Binance spot, and where their expected records mean other things."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case, Record, payload_of


def no_venue_time(record: Record, raw: str) -> Record:
    """Cryptofeed stamps Binance spot's bookTicker, which carries no time, with its own clock; we say null."""
    if record["type"] != "ticker":
        return record
    assert "E" not in payload_of(raw)
    return {**record, "timestamp": None}


def no_receive_time(record: Record, raw: str) -> Record:
    """Tardis stamps a frame without venue time with its own clock; we say null."""
    return {**record, "timestamp": None} if "E" not in payload_of(raw) else record


CASES: Final = (
    Case(
        folder="binance",
        name="cryptofeed_ws1",
        venue="binance",
        market="spot",
        seed="cryptofeed_http.rest",
        translate=(no_venue_time,),
    ),
    Case(folder="binance", name="hftbacktest_spot_btcusdt_20240808", venue="binance", market="spot"),
    Case(
        folder="binance",
        name="nautilus_single_frames",
        venue="binance",
        market="spot",
        unlisted=frozenset({"trade", "ticker"}),
    ),
    Case(folder="binance", name="tardis_binance", venue="binance", market="spot", translate=(no_receive_time,)),
)
