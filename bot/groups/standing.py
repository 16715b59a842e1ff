"""Who somebody is in a group, and what they may do there: Telegram's own administrators, and roles beside them.

What Telegram says is kept for a minute at most, and forgotten when it says that it changed; roles are asked each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from telegram import Message

from bot.access import ANONYMOUS_ADMIN
from bot.groups.telegram import Telegram
from bot.requests import Requests
from contracts.errors import NotFoundError
from contracts.services.community.bot import MemberPermissions
from contracts.services.community.groups import EffectivePermissions, Permission
from contracts.services.telegram.jobs import MemberReply
from runtime import clock

MemberStatus = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]
CHANNEL_BOT: Final = 136817688  # https://core.telegram.org/bots/api#message: `from` of what a channel wrote
KEPT_SECONDS: Final = 60.0
CHATS: Final = 2_000
MEMBERS: Final = 5_000  # of one chat
RIGHT_FOR: Final[dict[Permission, str]] = {
    "delete_messages": "can_delete_messages",
    "restrict_members": "can_restrict_members",
    "ban_members": "can_restrict_members",
    "undo_actions": "can_restrict_members",
    "pin_messages": "can_pin_messages",
    "manage_topics": "can_manage_topics",
    "manage_roles": "can_promote_members",
    "manage_rules": "can_change_info",
    "manage_settings": "can_change_info",
    "approve_members": "can_invite_users",
}
"""The right that gives an administrator a permission; those that are not here every administrator has."""
OF_MEMBERS: Final[frozenset[Permission]] = frozenset({"post_links", "post_media", "bypass_flood", "bypass_captcha"})
"""What does not decide over others: it holds for who is restricted, too."""
_SILENCED: Final = frozenset({"restricted", "left", "kicked"})
_ADMINS: Final = frozenset({"creator", "administrator"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is in a group; `user_id` of a channel is the channel's, negative.

    `rights` are Telegram's of an administrator, `permissions` those of roles, `priority` that of the highest role.
    """

    user_id: int
    status: MemberStatus
    rights: frozenset[str] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    anonymous: bool = False
    channel: bool = False
    linked: bool = False  # the group's own channel
    priority: int = -1

    @property
    def is_admin(self) -> bool:
        """Whether it is the owner or an administrator of Telegram's."""
        return self.status in _ADMINS

    def may(self, permission: Permission) -> bool:
        """Return whether they may do it: as the owner, by a right of an administrator, or by a role."""
        if self.has_right(RIGHT_FOR.get(permission)):
            return True
        if self.status in _SILENCED or self.channel:
            return permission in OF_MEMBERS and permission in self.permissions
        return permission in self.permissions

    def has_right(self, right: str | None) -> bool:
        """Return whether they have a right of Telegram's administrators; None is what each of them has."""
        return self.status == "creator" or (self.status == "administrator" and (right is None or right in self.rights))


@dataclass(slots=True)
class _Chat:
    """What is kept of a chat."""

    administrators: dict[int, MemberReply]
    until: float
    linked: int | None = None
    linked_until: float = 0.0
    members: OrderedDict[int, tuple[float, MemberStatus]] = field(
        default_factory=OrderedDict[int, "tuple[float, MemberStatus]"]
    )


class Standings:
    """Standings in every group. `client` asks the community service, `telegram` the gateway."""

    def __init__(self, client: Requests, telegram: Telegram, now: Callable[[], float] = clock.monotonic) -> None:
        self._client, self._telegram, self._now = client, telegram, now
        self._chats: OrderedDict[int, _Chat] = OrderedDict()
        self._changes, self._admin_changes = 0, 0  # what was read while something changed is not kept

    async def of(self, chat_id: int, user_id: int) -> Standing:
        """Return the standing of a user; an error of the contracts where it cannot be known."""
        chat = await self._chat(chat_id)
        admin = chat.administrators.get(user_id)
        if admin is not None:
            status, rights = cast("MemberStatus", admin.status), rights_of(admin)
        else:
            status, rights = await self._status(chat_id, chat, user_id), frozenset[str]()
        held = await self._held(chat_id, user_id)
        permissions: frozenset[Permission] = frozenset(held.permissions if held else ())
        return Standing(user_id, status, rights, permissions, priority=held.priority if held else -1)

    async def of_message(self, message: Message) -> Standing:
        """Return the standing of who wrote a message: a member, an anonymous administrator, or a channel."""
        chat_id, sender, user = message.chat.id, message.sender_chat, message.from_user
        if sender is not None and sender.id == chat_id:
            return anonymous_of(list((await self._chat(chat_id)).administrators.values()), message.author_signature)
        if sender is not None:
            linked = bool(message.is_automatic_forward) or sender.id == await self._linked(chat_id)
            held = await self._held(chat_id, CHANNEL_BOT)
            permissions: frozenset[Permission] = OF_MEMBERS if linked else frozenset(held.permissions if held else ())
            return Standing(sender.id, "member", permissions=permissions, channel=True, linked=linked)
        if user is None:
            return Standing(chat_id, "left", channel=True)
        return await self.of(chat_id, user.id)

    async def administrators(self, chat_id: int) -> list[MemberReply]:
        """Return the owner and the administrators of a group."""
        return list((await self._chat(chat_id)).administrators.values())

    def forget(self, chat_id: int, user_id: int | None = None, *, administrators: bool = True) -> None:
        """Ask Telegram again: of a member who changed, or with None of everybody in the chat.

        `administrators`: who changed may have become one, or be one no more.
        """
        self._changes += 1
        self._admin_changes += administrators
        chat = self._chats.get(chat_id)
        if chat is None:
            return
        chat.members.pop(user_id or 0, None)
        if user_id is None:
            del self._chats[chat_id]
        elif administrators:
            chat.until = 0.0

    async def _chat(self, chat_id: int) -> _Chat:
        known = self._chats.get(chat_id)
        if known is not None and self._now() < known.until:
            return known
        changes = self._admin_changes
        listed = await self._telegram.administrators(chat_id)
        administrators = {one.user_id: one for one in listed if one.status in _ADMINS}
        chat = known or _Chat(administrators, 0.0)
        chat.administrators, chat.until = administrators, self._until(same=changes == self._admin_changes)
        self._chats[chat_id] = chat
        self._chats.move_to_end(chat_id)
        while len(self._chats) > CHATS:
            self._chats.popitem(last=False)
        return chat

    async def _status(self, chat_id: int, chat: _Chat, user_id: int) -> MemberStatus:
        until, status = chat.members.get(user_id, (0.0, "left"))
        if self._now() < until:
            return status
        changes = self._changes
        try:
            status = cast("MemberStatus", (await self._telegram.member(chat_id, user_id)).status)
        except NotFoundError:
            status = "left"
        chat.members[user_id] = (self._until(same=changes == self._changes), status)
        chat.members.move_to_end(user_id)
        while len(chat.members) > MEMBERS:
            chat.members.popitem(last=False)
        return status

    async def _linked(self, chat_id: int) -> int | None:
        chat = await self._chat(chat_id)
        if self._now() >= chat.linked_until:
            chat.linked = (await self._telegram.chat(chat_id)).linked_chat_id
            chat.linked_until = self._now() + KEPT_SECONDS
        return chat.linked

    def _until(self, *, same: bool) -> float:
        """Return until when what was read may be kept: `same` where nothing changed meanwhile."""
        return self._now() + KEPT_SECONDS if same else 0.0

    async def _held(self, chat_id: int, user_id: int) -> EffectivePermissions | None:
        """Return what roles give; None where the group is not managed."""
        query = MemberPermissions(group_id=chat_id, user_id=user_id)
        try:
            return await self._client.request("community.permissions", query, EffectivePermissions)
        except NotFoundError:
            return None


def rights_of(member: MemberReply) -> frozenset[str]:
    """Return the rights that Telegram says an administrator has."""
    return frozenset(name for name, given in member.rights.items() if given)


def anonymous_of(administrators: Sequence[MemberReply], title: str | None) -> Standing:
    """Return the standing of an anonymous administrator: what each of those may do who it can be.

    Telegram names none of them; their title, where the message shows one, narrows them down.
    """
    unseen = [one for one in administrators if one.is_anonymous]
    titled = [one for one in unseen if one.custom_title == title]
    may_be = titled or unseen
    bounded = [rights_of(one) for one in may_be if one.status != "creator"]
    if may_be and not bounded:
        return Standing(ANONYMOUS_ADMIN, "creator", anonymous=True)
    rights = frozenset[str]().union(*bounded).intersection(*bounded) if bounded else frozenset[str]()
    return Standing(ANONYMOUS_ADMIN, "administrator", rights, anonymous=True)
