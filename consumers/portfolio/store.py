"""The documents of the portfolio: every execution once, and the names of accounts that there were."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from contracts.services.trading.events import OrderFilled
from runtime.store import Collection, Document, IndexSpec, Store, upsert
from runtime.trading.ledger import Execution

FILLS: Final = "portfolio_fills"
ACCOUNTS: Final = "portfolio_accounts"
INDEXES: Final = (IndexSpec(FILLS, ("owner", "ts", "_id")), IndexSpec(ACCOUNTS, ("owner",)))
_OLDEST: Final = [("ts", 1), ("_id", 1)]


class PortfolioStore:
    """Executions by their ids: one that comes again is the same document."""

    def __init__(self, store: Store) -> None:
        self._fills: Collection = store.collection(FILLS)
        self._accounts: Collection = store.collection(ACCOUNTS)

    async def save(self, fill: OrderFilled) -> None:
        """Keep an execution."""
        document = {
            "owner": fill.owner,
            "account": fill.account,
            "ts": fill.ts_event,
            "venue": fill.venue,
            "symbol": fill.symbol,
            "side": fill.side,
            "amount": f"{fill.amount:f}",
            "price": f"{fill.price:f}",
            "fee": f"{fill.fee:f}",
            "fee_currency": fill.fee_currency,
            "order_id": fill.order_id,
            "fill_id": fill.fill_id,
            "strategy": fill.strategy,
        }
        await self._fills.replace_one({"_id": fill.id}, {"_id": fill.id, **document}, upsert=True)

    async def list_executions(self, owner: str, accounts: list[str] | None) -> list[Execution]:
        """Return an owner's executions, the oldest first; `accounts` are the only ids that count, None for all."""
        wanted: Document = {"owner": owner}
        if accounts is not None:
            wanted["account"] = {"$in": accounts}
        return [_read(document) async for document in self._fills.find(wanted).sort(_OLDEST)]

    async def save_names(self, owner: str, names: Mapping[str, str]) -> None:
        """Keep what accounts (by id) are called: their executions stay when they are taken away."""
        if names:
            changes = [upsert({"_id": key}, {"$set": {"owner": owner, "name": name}}) for key, name in names.items()]
            await self._accounts.bulk_write(changes, ordered=False)

    async def names(self, owner: str) -> dict[str, str]:
        """Return the names of an owner's accounts by id, of those that are not there any more as well."""
        return {document["_id"]: document["name"] async for document in self._accounts.find({"owner": owner})}


def _read(document: Document) -> Execution:
    return Execution(
        id=document["_id"],
        ts=int(document["ts"]),
        account=document["account"],
        venue=document["venue"],
        symbol=document["symbol"],
        side=document["side"],
        amount=Decimal(document["amount"]),
        price=Decimal(document["price"]),
        fee=Decimal(document["fee"]),
        fee_currency=document["fee_currency"],
        order_id=document["order_id"],
        fill_id=document["fill_id"],
        strategy=document["strategy"],
    )
