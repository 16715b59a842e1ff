"""Logs what the bot did by itself: actions of a group that come at once are logged in one request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

import structlog

from bot.groups.deeds import Deed, caller_of
from bot.requests import Requests
from contracts.errors import HydrophoneError
from contracts.services.community.actions import ActionCreate, BulkCreate, BulkResponse
from contracts.services.community.commands import CreateActions
from runtime import clock, retry

_log = structlog.get_logger("bot")
MOST_AT_ONCE: Final = 200
TRIES: Final = 8
_AGAIN: Final = retry.Policy(wait_initial=0.2, wait_max=5.0)


@dataclass(slots=True)
class _Waiting:
    """Actions of one group that are not logged yet, each with who waits for its id."""

    actions: list[tuple[ActionCreate, asyncio.Future[str | None]]] = field(
        default_factory=list[tuple[ActionCreate, "asyncio.Future[str | None]"]]
    )
    task: asyncio.Task[None] | None = None


class ActionLog:
    """Actions of every group; one request of a group is under way at a time."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._groups: dict[int, _Waiting] = {}

    async def add(self, deed: Deed) -> str | None:
        """Log a deed and return the id of its action; None where it could not be logged."""
        waiting = self._groups.setdefault(deed.group_id, _Waiting())
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        waiting.actions.append((action_of(deed), future))
        if waiting.task is None:
            waiting.task = asyncio.create_task(self._send(deed.group_id, waiting, deed.moderator_id))
        return await future

    async def _send(self, group_id: int, waiting: _Waiting, by: int) -> None:
        while waiting.actions:
            batch, waiting.actions = waiting.actions[:MOST_AT_ONCE], waiting.actions[MOST_AT_ONCE:]
            ids = await self._log(group_id, [action for action, _ in batch], by)
            for (_, future), action_id in zip(batch, ids, strict=True):
                if not future.done():
                    future.set_result(action_id)
        del self._groups[group_id]

    async def _log(self, group_id: int, actions: list[ActionCreate], by: int) -> list[str | None]:
        """Return the ids of actions; the same request again logs nothing a second time."""
        bulk = BulkCreate(actions=[one.model_dump() for one in actions])
        request = CreateActions(group_id=group_id, caller=caller_of(by), bulk=bulk, request_key=token_hex(16))
        for _, delay in zip(range(TRIES), retry.delays(_AGAIN), strict=False):
            try:
                reply = await self._requests.request("community.create_actions", request, BulkResponse)
            except HydrophoneError as error:
                _log.warning("groups.log_again", group=group_id, actions=len(actions), error=str(error))
                await clock.sleep(delay)
            else:
                return [one.id for one in reply.results]
        _log.error("groups.not_logged", group=group_id, actions=len(actions))
        return [None] * len(actions)


def action_of(deed: Deed) -> ActionCreate:
    """Return a deed as it is logged."""
    return ActionCreate(
        kind=deed.kind,
        user_id=deed.user_id,
        moderator_id=deed.moderator_id,
        reason=deed.reason,
        duration_seconds=deed.duration_seconds,
        rule_id=deed.rule_id,
    )
