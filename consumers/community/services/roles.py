"""Roles: made, changed, given and taken, and what a member may do by them."""

from __future__ import annotations

from consumers.community import core
from consumers.community.core import Role
from consumers.community.services.context import Context, cut, page_of, place
from consumers.community.store import members
from consumers.community.store.changes import Collections
from consumers.community.store.collections import ROLES
from consumers.community.store.definitions import new_role, read_role, role_id
from contracts.errors import AlreadyExistsError, LimitReachedError, NotFoundError
from contracts.services.community import bot, commands
from contracts.services.community.events import CommunityEvent
from contracts.services.community.groups import (
    MOST_ROLES,
    EffectivePermissions,
    RolePage,
    RoleResponse,
)
from contracts.services.responses import SuccessResponse
from runtime.store import Document


class RoleService:
    """The commands about roles."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create_role(self, request: commands.CreateRole) -> RoleResponse:
        """Make a role; a request of the same name finds what it made."""
        context, role = self._context, request.role
        group = await context.group(request)
        document = new_role(group.key, role, context.now(), request.request_key)

        async def write(collections: Collections) -> tuple[Document, CommunityEvent | None]:
            found = await _read(collections, group.key)
            known = found.get(role.name)
            if known is not None:
                if request.request_key is None or known.get("request_key") != request.request_key:
                    raise AlreadyExistsError(f"There is a role {role.name} already", name=role.name)
                return known, None
            if len(found) >= MOST_ROLES:
                raise LimitReachedError(f"At most {MOST_ROLES} roles", maximum=MOST_ROLES)
            core.check_parent(_roles(found), role.name, role.parent)
            await collections(ROLES).insert_one(document)
            return document, context.event("role", "created", group, role.name, caller=request.caller)

        made = await context.changes.change(place(group), write)
        return await self._shown(group.key, made)

    async def list_roles(self, request: commands.ListRoles) -> RolePage:
        """Return a page of roles, the highest priority first."""
        context = self._context
        group = await context.group(request)
        found = await context.definitions.roles(group.key)
        items = [await self._shown(group.key, one) for one in cut(found, request)]
        return page_of(RolePage, items, len(found), request)

    async def find_role(self, request: commands.FindRole) -> RoleResponse:
        """Return a role, with what it inherits and how many have it."""
        context = self._context
        group = await context.group(request)
        found = await context.definitions.roles(group.key)
        return await self._shown(group.key, _found({one["name"]: one for one in found}, request.name))

    async def update_role(self, request: commands.UpdateRole) -> RoleResponse:
        """Change a role."""
        context = self._context
        group = await context.group(request)
        changes = request.changes.model_dump(exclude_unset=True)
        changes = {name: value for name, value in changes.items() if value is not None or name == "parent"}

        async def write(collections: Collections) -> tuple[Document, CommunityEvent | None]:
            found = await _read(collections, group.key)
            before = _found(found, request.name)
            if changes.get("parent") is not None:
                core.check_parent(_roles(found), request.name, changes["parent"])
            after = {**before, **changes, "updated_at": context.now()}
            fields = {**changes, "updated_at": after["updated_at"]}
            await collections(ROLES).update_one({"_id": before["_id"]}, {"$set": fields})
            return after, context.event("role", "updated", group, request.name, caller=request.caller)

        return await self._shown(group.key, await context.changes.change(place(group), write))

    async def delete_role(self, request: commands.DeleteRole) -> SuccessResponse:
        """Delete a role, and take it from everybody who has it."""
        context = self._context
        group = await context.group(request)

        async def write(collections: Collections) -> tuple[None, CommunityEvent | None]:
            found = await _read(collections, group.key)
            _found(found, request.name)
            core.check_deletable(_roles(found), request.name)
            await members.forget_role(collections, group.key, request.name)
            await collections(ROLES).delete_one({"_id": role_id(group.key, request.name)})
            return None, context.event("role", "deleted", group, request.name, caller=request.caller)

        await context.changes.change(place(group), write)
        return SuccessResponse(message=f"The role {request.name} was deleted")

    async def assign_role(self, request: commands.AssignRole) -> SuccessResponse:
        """Give a member a role; who has it keeps it."""
        context = self._context
        group = await context.group(request)

        async def write(collections: Collections) -> tuple[None, CommunityEvent | None]:
            _found(await _read(collections, group.key), request.name)
            if not await members.assign(collections, group, request.user_id, request.name):
                return None, None
            return None, context.event("member", "updated", group, request.user_id, caller=request.caller)

        await context.changes.change(place(group), write)
        return SuccessResponse(message=f"The member {request.user_id} has the role {request.name}")

    async def unassign_role(self, request: commands.AssignRole) -> SuccessResponse:
        """Take a role from a member; NotFoundError where the member has it not."""
        context = self._context
        group = await context.group(request)

        async def write(collections: Collections) -> tuple[None, CommunityEvent | None]:
            if not await members.unassign(collections, group, request.user_id, request.name):
                user_id, name = request.user_id, request.name
                raise NotFoundError(f"The member {user_id} has no role {name}", user_id=user_id, name=name)
            return None, context.event("member", "updated", group, request.user_id, caller=request.caller)

        await context.changes.change(place(group), write)
        return SuccessResponse(message=f"The member {request.user_id} has the role {request.name} no longer")

    async def permissions(self, request: bot.MemberPermissions) -> EffectivePermissions:
        """Return what a member may do."""
        context = self._context
        group = await context.group(request)
        roles, (settings, _) = await context.roles(group.key), await context.settings(group.key)
        member = await context.members.find(group.key, request.user_id)
        profile = await context.profile(group.owner, request.user_id)
        held = [name for name in (member or {}).get("roles", []) if name in roles]
        return EffectivePermissions(
            group_id=group.group_id,
            user_id=request.user_id,
            roles=held,
            permissions=core.in_order(core.effective(roles, held, settings.member_permissions)),
            priority=core.priority_of(roles, held),
            trusted=bool((profile or {}).get("trusted")),
        )

    async def _shown(self, key: str, document: Document) -> RoleResponse:
        name = document["name"]
        roles = {**await self._context.roles(key), name: read_role(document)}
        return RoleResponse(
            name=name,
            permissions=document["permissions"],
            priority=document["priority"],
            parent=document["parent"],
            inherits=core.ancestors(roles, name),
            effective_permissions=core.in_order(core.permissions_of(roles, name)),
            members=await self._context.members.count_role(key, name),
            created_at=document["created_at"],
            updated_at=document["updated_at"],
        )


async def _read(collections: Collections, key: str) -> dict[str, Document]:
    """Return the roles of a group as they are in this transaction."""
    return {one["name"]: one async for one in collections(ROLES).find({"group": key})}


def _roles(found: dict[str, Document]) -> dict[str, Role]:
    return {name: read_role(one) for name, one in found.items()}


def _found(found: dict[str, Document], name: str) -> Document:
    if name not in found:
        raise NotFoundError(f"There is no role {name}", name=name)
    return found[name]
