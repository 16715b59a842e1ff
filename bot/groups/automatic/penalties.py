"""Messages of members: judged, and what a rule says is done; administrators and the group itself are never judged."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from telegram import Message

from bot.groups.automatic.context import Context, rule_of
from bot.groups.automatic.seen import is_service, seen_of
from bot.groups.automatic.settings import ManagedGroup
from bot.groups.deeds import Deed
from bot.groups.standing import CHANNEL_BOT
from bot.texts import automatic as texts
from contracts.services.community.rules import Verdict

STOPPED_SECONDS: Final = 10.0  # in which what somebody had written before a penalty is deleted, and nothing more
NOTICES: Final = (5, 60.0)  # of one group, seconds: more would be a flood of the bot's own


class Notices:
    """When penalties were announced to a group lately."""

    def __init__(self) -> None:
        self._said: dict[int, deque[float]] = {}

    def may(self, group_id: int, now: float) -> bool:
        """Return whether one more may be announced to a group, and count it."""
        most, seconds = NOTICES
        said = self._said.setdefault(group_id, deque(maxlen=most))
        if len(said) == most and now - said[0] < seconds:
            return False
        said.append(now)
        return True


class Penalties:
    """Judges every message of managed groups, edited ones too."""

    def __init__(self, context: Context) -> None:
        self._context, self._notices = context, Notices()
        self._stopped: OrderedDict[tuple[int, int], float] = OrderedDict()

    async def on_message(self, message: Message) -> None:
        """Do what the rules say to a message."""
        context, user = self._context, message.from_user
        group = None if user is None or is_service(message) else await context.groups.find(message.chat.id)
        if group is None or user is None:
            return
        sender = message.sender_chat
        if sender is not None and (await context.standings.of_message(message)).linked | (sender.id == message.chat.id):
            return
        if user.is_bot and sender is None:
            return
        seen = seen_of(message, CHANNEL_BOT if sender is not None else user.id)
        if message.edit_date is None:
            context.recorder.add(group.id, seen)
        if sender is None and await context.is_admin(group.id, user.id):
            return
        verdict = await context.judge(group.id, seen)
        if verdict is not None:
            await self._penalise(group, message, verdict)

    async def _penalise(self, group: ManagedGroup, message: Message, verdict: Verdict) -> None:
        context, sender, user = self._context, message.sender_chat, message.from_user
        target = sender.id if sender is not None else user.id if user is not None else 0
        name = (sender.title if sender is not None else user.full_name if user is not None else None) or str(target)
        thread = message.message_thread_id if message.is_topic_message else None
        stopped = self._is_stopped(group.id, target)
        deed = Deed(
            kind="delete" if stopped else verdict.penalty,
            group_id=group.id,
            user_id=target,
            moderator_id=context.bot_id(),
            key=f"message.{message.message_id}.{verdict.rule_id}",
            reason=verdict.reason,
            duration_seconds=None if stopped else verdict.duration_seconds,
            rule_id=rule_of(verdict),
            message_ids=(message.message_id,),
            thread_id=thread,
        )
        outcome = await context.act(deed)
        if not outcome.done or deed.kind == "delete":
            return
        if deed.kind != "warn":
            self._stopped[group.id, target] = context.now()
        if self._notices.may(group.id, context.now()):
            text = texts.penalised(verdict, target, name, group.reader)
            await context.post(f"penalty.{group.id}.{message.message_id}", group.id, text, thread_id=thread)

    def _is_stopped(self, group_id: int, user_id: int) -> bool:
        """Return whether somebody was muted or removed just now."""
        since = self._context.now() - STOPPED_SECONDS
        while self._stopped and next(iter(self._stopped.values())) < since:
            self._stopped.popitem(last=False)
        return (group_id, user_id) in self._stopped
