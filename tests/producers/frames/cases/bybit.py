"""The recordings of Bybit."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case

CASES: Final = (
    Case(folder="bybit", name="community_liquidations", venue="bybit", market="linear"),
    Case(
        folder="bybit",
        name="community_tickers_delta",
        venue="bybit",
        market="linear",
        unlisted=frozenset({"ticker"}),  # expected is the state after the last of two deltas
    ),
    Case(folder="bybit", name="fastmm_v5_spot_testnet_btcusdt", venue="bybit", market="spot"),
    Case(
        folder="bybit",
        name="nautilus_single_frames",
        venue="bybit",
        market="linear",
        unlisted=frozenset({"trade", "ticker", "candle"}),  # single frames without expected records
    ),
    Case(folder="bybit", name="tardis_bybit-spot_m20230405", venue="bybit", market="spot"),
    Case(folder="bybit", name="tardis_bybit_m20230405", venue="bybit", market="linear"),
)
