"""The recordings of OKX, and where their expected records mean other things."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from tests.producers.frames.cases.case import Case, Record, payload_of


def plain_amount(record: Record, raw: str) -> Record:
    """Cryptofeed prints small amounts with an exponent; the frame, and we, without."""
    amount = record.get("amount", "")
    if "E" not in amount:
        return record
    plain = format(Decimal(amount), "f")
    assert f'"{plain}"' in raw
    return {**record, "amount": plain}


def no_contract_size(record: Record, raw: str) -> Record:
    """Tardis gives a swap's best sizes in contracts; we give coins, so null where the contract's worth is unknown."""
    if record["type"] != "book_ticker":
        return record
    assert "-SWAP" in payload_of(raw)["arg"]["instId"]
    return {**record, "bidAmount": None, "askAmount": None}


CASES: Final = (
    Case(folder="okx", name="community_liquidations", venue="okx", market="public"),
    Case(folder="okx", name="cryptofeed_ws1", venue="okx", market="public", translate=(plain_amount,)),
    Case(
        folder="okx",
        name="nautilus_single_frames",
        venue="okx",
        market="public",
        unlisted=frozenset({"trade", "ticker", "candle"}),  # single frames without expected records
        undecodable={3: "bare array"},  # an example of option figures without the frame around it
    ),
    Case(
        folder="okx",
        name="tardis_okex-futures_m20211223",
        venue="okx",
        market="public",
        unlisted=frozenset({"liquidation"}),  # tardis leaves out the first push after subscribing, a backlog
    ),
    Case(folder="okx", name="tardis_okex-swap_m20211223", venue="okx", market="public", translate=(no_contract_size,)),
    Case(folder="okx", name="tardis_okex-swap_m20220506", venue="okx", market="public"),
    Case(folder="okx", name="tardis_okex_m20211223", venue="okx", market="public"),
)
