"""What Telegram says about managed groups beside commands: the bot was added, members changed, a group has moved."""

from __future__ import annotations

from datetime import UTC
from typing import Final

import structlog
from telegram import ChatMember, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus
from telegram.ext import ContextTypes, TypeHandler

from bot.commands.visiting import GROUPS, AnyHandler
from bot.groups.managed import Managed
from bot.groups.people import People, users_of
from bot.groups.standing import Standings
from contracts.errors import HydrophoneError
from contracts.services.community.bot import MemberChange
from contracts.services.community.groups import MemberStatus

_log = structlog.get_logger("bot")
_ADMINS: Final = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR})
_GONE: Final = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.BANNED})


class Watching:
    """Takes note of every update of a group; it answers nothing."""

    def __init__(self, standings: Standings, managed: Managed, people: People) -> None:
        self._standings, self._managed, self._people = standings, managed, people

    def handler(self) -> AnyHandler:
        """Return the handler, which belongs into a group of handlers of its own."""
        return TypeHandler(Update, self._on_update)

    async def _on_update(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        chat = update.effective_chat
        if chat is None or chat.type not in GROUPS:
            return
        if (own := update.my_chat_member) is not None:
            await self._on_own(own)
        elif (changed := update.chat_member) is not None:
            await self._on_member(changed)
        elif (message := update.message) is not None:
            await self._on_message(message)

    async def _on_own(self, changed: ChatMemberUpdated) -> None:
        """Add the group where the bot came in; what it may do there is asked again."""
        self._standings.forget(changed.chat.id)
        if changed.new_chat_member.status not in _GONE:
            await self._managed.ensure(changed.chat, changed.from_user.id)

    async def _on_member(self, changed: ChatMemberUpdated) -> None:
        user = changed.new_chat_member.user
        statuses = {changed.old_chat_member.status, changed.new_chat_member.status}
        self._standings.forget(changed.chat.id, user.id, administrators=bool(statuses & _ADMINS))
        group = await self._managed.find(changed.chat.id)
        if group is None:
            return
        status = status_of(changed.new_chat_member)
        change = MemberChange(user_id=user.id, at=changed.date.astimezone(UTC), status=status)
        try:
            await self._people.changed(group, user, change, changed.from_user.id)
        except HydrophoneError as error:
            _log.warning("groups.member_not_kept", group=changed.chat.id, user=user.id, error=str(error))

    async def _on_message(self, message: Message) -> None:
        chat, by = message.chat, message.from_user.id if message.from_user else 1
        if message.migrate_to_chat_id is not None:
            await self._managed.migrate(chat.id, message.migrate_to_chat_id, by)
        elif message.migrate_from_chat_id is not None:
            await self._managed.migrate(message.migrate_from_chat_id, chat.id, by)
        elif message.new_chat_title is not None:
            await self._managed.rename(chat, by)
        if chat.is_forum:
            self._people.note(message)
        if (group := await self._managed.find(chat.id)) is not None:
            await self._people.saw(group, users_of(message), message.date.astimezone(UTC))


def status_of(member: ChatMember) -> MemberStatus:
    """Return what the community service calls a member's status."""
    match member.status:
        case ChatMemberStatus.BANNED:
            return "banned"
        case ChatMemberStatus.LEFT:
            return "left"
        case ChatMemberStatus.RESTRICTED:
            return "restricted" if getattr(member, "is_member", True) else "left"
        case _:
            return "member"
