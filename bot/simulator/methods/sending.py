"""Methods that put messages into chats."""

from __future__ import annotations

from typing import Any, Final, cast

from bot.simulator.content import (
    read_caption,
    read_document,
    read_markup,
    read_message_text,
    read_photo,
    read_place,
    shallow,
    shown,
)
from bot.simulator.errors import bad_request
from bot.simulator.model import Chat, Json
from bot.simulator.params import Params
from bot.simulator.world import World

_ACTIONS: Final = frozenset(
    {
        *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"),
        *("upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note"),
    }
)
_MOST_MEDIA: Final = 10


def send_message(world: World, params: Params) -> Json:
    """`sendMessage`."""
    chat = _writable(world, params, "can_send_messages", "text messages")
    return _send(world, params, chat, read_message_text(params))


def send_photo(world: World, params: Params) -> Json:
    """`sendPhoto`."""
    chat = _writable(world, params, "can_send_photos", "photos")
    photo = read_photo(world, params.upload("photo"))
    return _send(world, params, chat, {**photo, **_caption(params)}, method="sendPhoto")


def send_document(world: World, params: Params) -> Json:
    """`sendDocument`."""
    chat = _writable(world, params, "can_send_documents", "documents")
    document = read_document(world, params.upload("document"))
    return _send(world, params, chat, {**document, **_caption(params)}, method="sendDocument")


def send_media_group(world: World, params: Params) -> list[Json]:
    """`sendMediaGroup`: photos and documents."""
    chat = _writable(world, params, "can_send_photos", "photos")
    media = params.data("media")
    if not isinstance(media, list) or not 1 <= len(cast("list[Json]", media)) <= _MOST_MEDIA:
        raise bad_request("there are no media in the request, or too many")
    contents = [read_media(world, params, item) for item in cast("list[Json]", media)]
    group = {"media_group_id": str(next(world.numbers))}
    return [_send(world, params, chat, {**content, **group}, method="sendMediaGroup") for content in contents]


def read_media(world: World, params: Params, item: Json) -> Json:
    """Return the content of an InputMedia; 400 for a kind that is not spoken here."""
    given = params.attached(str(item.get("media", "")))
    caption = read_caption(item.get("caption"), item.get("parse_mode"), item.get("caption_entities"))
    match item.get("type"):
        case "photo":
            return {**read_photo(world, given), **caption}
        case "document":
            return {**read_document(world, given), **caption}
        case other:
            raise bad_request(f"type {other!r} of media is not supported by the test server")


def copy_message(world: World, params: Params) -> Json:
    """`copyMessage`: a message again, without a trace of where it was."""
    chat = _writable(world, params, "can_send_messages", "messages")
    original = _original(world, params)
    kept = ("text", "entities", "caption", "caption_entities", "photo", "document")
    content = {name: original[name] for name in kept if name in original}
    if params.text("caption") is not None:
        content = {name: value for name, value in content.items() if not name.startswith("caption")} | _caption(params)
    return {"message_id": _send(world, params, chat, content, method="copyMessage")["message_id"]}


def forward_message(world: World, params: Params) -> Json:
    """`forwardMessage`."""
    chat = _writable(world, params, "can_send_messages", "messages")
    original = _original(world, params)
    dropped = ("message_id", "date", "chat", "from", "sender_chat", "reply_to_message", "reply_markup")
    content = {name: value for name, value in original.items() if name not in dropped}
    origin: Json = {"type": "hidden_user", "sender_user_name": "Hidden", "date": original["date"]}
    if "from" in original:
        origin = {"type": "user", "sender_user": original["from"], "date": original["date"]}
    return _send(world, params, chat, {**content, "forward_origin": origin}, method="forwardMessage")


def send_chat_action(world: World, params: Params) -> bool:
    """`sendChatAction`."""
    world.open_chat(params.text("chat_id"))
    if params.text("action") not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    return True


def _send(world: World, params: Params, chat: Chat, content: Json, *, method: str = "sendMessage") -> Json:
    placed = {**read_place(chat, params), **content, **read_markup(params)}
    channel = chat if chat.type == "channel" else None
    message = world.post(chat, placed, sender=None if channel else world.bot, sender_chat=channel)
    silent = params.flag("disable_notification")
    world.record(method, chat.id, message, **shown(message), parse_mode=params.text("parse_mode"), silent=silent)
    return message


def _caption(params: Params) -> Json:
    return read_caption(params.text("caption"), params.text("parse_mode"), params.data("caption_entities"))


def _original(world: World, params: Params) -> Json:
    source = world.open_chat(params.text("from_chat_id"))
    original = source.messages.get(params.need_integer("message_id"))
    if original is None:
        raise bad_request("message to copy not found")
    return shallow(original)


def _writable(world: World, params: Params, permission: str, what: str) -> Chat:
    chat = world.open_chat(params.text("chat_id"))
    member = world.membership(chat) if chat.is_group else None
    if member is not None and not member.is_admin:
        allowed: Any = member.rights if member.status == "restricted" else chat.permissions
        if not allowed.get(permission, False):
            raise bad_request(f"not enough rights to send {what} to the chat")
    return chat
