"""`/report`: what enough members report is hidden until a moderator shows it again or keeps it deleted."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from telegram import CallbackQuery, Message

from bot.callback_data import unpack
from bot.commands.visiting import AnyHandler, Call
from bot.groups.automatic.context import Context, buttons_of, press_handler
from bot.groups.automatic.core import Report, hides, reported
from bot.groups.automatic.kept import report_key
from bot.groups.automatic.recorder import Work
from bot.groups.automatic.settings import ManagedGroup
from bot.groups.deeds import Deed
from bot.groups.standing import Standing
from bot.page import Page
from bot.texts import automatic as texts
from bot.texts.automatic import VERDICT
from bot.texts.groups import person
from contracts.errors import HydrophoneError
from contracts.services.community.actions import ActionKind
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import EditText, Operation, SendMessage, SendPhoto

_ARGUMENTS: Final = 3
_MOST_TEXT: Final = 3500
_MOST_CAPTION: Final = 1024


class Reports:
    """Reported messages of every group."""

    def __init__(self, context: Context, work: Work) -> None:
        self._context, self._work = context, work

    def handler(self) -> AnyHandler:
        """Return the handler of presses below hidden messages."""
        return press_handler(VERDICT, self._press)

    async def command(self, call: Call) -> Page:
        """`/report` as an answer to a message."""
        message, reader = call.message.reply_to_message, call.visit.reader
        try:
            group = await self._context.groups.find(call.visit.chat_id)
            if group is None or message is None or message.from_user is None:
                return Page(reader.say("automatic.report.usage"), answers=False)
            author = await self._context.standings.of_message(message)
            if author.is_admin or author.linked or message.from_user.id == self._context.bot_id():
                return Page(reader.say("automatic.report.admin"), answers=False)
            await self._report(group, call, message, author)
        except HydrophoneError:
            return Page(reader.say("groups.refused.silent"), answers=False)
        return Page(reader.say("automatic.report.thanks"))

    async def _report(self, group: ManagedGroup, call: Call, message: Message, author: Standing) -> None:
        context, key = self._context, report_key(group.id, message.message_id)
        user, reporter = message.from_user, call.visit.user_id
        name = (message.sender_chat.title if author.channel and message.sender_chat else user and user.full_name) or ""
        first = Report(
            user_id=author.user_id,
            name=name or str(author.user_id),
            message_id=message.message_id,
            text=(message.text or message.caption or "")[:_MOST_TEXT],
            photo=message.photo[-1].file_id if message.photo else None,
            thread_id=message.message_thread_id if message.is_topic_message else None,
        )
        while True:  # each turn that is lost to another reporter leaves one fewer of them
            known, revision = await context.kept.find(key, Report)
            before = known or first
            after = reported(before, reporter)
            if after == before:
                return
            hidden = hides(after, group.moderation.report_hides_after)
            after = after.model_copy(update={"hidden": after.hidden or hidden})
            if await context.kept.put(key, after, revision) is None:
                continue
            await context.act(self._deed(group, after, "report", (reporter, call.text[:500])))
            if hidden:
                self._work.start(partial(self._hide, group, after))
            return

    async def _hide(self, group: ManagedGroup, report: Report) -> None:
        context, settings = self._context, group.settings
        count = len(report.reporters)
        reason = f"reported by {count} members"
        deed = self._deed(group, report, "delete", (context.bot_id(), reason))
        await context.act(replace(deed, message_ids=(report.message_id,)))
        chat_id = group.id if settings.log_channel_id is None else settings.log_channel_id
        thread = report.thread_id if settings.log_channel_id is None else settings.log_thread_id
        text = texts.hidden(report, count, group.reader, shown=settings.log_channel_id is not None)
        rows = buttons_of(texts.moderators_rows(group.id, report.message_id, group.reader))
        operation = SendMessage(text=str(text), parse_mode="HTML", buttons=rows)
        job_id = f"hidden.{group.id}.{report.message_id}"
        job = TelegramJob(id=job_id, chat_id=chat_id, thread_id=thread, priority="urgent", operation=operation)
        await context.telegram.queue(job)

    async def _press(self, query: CallbackQuery) -> str | None:
        """Return what the press is answered with; the presser is judged by the group that the message was in."""
        _, arguments = unpack(query.data or "")
        group = await self._context.groups.find(int(arguments[1])) if len(arguments) == _ARGUMENTS else None
        if group is None or not isinstance(query.message, Message):
            return None
        standing = await self._context.standings.of(group.id, query.from_user.id)
        if not standing.may("delete_messages"):
            return group.reader.plain("automatic.note.not_moderator")
        report, _ = await self._context.kept.take(report_key(group.id, int(arguments[2])), Report)
        if report is None:
            return group.reader.plain("automatic.note.decided")
        notice, by, approved = query.message, query.from_user, arguments[0] == "approve"
        self._work.start(lambda: self._decide(group, report, notice, (by.id, by.full_name), approved=approved))
        return None

    async def _decide(
        self, group: ManagedGroup, report: Report, notice: Message, by: tuple[int, str], *, approved: bool
    ) -> None:
        """Write into the notice what a moderator decided; what is shown again is sent by the bot."""
        context, reader, name = self._context, group.reader, f"hidden.{group.id}.{report.message_id}"
        key = "automatic.report.approved" if approved else "automatic.report.deleted"
        text = reader.say(key, moderator=person(*by), who=person(report.user_id, report.name))
        edit = EditText(message_id=notice.message_id, text=str(text), parse_mode="HTML")
        await context.operate(f"{name}.over", notice.chat.id, edit)
        if approved:
            job = TelegramJob(
                id=f"{name}.again", chat_id=group.id, thread_id=report.thread_id, operation=_again(group, report)
            )
            await context.telegram.queue(job)

    def _deed(self, group: ManagedGroup, report: Report, kind: ActionKind, by: tuple[int, str]) -> Deed:
        return Deed(
            kind=kind,
            group_id=group.id,
            user_id=report.user_id,
            moderator_id=by[0],
            key=f"report.{report.message_id}.{by[0]}",
            reason=by[1],
            thread_id=report.thread_id,
        )


def _again(group: ManagedGroup, report: Report) -> Operation:
    """Return what shows a message again: its text, and its picture where it had one."""
    text = str(texts.shown_again(report, group.reader))
    if report.photo is None:
        return SendMessage(text=text, parse_mode="HTML")
    return SendPhoto(photo=report.photo, is_file_id=True, caption=text[:_MOST_CAPTION], parse_mode="HTML")
