"""`/api/v2/groups`, their settings and figures, and `/api/v2/users`."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.v2.schemas import DaysParameters, GroupsParameters
from api.v2.sending import ROUTER, GroupInPath, Make, Send, UserInPath, failures
from contracts.services.community import actions, groups, settings
from contracts.services.responses import SuccessResponse

router: Final = APIRouter(tags=["groups"], **ROUTER)


@router.post(
    "/groups",
    operation_id="createGroup",
    status_code=201,
    response_model=groups.GroupResponse,
    responses=failures(409, 413),
)
async def create(body: groups.GroupCreate, make: Make) -> Response:
    """Manage a group.

    It belongs to the key's owner, who alone sees it. A group has one owner.
    """
    return await make("create_group", group=body)


@router.get("/groups", operation_id="listGroups", response_model=groups.GroupPage)
async def list_groups(query: Annotated[GroupsParameters, Query()], send: Send) -> Response:
    """Groups of the key's owner, the newest first."""
    return await send("list_groups", **query.model_dump())


@router.get("/groups/{group_id}", operation_id="getGroup", response_model=groups.GroupResponse, responses=failures(404))
async def find(group_id: GroupInPath, send: Send) -> Response:
    """One group; an id that it had before it became a supergroup leads to it, too."""
    return await send("find_group", group_id=group_id)


@router.put(
    "/groups/{group_id}",
    operation_id="updateGroup",
    response_model=groups.GroupResponse,
    responses=failures(404, 413),
)
async def update(group_id: GroupInPath, body: groups.GroupUpdate, send: Send) -> Response:
    """Change a group; what is absent stays."""
    return await send("update_group", group_id=group_id, changes=body)


@router.delete(
    "/groups/{group_id}", operation_id="deleteGroup", response_model=SuccessResponse, responses=failures(404)
)
async def delete(group_id: GroupInPath, send: Send) -> Response:
    """Manage a group no longer, and forget its members, roles, rules and settings."""
    return await send("delete_group", group_id=group_id)


@router.get(
    "/groups/{group_id}/stats",
    operation_id="getGroupStats",
    response_model=actions.GroupStatistics,
    responses=failures(404),
)
async def stats(group_id: GroupInPath, query: Annotated[DaysParameters, Query()], send: Send) -> Response:
    """Figures of a group: members, active users, actions by kind, and their trend by day."""
    return await send("group_stats", group_id=group_id, days=query.days)


@router.get(
    "/groups/{group_id}/settings",
    operation_id="getGroupSettings",
    response_model=settings.SettingsResponse,
    responses=failures(404),
)
async def find_settings(group_id: GroupInPath, send: Send) -> Response:
    """Settings of a group."""
    return await send("find_settings", group_id=group_id)


@router.put(
    "/groups/{group_id}/settings",
    operation_id="updateGroupSettings",
    response_model=settings.SettingsResponse,
    responses=failures(404, 413),
)
async def update_settings(group_id: GroupInPath, body: settings.SettingsUpdate, send: Send) -> Response:
    """Change settings; what is absent stays, null is as it was at first."""
    return await send("update_settings", group_id=group_id, changes=body)


@router.get(
    "/groups/{group_id}/users/{user_id}/stats",
    operation_id="getUserStats",
    response_model=actions.UserStatistics,
    responses=failures(404),
)
async def user_stats(group_id: GroupInPath, user_id: UserInPath, send: Send) -> Response:
    """Figures of a user in a group."""
    return await send("user_stats", group_id=group_id, user_id=user_id)


@router.get("/users/{user_id}", operation_id="getUser", response_model=groups.UserResponse, responses=failures(404))
async def find_user(user_id: UserInPath, send: Send) -> Response:
    """A user's profile, with the groups of the key's owner that the user is or was in."""
    return await send("find_user", user_id=user_id)


@router.put("/users/{user_id}", operation_id="updateUser", response_model=groups.UserResponse, responses=failures(413))
async def update_user(user_id: UserInPath, body: groups.UserUpdate, send: Send) -> Response:
    """Change a profile, or make it; what is absent stays, null is as it was at first."""
    return await send("update_user", user_id=user_id, changes=body)
