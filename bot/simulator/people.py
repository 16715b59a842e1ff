"""What people do in chats: write, change what they wrote, press buttons, block the bot; each with its updates."""

from __future__ import annotations

from typing import cast

from bot.simulator.content import rows_of_buttons, shallow
from bot.simulator.deeds import NotPossibleError, chat_of, done, user_of
from bot.simulator.formatting import find_entities
from bot.simulator.model import ANONYMOUS_BOT, CHANNEL_BOT, LINKED_CHANNEL, Chat, Json, Member, Status, User, part
from bot.simulator.params import Params
from bot.simulator.world import World

_TOPIC_COLOR = 7322096


def write(world: World, given: Params) -> Json:
    """Write a message; one who is banned or muted cannot."""
    chat, user = chat_of(world, given), user_of(world, given)
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
    elif thread is not None:
        content["reply_to_message"] = _begin_of(world, chat, thread)
    sender, sender_chat, more = _sender(world, chat, user, given)
    message = world.post(chat, {**content, **more}, sender=sender, sender_chat=sender_chat)
    kind = "channel_post" if chat.type == "channel" else "message"
    seen = not chat.is_group or _is_seen(world, chat, message)
    return done(message, world.updates.add(kind, message) if seen else None)


def change(world: World, given: Params) -> Json:
    """Change the text of a message that a person wrote."""
    chat = chat_of(world, given)
    message = chat.messages.get(given.need_integer("message_id"))
    if message is None or part(message, "from").get("id") == world.bot.id:
        raise NotPossibleError("there is no such message of a person")
    message |= {**_written(given), "edit_date": world.moment.date}
    return done(message, world.updates.add("edited_message", message))


def press(world: World, given: Params) -> Json:
    """Press a button, by its data or its label; a button of a keyboard below the input writes its label."""
    chat, user = chat_of(world, given), user_of(world, given)
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


def block(world: World, given: Params) -> Json:
    """Block the bot, or with `"blocked": false` take it back."""
    user = user_of(world, given)
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
    user = user_of(world, given)
    query = {"id": str(next(world.numbers)), "from": user.json(), "query": given.text("query") or "", "offset": ""}
    world.ask(query)
    return {"inline_query_id": query["id"], "update_id": world.updates.add("inline_query", query)}


def _written(given: Params) -> Json:
    text = given.text("text") or ""
    entities = given.data("entities") or find_entities(text, [])
    if given.flag("photo"):
        size = {"file_id": "person", "file_unique_id": "person", "width": 100, "height": 100}
        return {"photo": [size], **({"caption": text, "caption_entities": entities} if text else {})}
    return {"text": text, **({"entities": entities} if entities else {})}


def _begin_of(world: World, chat: Chat, thread: int) -> Json:
    """Return the message that began a topic: in it, what answers no other message answers that one."""
    created = {"name": chat.topics[thread], "icon_color": _TOPIC_COLOR}
    begin: Json = {"message_id": thread, "date": world.moment.date, "chat": chat.json()}
    return {**begin, "message_thread_id": thread, "is_topic_message": True, "forum_topic_created": created}


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
