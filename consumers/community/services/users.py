"""Users: profiles across the groups of an owner, and figures in one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from consumers.community.caching import user_key
from consumers.community.services.context import Context, new_id
from consumers.community.services.figures import count_by, days_of_user
from consumers.community.store.changes import Collections
from consumers.community.store.collections import USERS
from consumers.community.store.days import last_days
from consumers.community.store.members import NEW_PROFILE, username_fields
from contracts.errors import InvalidParameterError, NotFoundError
from contracts.services.community import commands
from contracts.services.community.actions import KEPT_DAYS, UserStatistics
from contracts.services.community.events import CommunityEvent
from contracts.services.community.groups import UserMembership, UserResponse
from runtime.store import Document


class UserService:
    """The commands about users."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find_user(self, request: commands.FindUser) -> UserResponse:
        """Return a profile; NotFoundError for who was never seen in the owner's groups and has none."""
        context, owner, user_id = self._context, request.owner, request.user_id
        if user_id is None:
            if request.username is None:
                raise InvalidParameterError("user_id or username is needed", parameter="user_id")
            found = await context.members.profile_by_name(owner, request.username)
            if found is None:
                raise NotFoundError(f"There is no user @{request.username}", username=request.username)
            user_id = int(found["user_id"])

        shown = await self._read(owner, user_id)
        if shown is None:
            raise NotFoundError(f"There is no user {user_id}", user_id=user_id)
        return shown

    async def update_user(self, request: commands.UpdateUser) -> UserResponse:
        """Change a profile, or make it; null is as it was at first."""
        context, owner, user_id = self._context, request.owner, request.user_id
        name = user_key(owner, user_id)
        given = request.changes.model_dump(exclude_unset=True)
        changes: Document = {field: NEW_PROFILE[field] if value is None else value for field, value in given.items()}
        if "username" in changes:
            changes |= username_fields(changes["username"])
        event = CommunityEvent(
            id=f"user.{new_id()}",
            at=context.now(),
            what="user",
            deed="updated",
            key=str(user_id),
            owner=owner,
            actor=request.caller.actor,
        )

        async def write(collections: Collections) -> tuple[None, CommunityEvent | None]:
            users = collections(USERS)
            begin: Document = {"owner": owner, "user_id": user_id, **NEW_PROFILE}
            fields = {**changes, "updated_at": context.now()}
            first = {field: value for field, value in begin.items() if field not in fields}
            await users.update_one({"_id": name}, {"$set": fields, "$setOnInsert": first}, upsert=True)
            return None, event

        await context.changes.change((USERS, name), write)
        shown = await self._read(owner, user_id)
        if shown is None:
            raise NotFoundError(f"There is no user {user_id}", user_id=user_id)
        return shown

    async def user_stats(self, request: commands.UserStats) -> UserStatistics:
        """Return the figures of a user in a group."""
        context = self._context
        group = await context.group(request)
        member = await context.members.find(group.key, request.user_id) or {}
        rows = [one for one in await context.log.sums_of_user(group.key, request.user_id) if _was_done(one)]
        if not member and not rows:
            raise NotFoundError(f"There is no user {request.user_id} in the group", user_id=request.user_id)
        standing = [one for one in rows if one["_id"]["kind"] == "warn" and one["_id"]["state"] == "done"]
        last: list[datetime] = [one["last"] for one in rows]
        by_kind = count_by(rows, "kind")
        return UserStatistics(
            group_id=group.group_id,
            user_id=request.user_id,
            status=member.get("status"),
            roles=member.get("roles", []),
            messages=member.get("messages", 0),
            warns=sum(one["count"] for one in standing),
            actions=sum(by_kind.values()),
            by_kind=by_kind,
            by_rule=count_by(rows, "rule"),
            trend=days_of_user(last_days(context.now(), KEPT_DAYS), rows),
            joined_at=member.get("joined_at"),
            last_active_at=member.get("last_active_at"),
            last_action_at=max(last, default=None),
        )

    async def _read(self, owner: str, user_id: int) -> UserResponse | None:
        profile = await self._context.profile(owner, user_id)
        memberships = await self._context.members.groups_of(owner, user_id)
        if profile is None and not memberships:
            return None
        found = profile or NEW_PROFILE
        fields: dict[str, Any] = {name: found.get(name, first) for name, first in NEW_PROFILE.items()}
        if profile is not None and fields["username"] is not None:
            fields["username"] = profile.get("shown_username", fields["username"])
        groups = await self._context.groups.by_keys([one["group"] for one in memberships])
        return UserResponse(
            user_id=user_id,
            groups=[
                UserMembership(
                    group_id=groups[one["group"]].group_id,
                    name=groups[one["group"]].name,
                    status=one["status"],
                    roles=one["roles"],
                    joined_at=one["joined_at"],
                    last_active_at=one["last_active_at"],
                )
                for one in memberships
                if one["group"] in groups
            ],
            updated_at=None if profile is None else profile["updated_at"],
            **fields,
        )


def _was_done(row: Document) -> bool:
    return row["_id"].get("state") != "shadow"
