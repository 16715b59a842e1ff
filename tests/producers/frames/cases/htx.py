"""The recordings of HTX, and where their expected records mean other things."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tests.producers.frames.cases.case import Case, Record, payload_of


def htx_contracts(record: Record, raw: str) -> Record:
    """Cryptofeed gives the contracts of an HTX swap's trade as its amount; we give coins, and contracts beside.

    Of coins with 37 digits behind the point we give the 36 that the contract allows.
    """
    if record["type"] != "trade":
        return record
    row = next(row for row in payload_of(raw)["tick"]["data"] if str(row["id"]) == record["id"])
    coins = format(row["quantity"], "f")
    whole, _, fraction = coins.partition(".")
    return {**record, "contracts": record["amount"], "amount": Decimal(f"{whole}.{fraction[:36] or 0}")}


def htx_names(record: Record, raw: str) -> Record:
    """Tardis writes HTX's pairs in capitals, and dated futures as their series; we write both as the frame does."""
    frame = payload_of(raw)
    name = frame["data"][0]["contract_code"] if frame.get("op") == "notify" else record["symbol"].lower()
    return {**record, "symbol": name} if name in raw else record


def htx_sizes(record: Record, raw: str) -> Record | None:
    """Tardis gives best sizes in contracts (we: coins, null where the worth is unknown), and a future's basis."""
    if record["type"] == "book_ticker" and "seqId" not in raw:
        return {**record, "bidAmount": None, "askAmount": None}
    return None if record["type"] == "derivative_ticker" and "_NW.basis" in raw else record


def htx_seed(record: Record, raw: str) -> Record:
    """Tardis appends the waiting changes to the snapshot; we apply them: each price once, none that was removed."""
    if record["type"] != "book_change" or '"rep"' not in raw:
        return record
    sides: Record = {}
    for side in ("bids", "asks"):
        last = {level["price"]: level for level in record[side]}
        sides[side] = [level for level in last.values() if level["amount"]]
    return {**record, **sides}


CASES: Final = (
    Case(folder="htx", name="cryptofeed_ws44", venue="htx", market="spot"),
    Case(
        folder="htx",
        name="tardis_huobi_m20191201",
        venue="htx",
        market="spot",
        translate=(htx_names,),
    ),
    Case(folder="htx", name="tardis_huobi_m20200703", venue="htx", market="spot", translate=(htx_names, htx_seed)),
    Case(folder="htx_swap", name="community_linear_swap", venue="htx", market="linear"),
    Case(folder="htx_swap", name="cryptofeed_ws1", venue="htx", market="linear", translate=(htx_contracts,)),
    Case(folder="htx_swap", name="cryptofeed_ws2", venue="htx", market="linear", translate=(htx_contracts,)),
    Case(
        folder="htx_swap",
        name="tardis_huobi-dm-swap",
        venue="htx",
        market="linear",
        translate=(htx_names, htx_sizes),
    ),
    Case(
        folder="htx_swap",
        name="tardis_huobi-dm",
        venue="htx",
        market="linear",
        translate=(htx_names, htx_sizes),
        unlisted=frozenset({"liquidation"}),  # tardis knows no series of a future before its first contract_info
    ),
)
