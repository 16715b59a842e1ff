"""Sends pages and edits them in place: through Telegram's gateway, so that its limits hold over all that is sent.

Where the gateway does not answer, the bot does it itself: nothing else is sent meanwhile. A press is answered at once
in either case, as that has no limit.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable
from functools import partial
from typing import Final, Literal

import structlog
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto, LinkPreviewOptions, Message
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden

from bot.page import Page, Visit
from bot.requests import Requests
from contracts.errors import HydrophoneError
from contracts.services.telegram import operations
from contracts.services.telegram.jobs import SendJob, SendReply, TelegramJob, TelegramResult
from runtime.texts.markup import plain

_log = structlog.get_logger("bot")
NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)
EDIT_SECONDS: Final = 6.0  # that the result of an edit is waited for
Edited = Literal["edited", "unchanged", "gone"]


class Outbox:
    """Pages to chats."""

    def __init__(self, bot: Bot, requests: Requests) -> None:
        self._bot = bot
        self._requests = requests

    async def send(self, visit: Visit, page: Page) -> None:
        """Send a page as a message of its own, into the topic that it was asked in."""
        buttons = _buttons(page)
        operation: operations.Operation
        if page.photo is None:
            operation = operations.SendMessage(text=str(page.text), parse_mode="HTML", buttons=buttons)
        else:
            photo = b64encode(page.photo).decode()
            operation = operations.SendPhoto(photo=photo, caption=str(page.text), parse_mode="HTML", buttons=buttons)
        if await self._queue(visit, operation) is None:
            await self._send_directly(visit, page)

    async def edit(self, visit: Visit, message: Message, page: Page) -> Edited:
        """Put a page in the place of a message; `gone` where it cannot be edited any more."""
        queued = await self._queue(visit, _edit_of(message, page), EDIT_SECONDS)
        if queued is None:
            return await self._edit_directly(message, page)
        return _edited(queued.result)

    async def _queue(self, visit: Visit, operation: operations.Operation, wait: float = 0.0) -> SendReply | None:
        """Queue an operation for the gateway; None where it does not answer."""
        job = TelegramJob(
            id=visit.key, chat_id=visit.chat_id, thread_id=visit.thread_id, priority="urgent", operation=operation
        )
        try:
            return await self._requests.request("telegram.send", SendJob(job=job, wait_seconds=wait), SendReply)
        except HydrophoneError as error:
            _log.debug("bot.gateway_away", error=str(error))
            return None

    async def _send_directly(self, visit: Visit, page: Page) -> None:
        try:
            await self._send(visit, page, ParseMode.HTML)
        except BadRequest as error:
            if not _is_markup(error):
                raise
            _log.error("bot.markup_refused", error=str(error))
            await self._send(visit, page, None)
        except Forbidden as error:
            _log.info("bot.chat_refused", error=str(error))

    async def _send(self, visit: Visit, page: Page, mode: ParseMode | None) -> None:
        text = str(page.text) if mode else plain(page.text)
        send: partial[Awaitable[Message]]
        if page.photo is not None:
            send = partial(self._bot.send_photo, photo=page.photo, caption=text)
        else:
            send = partial(self._bot.send_message, text=text, link_preview_options=NO_PREVIEW)
        await send(
            chat_id=visit.chat_id,
            message_thread_id=visit.thread_id,
            parse_mode=mode,
            reply_markup=keyboard(page),
        )

    async def _edit_directly(self, message: Message, page: Page) -> Edited:
        try:
            await _edit(message, page)
        except BadRequest as error:
            if "not modified" in str(error).lower():
                return "unchanged"
            if "message" in str(error).lower():
                _log.info("bot.edit_refused", error=str(error))
                return "gone"
            raise
        return "edited"


async def _edit(message: Message, page: Page) -> None:
    markup = keyboard(page)
    if page.photo is not None:
        media = InputMediaPhoto(page.photo, caption=str(page.text), parse_mode=ParseMode.HTML)
        await message.edit_media(media, reply_markup=markup)
    elif message.photo:
        await message.edit_caption(str(page.text), parse_mode=ParseMode.HTML, reply_markup=markup)
    else:
        await message.edit_text(
            str(page.text), parse_mode=ParseMode.HTML, reply_markup=markup, link_preview_options=NO_PREVIEW
        )


def _edit_of(message: Message, page: Page) -> operations.Operation:
    at, text, buttons = message.message_id, str(page.text), _buttons(page)
    if page.photo is not None:
        photo = b64encode(page.photo).decode()
        return operations.EditPhoto(message_id=at, photo=photo, caption=text, parse_mode="HTML", buttons=buttons)
    if message.photo:
        return operations.EditCaption(message_id=at, caption=text, parse_mode="HTML", buttons=buttons)
    return operations.EditText(message_id=at, text=text, parse_mode="HTML", buttons=buttons)


def _edited(result: TelegramResult | None) -> Edited:
    if result is None or result.state == "done":  # without a result yet it waits for its turn
        return "edited"
    return "unchanged" if "not modified" in (result.reason or "").lower() else "gone"


def _buttons(page: Page) -> list[list[operations.Button]] | None:
    rows = [[operations.Button(text=one.label, data=one.data) for one in row] for row in page.rows]
    return rows or None


def keyboard(page: Page) -> InlineKeyboardMarkup | None:
    """Return the buttons of a page; None where it has none."""
    if not page.rows:
        return None
    return InlineKeyboardMarkup([
        [InlineKeyboardButton(one.label, callback_data=one.data) for one in row] for row in page.rows
    ])  # fmt: skip


def _is_markup(error: BadRequest) -> bool:
    return "parse" in str(error).lower()
