"""The recordings of KuCoin Futures."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case

CASES: Final = (
    Case(folder="kucoin_futures", name="captured_classic", venue="kucoinfutures", market="futures"),
    Case(
        folder="kucoin_futures",
        name="tardis_kucoin-futures_m20240122",
        venue="kucoinfutures",
        market="futures",
    ),
)
