"""The automatic parts of one bot put together: which updates they take, and what they do every second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from telegram import ChatMemberUpdated, Message, Update
from telegram.ext import CommandHandler, ContextTypes, TypeHandler, filters

from bot.commands.visiting import GROUPS, AnyHandler, Services, command
from bot.groups.automatic.actions import ActionLog
from bot.groups.automatic.answers import Answers
from bot.groups.automatic.board import Boards
from bot.groups.automatic.context import Context
from bot.groups.automatic.greetings import Greetings
from bot.groups.automatic.joins import Join, Joins
from bot.groups.automatic.kept import Kept
from bot.groups.automatic.penalties import Penalties
from bot.groups.automatic.raids import Raids
from bot.groups.automatic.recorder import Recorder, Work
from bot.groups.automatic.reports import Reports
from bot.groups.automatic.seen import has_joined, has_left
from bot.groups.automatic.settings import Groups
from bot.groups.deeds import Deeds
from bot.groups.fading import FadingCommands, command_of
from bot.groups.standing import Standings
from bot.groups.telegram import Telegram
from contracts.errors import HydrophoneError
from runtime import clock
from runtime.nats.bus import Bus

_log = structlog.get_logger("bot")
SWEEP_SECONDS: Final = 1.0
UPDATES: Final = ("edited_message", "chat_member", "chat_join_request")
"""The kinds of update that nothing else of the bot needs."""


def unix_now() -> float:
    """Return Unix seconds."""
    return clock.now_ns() / 1e9


@dataclass(frozen=True, slots=True)
class Parts:
    """What moderators' commands work with, too."""

    telegram: Telegram
    deeds: Deeds
    standings: Standings


class Automatic:
    """Rules, captchas, raids, reports and greetings of every managed group; `now` is Unix seconds."""

    def __init__(self, bus: Bus, services: Services, parts: Parts, now: Callable[[], float] = unix_now) -> None:
        self._services = services
        self._context = Context(
            bot_id=lambda: services.bot.id,
            requests=services.requests,
            telegram=parts.telegram,
            deeds=parts.deeds,
            standings=parts.standings,
            groups=Groups(bus, services.requests),
            kept=Kept(bus),
            recorder=Recorder(services.requests),
            actions=ActionLog(services.requests),
            now=now,
        )
        self._work = Work()
        self._boards = Boards(self._context)
        self._raids = Raids(self._context, self._boards)
        self._greetings = Greetings(self._context)
        self._joins = Joins(self._context, self._boards, self._raids, self._greetings)
        self._penalties = Penalties(self._context)
        self._reports = Reports(self._context, self._work)
        self._answers = Answers(self._context, self._joins, self._work)
        self._fading = FadingCommands(self._context)

    def handlers(self) -> list[AnyHandler]:
        """Return the handlers of commands and presses, which go before those of all other presses."""
        in_groups = filters.ChatType.GROUPS & filters.UpdateType.MESSAGE
        makes = {"raid": self._raids.command, "report": self._reports.command}
        commands = [CommandHandler(name, command(self._services, make), in_groups) for name, make in makes.items()]
        return [*commands, self._answers.handler(), self._reports.handler()]

    def watcher(self) -> AnyHandler:
        """Return the handler of all that is seen; it belongs into a group of handlers of its own."""
        return TypeHandler(Update, self._on_update)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Do what is due for as long as the block lasts."""
        async with self._context.groups.following(), self._context.kept.following():
            sweeping = asyncio.create_task(self._sweep(), name="sweep of groups")
            try:
                yield
            finally:
                sweeping.cancel()
                await self._work.close()
                await self._context.recorder.flush()

    async def sweep(self) -> None:
        """Do what is due now: newcomers without an answer, raids that are over, questions to nobody, batches."""
        for key in self._context.kept.keys("captcha."):
            if self._joins.is_due(key):
                self._work.start(partial(self._joins.do_due, key), name=key)
        for key in self._context.kept.keys("fading."):
            if self._fading.is_due(key):
                self._work.start(partial(self._fading.delete, key), name=key)
        await self._raids.sweep()
        await self._boards.sweep()
        await self._context.recorder.flush()

    async def _sweep(self) -> None:
        while True:
            await clock.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except HydrophoneError as error:
                _log.debug("groups.sweep_failed", error=str(error))

    async def _on_update(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        chat = update.effective_chat
        if chat is None or chat.type not in GROUPS:
            return
        if (changed := update.chat_member) is not None:
            self._on_member(changed)
        elif (request := update.chat_join_request) is not None:
            self._work.start(partial(self._joins.on_request, request))
        elif (message := update.message or update.edited_message) is not None:
            self._on_message(message)

    def _on_member(self, changed: ChatMemberUpdated) -> None:
        user, chat_id = changed.new_chat_member.user, changed.chat.id
        if has_joined(changed):
            join = Join(chat_id, user, changed.date, changed.from_user.id, "member")
            self._work.start(partial(self._joins.on_join, join), lane=(chat_id, user.id))
        elif has_left(changed):
            self._work.start(partial(self._joins.on_leave, chat_id, user, changed.date), lane=(chat_id, user.id))

    def _on_message(self, message: Message) -> None:
        by = message.from_user.id if message.from_user else 0
        for user in message.new_chat_members:
            join = Join(message.chat.id, user, message.date, by, "message")
            self._work.start(partial(self._joins.on_join, join), lane=(message.chat.id, user.id))
        if (left := message.left_chat_member) is not None and left.id == by:
            self._work.start(
                partial(self._joins.on_leave, message.chat.id, left, message.date), lane=(message.chat.id, left.id)
            )
        if (name := command_of(message, self._services.bot.username)) is not None:
            self._work.start(partial(self._fading.on_command, message, name))
        self._work.start(partial(self._penalties.on_message, message), lane=(message.chat.id, by))
