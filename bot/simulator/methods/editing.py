"""Methods that change or delete messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from bot.simulator.content import read_caption, read_markup, read_message_text, shown
from bot.simulator.errors import bad_request
from bot.simulator.methods.sending import read_media
from bot.simulator.model import Chat, Json, part
from bot.simulator.params import Params
from bot.simulator.world import World

_SAME: Final = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
_FREE_SECONDS: Final = 48 * 3600  # for which a bot may delete what is its own, and people's in private chats
_MOST_AT_ONCE: Final = 100
_MEDIA: Final = ("photo", "document", "caption", "caption_entities")


def edit_message_text(world: World, params: Params) -> Json | bool:
    """`editMessageText`."""

    def change(message: Json) -> Json:
        if "text" not in message:
            raise bad_request("there is no text in the message to edit")
        return read_message_text(params)

    return _edit(world, params, ("text", "entities"), change)


def edit_message_caption(world: World, params: Params) -> Json | bool:
    """`editMessageCaption`."""

    def change(message: Json) -> Json:
        if "photo" not in message and "document" not in message:
            raise bad_request("there is no caption in the message to edit")
        return read_caption(params.text("caption"), params.text("parse_mode"), params.data("caption_entities"))

    return _edit(world, params, ("caption", "caption_entities"), change, method="editMessageCaption")


def edit_message_media(world: World, params: Params) -> Json | bool:
    """`editMessageMedia`: a picture or document in place of the one that is there, or of the text."""
    media = params.object("media")
    if media is None:
        raise bad_request("there is no media in the request")
    content = read_media(world, params, media)
    return _edit(world, params, ("text", "entities", *_MEDIA), lambda _: content, method="editMessageMedia")


def edit_message_reply_markup(world: World, params: Params) -> Json | bool:
    """`editMessageReplyMarkup`."""
    return _edit(world, params, (), lambda _: {}, method="editMessageReplyMarkup")


def _edit(
    world: World,
    params: Params,
    replaced: tuple[str, ...],
    change: Callable[[Json], Json],
    *,
    method: str = "editMessageText",
) -> Json | bool:
    """Replace some fields, and the buttons: what is not given is gone, as Telegram has it."""
    if params.text("inline_message_id"):
        text = params.text("text") or params.text("caption")
        world.record(method, None, message_id=None, inline_message_id=params.text("inline_message_id"), text=text)
        return True
    chat = world.open_chat(params.text("chat_id"))
    message = chat.messages.get(params.need_integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if part(message, "from").get("id") != world.bot.id and chat.type != "channel":
        raise bad_request("message can't be edited")
    dropped = {*replaced, "reply_markup"}
    before = {name: message[name] for name in dropped if name in message}
    after = {**change(message), **read_markup(params)}
    if before == after:
        raise bad_request(_SAME)
    for name in before:
        del message[name]
    message |= {**after, "edit_date": world.moment.date}
    world.record(method, chat.id, message, **shown(message), parse_mode=params.text("parse_mode"))
    return message


def delete_message(world: World, params: Params) -> bool:
    """`deleteMessage`."""
    chat = world.open_chat(params.text("chat_id"))
    number = params.need_integer("message_id")
    if number not in chat.messages:
        raise bad_request("message to delete not found")
    if not _deletable(world, chat, chat.messages[number]):
        raise bad_request("message can't be deleted")
    _delete(world, chat, number, "deleteMessage")
    return True


def delete_messages(world: World, params: Params) -> bool:
    """`deleteMessages`: those that are there and may be deleted; the others are skipped."""
    chat = world.open_chat(params.text("chat_id"))
    numbers = params.data("message_ids")
    if not isinstance(numbers, list) or not 1 <= len(cast("list[int]", numbers)) <= _MOST_AT_ONCE:
        raise bad_request("message identifiers are not specified, or too many")
    for number in cast("list[int]", numbers):
        if number in chat.messages and _deletable(world, chat, chat.messages[number]):
            _delete(world, chat, number, "deleteMessages")
    return True


def _deletable(world: World, chat: Chat, message: Json) -> bool:
    young = world.moment.date - message["date"] < _FREE_SECONDS
    if chat.type == "private":
        return young
    own = part(message, "from").get("id") == world.bot.id
    return (own and young) or world.membership(chat).may("can_delete_messages")


def _delete(world: World, chat: Chat, number: int, method: str) -> None:
    del chat.messages[number]
    if number in chat.pinned:
        chat.pinned.remove(number)
    world.record(method, chat.id, message_id=number)
