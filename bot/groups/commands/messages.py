"""What is done to messages: `/pin`, `/unpin`, `/purge`."""

from __future__ import annotations

from typing import Final

from telegram import Message

from bot.groups.commands.calling import GroupCall, GroupCommand, GroupServices
from bot.groups.commands.members import undo_rows
from bot.groups.commands.targets import answered_message
from bot.groups.deeds import Deed
from bot.groups.people import topic_of
from bot.page import Page
from bot.texts import groups as texts
from contracts.services.community.actions import ActionKind

MOST_PURGED: Final = 1_000
_LOUD: Final = frozenset({"loud", "notify", "nyaring"})


class Messages:
    """Commands about the message that they answer."""

    def __init__(self, given: GroupServices) -> None:
        self._given = given

    def commands(self) -> list[GroupCommand]:
        """Return them."""
        return [
            GroupCommand("pin", "pin_messages", self._pin),
            GroupCommand("unpin", "pin_messages", self._unpin),
            GroupCommand("purge", "delete_messages", self._purge),
        ]

    async def _pin(self, call: GroupCall) -> Page | None:
        answered = answered_message(call.message)
        if answered is None:
            return Page(call.visit.reader.say("groups.reply", command="pin"))
        silent = not any(word.lower() in _LOUD for word in call.words)
        return await self._do(call, answered, "pin", (answered.message_id,), silent=silent)

    async def _unpin(self, call: GroupCall) -> Page | None:
        answered = answered_message(call.message)
        if answered is None:
            return await self._do(call, call.message, "unpin", ())
        return await self._do(call, answered, "unpin", (answered.message_id,))

    async def _purge(self, call: GroupCall) -> Page | None:
        """Delete from the message that is answered up to the command; in a topic those of it that were seen."""
        answered, last = answered_message(call.message), call.message.message_id
        if answered is None:
            return Page(call.visit.reader.say("groups.reply", command="purge"))
        first = answered.message_id
        if last - first >= MOST_PURGED:
            return Page(call.visit.reader.say("groups.purge_too_many", most=MOST_PURGED))
        found = list(range(first, last + 1))
        if call.message.chat.is_forum:
            seen = self._given.people.in_topic(call.visit.chat_id, topic_of(call.message), first, last)
            found = sorted({first, *seen, last})
        return await self._do(call, answered, "delete", tuple(found))

    async def _do(
        self, call: GroupCall, about: Message, kind: ActionKind, message_ids: tuple[int, ...], *, silent: bool = True
    ) -> Page | None:
        user_id, name = _author(about)
        deed = Deed(
            kind=kind,
            group_id=call.visit.chat_id,
            user_id=user_id,
            moderator_id=call.moderator_id,
            key=call.visit.key,
            message_ids=message_ids,
            thread_id=call.visit.thread_id,
            silent=silent,
        )
        outcome = await self._given.deeds.do(deed)
        if outcome.refusal is not None:
            return Page(outcome.refusal.say(call.visit.reader))
        if kind == "delete":
            return Page(call.visit.reader.say("groups.purged", count=len(message_ids)))
        action_id = outcome.action and outcome.action.id
        return Page(texts.did(deed, name, call.visit.reader), undo_rows(action_id, kind, call))


def _author(message: Message) -> tuple[int, str | None]:
    if message.sender_chat is not None:
        return message.sender_chat.id, message.sender_chat.title
    return (message.from_user.id, message.from_user.first_name) if message.from_user else (message.chat.id, None)
