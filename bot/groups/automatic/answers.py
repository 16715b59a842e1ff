"""Answers to the question of newcomers: each press is judged by who has pressed."""

from __future__ import annotations

from typing import Final

from telegram import CallbackQuery, Message
from telegram.constants import ChatType

from bot.callback_data import unpack
from bot.commands.visiting import AnyHandler
from bot.groups.automatic.context import Context, press_handler
from bot.groups.automatic.core import Pending, answer, settling
from bot.groups.automatic.joins import Joins, new_sum
from bot.groups.automatic.kept import captcha_key
from bot.groups.automatic.recorder import Work
from bot.groups.automatic.settings import ManagedGroup
from bot.texts.automatic import GATE
from contracts.services.telegram.operations import EditText
from runtime.texts.reader import Reader

_ARGUMENTS: Final = 2
_ONE_BY_ONE: Final = 0  # the lane of a group: what is taken back at once would be in each other's way


class Answers:
    """Presses below the questions of every group; the press is answered at once, what follows is done beside it."""

    def __init__(self, context: Context, joins: Joins, work: Work) -> None:
        self._context, self._joins, self._work = context, joins, work

    def handler(self) -> AnyHandler:
        """Return the handler of these presses."""
        return press_handler(GATE, self._press)

    async def _press(self, query: CallbackQuery) -> str | None:
        """Return what the press is answered with."""
        _, arguments = unpack(query.data or "")
        message = query.message
        if len(arguments) != _ARGUMENTS or message is None:
            return None
        what, named = arguments
        in_private = message.chat.type == ChatType.PRIVATE
        group = await self._context.groups.find(int(named) if in_private else message.chat.id)
        if group is None:
            return None
        key = captcha_key(group.id, query.from_user.id)
        pending, revision = await self._context.kept.find(key, Pending)
        if pending is None or pending.answered is not None:
            return group.reader.plain("automatic.note.not_asked")
        if what == "ask":
            return _sum(pending, "automatic.note.sum", group.reader)
        given = 0 if what == "in" else int(what)
        right = pending.first + pending.second if pending.asked == "button" and what == "in" else given
        while (note := await self._answer(group, query, (pending, revision), right)) is None:
            noted, revision = await self._context.kept.find(key, Pending)
            if noted is None or noted.model_copy(update={"action_id": pending.action_id}) != pending:
                return None  # pressed twice: the first one counts
            pending = noted  # their mute was logged just then
        return note

    async def _answer(
        self, group: ManagedGroup, query: CallbackQuery, held: tuple[Pending, int], given: int
    ) -> str | None:
        """Return what it is answered with; None where another write was faster."""
        context, joins, (pending, revision) = self._context, self._joins, held
        key, after = captcha_key(group.id, pending.user_id), answer(pending, given, new_sum())
        if not isinstance(after, Pending):
            after = settling(pending, after, revision, context.now())
        written = await context.kept.put(key, after, revision)
        if written is None:
            return None
        if after.answered is None:
            return _sum(after, "automatic.note.wrong", group.reader)
        private = query.message if isinstance(query.message, Message) and pending.fails == "decline" else None
        lane = (group.id, _ONE_BY_ONE if after.answered == "right" else pending.user_id)
        self._work.start(lambda: joins.settle(group, after, written), name=key, lane=lane)
        outcome = "passed" if after.answered == "right" else "failed"
        self._work.start(lambda: self._close(group, private, f"automatic.request.{outcome}"))
        return group.reader.plain("automatic.note.right" if outcome == "passed" else "automatic.note.failed")

    async def _close(self, group: ManagedGroup, message: Message | None, key: str) -> None:
        """Write into the question that was asked in private what has become of it."""
        if message is not None:
            text = str(group.reader.say(key, group=group.group.name))
            edit = EditText(message_id=message.message_id, text=text, parse_mode="HTML")
            await self._context.operate(f"request.{message.chat.id}.{message.message_id}.over", message.chat.id, edit)


def _sum(pending: Pending, key: str, reader: Reader) -> str:
    return reader.plain(key, first=pending.first, second=pending.second)
