"""Who a group command is about: by name, id, or the message that it answers; and who is protected from it."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Message, MessageEntity

from bot.groups.commands.arguments import is_id, is_username
from bot.groups.commands.calling import GroupCall, GroupServices
from bot.groups.people import is_mention
from bot.groups.standing import Standing
from bot.page import Page
from contracts.errors import VenueError


@dataclass(frozen=True, slots=True)
class Target:
    """Who is meant, what they are called where that is known, and the words behind them."""

    user_id: int
    name: str | None
    words: tuple[str, ...]


class Targets:
    """Finds who is meant."""

    def __init__(self, given: GroupServices) -> None:
        self._given = given

    async def find(self, call: GroupCall) -> Target | Page:
        """Return who a command is about, or the page that says why nobody is found."""
        words, message = call.words, call.message
        mention = next((one for one in message.parse_entities([MessageEntity.TEXT_MENTION]) if is_mention(one)), None)
        if mention is not None and mention.user is not None:
            named = len((message.parse_entity(mention)).split())
            return Target(mention.user.id, mention.user.first_name, words[named:])
        if words and is_username(words[0]):
            found = await self._given.people.find(call.group.owner, words[0][1:])
            if found is None:
                return Page(call.visit.reader.say("groups.unknown_name", name=words[0]))
            return Target(found.user_id, found.name or words[0], words[1:])
        if words and is_id(words[0]):
            user_id = int(words[0])
            return Target(user_id, await self._given.people.name_of(call.group.owner, user_id), words[1:])
        return _answered(message, words) or Page(call.visit.reader.say("groups.whom"))

    async def protected(self, call: GroupCall, target: Target, *, admins: bool = False) -> Page | None:
        """Return why nothing is done to somebody: the bot, oneself, an administrator, a moderator of the same rank.

        With `admins` Telegram's administrators are left to Telegram.
        """
        reader = call.visit.reader
        if target.user_id == self._given.services.bot.id:
            return Page(reader.say("groups.refused.myself"))
        if target.user_id == call.standing.user_id:
            return Page(reader.say("groups.yourself"))
        if target.user_id < 0:
            is_group = target.user_id == call.visit.chat_id
            return Page(reader.say("groups.refused.admin")) if is_group else None
        standing = await self.standing(call, target)
        if standing.is_admin and not admins:
            return Page(reader.say("groups.refused.admin"))
        if not call.standing.is_admin and standing.priority >= 0 and standing.priority >= call.standing.priority:
            return Page(reader.say("groups.same_rank"))
        return None

    async def standing(self, call: GroupCall, target: Target) -> Standing:
        """Return the standing of who is meant; a stranger whom Telegram refuses to show is outside."""
        try:
            return await self._given.standings.of(call.visit.chat_id, target.user_id)
        except VenueError:
            return Standing(target.user_id, "left")


def _answered(message: Message, words: tuple[str, ...]) -> Target | None:
    """Return who wrote the message that a command answers; the beginning of its topic is no such message."""
    answered = answered_message(message)
    if answered is None:
        return None
    if answered.sender_chat is not None:
        return Target(answered.sender_chat.id, answered.sender_chat.title, words)
    user = answered.from_user
    return None if user is None else Target(user.id, user.first_name, words)


def answered_message(message: Message) -> Message | None:
    """Return the message that another answers, if it is one of somebody's."""
    answered = message.reply_to_message
    return None if answered is None or answered.forum_topic_created is not None else answered
