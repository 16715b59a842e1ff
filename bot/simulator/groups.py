"""What people do in groups beside writing: join, leave, ask to join, get other rights; and what a chat is like."""

from __future__ import annotations

from typing import Final, cast

from bot.simulator import core
from bot.simulator.deeds import NotPossibleError, chat_of, done, user_of
from bot.simulator.model import PERMISSIONS, Chat, Json, Member, Status, all_rights
from bot.simulator.params import Params
from bot.simulator.world import World

_STATUSES: Final[tuple[Status, ...]] = ("creator", "administrator", "member", "restricted", "left", "kicked")


def set_chat(world: World, given: Params) -> Json:
    """Make a chat, or change it: its type, title, @name, topics, linked channel, slow mode; or delete it."""
    chat = chat_of(world, given)
    if given.flag("deleted"):
        del world.chats[chat.id]
        return {"id": chat.id}
    chat.slow_mode = given.integer("slow_mode_delay") or chat.slow_mode
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


def join(world: World, given: Params) -> Json:
    """Join a group; one who is banned cannot."""
    chat, user = chat_of(world, given), user_of(world, given)
    member = world.member(chat, user.id)
    if member.status == "kicked":
        raise NotPossibleError("banned from this chat", 403)
    if not member.is_inside:
        made = Member(user, "member")
        if member.status == "restricted":
            made = Member(user, "restricted", member.rights, member.until)
        world.set_member(chat, made, user)
        message = world.post(chat, {"new_chat_members": [user.json()]}, sender=user)
        return done(message, world.updates.add("message", message))
    return {"message_id": None, "update_id": None}


def leave(world: World, given: Params) -> Json:
    """Leave a group."""
    chat, user = chat_of(world, given), user_of(world, given)
    member = world.member(chat, user.id)
    if not member.is_inside:
        return {"message_id": None, "update_id": None}
    made = Member(user, "left", is_member=False)
    if member.status == "restricted":
        made = Member(user, "restricted", member.rights, member.until, is_member=False)
    world.set_member(chat, made, user)
    message = world.post(chat, {"left_chat_member": user.json()}, sender=user)
    return done(message, world.updates.add("message", message))


def set_member(world: World, given: Params) -> Json:
    """Make a user what Telegram is to say of them; the bot itself is one of them. `by_id` is who did that."""
    chat, user = chat_of(world, given), user_of(world, given)
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
        custom_title=given.text("custom_title"),
    )
    by = given.integer("by_id")
    world.set_member(chat, made, user if by is None else world.user(by))
    return made.json()


def ask_to_join(world: World, given: Params) -> Json:
    """Ask to be let into a group."""
    chat, user = chat_of(world, given), user_of(world, given)
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


def become_supergroup(world: World, given: Params) -> Json:
    """Make a group a supergroup; its new id is given."""
    chat = chat_of(world, given)
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
