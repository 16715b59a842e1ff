"""The recordings of Coinbase."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case

CASES: Final = (
    Case(folder="coinbase", name="cryptofeed_ws28", venue="coinbase", market="spot"),
    Case(folder="coinbase", name="fastmm_advanced_trade", venue="coinbase", market="spot"),
    Case(folder="coinbase", name="fastmm_exchange_level2_batch", venue="coinbase", market="spot"),
    Case(
        folder="coinbase",
        name="nautilus_single_frames",
        venue="coinbase",
        market="spot",
        unlisted=frozenset({"trade", "ticker", "candle"}),  # single frames without expected records
    ),
    Case(folder="coinbase", name="tardis_coinbase", venue="coinbase", market="spot"),
)
