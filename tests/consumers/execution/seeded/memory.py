"""Documents in memory, as far as orders and paper accounts need them; each operation is a place where it may fail."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.execution.documents.journal import ORDERS
from runtime.store import AlreadyThereError, Document

UNIQUE = {ORDERS: ("account", "client_id")}
Reach = Callable[[str], Awaitable[None]]


@dataclass
class Done:
    """What an operation says of itself."""

    matched_count: int = 0


class MemoryStore:
    """Collections by name; `reach(place)` is awaited before and after each operation, and raises what is to happen."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._collections: dict[str, MemoryCollection] = {}

    def collection(self, name: str) -> Any:
        return self._collections.setdefault(name, MemoryCollection(self, name))

    def documents(self, name: str) -> list[Document]:
        """Return what a collection has, without reaching for it."""
        return list(self.collection(name).documents.values())


class MemoryCollection:
    """One collection: a copy goes in and a copy comes out."""

    def __init__(self, store: MemoryStore, name: str) -> None:
        self._store, self._name = store, name
        self.documents: dict[Any, Document] = {}

    async def insert_one(self, document: Document) -> None:
        await self._store.reach(f"{self._name} insert before")
        unique = UNIQUE.get(self._name, ())
        for known in self.documents.values():
            same = bool(unique) and all(known[field] == document[field] for field in unique)
            if known["_id"] == document["_id"] or same:
                raise AlreadyThereError(self._name)
        self.documents[document["_id"]] = copy.deepcopy(document)
        await self._store.reach(f"{self._name} insert after")

    async def find_one(self, wanted: Document, _fields: Document | None = None) -> Document | None:
        await self._store.reach(f"{self._name} find")
        return next(iter(self._matching(wanted)), None)

    def find(self, wanted: Document, _fields: Document | None = None) -> Found:
        return Found(self, wanted)

    async def list(self, wanted: Document) -> Sequence[Document]:
        await self._store.reach(f"{self._name} list")
        return self._matching(wanted)

    async def update_one(self, wanted: Document, change: Document) -> Done:
        await self._store.reach(f"{self._name} update before")
        found = self._matching(wanted)[:1]
        self._change(found, change)
        await self._store.reach(f"{self._name} update after")
        return Done(len(found))

    async def update_many(self, wanted: Document, change: Document) -> Done:
        await self._store.reach(f"{self._name} update before")
        found = self._matching(wanted)
        self._change(found, change)
        await self._store.reach(f"{self._name} update after")
        return Done(len(found))

    async def replace_one(self, wanted: Document, document: Document, *, upsert: bool = False) -> Done:
        await self._store.reach(f"{self._name} replace before")
        found = self._matching(wanted)[:1]
        if found or upsert:
            key = found[0]["_id"] if found else wanted["_id"]
            self.documents[key] = {"_id": key, **copy.deepcopy(document)}
        await self._store.reach(f"{self._name} replace after")
        return Done(len(found))

    def _matching(self, wanted: Document) -> Sequence[Document]:
        found = (
            one for one in self.documents.values() if all(_fits(one.get(key), want) for key, want in wanted.items())
        )
        return [copy.deepcopy(one) for one in found]

    def _change(self, found: Sequence[Document], change: Document) -> None:
        for one in found:
            kept = self.documents[one["_id"]]
            kept.update(copy.deepcopy(change.get("$set", {})))
            for field, value in change.get("$max", {}).items():
                kept[field] = max(kept.get(field, value), value)


@dataclass
class Found:
    """What a search finds, in the order in which it was kept."""

    collection: MemoryCollection
    wanted: Document

    def sort(self, _fields: object) -> Found:
        return self

    async def __aiter__(self) -> AsyncGenerator[Document]:
        for document in await self.collection.list(self.wanted):
            yield document


def _fits(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    [(operator, operand)] = wanted.items()
    match operator:
        case "$lte":
            return bool(value <= operand)
        case "$in":
            return value in operand
        case "$ne":
            return bool(value != operand)
        case _:
            raise ValueError(f"{operator} is not known here")
