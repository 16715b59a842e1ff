"""Members of groups, and what is known of users across the groups of an owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from consumers.community.caching import user_key
from consumers.community.store.changes import Collections
from consumers.community.store.collections import MEMBERSHIPS, USERS
from consumers.community.store.groups import Group
from contracts.services.community.bot import MemberChange
from runtime.store import Document, Store, upsert

NEW_PROFILE: Final[Document] = {
    "username": None, "name": None, "language": None, "note": "", "trusted": False, "custom": {},
}  # fmt: skip
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


async def set_statuses(collections: Collections, group: Group, changes: Sequence[MemberChange]) -> list[int]:
    """Write what members are since when, of each the newest; return of whom that is new."""
    members, newest = collections(MEMBERSHIPS), newest_of(changes)
    names = {member_id(group.key, user_id): one for user_id, one in newest.items()}
    query = {"_id": {"$in": list(names)}}
    known = {one["_id"]: one async for one in members.find(query, {"status": 1, "status_at": 1})} if names else {}
    requests, changed = list[Any](), list[int]()
    for name, one in names.items():
        found = known.get(name)
        if found is not None and (found.get("status") == one.status or (found.get("status_at") or one.at) > one.at):
            continue
        joined = one.status == "member" and (found is None or found.get("status") in {None, "left", "banned"})
        fields = {"status": one.status, "status_at": one.at, **({"joined_at": one.at} if joined else {})}
        begin: Document = {**first_seen(group, one.user_id), "roles": [], "messages": 0, "last_active_at": None}
        begin |= {} if joined else {"joined_at": None}
        requests.append(upsert({"_id": name}, {"$set": fields, "$setOnInsert": begin}))
        changed.append(one.user_id)
    if requests:
        await members.bulk_write(requests, ordered=False)
    return changed


def newest_of(changes: Sequence[MemberChange]) -> dict[int, MemberChange]:
    """Return of each user the last change of what they are; of two at one time the later in the list."""
    newest: dict[int, MemberChange] = {}
    for one in changes:
        before = newest.get(one.user_id)
        if one.status is not None and (before is None or before.at <= one.at):
            newest[one.user_id] = one
    return newest


async def set_names(
    collections: Collections, owner: str, changes: Sequence[MemberChange], *, now: datetime
) -> list[int]:
    """Write what users are called into the owner's profiles of them; return of whom that is new."""
    users, named = collections(USERS), {one.user_id: one for one in changes if one.name is not None}
    keys = {user_key(owner, user_id): one for user_id, one in named.items()}
    query = {"_id": {"$in": list(keys)}}
    known = {one["_id"]: one async for one in users.find(query, {"name": 1, "username": 1})} if keys else {}
    requests, changed = list[Any](), list[int]()
    for key, one in keys.items():
        fields: Document = {"name": one.name, **username_fields(one.username)}
        found = known.get(key)
        if found is not None and all(found.get(field) == fields[field] for field in ("name", "username")):
            continue
        begin: Document = {"owner": owner, "user_id": one.user_id, **NEW_PROFILE}
        first = {field: value for field, value in begin.items() if field not in fields}
        requests.append(upsert({"_id": key}, {"$set": {**fields, "updated_at": now}, "$setOnInsert": first}))
        changed.append(one.user_id)
    if requests:
        await users.bulk_write(requests, ordered=False)
    return changed


def username_fields(username: str | None) -> Document:
    """Return how an @name is kept: as it is found, and as it is shown."""
    return {"username": None} if username is None else {"username": username.casefold(), "shown_username": username}


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
