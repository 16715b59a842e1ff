"""The recordings of Deribit, and where their expected records mean other things."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case, Record, payload_of


def dollars_of_unknown_worth(record: Record, raw: str) -> Record | None:
    """Of Deribit's inverse contracts tardis gives dollars; we give coins, so null without a listing. No combos."""
    name = payload_of(raw)["params"]["channel"].split(".")[1]
    if name.startswith(("BTC-STRD-", "BTC-CSR12-")):
        return None
    return {**record, "bidAmount": None, "askAmount": None} if record["type"] == "book_ticker" else record


CASES: Final = (
    Case(folder="deribit", name="cryptofeed_ws1", venue="deribit", market="public"),
    Case(
        folder="deribit",
        name="nautilus_single_frames",
        venue="deribit",
        market="public",
        unlisted=frozenset({"ticker"}),  # single frames without expected records
    ),
    Case(
        folder="deribit",
        name="tardis_deribit",
        venue="deribit",
        market="public",
        translate=(dollars_of_unknown_worth,),
        unlisted=frozenset({"ticker"}),  # tardis skips `quote`
    ),
)
