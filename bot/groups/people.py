"""Who was seen in managed groups: names, so that an @name leads to an id, and the newest messages of each topic."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import structlog
from telegram import Message, MessageEntity, User

from bot.groups.members import MemberChanges
from bot.requests import Requests
from contracts.errors import HydrophoneError, NotFoundError
from contracts.services.community.bot import MemberChange
from contracts.services.community.commands import FindUser
from contracts.services.community.groups import GroupResponse, UserResponse

_log = structlog.get_logger("bot")
KNOWN: Final = 50_000
CHATS: Final = 500
SHORTEST_NAME: Final = 4  # characters of an @name
_LONGEST_NAME: Final = 128
MESSAGES: Final = 2_000  # of one chat with topics


class People:
    """Profiles by group owner, kept by the community service; written where a name is new."""

    def __init__(self, requests: Requests, changes: MemberChanges) -> None:
        self._requests, self._changes = requests, changes
        self._known: OrderedDict[tuple[str, int], tuple[str | None, str]] = OrderedDict()
        self._messages: OrderedDict[int, deque[tuple[int, int | None]]] = OrderedDict()

    async def saw(self, group: GroupResponse, users: Iterable[User], at: datetime) -> None:
        """Note what people are called; where nobody keeps it, it is noted when they are seen again."""
        new = {one.id: one for one in users if not one.is_bot and self._is_new(group.owner, one)}
        await asyncio.gather(*(self._note(group, MemberChange(user_id=one.id, at=at), one) for one in new.values()))

    async def changed(self, group: GroupResponse, user: User, change: MemberChange, by: int) -> None:
        """Note what a member is now, and what they are called; an error of the contracts where nobody keeps it."""
        named = not user.is_bot and self._is_new(group.owner, user)
        await self._changes.add(group.group_id, change.model_copy(update=_called(user)) if named else change, by)
        if named:
            self._remember(group.owner, user)

    async def _note(self, group: GroupResponse, change: MemberChange, user: User) -> None:
        try:
            await self._changes.add(group.group_id, change.model_copy(update=_called(user)), user.id)
        except HydrophoneError as error:
            _log.debug("groups.name_not_kept", user=user.id, error=str(error))
        else:
            self._remember(group.owner, user)

    def _is_new(self, owner: str, user: User) -> bool:
        return self._known.get((owner, user.id)) != _name_of(user)

    def _remember(self, owner: str, user: User) -> None:
        self._known[owner, user.id] = _name_of(user)
        self._known.move_to_end((owner, user.id))
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)

    async def find(self, owner: str, username: str) -> UserResponse | None:
        """Return who has an @name; None for who was never seen in the owner's groups."""
        try:
            query = FindUser(owner=owner, username=username)
            return await self._requests.request("community.find_user", query, UserResponse)
        except NotFoundError:
            return None

    async def name_of(self, owner: str, user_id: int) -> str | None:
        """Return what somebody is called, where that is known."""
        if user_id < 0:
            return None
        try:
            found = await self._requests.request(
                "community.find_user", FindUser(owner=owner, user_id=user_id), UserResponse
            )
        except HydrophoneError:
            return None
        return found.name

    def note(self, message: Message) -> None:
        """Note which topic a message stands in."""
        found = self._messages.setdefault(message.chat.id, deque(maxlen=MESSAGES))
        found.append((message.message_id, topic_of(message)))
        self._messages.move_to_end(message.chat.id)
        while len(self._messages) > CHATS:
            self._messages.popitem(last=False)

    def in_topic(self, chat_id: int, thread_id: int | None, first: int, last: int) -> list[int]:
        """Return the ids of messages of a topic that were seen, between two ids and with them."""
        found = self._messages.get(chat_id, ())
        return [number for number, thread in found if thread == thread_id and first <= number <= last]


def _name_of(user: User) -> tuple[str | None, str]:
    return user.username, user.full_name[:_LONGEST_NAME]


def _called(user: User) -> dict[str, str | None]:
    """Return what a user is called, as fields of a change; old names of Telegram's are shorter than names may be."""
    username, name = _name_of(user)
    return {"name": name, "username": None if username is None or len(username) < SHORTEST_NAME else username}


def topic_of(message: Message) -> int | None:
    """Return the topic of a message; None for the general one, and where there are none."""
    return message.message_thread_id if message.is_topic_message else None


def users_of(message: Message) -> list[User]:
    """Return the people that a message names by itself: its author, who is answered, mentioned, or has joined."""
    answered = message.reply_to_message
    mentioned = [one.user for one in (*message.entities, *message.caption_entities) if is_mention(one)]
    found = [message.from_user, answered and answered.from_user, message.left_chat_member, *mentioned]
    return [one for one in (*found, *message.new_chat_members) if one is not None]


def is_mention(entity: MessageEntity) -> bool:
    """Return whether an entity names somebody who has no @name."""
    return entity.type == MessageEntity.TEXT_MENTION and entity.user is not None
