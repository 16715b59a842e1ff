"""`/api/v2/groups/{group_id}/roles`: custom roles, and who has them."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.v2.sending import ROUTER, GroupInPath, Make, RoleInPath, Send, UserInPath, failures
from contracts.services.community import groups
from contracts.services.responses import PaginationParams, SuccessResponse

router: Final = APIRouter(tags=["groups"], **ROUTER)
_ROLES: Final = "/groups/{group_id}/roles"
_ROLE: Final = _ROLES + "/{name}"
_MEMBER: Final = _ROLE + "/members/{user_id}"


@router.post(
    _ROLES,
    operation_id="createRole",
    status_code=201,
    response_model=groups.RoleResponse,
    responses=failures(404, 409, 413),
)
async def create(group_id: GroupInPath, body: groups.RoleCreate, make: Make) -> Response:
    """Make a role.

    It has its own permissions and those of its parent role. Roles that would inherit from each other are refused.
    """
    return await make("create_role", group_id=group_id, role=body)


@router.get(_ROLES, operation_id="listRoles", response_model=groups.RolePage, responses=failures(404))
async def list_roles(group_id: GroupInPath, query: Annotated[PaginationParams, Query()], send: Send) -> Response:
    """Roles of a group, the highest priority first."""
    return await send("list_roles", group_id=group_id, **query.model_dump())


@router.get(_ROLE, operation_id="getRole", response_model=groups.RoleResponse, responses=failures(404))
async def find(group_id: GroupInPath, name: RoleInPath, send: Send) -> Response:
    """One role, with what it inherits and how many have it."""
    return await send("find_role", group_id=group_id, name=name)


@router.put(_ROLE, operation_id="updateRole", response_model=groups.RoleResponse, responses=failures(404, 409, 413))
async def update(group_id: GroupInPath, name: RoleInPath, body: groups.RoleUpdate, send: Send) -> Response:
    """Change a role; what is absent stays, and `parent` null takes the parent away."""
    return await send("update_role", group_id=group_id, name=name, changes=body)


@router.delete(_ROLE, operation_id="deleteRole", response_model=SuccessResponse, responses=failures(404, 409))
async def delete(group_id: GroupInPath, name: RoleInPath, send: Send) -> Response:
    """Delete a role that no other inherits from; who has it loses it."""
    return await send("delete_role", group_id=group_id, name=name)


@router.post(_MEMBER, operation_id="assignRole", response_model=SuccessResponse, responses=failures(404))
async def assign(group_id: GroupInPath, name: RoleInPath, user_id: UserInPath, send: Send) -> Response:
    """Give a member a role; who has it keeps it."""
    return await send("assign_role", group_id=group_id, name=name, user_id=user_id)


@router.delete(_MEMBER, operation_id="unassignRole", response_model=SuccessResponse, responses=failures(404))
async def unassign(group_id: GroupInPath, name: RoleInPath, user_id: UserInPath, send: Send) -> Response:
    """Take a role from a member."""
    return await send("unassign_role", group_id=group_id, name=name, user_id=user_id)
