"""Methods on members: ban, restrict, promote, and who is what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from bot.simulator.errors import bad_request
from bot.simulator.model import ADMIN_RIGHTS, PERMISSIONS, SEND_PERMISSIONS, Chat, Json, Member
from bot.simulator.params import Params
from bot.simulator.world import World

_SHORTEST, _LONGEST = 30, 366 * 24 * 3600  # seconds of a ban or restriction; beyond these it is for ever
_LONGEST_TITLE: Final = 16
_LAST: Final = frozenset({"can_send_other_messages", "can_add_web_page_previews"})
_MEDIA: Final = tuple(name for name in SEND_PERMISSIONS if name != "can_send_messages")


def ban_chat_member(world: World, params: Params) -> bool:
    """`banChatMember`."""
    chat, member = _target(world, params, "can_restrict_members")
    was_inside = member.is_inside
    until = _until(world, params)
    world.set_member(chat, Member(member.user, "kicked", until=until, is_member=False), world.bot)
    if was_inside:
        world.updates.add("message", world.post(chat, {"left_chat_member": member.user.json()}, sender=world.bot))
    _record(world, "banChatMember", chat, member, until_date=until)
    return True


def unban_chat_member(world: World, params: Params) -> bool:
    """`unbanChatMember`: without `only_if_banned` one who is in the chat is removed from it."""
    chat, member = _target(world, params, "can_restrict_members")
    banned = member.status == "kicked"
    if banned or not params.flag("only_if_banned"):
        world.set_member(chat, Member(member.user, "left", is_member=False), world.bot)
    _record(world, "unbanChatMember", chat, member)
    return True


def restrict_chat_member(world: World, params: Params) -> bool:
    """`restrictChatMember`: one who may do everything that others may is a member again."""
    chat, member = _target(world, params, "can_restrict_members")
    if chat.type != "supergroup":
        raise bad_request("method is available only for supergroups")
    permissions = read_permissions(params)
    until = _until(world, params)
    free = all(permissions[name] for name in SEND_PERMISSIONS)
    inside = member.is_inside
    made = Member(member.user, "restricted", permissions, until, is_member=inside)
    if free:
        made = Member(member.user, "member" if inside else "left", is_member=inside)
    world.set_member(chat, made, world.bot)
    _record(world, "restrictChatMember", chat, member, permissions=permissions, until_date=until)
    return True


def promote_chat_member(world: World, params: Params) -> bool:
    """`promoteChatMember`: without any right it is a member as others are."""
    chat, member = _target(world, params, "can_promote_members", admins=True)
    rights = {name: params.flag(name) for name in ADMIN_RIGHTS}
    mine = world.membership(chat)
    if not all(mine.may(name) for name, given in rights.items() if given):
        raise bad_request("RIGHT_FORBIDDEN")
    anonymous = params.flag("is_anonymous")
    any_right = anonymous or any(rights.values())
    if not member.is_inside:
        raise bad_request("USER_NOT_PARTICIPANT")
    made = Member(member.user, "administrator", rights, is_anonymous=anonymous)
    world.set_member(chat, made if any_right else Member(member.user, "member"), world.bot)
    _record(world, "promoteChatMember", chat, member, rights=rights)
    return True


def set_custom_title(world: World, params: Params) -> bool:
    """`setChatAdministratorCustomTitle`."""
    chat = world.open_chat(params.text("chat_id"))
    _need(world, chat, "can_promote_members", "not enough rights to change custom title of the user")
    member = world.member(chat, params.need_integer("user_id"))
    if member.status != "administrator":
        raise bad_request("user is not an administrator")
    title = params.text("custom_title") or ""
    if len(title) > _LONGEST_TITLE:
        raise bad_request("ADMIN_RANK_INVALID")
    world.set_member(chat, replace(member, custom_title=title), world.bot)
    _record(world, "setChatAdministratorCustomTitle", chat, member, custom_title=title)
    return True


def ban_chat_sender_chat(world: World, params: Params) -> bool:
    """`banChatSenderChat`."""
    chat, sender = _sender(world, params)
    if sender == chat.linked:
        raise bad_request("can't ban the linked channel of the chat")
    chat.banned_chats.add(sender)
    world.record("banChatSenderChat", chat.id, message_id=None, sender_chat_id=sender)
    return True


def unban_chat_sender_chat(world: World, params: Params) -> bool:
    """`unbanChatSenderChat`."""
    chat, sender = _sender(world, params)
    chat.banned_chats.discard(sender)
    world.record("unbanChatSenderChat", chat.id, message_id=None, sender_chat_id=sender)
    return True


def answer_join_request(world: World, params: Params, *, accepted: bool) -> bool:
    """`approveChatJoinRequest` and `declineChatJoinRequest`."""
    chat = world.open_chat(params.text("chat_id"))
    _need(world, chat, "can_invite_users", "not enough rights to manage chat join requests")
    user_id = params.need_integer("user_id")
    if user_id not in chat.requests:
        raise bad_request("HIDE_REQUESTER_MISSING")
    chat.requests.discard(user_id)
    user = world.users[user_id]
    if accepted:
        world.set_member(chat, Member(user, "member"), user)
        world.updates.add("message", world.post(chat, {"new_chat_members": [user.json()]}, sender=user))
    method = "approveChatJoinRequest" if accepted else "declineChatJoinRequest"
    world.record(method, chat.id, message_id=None, user_id=user_id)
    return True


def get_chat_member(world: World, params: Params) -> Json:
    """`getChatMember`."""
    chat = world.open_chat(params.text("chat_id"))
    return world.member(chat, params.need_integer("user_id")).json()


def get_chat_administrators(world: World, params: Params) -> list[Json]:
    """`getChatAdministrators`: other bots are left out, the bot itself is not."""
    chat = world.open_chat(params.text("chat_id"))
    if chat.type == "private":
        raise bad_request("there are no administrators in the private chat")
    admins = [member for member in chat.members.values() if member.is_admin]
    return [one.json() for one in admins if not one.user.is_bot or one.user.id == world.bot.id]


def get_chat_member_count(world: World, params: Params) -> int:
    """`getChatMemberCount`."""
    chat = world.open_chat(params.text("chat_id"))
    return 2 if chat.type == "private" else len(chat.inside())


def read_permissions(params: Params) -> dict[str, bool]:
    """Return ChatPermissions: without `use_independent_chat_permissions` some imply others."""
    given: dict[str, Any] | None = params.object("permissions")
    if given is None:
        raise bad_request("parameter permissions is required")
    read = {name: bool(given.get(name, False)) for name in PERMISSIONS}
    if not params.flag("use_independent_chat_permissions"):
        if read["can_send_other_messages"] or read["can_add_web_page_previews"]:
            read |= dict.fromkeys(("can_send_messages", *(name for name in _MEDIA if name not in _LAST)), True)
        elif any(read[name] for name in _MEDIA):
            read["can_send_messages"] = True
    return read


def _target(world: World, params: Params, right: str, *, admins: bool = False) -> tuple[Chat, Member]:
    """Return the chat and the member that an act is about; 400 where the bot may not do it."""
    chat = world.open_chat(params.text("chat_id"))
    if chat.type == "private":
        raise bad_request("can't change members of a private chat")
    words = "restrict/unrestrict chat member" if right == "can_restrict_members" else "promote/demote chat member"
    _need(world, chat, right, f"not enough rights to {words}")
    user_id = params.need_integer("user_id")
    if user_id == world.bot.id:
        raise bad_request("can't restrict self")
    member = world.member(chat, user_id)
    if member.status == "creator":
        raise bad_request("can't remove chat owner")
    if member.status == "administrator" and not admins:
        raise bad_request("user is an administrator of the chat")
    return chat, member


def _need(world: World, chat: Chat, right: str, words: str) -> None:
    if not world.membership(chat).may(right):
        raise bad_request(words)


def _sender(world: World, params: Params) -> tuple[Chat, int]:
    chat = world.open_chat(params.text("chat_id"))
    _need(world, chat, "can_restrict_members", "not enough rights to ban a chat")
    return chat, params.need_integer("sender_chat_id")


def _until(world: World, params: Params) -> int:
    until = params.integer("until_date") or 0
    return until if _SHORTEST <= until - world.moment.date <= _LONGEST else 0


def _record(world: World, method: str, chat: Chat, member: Member, **more: Any) -> None:
    world.record(method, chat.id, message_id=None, user_id=member.user.id, **more)
