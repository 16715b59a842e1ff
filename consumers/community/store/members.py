"""Members of groups, and what is known of users across the groups of an owner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from consumers.community.caching import user_key
from consumers.community.store.changes import Collections
from consumers.community.store.collections import MEMBERSHIPS, USERS
from consumers.community.store.groups import Group
from runtime.store import Document, Store, upsert

ACTIVE: Final = {"1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}


def member_id(key: str, user_id: int) -> str:
    """Return the id of a membership."""
    return f"{key}:{user_id}"


def first_seen(group: Group, user_id: int) -> Document:
    """Return what a membership begins with."""
    return {"group": group.key, "owner": group.owner, "user_id": user_id}


async def assign(collections: Collections, group: Group, user_id: int, role: str) -> bool:
    """Give a member a role; whether the member had it not."""
    members = collections(MEMBERSHIPS)
    name = member_id(group.key, user_id)
    found = await members.find_one({"_id": name}, {"roles": 1})
    if found is not None and role in found.get("roles", []):
        return False
    begin: Document = {**first_seen(group, user_id), "messages": 0, "joined_at": None, "last_active_at": None}
    update = {"$addToSet": {"roles": role}, "$setOnInsert": {**begin, "status": "member"}}
    await members.update_one({"_id": name}, update, upsert=True)
    return True


async def unassign(collections: Collections, group: Group, user_id: int, role: str) -> bool:
    """Take a role from a member; whether the member had it."""
    done = await collections(MEMBERSHIPS).update_one({"_id": member_id(group.key, user_id)}, {"$pull": {"roles": role}})
    return bool(done.modified_count)


async def forget_role(collections: Collections, key: str, role: str) -> None:
    """Take a role from every member."""
    members = collections(MEMBERSHIPS)
    ids = [one["_id"] async for one in members.find({"group": key, "roles": role}, {"_id": 1})]
    for name in ids:
        await members.update_one({"_id": name}, {"$pull": {"roles": role}})


async def set_status(collections: Collections, group: Group, user_id: int, status: str, *, at: datetime) -> bool:
    """Say what a member is since when; whether that is new."""
    members, name = collections(MEMBERSHIPS), member_id(group.key, user_id)
    found = await members.find_one({"_id": name}, {"status": 1, "status_at": 1})
    if found is not None and (found.get("status") == status or (found.get("status_at") or at) > at):
        return False
    joined = status == "member" and (found is None or found.get("status") in {None, "left", "banned"})
    fields = {"status": status, "status_at": at, **({"joined_at": at} if joined else {})}
    begin: Document = {**first_seen(group, user_id), "roles": [], "messages": 0, "last_active_at": None}
    begin |= {} if joined else {"joined_at": None}
    await members.update_one({"_id": name}, {"$set": fields, "$setOnInsert": begin}, upsert=True)
    return True


async def saw(collections: Collections, group: Group, active: Mapping[int, tuple[int, datetime]]) -> None:
    """Note how many messages members wrote, and when the last one."""
    requests = [
        upsert(
            {"_id": member_id(group.key, user_id)},
            {
                "$inc": {"messages": count},
                "$max": {"last_active_at": at},
                "$setOnInsert": {**first_seen(group, user_id), "status": "member", "roles": [], "joined_at": None},
            },
        )
        for user_id, (count, at) in active.items()
    ]
    if requests:
        await collections(MEMBERSHIPS).bulk_write(requests, ordered=False)


class MemberStore:
    """Reads memberships and profiles."""

    def __init__(self, store: Store) -> None:
        self._members, self._users = store.collection(MEMBERSHIPS), store.collection(USERS)

    async def find(self, key: str, user_id: int) -> Document | None:
        """Return a membership."""
        return await self._members.find_one({"_id": member_id(key, user_id)})

    async def roles_of_all(self, key: str) -> dict[int, list[str]]:
        """Return the roles of every member who has one."""
        found = self._members.aggregate([{"$match": {"group": key}}, {"$match": {"roles.0": {"$exists": True}}}])
        return {one["user_id"]: one["roles"] async for one in found}

    async def count_role(self, key: str, role: str) -> int:
        """Return how many have a role."""
        return await self._members.count_documents({"group": key, "roles": role})

    async def by_status(self, key: str) -> tuple[dict[str, int], int]:
        """Return how many members there are by status, and how many messages they wrote."""
        pipeline = [
            {"$match": {"group": key}},
            {"$group": {"_id": "$status", "members": {"$sum": 1}, "messages": {"$sum": "$messages"}}},
        ]
        found: list[Document] = [one async for one in self._members.aggregate(pipeline)]
        return {one["_id"]: one["members"] for one in found}, sum(one["messages"] for one in found)

    async def active(self, key: str, now: datetime) -> dict[str, int]:
        """Return how many wrote lately."""
        oldest = now - max(ACTIVE.values())
        recent = self._members.aggregate(
            [
                {"$match": {"group": key, "last_active_at": {"$gte": oldest}}},
                {
                    "$group": {
                        "_id": None,
                        **{
                            name: {"$sum": {"$cond": [{"$gte": ["$last_active_at", now - span]}, 1, 0]}}
                            for name, span in ACTIVE.items()
                        },
                    }
                },
            ]
        )
        counted: list[dict[str, Any]] = [one async for one in recent]
        return {name: counted[0][name] if counted else 0 for name in ACTIVE}

    async def groups_of(self, owner: str, user_id: int) -> list[Document]:
        """Return the memberships of a user in the groups of an owner."""
        return [one async for one in self._members.find({"owner": owner, "user_id": user_id})]

    async def profile(self, owner: str, user_id: int) -> Document | None:
        """Return the profile that an owner has of a user."""
        return await self._users.find_one({"_id": user_key(owner, user_id)}, {"outbox": 0})

    async def profile_by_name(self, owner: str, username: str) -> Document | None:
        """Return the profile of a name, as it was written last."""
        found = self._users.find({"owner": owner, "username": username.casefold()}, {"outbox": 0})
        profiles = sorted([one async for one in found], key=lambda one: one["updated_at"])
        return profiles[-1] if profiles else None
