"""Methods on chats: what they are, pinned messages, permissions, leaving, files."""

from __future__ import annotations

from typing import Final

from bot.simulator.content import shallow
from bot.simulator.errors import bad_request
from bot.simulator.methods.members import read_permissions
from bot.simulator.model import Chat, Json, Member
from bot.simulator.params import Params
from bot.simulator.world import World

_REACTIONS: Final = 11


def get_chat(world: World, params: Params) -> Json:
    """`getChat`: Telegram's ChatFullInfo."""
    chat = world.open_chat(params.text("chat_id"))
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    body: Json = {
        **chat.json(),
        "accent_color_id": 1,
        "max_reaction_count": _REACTIONS,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }
    if chat.is_group:
        body["permissions"] = chat.permissions
        body["slow_mode_delay"] = chat.slow_mode
    if chat.linked is not None:
        body["linked_chat_id"] = chat.linked
    pinned = next((chat.messages[number] for number in reversed(chat.pinned) if number in chat.messages), None)
    if pinned is not None:
        body["pinned_message"] = shallow(pinned)
    return body


def set_chat_permissions(world: World, params: Params) -> bool:
    """`setChatPermissions`."""
    chat = _group(world, params, "can_restrict_members", "not enough rights to change chat permissions")
    permissions = read_permissions(params)
    if permissions == chat.permissions:
        raise bad_request("CHAT_NOT_MODIFIED")
    chat.permissions = permissions
    world.record("setChatPermissions", chat.id, message_id=None, permissions=permissions)
    return True


def pin_chat_message(world: World, params: Params) -> bool:
    """`pinChatMessage`."""
    chat = _pinnable(world, params)
    message = chat.messages.get(params.need_integer("message_id"))
    if message is None:
        raise bad_request("message to pin not found")
    number = message["message_id"]
    if number in chat.pinned:
        chat.pinned.remove(number)
    chat.pinned.append(number)
    world.updates.add("message", world.post(chat, {"pinned_message": shallow(message)}, sender=world.bot))
    world.record("pinChatMessage", chat.id, message_id=number)
    return True


def unpin_chat_message(world: World, params: Params) -> bool:
    """`unpinChatMessage`: the one named, else the newest."""
    chat = _pinnable(world, params)
    number = params.integer("message_id") or (chat.pinned[-1] if chat.pinned else None)
    if number not in chat.pinned:
        raise bad_request("message to unpin not found")
    chat.pinned.remove(number)
    world.record("unpinChatMessage", chat.id, message_id=number)
    return True


def unpin_all_chat_messages(world: World, params: Params) -> bool:
    """`unpinAllChatMessages`."""
    chat = _pinnable(world, params)
    chat.pinned.clear()
    world.record("unpinAllChatMessages", chat.id, message_id=None)
    return True


def leave_chat(world: World, params: Params) -> bool:
    """`leaveChat`."""
    chat = world.open_chat(params.text("chat_id"))
    if chat.type == "private":
        raise bad_request("chat member status can't be changed in private chats")
    world.set_member(chat, Member(world.bot, "left", is_member=False), world.bot)
    world.record("leaveChat", chat.id, message_id=None)
    return True


def get_file(world: World, params: Params) -> Json:
    """`getFile`: what the bot uploaded itself."""
    file = world.files.find(params.text("file_id") or "")
    if file is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    return file.json()


def _group(world: World, params: Params, right: str, words: str) -> Chat:
    chat = world.open_chat(params.text("chat_id"))
    if not chat.is_group:
        raise bad_request("method is available for supergroup and channel chats only")
    if not world.membership(chat).may(right):
        raise bad_request(words)
    return chat


def _pinnable(world: World, params: Params) -> Chat:
    chat = world.open_chat(params.text("chat_id"))
    if chat.type != "private" and not world.membership(chat).may("can_pin_messages"):
        raise bad_request("not enough rights to manage pinned messages in the chat")
    return chat
