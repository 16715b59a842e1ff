"""The recordings of Kraken Futures, and where their expected records mean other things."""

from __future__ import annotations

from typing import Final

from tests.producers.frames.cases.case import Case, Record, payload_of


def sized_in_dollars(record: Record, raw: str) -> Record:
    """Of inverse products sources give contracts of USD; we give coins, so null where a contract's worth is unknown."""
    product = payload_of(raw).get("product_id", "")
    if not product.startswith(("PI_", "FI_")):
        return record
    if record["type"] == "book_ticker":
        return {**record, "bidAmount": None, "askAmount": None}
    if record["type"] == "trade" and "exchange" not in record:
        return {**record, "amount": None, "contracts": record["amount"]}
    return record


def relative_rate(record: Record, raw: str) -> Record:
    """Of Kraken Futures before autumn 2022 tardis gives the rate in coins a contract; we give the fraction."""
    if record["type"] != "derivative_ticker":
        return record
    return {**record, "fundingRate": payload_of(raw).get("relative_funding_rate")}


CASES: Final = (
    Case(
        folder="kraken_futures",
        name="cryptofeed_ws1",
        venue="krakenfutures",
        market="futures",
        translate=(sized_in_dollars,),
        unlisted=frozenset({"trade"}),  # cryptofeed leaves out the trades before the subscription
    ),
    Case(folder="kraken_futures", name="nautilus_single_frames", venue="krakenfutures", market="futures"),
    Case(
        folder="kraken_futures",
        name="tardis_cryptofacilities_m20190901",
        venue="krakenfutures",
        market="futures",
        translate=(sized_in_dollars, relative_rate),
    ),
    Case(
        folder="kraken_futures",
        name="tardis_cryptofacilities_m20220930",
        venue="krakenfutures",
        market="futures",
        translate=(sized_in_dollars,),
    ),
)
