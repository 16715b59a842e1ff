"""`/doctor`: what keeps the bot from working in a group, and how to mend it."""

from __future__ import annotations

from typing import Final

from bot.groups.commands.calling import GroupCall, GroupCommand, GroupServices
from bot.groups.operations import SUPERGROUPS
from bot.page import Page
from bot.texts import groups as texts
from contracts.errors import ConflictError, NotFoundError, VenueError
from contracts.services.community.commands import FindSettings
from contracts.services.community.settings import SettingsResponse
from contracts.services.telegram.jobs import MemberReply
from runtime.texts.markup import Html

NEEDED: Final = ("can_delete_messages", "can_restrict_members", "can_pin_messages", "can_invite_users")
WISHED: Final = ("can_promote_members",)  # for /promote and /demote only
_WRITERS: Final = frozenset({"creator", "administrator", "member"})


class Doctor:
    """Finds faults."""

    def __init__(self, given: GroupServices) -> None:
        self._given = given

    def commands(self) -> list[GroupCommand]:
        """Return the command."""
        return [GroupCommand("doctor", "view_actions", self._doctor)]

    async def _doctor(self, call: GroupCall) -> Page | None:
        telegram, chat_id, reader = self._given.telegram, call.visit.chat_id, call.visit.reader
        status = await telegram.status()
        me = await telegram.member(chat_id, int(status.bot["id"]))
        found: list[Html] = []
        if me.status == "administrator":
            found += [_missing(right, call) for right in (*NEEDED, *WISHED) if not me.rights.get(right, False)]
        elif me.status != "creator":
            found.append(reader.say("groups.doctor.no_admin"))
            found += [_missing(right, call) for right in (*NEEDED, *WISHED)]
            if not status.bot.get("can_read_all_group_messages", False):
                found.append(reader.say("groups.doctor.privacy", bot=str(status.bot.get("username"))))
        if chat_id > SUPERGROUPS:
            found.append(reader.say("groups.doctor.no_supergroup"))
        if (log := await self._log_channel(call, me)) is not None:
            found.append(log)
        if status.paused_seconds > 1:
            found.append(reader.say("groups.doctor.paused", seconds=round(status.paused_seconds)))
        if not found:
            return Page(reader.say("groups.doctor.healthy"))
        return Page(texts.lines([reader.say("groups.doctor.head"), *found]))

    async def _log_channel(self, call: GroupCall, me: MemberReply) -> Html | None:
        """Return what is wrong with the log channel; None where nothing is, or there is none."""
        reader = call.visit.reader
        query = FindSettings(group_id=call.visit.chat_id)
        settings = await self._given.services.requests.request("community.find_settings", query, SettingsResponse)
        log_id = settings.log_channel_id
        if log_id is None:
            return None
        try:
            chat = await self._given.telegram.chat(log_id)
            mine = await self._given.telegram.member(log_id, me.user_id)
        except (NotFoundError, ConflictError, VenueError):
            return reader.say("groups.doctor.log_gone", chat=log_id)
        writes = mine.status in _WRITERS
        if chat.type == "channel":
            writes = mine.status == "creator" or mine.rights.get("can_post_messages", False)
        return None if writes else reader.say("groups.doctor.log_silent", chat=chat.title or log_id)


def _missing(right: str, call: GroupCall) -> Html:
    reader = call.visit.reader
    return reader.say(
        "groups.doctor.right", right=reader.plain(f"groups.right.{right}"), use=reader.plain(f"groups.use.{right}")
    )
