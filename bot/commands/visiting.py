"""What every command goes through: who may use the bot, how they read, and where the answer goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import structlog
from telegram import Bot, Chat, Message, Update, User
from telegram.constants import ChatType
from telegram.ext import BaseHandler, ContextTypes

from bot.access import Allowlist, decides_for
from bot.outbox import Outbox
from bot.page import Page, Visit
from bot.pages import Pages
from bot.profiles import Profiles
from bot.requests import Requests

_log = structlog.get_logger("bot")
Handler = Callable[[Update, ContextTypes.DEFAULT_TYPE], Coroutine[Any, Any, None]]
AnyHandler = BaseHandler[Any, Any, Any]
GROUPS: Final = {ChatType.GROUP, ChatType.SUPERGROUP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What commands work with."""

    bot: Bot
    outbox: Outbox
    pages: Pages
    profiles: Profiles
    requests: Requests
    allowlist: Allowlist
    docs_url: str | None = None

    async def visit(self, user: User, chat: Chat, thread_id: int | None, key: str) -> Visit:
        """Return who asks, how they read, and where; `key` names what is to be answered."""
        profile = await self.profiles.find(user.id)
        return Visit(
            reader=self.profiles.reader(profile, user.language_code),
            user_id=user.id,
            chat_id=chat.id,
            thread_id=thread_id,
            is_group=chat.type in GROUPS,
            name=user.first_name,
            zone=self.profiles.zone(profile),
            key=key,
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One command as it was written: its arguments, and the message that it stands in."""

    visit: Visit
    arguments: tuple[str, ...]
    message: Message

    @property
    def text(self) -> str:
        """What follows the command, as it was written."""
        return (self.message.text or self.message.caption or "").partition(" ")[2].strip()


def key_of(message: Message) -> str:
    """Return what names a command's answer: the same command is answered once."""
    return f"bot.{message.chat.id}.{message.message_id}.{message.date.timestamp():.0f}"


Make = Callable[[Call], Awaitable[Page]]
Press = Callable[[tuple[str, ...], Visit], Awaitable[Page | None]]
"""What the arguments of a button give: a page, or None where they mean nothing any more."""


def command(services: Services, make: Make, *, decides: bool = False) -> Handler:
    """Return the handler of a command; with `decides` in a group only for its administrators."""

    async def handle(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        message, user, chat = update.effective_message, update.effective_user, update.effective_chat
        if message is None or user is None or chat is None:
            return
        thread = message.message_thread_id if message.is_topic_message else None
        visit = await services.visit(user, chat, thread, key_of(message))
        if not services.allowlist.permits(user.id, chat.id):
            await services.outbox.send(visit, Page(visit.reader.say("error.not_allowed", user_id=user.id)))
        elif decides and not await decides_for(services.bot, chat, user, message.sender_chat):
            await services.outbox.send(visit, Page(visit.reader.say("error.not_admin")))
        else:
            words = (message.text or message.caption or "").split()
            await services.outbox.send(visit, await make(Call(visit, tuple(words[1:]), message)))

    return handle


async def on_error(update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
    """Log what a handler raised; the update is done."""
    found = update.update_id if isinstance(update, Update) else None
    _log.error("bot.update_failed", update_id=found, exc_info=context.error)
