"""The recordings of Hyperliquid."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case

CASES: Final = (
    Case(folder="hyperliquid", name="hftbacktest_hyperliquid_btc_20250126", venue="hyperliquid", market="public"),
    Case(
        folder="hyperliquid",
        name="nautilus_single_frames",
        venue="hyperliquid",
        market="public",
        undecodable={0: "channel"},  # an answer of REST among frames
    ),
    Case(
        folder="hyperliquid",
        name="tardis_hyperliquid_m20240823",
        venue="hyperliquid",
        market="public",
        unlisted=frozenset({"trade"}),  # tardis leaves out the first push of trades
        undecodable={3: "@2"},  # a spot pair that only the listing can name
    ),
)
