"""The recordings of Binance USD-M, and where their expected records mean other things."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case, Record, payload_of


def engine_time(record: Record, raw: str) -> Record:
    """Cryptofeed and tardis take the push time `E` of a USD-M bookTicker; we take the matching engine's `T`."""
    if record["type"] not in {"ticker", "book_ticker"}:
        return record
    payload = payload_of(raw)
    if "exchange" not in record:
        assert record["timestamp"] * 1000 == payload["E"]
    return {key: value for key, value in record.items() if key != "timestamp"} | {"timestamp_ms": payload["T"]}


CASES: Final = (
    Case(folder="binance_futures", name="community_bookticker", venue="binanceusdm", market="linear"),
    Case(folder="binance_futures", name="community_liquidations", venue="binanceusdm", market="linear"),
    Case(
        folder="binance_futures",
        name="cryptofeed_ws1",
        venue="binanceusdm",
        market="linear",
        seed="cryptofeed_http.rest",
        translate=(engine_time,),
    ),
    Case(folder="binance_futures", name="hftbacktest_usdm_ethusdt_20240808", venue="binanceusdm", market="linear"),
    Case(
        folder="binance_futures",
        name="nautilus_single_frames",
        venue="binanceusdm",
        market="linear",
        unlisted=frozenset({"trade", "ticker", "candle"}),  # single frames without expected records
    ),
    Case(
        folder="binance_futures",
        name="tardis_binance-futures",
        venue="binanceusdm",
        market="linear",
        translate=(engine_time,),
        unlisted=frozenset(
            {"trade", "ticker"}
        ),  # tardis skips aggTrade, and a 24 hour ticker that repeats the last one
    ),
)
