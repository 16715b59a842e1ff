"""Who may use the bot, and who may decide for a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from telegram import Bot, Chat, User
from telegram.constants import ChatMemberStatus, ChatType
from telegram.error import TelegramError

ANONYMOUS_ADMIN: Final = 1087968824  # https://core.telegram.org/bots/api#message: who an anonymous administrator is
_ADMINS: Final = {ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR}


@dataclass(frozen=True, slots=True)
class Allowlist:
    """Users, and chats, that may use the bot; where none is named, everybody may. Admins always may."""

    allowed: frozenset[int]
    admins: frozenset[int]

    def permits(self, user_id: int, chat_id: int) -> bool:
        """Return whether a user may use the bot in a chat."""
        return not self.allowed or bool({user_id, chat_id} & (self.allowed | self.admins))


async def decides_for(bot: Bot, chat: Chat, user: User, sender_chat: Chat | None) -> bool:
    """Return whether a user may change what a chat gets: in private their own, in a group its administrators."""
    if chat.type == ChatType.PRIVATE:
        return True
    if sender_chat is not None:
        return sender_chat.id == chat.id and user.id == ANONYMOUS_ADMIN
    try:
        member = await bot.get_chat_member(chat.id, user.id)
    except TelegramError:
        return False
    return member.status in _ADMINS
