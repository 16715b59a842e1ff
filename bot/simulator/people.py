"""What people do in chats: write, press buttons, join, leave, ask to join, block the bot; each with its updates."""

from __future__ import annotations

from typing import Any, Final, cast

from bot.simulator import core
from bot.simulator.content import rows_of_buttons, shallow
from bot.simulator.formatting import find_entities
from bot.simulator.model import (
    ANONYMOUS_BOT,
    CHANNEL_BOT,
    LINKED_CHANNEL,
    PERMISSIONS,
    Chat,
    Json,
    Member,
    Status,
    User,
    all_rights,
    part,
)
from bot.simulator.params import Params
from bot.simulator.world import World

_TYPES: Final = ("private", "group", "supergroup", "channel")
_STATUSES: Final = ("creator", "administrator", "member", "restricted", "left", "kicked")


class NotPossibleError(Exception):
    """A person cannot do that; the text says why. `code` is HTTP's."""

    def __init__(self, text: str, code: int = 400) -> None:
        super().__init__(text)
        self.code = code


def set_chat(world: World, given: Params) -> Json:
    """Make a chat, or change it: its type, title, @name, whether it has topics, its linked channel."""
    chat = _chat(world, given)
    chat.title = given.text("title") or chat.title
    chat.username = given.text("username") or chat.username
    chat.is_forum = given.flag("is_forum", default=chat.is_forum)
    chat.linked = given.integer("linked_chat_id") or chat.linked
    if chat.linked is not None:
        world.chat(chat.linked, "channel")
    for topic in cast("list[int]", given.data("topics") or []):
        chat.is_forum = True
        chat.topics.setdefault(int(topic), f"Topic {topic}")
    return describe(world, chat)


def write(world: World, given: Params) -> Json:
    """Write a message; one who is banned or muted cannot."""
    chat, user = _chat(world, given), _user(world, given)
    content = _written(given)
    thread = given.integer("thread_id")
    if thread is not None:
        chat.is_forum = True
        chat.topics.setdefault(thread, f"Topic {thread}")
        content |= {"message_thread_id": thread, "is_topic_message": True}
    replied = chat.messages.get(given.integer("reply_to") or 0)
    if given.integer("reply_to") and replied is None:
        raise NotPossibleError(f"there is no message {given.integer('reply_to')} in chat {chat.id}")
    if replied is not None:
        content["reply_to_message"] = shallow(replied)
    sender, sender_chat, more = _sender(world, chat, user, given)
    message = world.post(chat, {**content, **more}, sender=sender, sender_chat=sender_chat)
    kind = "channel_post" if chat.type == "channel" else "message"
    seen = not chat.is_group or _is_seen(world, chat, message)
    return _done(message, world.updates.add(kind, message) if seen else None)


def change(world: World, given: Params) -> Json:
    """Change the text of a message that a person wrote."""
    chat = _chat(world, given)
    message = chat.messages.get(given.need_integer("message_id"))
    if message is None or part(message, "from").get("id") == world.bot.id:
        raise NotPossibleError("there is no such message of a person")
    message |= {**_written(given), "edit_date": world.moment.date}
    return _done(message, world.updates.add("edited_message", message))


def press(world: World, given: Params) -> Json:
    """Press a button, by its data or its label; a button of a keyboard below the input writes its label."""
    chat, user = _chat(world, given), _user(world, given)
    message = chat.messages.get(given.need_integer("message_id"))
    if message is None:
        raise NotPossibleError("there is no such message")
    markup = part(message, "reply_markup")
    data, label = given.text("data"), given.text("text")
    inline: list[list[Json]] = markup.get("inline_keyboard", [])
    for button in [button for row in inline for button in row]:
        if (data is not None and button.get("callback_data") == data) or (data is None and button["text"] == label):
            return _pressed(world, user, message, button)
    labels = [button["text"] for row in rows_of_buttons(message) for button in row]
    if label in labels:
        return write(world, Params({**given.fields, "text": label}))
    if given.flag("stale"):  # a button that was there before the message was edited
        return _pressed(world, user, message, {"text": label or "", "callback_data": data or ""})
    raise NotPossibleError("the message has no such button")


def join(world: World, given: Params) -> Json:
    """Join a group; one who is banned cannot."""
    chat, user = _chat(world, given), _user(world, given)
    member = world.member(chat, user.id)
    if member.status == "kicked":
        raise NotPossibleError("banned from this chat", 403)
    if not member.is_inside:
        made = Member(user, "member")
        if member.status == "restricted":
            made = Member(user, "restricted", member.rights, member.until)
        world.set_member(chat, made, user)
        message = world.post(chat, {"new_chat_members": [user.json()]}, sender=user)
        return _done(message, world.updates.add("message", message))
    return {"message_id": None, "update_id": None}


def leave(world: World, given: Params) -> Json:
    """Leave a group."""
    chat, user = _chat(world, given), _user(world, given)
    member = world.member(chat, user.id)
    if not member.is_inside:
        return {"message_id": None, "update_id": None}
    made = Member(user, "left", is_member=False)
    if member.status == "restricted":
        made = Member(user, "restricted", member.rights, member.until, is_member=False)
    world.set_member(chat, made, user)
    message = world.post(chat, {"left_chat_member": user.json()}, sender=user)
    return _done(message, world.updates.add("message", message))


def set_member(world: World, given: Params) -> Json:
    """Make a user what Telegram is to say of them; the bot itself is one of them."""
    chat, user = _chat(world, given), _user(world, given)
    status = given.text("status") or "member"
    if status not in _STATUSES:
        raise NotPossibleError(f"status is one of {', '.join(_STATUSES)}")
    named = given.object("rights") or {}
    default: dict[str, bool] = all_rights() if status == "administrator" else dict.fromkeys(PERMISSIONS, False)
    wanted = {name: bool(value) for name, value in named.items()}
    rights = {**(dict.fromkeys(default, False) if named else default), **wanted}
    made = Member(
        user,
        status,
        rights if status in {"administrator", "restricted"} else {},
        given.integer("until_date") or 0,
        is_anonymous=given.flag("is_anonymous"),
        is_member=status not in {"left", "kicked"},
    )
    world.set_member(chat, made, user)
    return made.json()


def ask_to_join(world: World, given: Params) -> Json:
    """Ask to be let into a group."""
    chat, user = _chat(world, given), _user(world, given)
    if world.member(chat, user.id).status == "kicked":
        raise NotPossibleError("banned from this chat", 403)
    chat.requests.add(user.id)
    world.chat(user.id)
    request: Json = {
        "chat": chat.json(),
        "from": user.json(),
        "user_chat_id": user.id,
        "date": world.moment.date,
    }
    if bio := given.text("bio"):
        request["bio"] = bio
    return {"update_id": world.updates.add("chat_join_request", request)}


def block(world: World, given: Params) -> Json:
    """Block the bot, or with `"blocked": false` take it back."""
    user = _user(world, given)
    chat = world.chat(user.id)
    blocked = given.flag("blocked", default=True)
    status = ("member", "kicked") if blocked else ("kicked", "member")
    if blocked == chat.blocked:
        return {"update_id": None}
    chat.blocked = blocked
    old, new = (Member(world.bot, cast("Status", one)).json() for one in status)
    more = {"date": world.moment.date, "old_chat_member": old, "new_chat_member": new}
    return {"update_id": world.updates.add("my_chat_member", {"chat": chat.json(), "from": user.json(), **more})}


def ask_inline(world: World, given: Params) -> Json:
    """Write `@bot …` in any chat."""
    user = _user(world, given)
    query = {"id": str(next(world.numbers)), "from": user.json(), "query": given.text("query") or "", "offset": ""}
    world.ask(query)
    return {"inline_query_id": query["id"], "update_id": world.updates.add("inline_query", query)}


def become_supergroup(world: World, given: Params) -> Json:
    """Make a group a supergroup; its new id is given."""
    chat = _chat(world, given)
    if not chat.is_group:
        raise NotPossibleError("only a group can become a supergroup")
    return {"chat_id": core.migrate(world, chat).id}


def describe(world: World, chat: Chat) -> Json:
    """Return a chat as it is: members, permissions, pinned messages, the newest messages."""
    members = [world.member(chat, user_id).json() for user_id in list(chat.members)]
    return {
        **chat.json(),
        "members": members,
        "permissions": chat.permissions,
        "pinned": list(chat.pinned),
        "topics": chat.topics,
        "linked_chat_id": chat.linked,
        "migrated_to": chat.migrated_to,
        "blocked": chat.blocked,
        "messages": list(chat.messages.values()),
    }


def _chat(world: World, given: Params) -> Chat:
    kind = given.text("chat_type")
    if kind is not None and kind not in _TYPES:
        raise NotPossibleError(f"chat_type is one of {', '.join(_TYPES)}")
    chat_id = given.need_integer("chat_id")
    known = world.chats.get(chat_id)
    if known is not None and known.migrated_to is not None:
        return world.chats[known.migrated_to]
    own = chat_id > 0 and chat_id == given.integer("user_id")
    title = _user(world, given).first_name if own else given.text("title")
    return world.chat(chat_id, kind, title)


def _user(world: World, given: Params) -> User:
    more: dict[str, Any] = {"username": given.text("username"), "language_code": given.text("language_code")}
    if "is_bot" in given.fields:
        more["is_bot"] = given.flag("is_bot")
    return world.user(given.need_integer("user_id"), given.text("first_name"), **more)


def _written(given: Params) -> Json:
    text = given.text("text") or ""
    entities = given.data("entities") or find_entities(text, [])
    if given.flag("photo"):
        size = {"file_id": "person", "file_unique_id": "person", "width": 100, "height": 100}
        return {"photo": [size], **({"caption": text, "caption_entities": entities} if text else {})}
    return {"text": text, **({"entities": entities} if entities else {})}


def _sender(world: World, chat: Chat, user: User, given: Params) -> tuple[User | None, Chat | None, Json]:
    """Return what stands as the sender: the person, the group itself, or a channel; and what stands beside."""
    channel_id = given.integer("sender_chat_id")
    if chat.type == "channel":
        return None, chat, {}
    if channel_id is not None:
        if channel_id in chat.banned_chats:
            raise NotPossibleError("this channel is banned from the chat", 403)
        channel = world.chat(channel_id, "channel")
        if channel_id == chat.linked:
            forwarded = world.user(LINKED_CHANNEL, "Telegram")
            return forwarded, channel, {"is_automatic_forward": True}
        return world.user(CHANNEL_BOT, "Channel", username="Channel_Bot", is_bot=True), channel, {}
    if not chat.is_group:
        chat.blocked = False
        return user, None, {}
    member = _speaker(world, chat, user)
    if member.is_admin and member.is_anonymous:
        signature = {} if member.custom_title is None else {"author_signature": member.custom_title}
        anonymous = world.user(ANONYMOUS_BOT, "Group", username="GroupAnonymousBot", is_bot=True)
        return anonymous, chat, signature
    return user, None, {}


def _speaker(world: World, chat: Chat, user: User) -> Member:
    """Return the member who writes; who is not in the group yet is, from now on."""
    member = world.member(chat, user.id)
    if member.status == "kicked":
        raise NotPossibleError("banned from this chat", 403)
    if member.status == "left":
        member = chat.members[user.id] = Member(user, "member")
    allowed = member.rights if member.status == "restricted" else chat.permissions
    if not member.is_admin and not allowed.get("can_send_messages", False):
        raise NotPossibleError("may not write in this chat", 403)
    return member


def _is_seen(world: World, chat: Chat, message: Json) -> bool:
    """Return whether privacy mode lets the bot see a message of a group."""
    if not world.privacy or world.membership(chat).is_admin:
        return True
    replied = part(part(message, "reply_to_message"), "from")
    text = str(message.get("text") or message.get("caption") or "")
    return text.startswith("/") or f"@{world.bot.username}" in text or replied.get("id") == world.bot.id


def _pressed(world: World, user: User, message: Json, button: Json) -> Json:
    if "callback_data" not in button:
        raise NotPossibleError("the button is no callback button")
    query: Json = {
        "id": str(next(world.numbers)),
        "from": user.json(),
        "message": message,
        "chat_instance": str(message["chat"]["id"]),
        "data": button["callback_data"],
    }
    world.ask(query)
    return {"callback_query_id": query["id"], "update_id": world.updates.add("callback_query", query)}


def _done(message: Json, update_id: int | None) -> Json:
    return {"message_id": message["message_id"], "chat_id": message["chat"]["id"], "update_id": update_id}
