"""The recordings of Kraken spot."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case

CASES: Final = (
    Case(
        folder="kraken",
        name="nautilus_single_frames",
        venue="kraken",
        market="spot",
        unlisted=frozenset({"ticker", "candle"}),  # single frames without expected records
    ),
    Case(folder="kraken", name="cryptofeed_ws48", venue="kraken", market="spot"),
    Case(folder="kraken", name="cryptofeed_ws49", venue="kraken", market="spot"),
    Case(
        folder="kraken",
        name="cryptofeed_ws50",
        venue="kraken",
        market="spot",
        depth=1000,
        proofs=2304,
    ),
    Case(folder="kraken", name="tardis_kraken_m20190901", venue="kraken", market="spot"),
    Case(folder="kraken", name="tardis_kraken_m20260710", venue="kraken", market="spot"),
    Case(folder="kraken", name="v2_book_checksum_ethusd", venue="kraken", market="spot", proofs=2),
    Case(folder="kraken", name="v2_ticker", venue="kraken", market="spot"),
)
