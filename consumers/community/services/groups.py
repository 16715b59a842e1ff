"""Groups: added, listed, changed, migrated, removed, and their figures."""

from __future__ import annotations

import asyncio

from consumers.community import core
from consumers.community.moderation.past import tally
from consumers.community.services.context import Context, new_id, owned, page_of, place
from consumers.community.services.figures import day_counts
from consumers.community.store.changes import Collections
from consumers.community.store.collections import GROUPS
from consumers.community.store.days import last_days
from consumers.community.store.groups import Group, is_empty, new_group, put_aside, read_group
from contracts.errors import AlreadyExistsError, ConflictError, LimitReachedError
from contracts.services.community import commands
from contracts.services.community.actions import GroupStatistics
from contracts.services.community.events import CommunityEvent
from contracts.services.community.groups import MOST_GROUPS, GroupPage, GroupResponse
from contracts.services.responses import SuccessResponse
from runtime.store import AlreadyThereError, Document


class GroupService:
    """The commands about groups themselves."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create_group(self, request: commands.CreateGroup) -> GroupResponse:
        """Add a group; a request of the same name finds what it made. A group has one owner, whoever asks first."""
        context, wanted = self._context, request.group.group_id
        if await context.groups.count(request.owner) >= MOST_GROUPS:
            raise LimitReachedError(f"At most {MOST_GROUPS} groups", maximum=MOST_GROUPS)
        document = new_group(new_id(), request, context.now())
        made = read_group(document)

        async def write(collections: Collections) -> tuple[Group, CommunityEvent | None]:
            known = await context.groups.find(wanted, collections)
            if known is not None:
                return _same(known, request), None
            await collections(GROUPS).insert_one(document)
            return made, context.event("group", "created", made, wanted, caller=request.caller)

        try:
            return (await context.changes.change(place(made), write)).shown()
        except AlreadyThereError:  # added meanwhile
            return _same(await context.groups.find(wanted), request).shown()

    async def list_groups(self, request: commands.ListGroups) -> GroupPage:
        """Return a page of an owner's groups."""
        skip = (request.page - 1) * request.page_size
        found, total = await self._context.groups.page(request.owner, request.search, skip, request.page_size)
        return page_of(GroupPage, [group.shown() for group in found], total, request)

    async def find_group(self, request: commands.FindGroup) -> GroupResponse:
        """Return a group."""
        return (await self._context.group(request)).shown()

    async def update_group(self, request: commands.UpdateGroup) -> GroupResponse:
        """Change what a group is called."""
        context = self._context
        group = await context.group(request)
        changes = request.changes.model_dump(exclude_unset=True)
        if changes.get("name", "") is None:
            del changes["name"]
        if changes.get("description", "") is None:
            changes["description"] = ""

        async def write(collections: Collections) -> tuple[Group, CommunityEvent | None]:
            before = owned(await context.groups.find(request.group_id, collections), request)
            name, username = changes.get("name", before.name), changes.get("username", before.username)
            words = core.search_words(name, username, before.ids)
            fields = {**changes, "words": words, "updated_at": context.now()}
            await collections(GROUPS).update_one({"_id": before.key}, {"$set": fields})
            after = owned(await context.groups.find(request.group_id, collections), request)
            return after, context.event("group", "updated", after, after.group_id, caller=request.caller)

        return (await context.changes.change(place(group), write)).shown()

    async def delete_group(self, request: commands.DeleteGroup) -> SuccessResponse:
        """Take a group out of every list at once; what is kept of it is taken away beside."""
        context = self._context
        group = await context.group(request)

        async def write(collections: Collections) -> tuple[None, CommunityEvent | None]:
            before = owned(await context.groups.find(request.group_id, collections), request)
            await put_aside(collections, before.key)
            return None, context.event("group", "deleted", before, before.group_id, caller=request.caller)

        await context.changes.change(place(group), write)
        return SuccessResponse(message="The group was deleted")

    async def migrate(self, request: commands.MigrateGroup) -> GroupResponse:
        """Give a group the id of the supergroup that it became: one write, everything stays where it is."""
        context, new = self._context, request.to_group_id
        group = await context.group(request)

        async def write(collections: Collections) -> tuple[Group, CommunityEvent | None]:
            before = owned(await context.groups.find(request.group_id, collections), request)
            if before.group_id == new:
                return before, None
            other = await context.groups.find(new, collections)
            if other is not None:
                await _make_way(collections, before, other)
            ids = [new, *(one for one in before.ids if one != new)]
            words = core.search_words(before.name, before.username, ids)
            fields: Document = {"group_id": new, "former_ids": ids[1:], "words": words, "updated_at": context.now()}
            await collections(GROUPS).update_one({"_id": before.key}, {"$set": fields})
            after = owned(await context.groups.find(new, collections), request)
            return after, context.event("group", "migrated", after, new, caller=request.caller)

        return (await context.changes.change(place(group), write)).shown()

    async def group_stats(self, request: commands.GroupStats) -> GroupStatistics:
        """Return the figures of a group."""
        context = self._context
        group = await context.group(request)
        days = last_days(context.now(), request.days)
        (members, messages), active, sums, roles, rules = await asyncio.gather(
            context.members.by_status(group.key),
            context.members.active(group.key, context.now()),
            context.log.days.sums(group.key, days),
            context.roles(group.key),
            context.rules(group.key),
        )
        trend = day_counts(days, sums)
        by_kind = tally(one.by_kind for one in trend)
        return GroupStatistics(
            group_id=group.group_id,
            members=members,
            active_users=active,
            messages=messages,
            roles=len(roles),
            rules=len(rules),
            actions=sum(by_kind.values()),
            by_kind=by_kind,
            trend=trend,
        )


def _same(known: Group | None, request: commands.CreateGroup) -> Group:
    """Return the group that the same request made before; AlreadyExistsError otherwise."""
    mine = known is not None and known.owner == request.owner
    if known is None or not mine or request.request_key is None or known.request_key != request.request_key:
        group_id = request.group.group_id
        raise AlreadyExistsError(f"The group {group_id} is managed already", group_id=group_id)
    return known


async def _make_way(collections: Collections, group: Group, other: Group) -> None:
    """Put aside what was begun under the new id of a group; ConflictError where something is kept there."""
    if other.owner != group.owner or not await is_empty(collections, other):
        raise ConflictError(f"Under {other.group_id} another group is managed already", parameter="to_group_id")
    await put_aside(collections, other.key)
