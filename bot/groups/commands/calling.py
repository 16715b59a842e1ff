"""What every group command goes through: in a managed group, and judged by who wrote it, before anything is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import uuid4

from telegram import CallbackQuery, Chat, Message, Update, User
from telegram.constants import ChatType
from telegram.ext import CallbackQueryHandler, CommandHandler, ContextTypes, filters

from bot.callback_data import unpack
from bot.commands.buttons import is_there
from bot.commands.visiting import GROUPS, AnyHandler, Handler, Services, key_of
from bot.groups.deeds import Deeds
from bot.groups.managed import Managed
from bot.groups.people import People, topic_of
from bot.groups.standing import Standing, Standings
from bot.groups.telegram import Telegram
from bot.page import Page, Visit
from bot.texts import groups as texts
from contracts.errors import HydrophoneError
from contracts.services.community.commands import FindSettings
from contracts.services.community.groups import GroupResponse, Permission
from contracts.services.community.settings import SettingsResponse
from runtime.texts.markup import MOST_NOTE_CHARACTERS, shorten

Need = Permission | Literal["can_promote_members"] | None
"""What somebody has to be allowed: a permission, a right that only Telegram gives, or nothing."""
PREFIX: Final = "g"  # actions of the buttons of groups begin with it


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupServices:
    """What group commands work with."""

    services: Services
    telegram: Telegram
    standings: Standings
    deeds: Deeds
    managed: Managed
    people: People


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCall:
    """One command, or one press of a button: who wants it, in which group, and the words behind it.

    `message` is the command's, of a press the one below which the button stands.
    """

    visit: Visit
    words: tuple[str, ...]
    message: Message
    standing: Standing
    group: GroupResponse

    @property
    def moderator_id(self) -> int:
        """Who is logged: an anonymous administrator is Telegram's own account for them."""
        return self.standing.user_id if self.standing.user_id > 0 else self.visit.user_id


MakeForGroup = Callable[[GroupCall], Awaitable[Page | None]]
"""What a command answers; None for nothing."""


@dataclass(frozen=True, slots=True)
class GroupCommand:
    """A command: what it needs, and what it does."""

    name: str
    need: Need
    make: MakeForGroup


@dataclass(frozen=True, slots=True)
class GroupPress:
    """A button: the action that its data begins with, what it needs, and what the message becomes."""

    action: str
    need: Need
    make: MakeForGroup


def is_allowed(standing: Standing, need: Need) -> bool:
    """Return whether somebody may do what needs it."""
    if need is None:
        return True
    return standing.has_right(need) if need == "can_promote_members" else standing.may(need)


class Door:
    """Lets commands and presses through to what they do, or says why not; both are judged alike."""

    def __init__(self, given: GroupServices) -> None:
        self._given = given

    def commands(self, found: list[GroupCommand]) -> list[AnyHandler]:
        """Return the handlers of commands."""
        only_new = filters.UpdateType.MESSAGE
        made: list[AnyHandler] = [CommandHandler(one.name, self._command(one), filters=only_new) for one in found]
        return made

    def presses(self, found: list[GroupPress]) -> AnyHandler:
        """Return the handler of buttons."""
        by_action = {one.action: one for one in found}

        async def handle(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
            if (query := update.callback_query) is not None:
                note = await self._press(query, by_action)
                await query.answer(shorten(note, MOST_NOTE_CHARACTERS) if note else None, show_alert=bool(note))

        names = "|".join(by_action)
        return CallbackQueryHandler(handle, pattern=rf"^(?:{names})(?:\||$)")

    def _command(self, one: GroupCommand) -> Handler:
        async def handle(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
            message, user, chat = update.effective_message, update.effective_user, update.effective_chat
            if message is None or chat is None:
                return
            visit = await self._visit(user, chat, topic_of(message), key_of(message))
            page = await self._answer(one, message, visit)
            if page is not None:
                await self._given.services.outbox.send(visit, page)

        return handle

    async def _answer(self, one: GroupCommand, message: Message, visit: Visit) -> Page | None:
        given = self._given
        if not given.services.allowlist.permits(visit.user_id, visit.chat_id):
            return Page(visit.reader.say("error.not_allowed", user_id=visit.user_id))
        if message.chat.type not in GROUPS:
            return Page(visit.reader.say("groups.only_in_groups"))
        try:
            standing = await given.standings.of_message(message)
            if standing.anonymous or standing.channel:
                visit = await self._in_groups_language(visit)
            if not is_allowed(standing, one.need):
                return refused(one.need, visit, standing)
            group = await given.managed.ensure(message.chat)
            if group is None:
                return Page(visit.reader.say("groups.no_owner"))
            words = tuple((message.text or message.caption or "").split()[1:])
            return await one.make(GroupCall(visit=visit, words=words, message=message, standing=standing, group=group))
        except HydrophoneError as error:
            return given.services.pages.refused(error, "", visit)

    async def _press(self, query: CallbackQuery, by_action: dict[str, GroupPress]) -> str | None:
        """Do what the button is for; return what the press is answered with, None where the message says it."""
        message, given = query.message, self._given
        action, arguments = unpack(query.data or "")
        if not isinstance(message, Message) or message.chat.type == ChatType.PRIVATE:
            profile = await given.services.profiles.find(query.from_user.id)
            return given.services.profiles.reader(profile, query.from_user.language_code).plain("note.stale_button")
        visit = await self._visit(query.from_user, message.chat, topic_of(message), f"bot.press.{uuid4().hex}")
        if not given.services.allowlist.permits(visit.user_id, visit.chat_id):
            return visit.reader.plain("note.not_allowed")
        one = by_action[action]
        try:
            standing = await given.standings.of(message.chat.id, query.from_user.id)
            if not is_allowed(standing, one.need):
                return visit.reader.plain("groups.may_not", what=what_of(one.need, visit))
            group = await given.managed.find(message.chat.id)
            if group is None or not is_there(message, query.data):
                return visit.reader.plain("note.stale_button")
            call = GroupCall(visit=visit, words=arguments, message=message, standing=standing, group=group)
            page = await one.make(call)
        except HydrophoneError as error:
            return shorten(error.message, MOST_NOTE_CHARACTERS)
        if page is None:
            return visit.reader.plain("note.stale_button")
        edited = await given.services.outbox.edit(visit, message, page)
        return visit.reader.plain("note.stale_button") if edited == "gone" else None

    async def _visit(self, user: User | None, chat: Chat, thread_id: int | None, key: str) -> Visit:
        found = user or User(id=0, first_name="", is_bot=True)
        return await self._given.services.visit(found, chat, thread_id, key)

    async def _in_groups_language(self, visit: Visit) -> Visit:
        query = FindSettings(group_id=visit.chat_id)
        try:
            settings = await self._given.services.requests.request("community.find_settings", query, SettingsResponse)
        except HydrophoneError:
            return visit
        return replace(visit, reader=texts.reader_of(settings.language))


def refused(need: Need, visit: Visit, standing: Standing) -> Page:
    """Return that somebody may not do it, and what they would need."""
    lines = [visit.reader.say("groups.may_not", what=what_of(need, visit))]
    if standing.anonymous:
        lines.append(visit.reader.say("groups.anonymous"))
    return Page(texts.lines(lines))


def what_of(need: Need, visit: Visit) -> str:
    """Return what is needed in words."""
    return visit.reader.plain(f"groups.need.{need}")
