"""Who was seen in managed groups: names, so that an @name leads to an id, and the newest messages of each topic."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

import structlog
from telegram import Message, MessageEntity, User

from bot.groups.deeds import caller_of
from bot.requests import Requests
from contracts.errors import HydrophoneError, NotFoundError
from contracts.services.community.commands import FindUser, UpdateUser
from contracts.services.community.groups import UserResponse, UserUpdate

_log = structlog.get_logger("bot")
KNOWN: Final = 50_000
CHATS: Final = 500
MESSAGES: Final = 2_000  # of one chat with topics


class People:
    """Profiles by group owner, kept by the community service; written where a name is new."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._known: OrderedDict[tuple[str, int], tuple[str | None, str]] = OrderedDict()
        self._messages: OrderedDict[int, deque[tuple[int, int | None]]] = OrderedDict()

    async def saw(self, owner: str, users: Iterable[User]) -> None:
        """Note what people are called; where nobody keeps it, it is noted when they are seen again."""
        for user in {one.id: one for one in users if not one.is_bot}.values():
            name = (user.username, user.full_name[:128])
            if self._known.get((owner, user.id)) == name:
                continue
            username = None if user.username is None or len(user.username) < 4 else user.username  # noqa: PLR2004  # an old short one
            changes = UserUpdate(username=username, name=name[1])
            request = UpdateUser(owner=owner, caller=caller_of(user.id), user_id=user.id, changes=changes)
            try:
                await self._requests.request("community.update_user", request, UserResponse)
            except HydrophoneError as error:
                _log.debug("groups.name_not_kept", user=user.id, error=str(error))
                continue
            self._known[owner, user.id] = name
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
