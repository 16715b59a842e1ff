"""The groups themselves: added when the bot is, kept when they become supergroups, renamed when they are.

A group belongs to who added the bot, where they administer it, else to who owns it in Telegram.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import structlog
from telegram import Chat

from bot.groups.deeds import caller_of
from bot.groups.standing import Standings
from bot.requests import Requests
from contracts.errors import AlreadyExistsError, ConflictError, HydrophoneError, NotFoundError
from contracts.services.community import commands
from contracts.services.community.groups import GroupCreate, GroupResponse, GroupUpdate
from runtime import clock

_log = structlog.get_logger("bot")
KEPT_SECONDS: Final = 30.0
GROUPS: Final = 5_000
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f]+")
_USERNAME: Final = re.compile(r"[A-Za-z0-9_]{4,32}")


class Managed:
    """Groups at the community service."""

    def __init__(self, requests: Requests, standings: Standings, now: Callable[[], float] = clock.monotonic) -> None:
        self._requests, self._standings, self._now = requests, standings, now
        self._known: OrderedDict[int, tuple[float, GroupResponse]] = OrderedDict()

    async def find(self, group_id: int) -> GroupResponse | None:
        """Return a group as it was within the last half minute; None where it is not managed."""
        until, known = self._known.get(group_id, (0.0, None))
        if known is not None and self._now() < until:
            return known
        try:
            query = commands.FindGroup(group_id=group_id)
            found = await self._requests.request("community.find_group", query, GroupResponse)
        except NotFoundError:
            self._known.pop(group_id, None)
            return None
        self._known[group_id] = (self._now() + KEPT_SECONDS, found)
        self._known.move_to_end(group_id)
        while len(self._known) > GROUPS:
            self._known.popitem(last=False)
        return found

    async def ensure(self, chat: Chat, added_by: int | None = None) -> GroupResponse | None:
        """Return the group of a chat, which is added where it is not managed; None where nobody can own it."""
        known = await self.find(chat.id)
        if known is not None:
            return known
        owner = await self._owner(chat.id, added_by)
        if owner is None:
            _log.warning("groups.no_owner", group=chat.id)
            return None
        username = chat.username if chat.username and _USERNAME.fullmatch(chat.username) else None
        request = commands.CreateGroup(
            owner=f"telegram:{owner}",
            caller=caller_of(owner),
            group=GroupCreate(group_id=chat.id, name=title_of(chat), username=username),
        )
        try:
            made = await self._requests.request("community.create_group", request, GroupResponse)
        except AlreadyExistsError:  # added meanwhile
            return await self.find(chat.id)
        _log.info("groups.added", group=chat.id, owner=made.owner)
        return made

    async def rename(self, chat: Chat, by: int) -> None:
        """Call a group what its chat is called."""
        changes = GroupUpdate(name=title_of(chat))
        request = commands.UpdateGroup(group_id=chat.id, caller=caller_of(by), changes=changes)
        try:
            await self._requests.request("community.update_group", request, GroupResponse)
        except NotFoundError:
            return

    async def migrate(self, old: int, new: int, by: int) -> None:
        """Let a group keep everything under the id of the supergroup that it became."""
        request = commands.MigrateGroup(group_id=old, to_group_id=new, caller=caller_of(by))
        for group_id in (old, new):
            self._standings.forget(group_id)
            self._known.pop(group_id, None)
        try:
            await self._requests.request("community.migrate", request, GroupResponse)
        except (NotFoundError, ConflictError) as error:
            _log.warning("groups.not_migrated", group=old, to=new, error=str(error))
        else:
            _log.info("groups.migrated", group=old, to=new)

    async def _owner(self, chat_id: int, added_by: int | None) -> int | None:
        try:
            administrators = await self._standings.administrators(chat_id)
        except HydrophoneError as error:
            _log.warning("groups.administrators_unknown", group=chat_id, error=str(error))
            return None
        by_id = {one.user_id: one for one in administrators}
        if added_by in by_id and not by_id[added_by].is_bot:
            return added_by
        return next((one.user_id for one in administrators if one.status == "creator"), None)


def title_of(chat: Chat) -> str:
    """Return a chat's title as a group may be named."""
    return _CONTROLS.sub(" ", chat.title or "").strip()[:255] or str(chat.id)
