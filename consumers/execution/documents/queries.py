"""What owners ask of their orders: found and listed from the documents of all their accounts."""

from __future__ import annotations

from typing import Any, Final

from consumers.execution.documents.journal import ORDERS, read
from contracts.services.trading.orders import ListFills, ListOrders
from runtime.store import Collection, Document, Store
from runtime.trading.order import Order

_STATUSES: Final[dict[str, list[str]]] = {"pending": ["intended", "unknown"]}
_NEWEST: Final = [("created_ns", -1), ("_id", 1)]


class OrderQueries:
    """Orders by their owner; `account` is an account's id."""

    def __init__(self, store: Store) -> None:
        self._orders: Collection = store.collection(ORDERS)

    async def find(self, owner: str, order_id: str) -> Order | None:
        """Return an order of an owner."""
        return read(await self._orders.find_one({"_id": order_id, "owner": owner}))

    async def list_orders(self, query: ListOrders, account: str | None) -> tuple[list[Order], int]:
        """Return a page of orders, the newest first, and how many there are."""
        wanted = _of(query.owner, account)
        if query.status is not None:
            wanted["status"] = {"$in": _STATUSES.get(query.status, [query.status])}
        return await self._page(wanted, query)

    async def list_filled(self, query: ListFills, account: str | None) -> tuple[list[Order], int]:
        """Return a page of orders with executions, the newest first, and how many there are."""
        return await self._page({**_of(query.owner, account), "executed": True}, query)

    async def list_accounts_at_work(self) -> list[str]:
        """Return the ids of accounts with orders that are not finished."""
        found = self._orders.find({"finished": False}, {"account": 1})
        return sorted({str(document["account"]) async for document in found})

    async def _page(self, wanted: Document, query: ListOrders | ListFills) -> tuple[list[Order], int]:
        found: Any = self._orders.find(wanted).sort(_NEWEST)
        cursor = found.skip((query.page - 1) * query.page_size).limit(query.page_size)
        orders = [order async for document in cursor if (order := read(document)) is not None]
        return orders, await self._orders.count_documents(wanted)


def _of(owner: str, account: str | None) -> Document:
    return {"owner": owner} if account is None else {"owner": owner, "account": account}
