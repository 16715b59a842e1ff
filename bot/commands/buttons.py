"""Pressed buttons: each edits the message that it stands below, and a stale one says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from telegram import CallbackQuery, Message, Update
from telegram.ext import CallbackQueryHandler, ContextTypes

from bot import menus
from bot.access import decides_for
from bot.callback_data import unpack
from bot.commands import alerts, general
from bot.commands.alerts import ChatAlerts
from bot.commands.visiting import AnyHandler, Press, Services
from bot.market import QUESTIONS
from bot.page import Page, Visit
from runtime.texts.markup import MOST_NOTE_CHARACTERS, shorten
from runtime.texts.reader import LANGUAGES

MOST_ARGUMENTS: Final = 3


@dataclass(frozen=True, slots=True)
class OwnButtons:
    """Buttons and menus that are their owner's alone, in the private chat with them."""

    presses: Mapping[str, Press]
    menus: Mapping[str, Callable[[Visit], Awaitable[Page | None]]]

    def refuses(self, action: str, arguments: tuple[str, ...], visit: Visit) -> bool:
        """Return whether a press is somebody else's: in a group, or below a message of another's chat."""
        named = action in self.presses or (action == menus.MENU and "".join(arguments) in self.menus)
        return named and (visit.is_group or visit.chat_id != visit.user_id)


class Buttons:
    """Handles presses by the action of their data."""

    def __init__(self, services: Services, chat: ChatAlerts, own: OwnButtons) -> None:
        self._services = services
        self._chat = chat
        self._own = own
        self._presses: dict[str, Press] = {
            menus.MENU: self._menu,
            menus.SYMBOL: self._symbol,
            menus.QUESTION: self._question,
            menus.CHART: self._chart,
            menus.MAP: self._map,
            menus.DEPTH: self._depth,
            menus.LANGUAGE: self._language,
            menus.ZONE: self._zone,
            **alerts.presses(services, chat),
            **own.presses,
        }

    def handler(self) -> AnyHandler:
        """Return the handler of presses."""
        return CallbackQueryHandler(self._on_press)

    async def _on_press(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        if query is None:
            return
        note = await self._press(query)
        await query.answer(shorten(note, MOST_NOTE_CHARACTERS) if note else None, show_alert=bool(note))

    async def _press(self, query: CallbackQuery) -> str | None:
        """Do what the button is for; return what the press is answered with, None where the message says it."""
        message, services = query.message, self._services
        if not isinstance(message, Message):
            profile = await services.profiles.find(query.from_user.id)
            return services.profiles.reader(profile, query.from_user.language_code).plain("note.stale_button")
        thread = message.message_thread_id if message.is_topic_message else None
        visit = await services.visit(query.from_user, message.chat, thread, f"bot.press.{uuid4().hex}")
        if not services.allowlist.permits(visit.user_id, visit.chat_id):
            return visit.reader.plain("note.not_allowed")
        action, arguments = unpack(query.data or "")
        press = self._presses.get(action)
        if press is None or not is_there(message, query.data):
            return visit.reader.plain("note.stale_button")
        if action in alerts.DECIDING and not await decides_for(services.bot, message.chat, query.from_user, None):
            return visit.reader.plain("note.not_admin")
        if self._own.refuses(action, arguments, visit):
            return visit.reader.plain("note.not_yours")
        page = await press(arguments, visit)
        return visit.reader.plain("note.stale_button") if page is None else await self._show(page, message, visit)

    async def _show(self, page: Page, message: Message, visit: Visit) -> str | None:
        if page.photo is not None and not message.photo:
            await self._services.outbox.send(visit, page)
            return None
        edited = await self._services.outbox.edit(visit, message, page)
        notes = {"edited": None, "unchanged": "note.unchanged", "gone": "note.stale_button"}
        key = notes[edited]
        return None if key is None else visit.reader.plain(key)

    async def _menu(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        name = "".join(arguments)
        if name == "alerts":
            return await self._chat.menu(visit)
        if (own := self._own.menus.get(name)) is not None:
            return await own(visit)
        if name not in menus.MENUS:
            return None
        services = self._services
        return await services.pages.menu(name, visit, services.bot.username, services.docs_url)

    async def _symbol(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        return menus.symbol(arguments[0], visit.reader) if len(arguments) == 1 else None

    async def _question(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        if not 2 <= len(arguments) <= MOST_ARGUMENTS or arguments[0] not in QUESTIONS:  # noqa: PLR2004  # verb and symbol
            return None
        return await self._services.pages.question(arguments[0], arguments[1], visit, "".join(arguments[2:]))

    async def _chart(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        return await self._services.pages.chart(*arguments, visit) if len(arguments) == 2 else None  # noqa: PLR2004

    async def _depth(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        return await self._services.pages.depth(arguments[0], visit) if len(arguments) == 1 else None

    async def _map(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        if len(arguments) not in {1, 2}:
            return None
        symbol, window = (*arguments, menus.MAP_WINDOW)[:2]
        return await self._services.pages.liquidation_map(symbol, window, visit)

    async def _language(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        code = "".join(arguments)
        return await general.set_language(self._services, code, visit) if code in LANGUAGES else None

    async def _zone(self, arguments: tuple[str, ...], visit: Visit) -> Page | None:
        return await general.set_zone(self._services, arguments[0], visit) if len(arguments) == 1 else None


def is_there(message: Message, data: str | None) -> bool:
    """Return whether a message has a button still: it may have been edited since it was shown."""
    markup = message.reply_markup
    return markup is not None and any(one.callback_data == data for row in markup.inline_keyboard for one in row)
