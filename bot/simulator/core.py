"""One call of a method: failures that were asked for, limits, then the method itself. Pure: the time comes in."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from bot.simulator.errors import ApiError, SilenceError, bad_request, forbidden, too_many
from bot.simulator.faults import Fault
from bot.simulator.methods import METHODS, Method
from bot.simulator.model import Chat, Member, Status
from bot.simulator.params import Params
from bot.simulator.world import SUPERGROUPS, Moment, World

_RETRY_SECONDS: Final = 1.0
_SILENT_SECONDS: Final = 30.0
_UNPARSABLE: Final = "can't parse entities: Can't find end tag corresponding to start tag \"b\" at byte offset 0"


def call(world: World, name: str, params: Params, moment: Moment) -> Any:
    """Return a method's result; ApiError is Telegram's refusal, SilenceError asks for no answer."""
    world.moment = moment
    method = METHODS.get(name.lower())
    if method is None:
        raise ApiError(404, "Not Found")
    chat = _chat_of(world, params)
    acts = method.counted != "nothing"
    fault = world.faults.take(method.name, None if chat is None else chat.id, acts=acts)
    if fault is not None:
        raise _failure(world, fault, chat)
    chat_id, message = None if chat is None else chat.id, method.counted == "message"
    if acts:
        seconds = world.limits.check(method.name, chat_id, message=message, now=moment.seconds)
        if seconds is not None:
            raise too_many(seconds)
    result = method.run(world, params)
    if acts:
        for _ in range(_size(method, result)):
            world.limits.record(chat_id, message=message, now=moment.seconds)
    return result


def _size(method: Method, result: Any) -> int:
    """Return how many messages it was: an album counts each."""
    return len(result) if method.name == "sendMediaGroup" else 1


def _chat_of(world: World, params: Params) -> Chat | None:
    with suppress(ApiError):
        return world.find_chat(params.text("chat_id"))
    return None


def _failure(world: World, fault: Fault, chat: Chat | None) -> Exception:
    match fault.error:
        case "429":
            seconds = max(1, round(fault.seconds or _RETRY_SECONDS))
            if chat is not None:
                world.limits.pause(chat.id, world.moment.seconds + seconds)
            return too_many(seconds)
        case "403":
            kicked = chat is not None and chat.type != "private"
            words = f"bot was kicked from the {chat.type} chat" if kicked and chat else "bot was blocked by the user"
            return forbidden(fault.description or words)
        case "400":
            return bad_request(fault.description or _UNPARSABLE)
        case "500":
            return ApiError(500, fault.description or "Internal Server Error")
        case "timeout":
            return SilenceError(fault.seconds or _SILENT_SECONDS)
        case "migrate":
            if chat is None or not chat.is_group:
                return bad_request("only a group can become a supergroup")
            target = migrate(world, chat)
            return bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=target.id)


def migrate(world: World, chat: Chat) -> Chat:
    """Make a group a supergroup and return it: its members stay, and messages in both chats say so."""
    if chat.migrated_to is not None:
        return world.chats[chat.migrated_to]
    target = world.chat(SUPERGROUPS - abs(chat.id) % -SUPERGROUPS - next(world.numbers), "supergroup", chat.title)
    for member in chat.members.values():
        status: Status = member.status
        target.members[member.user.id] = Member(member.user, status, dict(member.rights), member.until)
    target.permissions, target.linked = dict(chat.permissions), chat.linked
    leaving = world.post(chat, {"migrate_to_chat_id": target.id}, sender=world.bot)
    chat.migrated_to = target.id
    arriving = world.post(target, {"migrate_from_chat_id": chat.id}, sender=world.bot)
    for message in (leaving, arriving):
        world.updates.add("message", message)
    return target
