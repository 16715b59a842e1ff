"""`/api/v2/groups/{group_id}/actions`: the log of what was done and by whom."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.v2.schemas import ActionsParameters, DaysParameters
from api.v2.sending import ROUTER, GroupInPath, Make, Send, failures
from contracts.services.community import actions

router: Final = APIRouter(tags=["groups"], **ROUTER)
_ACTIONS: Final = "/groups/{group_id}/actions"
_LIFT_SECONDS: Final = 2.0  # for which an answer waits for the bot


@router.post(
    _ACTIONS,
    operation_id="createAction",
    status_code=201,
    response_model=actions.ActionResponse,
    responses=failures(404, 409, 413),
)
async def create(group_id: GroupInPath, body: actions.ActionCreate, make: Make) -> Response:
    """Log an action."""
    return await make("create_action", group_id=group_id, action=body)


@router.get(_ACTIONS, operation_id="listActions", response_model=actions.ActionPage, responses=failures(404))
async def list_actions(group_id: GroupInPath, query: Annotated[ActionsParameters, Query()], send: Send) -> Response:
    """Actions of the last 30 days, the newest first."""
    return await send("list_actions", group_id=group_id, **query.model_dump())


@router.post(
    _ACTIONS + "/bulk",
    operation_id="createActions",
    status_code=201,
    response_model=actions.BulkResponse,
    responses=failures(404, 409, 413),
)
async def create_many(group_id: GroupInPath, body: actions.BulkCreate, make: Make) -> Response:
    """Log up to 1000 actions.

    Each has a result: a wrong one costs itself only.
    """
    return await make("create_actions", group_id=group_id, bulk=body)


@router.get(
    _ACTIONS + "/stats",
    operation_id="getActionStats",
    response_model=actions.ActionStatistics,
    responses=failures(404),
)
async def stats(group_id: GroupInPath, query: Annotated[DaysParameters, Query()], send: Send) -> Response:
    """Figures of the log: by kind, moderator, rule and day."""
    return await send("action_stats", group_id=group_id, days=query.days)


@router.post(
    _ACTIONS + "/undo", operation_id="undoActions", response_model=actions.UndoResponse, responses=failures(404, 413)
)
async def undo(group_id: GroupInPath, body: actions.Undo, send: Send) -> Response:
    """Take actions back, by id, or by rule and time: "all mutes by rule 7 since 10:00".

    At most 1000 at a time, each with a result. What holds in Telegram is lifted there by the bot and marked and logged
    then; what it has not lifted after two seconds is `pending`, and needs no other request.
    """
    return await send("undo_actions", group_id=group_id, undo=body, lift=True, wait_seconds=_LIFT_SECONDS)
