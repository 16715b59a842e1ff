"""The journal of an account's orders in documents: each change against the version before, by who holds the account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from consumers.execution.ports import ChangedElsewhereError
from contracts.services.trading.refusals import Refusal
from runtime.store import AlreadyThereError, Collection, Document, IndexSpec, Store
from runtime.trading.order import Fill, Order, Side

ORDERS: Final = "trading_orders"
INDEXES: Final = (
    IndexSpec(ORDERS, ("account", "client_id"), unique=True),
    IndexSpec(ORDERS, ("account", "finished", "created_ns")),
    IndexSpec(ORDERS, ("account", "executed", "created_ns")),
    IndexSpec(ORDERS, ("owner", "-created_ns", "_id")),
    IndexSpec(ORDERS, ("finished", "account")),
)
_DECIMALS: Final = frozenset({"amount", "price", "counted"})
_STATES_OPEN: Final = ["intended", "unknown", "open"]


class DocumentJournal:
    """The orders of one account; `token` gives the fencing token of who acts for it, which only grows.

    Whoever claims an account with a larger token keeps every holder before it from changing an order that was there.
    """

    def __init__(self, store: Store, account: str, token: Callable[[], int]) -> None:
        self._orders: Collection = store.collection(ORDERS)
        self._account, self._token = account, token

    async def claim(self) -> None:
        """Take the orders that are not finished over from whoever acted for the account before."""
        wanted = {"account": self._account, "finished": False}
        await self._orders.update_many(wanted, {"$max": {"fence": self._token()}})

    async def insert(self, order: Order) -> Order:
        """Keep a new intent; returns the one that has its `client_id` already."""
        try:
            await self._orders.insert_one({"_id": order.id, "fence": self._token(), **document_of(order)})
        except AlreadyThereError:
            return await self.find_client_id(order.client_id) or order
        return order

    async def save(self, order: Order, before: Order) -> None:
        """Keep an order in place of the version before; raises ChangedElsewhereError where that is not the kept one."""
        token = self._token()
        wanted = {"_id": order.id, "version": before.version, "fence": {"$lte": token}}
        done = await self._orders.update_one(wanted, {"$set": {"fence": token, **document_of(order)}})
        if not done.matched_count:
            raise ChangedElsewhereError(f"order {order.id} is not as it was read, or another process acts for it")

    async def find(self, order_id: str) -> Order | None:
        """Return an order."""
        return read(await self._orders.find_one({"_id": order_id, "account": self._account}))

    async def find_client_id(self, client_id: str) -> Order | None:
        """Return the order of a client id."""
        return read(await self._orders.find_one({"account": self._account, "client_id": client_id}))

    async def list_unfinished(self) -> Sequence[Order]:
        """Return the orders that are not finished, the oldest first."""
        wanted = {"account": self._account, "finished": False}
        return [order async for order in self._each(wanted)]

    async def count_open(self, beside: str) -> int:
        """Return how many orders may be open at the venue, one of them left out."""
        wanted = {"account": self._account, "finished": False, "_id": {"$ne": beside}, "status": {"$in": _STATES_OPEN}}
        return await self._orders.count_documents(wanted)

    async def list_executed(self) -> list[tuple[str, Side, Fill]]:
        """Return every execution with its symbol and side, the oldest first."""
        wanted = {"account": self._account, "executed": True}
        found: list[tuple[str, Side, Fill]] = [
            (order.symbol, order.side, fill) async for order in self._each(wanted) for fill in order.fills
        ]
        return sorted(found, key=lambda one: one[2].ts)

    async def _each(self, wanted: Document) -> AsyncIterator[Order]:
        async for document in self._orders.find(wanted).sort([("created_ns", 1)]):
            if (order := read(document)) is not None:
                yield order


def document_of(order: Order) -> Document:
    """Return an order as it is kept, without its id."""
    document = {field.name: getattr(order, field.name) for field in fields(order) if field.name not in {"id", "fills"}}
    for name in _DECIMALS:
        document[name] = _text(document[name])
    document["error"] = None if order.error is None else order.error.model_dump()
    return {**document, "fills": write_fills(order.fills), "finished": order.is_finished, "executed": bool(order.fills)}


def read(document: Document | None) -> Order | None:
    """Return the order of a document."""
    if document is None:
        return None
    kept: dict[str, Any] = {
        field.name: document[field.name] for field in fields(Order) if field.name in document and field.name != "fills"
    }
    kept.update({name: _number(kept[name]) for name in _DECIMALS})
    if kept.get("error") is not None:
        kept["error"] = Refusal.model_validate(kept["error"])
    return Order(id=document["_id"], fills=read_fills(document["fills"]), **kept)


def write_fills(fills: Sequence[Fill]) -> list[Document]:
    """Return executions as they are kept."""
    return [
        {
            "id": fill.id,
            "amount": f"{fill.amount:f}",
            "price": f"{fill.price:f}",
            "fee": f"{fill.fee:f}",
            "fee_currency": fill.fee_currency,
            "ts": fill.ts,
        }
        for fill in fills
    ]


def read_fills(documents: Sequence[Document]) -> tuple[Fill, ...]:
    """Return the executions that were kept."""
    return tuple(
        Fill(
            id=one["id"],
            amount=Decimal(one["amount"]),
            price=Decimal(one["price"]),
            fee=Decimal(one["fee"]),
            fee_currency=one["fee_currency"],
            ts=one["ts"],
        )
        for one in documents
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
