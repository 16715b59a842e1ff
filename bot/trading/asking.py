"""What a user writes where the bot waits for it: it goes to who waits, and where it is a secret it is deleted first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from telegram import Message, Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes, MessageHandler, filters

from bot.commands.visiting import AnyHandler, Call, command
from bot.page import Page, Visit
from bot.requests import Requests
from bot.trading.accounts import TradingServices
from bot.trading.state import Asking
from contracts.errors import HydrophoneError
from contracts.services.telegram.jobs import SendJob, SendReply, TelegramJob
from contracts.services.telegram.operations import DeleteMessages
from runtime import clock

_log = structlog.get_logger("bot")
ASK_SECONDS: Final = 600.0
SECRETS: Final = frozenset({"key", "secret"})
LEAST_SECRET: Final = 16  # characters: shorter ones no exchange gives out
Take = Callable[[Asking, str, Visit], Awaitable[Page]]
"""What is done with what was written."""


class Answers:
    """Takes what users write in their own chat, by what is waited for."""

    def __init__(self, trading: TradingServices, takes: Mapping[str, Take]) -> None:
        self._trading, self._takes = trading, takes

    def handler(self) -> AnyHandler:
        """Return the handler of what is no command."""
        written = filters.TEXT & ~filters.COMMAND & filters.ChatType.PRIVATE & filters.UpdateType.MESSAGE
        return MessageHandler(written, self._on_text)

    async def _on_text(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        message, user = update.effective_message, update.effective_user
        if message is None or user is None:
            return
        text = (message.text or "").strip()
        try:
            asking = await self._trading.state.answered(user.id, now())
        except HydrophoneError:  # then it is not known whether it is a secret
            if looks_secret(text):
                await delete(message, self._trading.services.requests)
            return
        if asking is None:
            return
        gone = asking.what not in SECRETS or await delete(message, self._trading.services.requests)

        async def make(call: Call) -> Page:
            page = await self._takes[asking.what](asking, text, call.visit)
            return page if gone else with_warning(page, call.visit)

        await command(self._trading.services, make)(update, context)


async def delete(message: Message, requests: Requests) -> bool:
    """Delete a message at once; where Telegram does not do it now, it is tried again by its gateway. False then."""
    try:
        return await message.delete()
    except TelegramError as error:
        _log.warning("bot.secret_not_deleted", error=str(error))
    job = TelegramJob(
        id=f"bot.secret.{message.chat.id}.{message.message_id}",
        chat_id=message.chat.id,
        priority="urgent",
        operation=DeleteMessages(message_ids=[message.message_id]),
    )
    try:
        await requests.request("telegram.send", SendJob(job=job), SendReply)
    except HydrophoneError as error:
        _log.warning("bot.secret_not_deleted", error=str(error))
    return False


def with_warning(page: Page, visit: Visit) -> Page:
    """Return a page that says that a message with a secret may be there still."""
    text = type(page.text)(f"{visit.reader.say('link.not_deleted')}\n{page.text}")
    return Page(text, page.rows, page.photo, page.answers)


def looks_secret(text: str) -> bool:
    """Return whether a text may be a key of an exchange."""
    return len(text) >= LEAST_SECRET and not any(character.isspace() for character in text)


def until(seconds: float) -> float:
    """Return when a waiting of now ends."""
    return now() + seconds


def now() -> float:
    """Return seconds since 1970."""
    return clock.now_ns() / 1e9
