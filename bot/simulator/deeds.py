"""What every deed of a person has: the chat, the person, the answer, and the reason why it cannot be."""

from __future__ import annotations

from typing import Any, Final

from bot.simulator.model import Chat, ChatType, Json, User
from bot.simulator.params import Params
from bot.simulator.world import World

_TYPES: Final[tuple[ChatType, ...]] = ("private", "group", "supergroup", "channel")


class NotPossibleError(Exception):
    """A person cannot do that; the text says why. `code` is HTTP's."""

    def __init__(self, text: str, code: int = 400) -> None:
        super().__init__(text)
        self.code = code


def chat_of(world: World, given: Params) -> Chat:
    """Return the chat of a deed, which is made where there is none; a group that moved is where it moved to."""
    kind = given.text("chat_type")
    if kind is not None and kind not in _TYPES:
        raise NotPossibleError(f"chat_type is one of {', '.join(_TYPES)}")
    chat_id = given.need_integer("chat_id")
    known = world.chats.get(chat_id)
    if known is not None and known.migrated_to is not None:
        return world.chats[known.migrated_to]
    own = chat_id > 0 and chat_id == given.integer("user_id")
    title = user_of(world, given).first_name if own else given.text("title")
    return world.chat(chat_id, kind, title)


def user_of(world: World, given: Params) -> User:
    """Return the person of a deed, who is made where there is none."""
    more: dict[str, Any] = {"username": given.text("username"), "language_code": given.text("language_code")}
    if "is_bot" in given.fields:
        more["is_bot"] = given.flag("is_bot")
    return world.user(given.need_integer("user_id"), given.text("first_name"), **more)


def done(message: Json, update_id: int | None) -> Json:
    """Return the answer of a deed that put a message into a chat."""
    return {"message_id": message["message_id"], "chat_id": message["chat"]["id"], "update_id": update_id}
