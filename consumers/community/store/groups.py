"""Groups: found by any id that they ever had, listed by owner, migrated by one write, deleted piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consumers.community import core
from consumers.community.store.changes import Collections
from consumers.community.store.collections import GROUPS, MEMBERSHIPS, ROLES, RULES, SETTINGS
from contracts.services.community.commands import CreateGroup
from contracts.services.community.groups import GroupResponse
from runtime.store import Document, Store

_PIECE: Final = 200  # documents that a deletion takes at a time
_GONE: Final = "deleted:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group. `key` is its own id: everything of it is kept under that, and a migration leaves it."""

    key: str
    group_id: int
    former_ids: tuple[int, ...]
    owner: str
    name: str
    username: str | None
    description: str
    created_at: datetime
    updated_at: datetime
    seq: int = 0
    request_key: str | None = None

    @property
    def ids(self) -> list[int]:
        """Every id that it has or had, the present one first."""
        return [self.group_id, *self.former_ids]

    def shown(self) -> GroupResponse:
        """Return what is shown of it."""
        return GroupResponse(
            group_id=self.group_id,
            name=self.name,
            username=self.username,
            description=self.description,
            owner=self.owner,
            former_ids=list(self.former_ids),
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


def read_group(document: Document) -> Group:
    """Return the group of a document."""
    fields = {name: document.get(name) for name in ("group_id", "owner", "name", "username", "description")}
    more: dict[str, Any] = {
        "key": document["_id"],
        "former_ids": tuple(document["former_ids"]),
        "created_at": document["created_at"],
        "updated_at": document["updated_at"],
        "seq": document.get("seq", 0),
        "request_key": document.get("request_key"),
    }
    return Group(**fields, **more)  # pyright: ignore[reportArgumentType]  # as they were written


def new_group(key: str, request: CreateGroup, now: datetime) -> Document:
    """Return the document of a group."""
    group = request.group
    return {
        "_id": key,
        "group_id": group.group_id,
        "former_ids": [],
        "owner": request.owner,
        "name": group.name,
        "username": group.username,
        "description": group.description,
        "words": core.search_words(group.name, group.username, [group.group_id]),
        "created_at": now,
        "updated_at": now,
        "seq": 0,
        "last_at": now,
        "outbox": [],
        "waiting": False,
        "request_key": request.request_key,
    }


class GroupStore:
    """Reads groups; what changes them takes the collections of a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._groups = store.collection(GROUPS)

    async def find(self, group_id: int, collections: Collections | None = None) -> Group | None:
        """Return the group that has an id, or had it before it became a supergroup."""
        groups = self._groups if collections is None else collections(GROUPS)
        for wanted in ({"group_id": group_id}, {"former_ids": group_id}):
            found = await groups.find_one(wanted, {"outbox": 0, "words": 0})
            if found is not None and not found.get("deleted"):
                return read_group(found)
        return None

    async def by_keys(self, keys: Sequence[str]) -> dict[str, Group]:
        """Return the groups of these keys, by key."""
        found = self._groups.find({"_id": {"$in": list(keys)}}, {"outbox": 0, "words": 0})
        return {one["_id"]: read_group(one) async for one in found if not one.get("deleted")}

    async def count(self, owner: str) -> int:
        """Return how many groups an owner has."""
        return await self._groups.count_documents({"owner": owner})

    async def page(self, owner: str, search: str | None, skip: int, limit: int) -> tuple[list[Group], int]:
        """Return some groups of an owner, the newest first, and how many there are."""
        wanted: Document = {"owner": owner}
        if search is not None:
            prefix = core.search_prefix(search)
            wanted["words"] = {"$gte": prefix, "$lt": prefix + "\uffff"}
        fields = {"outbox": 0, "words": 0}
        found = self._groups.find(wanted, fields).sort([("created_at", -1), ("_id", 1)]).skip(skip).limit(limit)
        return [read_group(one) async for one in found], await self._groups.count_documents(wanted)

    async def finish_deletion(self, key: str) -> None:
        """Take away what is kept of a group, its own document last; its actions expire by themselves."""
        for name in (ROLES, RULES, MEMBERSHIPS):
            kept = self._store.collection(name)
            while ids := [one["_id"] async for one in kept.find({"group": key}, {"_id": 1}).limit(_PIECE)]:
                await kept.delete_many({"_id": {"$in": ids}})
        await self._store.collection(SETTINGS).delete_one({"_id": key})
        await self._groups.delete_one({"_id": key})


async def is_empty(collections: Collections, group: Group) -> bool:
    """Return whether nothing is kept of a group but its document and who was seen in it."""
    if group.seq:
        return False
    for name in (ROLES, RULES):
        if await collections(name).find_one({"group": group.key}, {"_id": 1}) is not None:
            return False
    return await collections(SETTINGS).find_one({"_id": group.key}, {"_id": 1}) is None


async def put_aside(collections: Collections, key: str) -> None:
    """Free the ids of a group and take it out of every list; what is kept of it is taken away later."""
    gone: Document = {
        "group_id": f"{_GONE}{key}",
        "former_ids": [],
        "owner": f"{_GONE}{key}",
        "words": [],
        "deleted": True,
        "waiting": True,
    }
    await collections(GROUPS).update_one({"_id": key}, {"$set": gone})
