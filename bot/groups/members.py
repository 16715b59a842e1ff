"""What Telegram says of members, sent to the community service: of a group as much at once as came meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from bot.groups.deeds import caller_of
from bot.requests import Requests
from contracts.errors import NotReadyError
from contracts.services.community.bot import MemberChange, UpdatedMembers, UpdateMembers
from runtime import clock, retry

AT_ONCE: Final = 50  # changes: what writes more is too long in the way of others that change the group
TRIES: Final = 4
_AGAIN: Final = retry.Policy(wait_initial=0.5, wait_max=5.0)
Waiting = tuple[MemberChange, "asyncio.Future[None]"]


@dataclass(slots=True)
class _Group:
    """What waits of one group, in the order in which it came."""

    waiting: list[Waiting] = field(default_factory=list[Waiting])
    task: asyncio.Task[None] | None = None


class MemberChanges:
    """Changes of members of every group; one request of a group is under way at a time."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._groups: dict[int, _Group] = {}

    async def add(self, group_id: int, change: MemberChange, by: int) -> None:
        """Return when it is written; raises the error that was replied. `by` is who is said to have changed it."""
        group = self._groups.setdefault(group_id, _Group())
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        group.waiting.append((change, future))
        if group.task is None:
            group.task = asyncio.create_task(self._send(group_id, group, by), name=f"members of {group_id}")
        await future

    async def _send(self, group_id: int, group: _Group, by: int) -> None:
        while group.waiting:
            batch, group.waiting = group.waiting[:AT_ONCE], group.waiting[AT_ONCE:]
            members = [change for change, _ in batch]
            request = UpdateMembers(group_id=group_id, caller=caller_of(by), members=members)
            error: Exception | None = None
            try:
                await self._request(request)
            except Exception as refused:  # noqa: BLE001  # whatever it is, it is raised to those who wait
                error = refused
            for _, future in batch:
                if future.done():
                    continue
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)
        del self._groups[group_id]

    async def _request(self, request: UpdateMembers) -> None:
        """Send it again where nobody replies in time: the same changes written again change nothing."""
        for _, delay in zip(range(TRIES - 1), retry.delays(_AGAIN), strict=False):
            try:
                await self._requests.request("community.update_members", request, UpdatedMembers)
            except NotReadyError:
                await clock.sleep(delay)
            else:
                return
        await self._requests.request("community.update_members", request, UpdatedMembers)
