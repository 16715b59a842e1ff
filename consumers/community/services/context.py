"""What every command works with: the documents, their changes, and the group that a request is about."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from consumers.community.caching import Caches, user_key
from consumers.community.core import Role
from consumers.community.moderation.evaluate import Rule
from consumers.community.store.changes import Changes
from consumers.community.store.collections import GROUPS
from consumers.community.store.definitions import Definitions, read_role, read_rule, read_settings
from consumers.community.store.groups import Group, GroupStore
from consumers.community.store.log import ActionLog
from consumers.community.store.members import MemberStore
from consumers.community.store.recorded import Recorded
from consumers.community.store.windows import Windows
from contracts.errors import NotFoundError
from contracts.services.access import Caller
from contracts.services.community.commands import InGroup, Paged
from contracts.services.community.events import CommunityEvent, Deed, What
from contracts.services.community.settings import SettingsBase
from contracts.services.responses import pages_of
from runtime.clock import now_ns
from runtime.store import Document, Store

P = TypeVar("P", bound=BaseModel)
ID_BYTES: Final = 8
_MS_NS: Final = 1_000_000


def utc_now() -> datetime:
    """Return the time as documents keep it: UTC, to the millisecond."""
    return datetime.fromtimestamp(now_ns() // _MS_NS / 1000, UTC)


def new_id() -> str:
    """Return a random id."""
    return secrets.token_hex(ID_BYTES)


class Context:
    """The documents of one process, and what it keeps of them."""

    def __init__(self, store: Store, changes: Changes, caches: Caches, now: Callable[[], datetime] = utc_now) -> None:
        self.changes, self.caches, self.now = changes, caches, now
        self.groups, self.members = GroupStore(store), MemberStore(store)
        self.definitions, self.log = Definitions(store), ActionLog(store, now)
        self.recorded, self.windows = Recorded(store), Windows(store)

    async def group(self, request: InGroup) -> Group:
        """Return the group of a request; NotFoundError where there is none, or where it is another owner's."""

        async def find() -> Group | None:
            return await self.groups.find(request.group_id)

        return owned(await self.caches.get("group", str(request.group_id), find), request)

    async def roles(self, key: str) -> dict[str, Role]:
        """Return the roles of a group by name."""

        async def read() -> dict[str, Role]:
            return {one["name"]: read_role(one) for one in await self.definitions.roles(key)}

        return await self.caches.get("roles", key, read)

    async def rules(self, key: str) -> list[Rule]:
        """Return the rules of a group."""

        async def read() -> list[Rule]:
            return [read_rule(one) for one in await self.definitions.rules(key)]

        return await self.caches.get("rules", key, read)

    async def settings(self, key: str) -> tuple[SettingsBase, datetime | None]:
        """Return the settings of a group, and when they were changed last."""

        async def read() -> tuple[SettingsBase, datetime | None]:
            found = await self.definitions.settings(key)
            return read_settings(found), (found or {}).get("updated_at")

        return await self.caches.get("settings", key, read)

    async def profile(self, owner: str, user_id: int) -> Document | None:
        """Return the profile that an owner has of a user."""

        async def read() -> Document | None:
            return await self.members.profile(owner, user_id)

        return await self.caches.get("user", user_key(owner, user_id), read)

    def event(
        self, what: What, deed: Deed, group: Group, key: object, *, caller: Caller, **more: Any
    ) -> CommunityEvent:
        """Return the event of a change in a group."""
        return CommunityEvent(
            id=f"{group.key}.{new_id()}",
            at=self.now(),
            what=what,
            deed=deed,
            group=group.key,
            group_ids=group.ids,
            key=str(key),
            owner=group.owner,
            actor=caller.actor,
            **more,
        )


def owned(group: Group | None, request: InGroup) -> Group:
    """Return the group; NotFoundError where it is not there for who asks: another owner's is not."""
    if group is None or (request.owner is not None and group.owner != request.owner):
        raise NotFoundError(f"There is no group {request.group_id}", group_id=request.group_id)
    return group


def place(group: Group) -> tuple[str, str]:
    """Return the document that the events of a group wait in."""
    return GROUPS, group.key


def page_of(kind: type[P], items: Sequence[Any], total: int, query: Paged) -> P:
    """Return a page of a list."""
    return kind(
        items=list(items),
        total=total,
        page=query.page,
        page_size=query.page_size,
        pages=pages_of(total, query.page_size),
    )


def cut(items: Sequence[Any], query: Paged) -> Sequence[Any]:
    """Return what of a whole list is on a page."""
    begin = (query.page - 1) * query.page_size
    return items[begin : begin + query.page_size]
