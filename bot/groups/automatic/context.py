"""What every automatic part works with, and what they all do: judge, send, act in the bot's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from telegram import CallbackQuery, Update
from telegram.ext import CallbackQueryHandler, ContextTypes

from bot.commands.visiting import AnyHandler
from bot.groups.automatic.actions import ActionLog
from bot.groups.automatic.kept import Kept
from bot.groups.automatic.recorder import Recorder
from bot.groups.automatic.settings import Groups
from bot.groups.deeds import Deed, Deeds, caller_of
from bot.groups.refusals import Refusal
from bot.groups.standing import Standings
from bot.groups.telegram import Telegram
from bot.page import Rows
from bot.requests import Requests
from contracts.errors import HydrophoneError, NotReadyError
from contracts.services.community.actions import ActionCreate, ActionResponse
from contracts.services.community.bot import Judgement, JudgeSeen
from contracts.services.community.commands import CreateAction
from contracts.services.community.rules import Seen, Verdict
from contracts.services.telegram.jobs import Priority, TelegramJob
from contracts.services.telegram.operations import Button, Operation, SendMessage
from runtime import clock, retry

_log = structlog.get_logger("bot")
_BUILTIN: Final = "settings."  # ids of rules that the settings stand for: an action of theirs has no rule
_SECOND_NS: Final = 1_000_000_000
WAIT_SECONDS: Final = 60.0
TRIES: Final = 6  # of a deed while nobody replies
_AGAIN: Final = retry.Policy(wait_initial=0.5, wait_max=10.0)


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a deed; `action_id` None where it could not be logged."""

    done: bool
    action_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The parts of one bot; `now` is Unix seconds."""

    bot_id: Callable[[], int]
    requests: Requests
    telegram: Telegram
    deeds: Deeds
    standings: Standings
    groups: Groups
    kept: Kept
    recorder: Recorder
    actions: ActionLog
    now: Callable[[], float]

    async def judge(self, group_id: int, seen: Seen) -> Verdict | None:
        """Return what a message or a join has to follow; what rules in shadow would have done is logged."""
        request = JudgeSeen(group_id=group_id, seen=seen)
        judgement = await self.requests.request("community.judge", request, Judgement)
        for verdict in judgement.shadow:
            await self._log_shadow(group_id, seen, verdict)
        return judgement.act

    async def is_admin(self, group_id: int, user_id: int) -> bool:
        """Return whether Telegram has somebody as the owner or an administrator."""
        return any(one.user_id == user_id for one in await self.standings.administrators(group_id))

    async def act(self, deed: Deed) -> Acted:
        """Do a deed, log it and say it in the log channel; what Telegram refused is in the log of the process."""
        refusal = await self._carry_out(deed)
        if refusal is not None:
            _log.warning("groups.deed_refused", group=deed.group_id, kind=deed.kind, reason=refusal.reason)
            return Acted(done=False)
        action_id = await self.actions.add(deed)
        await self.deeds.report(deed)
        return Acted(done=True, action_id=action_id)

    async def _carry_out(self, deed: Deed) -> Refusal | None:
        """Do a deed; again where nobody replies, as the gateway carries the same one out once."""
        for _, delay in zip(range(TRIES - 1), retry.delays(_AGAIN), strict=False):
            try:
                return await self.deeds.carry_out(deed)
            except NotReadyError as error:
                _log.warning("groups.deed_again", group=deed.group_id, kind=deed.kind, error=str(error))
                await clock.sleep(delay)
        return await self.deeds.carry_out(deed)

    async def operate(self, job_id: str, chat_id: int, operation: Operation) -> int | None:
        """Ask Telegram for an operation; return the id of the message that it made, None where it made none."""
        job = TelegramJob(id=job_id, chat_id=chat_id, priority="urgent", operation=operation)
        result = await self.telegram.carry_out(job, WAIT_SECONDS)
        return None if result is None or result.state != "done" else result.message_id

    async def post(self, job_id: str, chat_id: int, text: str, *, thread_id: int | None, seconds: float = 60.0) -> None:
        """Queue a message that is dropped where it cannot be sent within so many seconds."""
        priority: Priority = "low"
        job = TelegramJob(
            id=job_id,
            chat_id=chat_id,
            thread_id=thread_id,
            priority=priority,
            expires=int((self.now() + seconds) * _SECOND_NS),
            operation=SendMessage(text=text, parse_mode="HTML", silent=True),
        )
        await self.telegram.queue(job)

    async def _log_shadow(self, group_id: int, seen: Seen, verdict: Verdict) -> None:
        action = ActionCreate(
            kind=verdict.penalty,
            user_id=seen.user_id,
            moderator_id=self.bot_id(),
            reason=verdict.reason,
            duration_seconds=verdict.duration_seconds,
            rule_id=rule_of(verdict),
        )
        request = CreateAction(group_id=group_id, caller=caller_of(self.bot_id()), action=action, shadow=True)
        await self.requests.request("community.create_action", request, ActionResponse)


def rule_of(verdict: Verdict) -> str | None:
    """Return the rule of a verdict; None where it follows from the settings."""
    return None if verdict.rule_id.startswith(_BUILTIN) else verdict.rule_id


def buttons_of(rows: Rows) -> list[list[Button]] | None:
    """Return rows of buttons as the gateway takes them."""
    return [[Button(text=one.label, data=one.data) for one in row] for row in rows] or None


def press_handler(pattern: str, press: Callable[[CallbackQuery], Awaitable[str | None]]) -> AnyHandler:
    """Return the handler of presses whose data begin so; each is answered with what `press` returns."""

    async def on_press(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        if query is None:
            return
        try:
            note = await press(query)
        except HydrophoneError as error:
            _log.warning("groups.press_failed", error=str(error))
            note = None
        await query.answer(note, show_alert=bool(note))

    return CallbackQueryHandler(on_press, pattern=rf"^{pattern}\|")
