"""What messages are made of: texts, captions, keyboards, replies, topics, pictures; each held to Telegram's rules."""

from __future__ import annotations

from typing import Any, Final, cast

from bot.simulator.errors import bad_request
from bot.simulator.files import photo_sizes
from bot.simulator.formatting import Formatted, read_text
from bot.simulator.model import Chat, Json, part
from bot.simulator.params import Params
from bot.simulator.world import World

LONGEST_TEXT: Final = 4096
LONGEST_CAPTION: Final = 1024
LONGEST_DATA: Final = 64  # bytes of a button's callback data
MOST_BUTTONS: Final = 100
_BUTTON_ACTIONS: Final = frozenset(
    {
        *("url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat"),
        *("switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay"),
    }
)


def read_message_text(params: Params) -> Json:
    """Return the `text` and `entities` of a message; 400 where it is empty, too long or cannot be parsed."""
    given = params.text("text")
    if not (given or "").strip():
        raise bad_request("message text is empty")
    read = read_text(given or "", params.text("parse_mode"), _entities(params.data("entities")))
    if not read.text:
        raise bad_request("message text is empty")
    if len(read.text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    return _formatted(read, "text", "entities")


def read_caption(caption: str | None, parse_mode: str | None, entities: object = None) -> Json:
    """Return the `caption` and `caption_entities`, if there are any."""
    read = read_text(caption or "", parse_mode, _entities(entities))
    if len(read.text) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    return _formatted(read, "caption", "caption_entities") if read.text else {}


def _entities(given: object) -> list[Json] | None:
    return [dict(one) for one in cast("list[Json]", given)] if isinstance(given, list) else None


def _formatted(read: Formatted, text: str, entities: str) -> Json:
    return {text: read.text, **({entities: read.entities} if read.entities else {})}


def read_photo(world: World, given: object) -> Json:
    """Return the `photo` of a message; 400 where there is none, or it is no picture."""
    if not given:
        raise bad_request("there is no photo in the request")
    return {"photo": photo_sizes(world.files.take(cast("Any", given), "photo"))}


def read_document(world: World, given: object) -> Json:
    """Return the `document` of a message."""
    if not given:
        raise bad_request("there is no document in the request")
    file = world.files.take(cast("Any", given), "document")
    body = file.json()
    del body["file_path"]
    return {"document": {**body, "file_name": file.name}}


def read_markup(params: Params) -> Json:
    """Return the `reply_markup` of a request, checked; empty where there is none."""
    markup = params.object("reply_markup")
    if not markup:
        return {}
    rows = markup.get("inline_keyboard")
    if rows is None:
        return {"reply_markup": markup}
    kept = [[_checked_button(button) for button in row] for row in cast("list[list[Json]]", rows) if row]
    if sum(map(len, kept)) > MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    return {"reply_markup": {"inline_keyboard": kept}} if kept else {}


def _checked_button(button: Json) -> Json:
    if not str(button.get("text") or "").strip():
        raise bad_request('can\'t parse inline keyboard button: field "text" must be non-empty')
    if len(_BUTTON_ACTIONS & button.keys()) != 1:
        raise bad_request("can't parse inline keyboard button: text buttons are unallowed in the inline keyboard")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= LONGEST_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    return button


def read_place(chat: Chat, params: Params) -> Json:
    """Return where a message goes: its topic, and what it replies to."""
    place: Json = {}
    thread = params.integer("message_thread_id")
    reply = params.object("reply_parameters") or {}
    reply_id = reply.get("message_id", params.integer("reply_to_message_id"))
    lenient = bool(reply.get("allow_sending_without_reply", params.flag("allow_sending_without_reply")))
    if thread is not None:
        if thread not in chat.topics:
            raise bad_request("message thread not found")
        place |= {"message_thread_id": thread, "is_topic_message": True}
    if reply_id:
        replied = chat.messages.get(int(reply_id))
        if replied is not None:
            place["reply_to_message"] = shallow(replied)
            if replied.get("is_topic_message") and thread is None:
                place |= {"message_thread_id": replied["message_thread_id"], "is_topic_message": True}
        elif not lenient:
            raise bad_request("message to be replied not found")
    return place


def shallow(message: Json) -> Json:
    """Return a message as another one holds it: without the one that it replies to."""
    return {name: value for name, value in message.items() if name != "reply_to_message"}


def rows_of_buttons(message: Json) -> list[list[Json]]:
    """Return the buttons below a message, as `/test/sent` shows them."""
    markup = part(message, "reply_markup")
    rows = cast("list[list[Json | str]]", markup.get("inline_keyboard") or markup.get("keyboard") or [])
    return [[_shown(button) for button in row] for row in rows]


def _shown(button: Json | str) -> Json:
    if isinstance(button, str):
        return {"text": button, "data": None}
    link = {"url": button["url"]} if "url" in button else {}
    return {"text": button["text"], "data": button.get("callback_data"), **link}


def shown(message: Json) -> Json:
    """Return what `/test/sent` shows of a message."""
    reply = part(message, "reply_to_message")
    return {
        "message_id": message["message_id"],
        "text": message.get("text"),
        "caption": message.get("caption"),
        "entities": message.get("entities") or message.get("caption_entities") or [],
        "buttons": rows_of_buttons(message),
        "photo": "photo" in message,
        "file_id": message["photo"][-1]["file_id"] if "photo" in message else None,
        "reply_to": reply.get("message_id"),
        "thread_id": message.get("message_thread_id"),
    }
