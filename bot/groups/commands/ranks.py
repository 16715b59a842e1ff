"""Who may decide: `/promote`, `/demote` with Telegram's rights, `/role` with roles of the group's own."""

from __future__ import annotations

import re
from typing import Final, cast

from bot.groups.commands.calling import GroupCall, GroupCommand, GroupServices
from bot.groups.commands.members import undo_rows
from bot.groups.commands.targets import Target, Targets
from bot.groups.deeds import Deed, caller_of
from bot.page import Page
from bot.texts import groups as texts
from contracts.services.community import commands
from contracts.services.community.actions import ActionKind
from contracts.services.community.groups import PERMISSIONS, ROLE_NAME, Permission, RoleCreate, RolePage, RoleResponse
from contracts.services.responses import SuccessResponse

GIVEN: Final = (
    "can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members", "can_change_info",
    "can_invite_users", "can_pin_messages", "can_manage_topics",
)  # fmt: skip
"""What `/promote` gives, as far as the bot and whoever promotes have it: never the right to promote others."""
_GIVE: Final = frozenset({"give", "add", "beri"})
_TAKE: Final = frozenset({"take", "remove", "ambil"})
_NEW: Final = frozenset({"new", "create", "buat"})
_DELETE: Final = frozenset({"delete", "hapus"})
_MOST: Final = 1000
_NUMBER: Final = re.compile(r"[0-9]{1,4}")


class Ranks:
    """Commands that make somebody decide, or not any more."""

    def __init__(self, given: GroupServices, targets: Targets) -> None:
        self._given, self._targets = given, targets

    def commands(self) -> list[GroupCommand]:
        """Return them."""
        return [
            GroupCommand("promote", "can_promote_members", self._promote),
            GroupCommand("demote", "can_promote_members", self._demote),
            GroupCommand("role", "manage_roles", self._role),
        ]

    async def _promote(self, call: GroupCall) -> Page | None:
        mine = await self._given.standings.of(call.visit.chat_id, self._given.services.bot.id)
        may_give = [right for right in GIVEN if mine.has_right(right) and call.standing.has_right(right)]
        return await self._rank(call, "promote", dict.fromkeys(may_give, True))

    async def _demote(self, call: GroupCall) -> Page | None:
        return await self._rank(call, "demote", {})

    async def _rank(self, call: GroupCall, kind: ActionKind, rights: dict[str, bool]) -> Page | None:
        target = await self._targets.find(call)
        if isinstance(target, Page):
            return target
        if target.user_id < 0:
            return Page(call.visit.reader.say("groups.no_channel"))
        if (why := await self._targets.protected(call, target, admins=True)) is not None:
            return why
        deed = Deed(
            kind=kind,
            group_id=call.visit.chat_id,
            user_id=target.user_id,
            moderator_id=call.moderator_id,
            key=call.visit.key,
            reason=" ".join(target.words)[:500],
            rights=rights,
        )
        outcome = await self._given.deeds.do(deed)
        self._given.standings.forget(call.visit.chat_id)
        if outcome.refusal is not None:
            return Page(outcome.refusal.say(call.visit.reader))
        rows = undo_rows(outcome.action and outcome.action.id, kind, call)
        return Page(texts.did(deed, target.name, call.visit.reader), rows)

    async def _role(self, call: GroupCall) -> Page | None:
        """`/role`, `/role give NAME WHO`, `/role take NAME WHO`, `/role new NAME PERMISSIONS`, `/role delete NAME`."""
        verb, rest, reader = (call.words[0].lower() if call.words else ""), call.words[1:], call.visit.reader
        roles = await self._roles(call)
        if not verb:
            return Page(texts.roles(roles, reader))
        if verb not in _GIVE | _TAKE | _NEW | _DELETE or not rest or ROLE_NAME.fullmatch(rest[0]) is None:
            return Page(reader.say("groups.role_usage"))
        if verb in _NEW:
            return await self._create(call, rest)
        role = next((one for one in roles if one.name == rest[0]), None)
        if role is None:
            return Page(reader.say("groups.no_role", name=rest[0]))
        beyond = _beyond(call, role.effective_permissions, role.priority)
        return beyond or await self._change(call, role.name, verb)

    async def _change(self, call: GroupCall, name: str, verb: str) -> Page:
        if verb in _DELETE:
            return await self._delete(call, name)
        target = await self._targets.find(_without(call, 2))
        return target if isinstance(target, Page) else await self._hand(call, name, target, given=verb in _GIVE)

    async def _roles(self, call: GroupCall) -> list[RoleResponse]:
        query = commands.ListRoles(group_id=call.visit.chat_id, page_size=100)
        return (await self._given.services.requests.request("community.list_roles", query, RolePage)).items

    async def _create(self, call: GroupCall, words: tuple[str, ...]) -> Page:
        named = [word.lower() for word in words[1:]]
        unknown = [word for word in named if word not in PERMISSIONS and _NUMBER.fullmatch(word) is None]
        numbers = [int(word) for word in named if _NUMBER.fullmatch(word)]
        priority = numbers[-1] if numbers else 0
        if unknown or priority > _MOST:
            return Page(call.visit.reader.say("groups.role_permissions", names=" ".join(PERMISSIONS)))
        found = list(dict.fromkeys(word for word in named if word in PERMISSIONS))
        permissions = cast("list[Permission]", found)
        if (why := _beyond(call, permissions, priority)) is not None:
            return why
        role = RoleCreate(name=words[0], permissions=permissions, priority=priority)
        request = commands.CreateRole(group_id=call.visit.chat_id, caller=caller_of(call.moderator_id), role=role)
        await self._given.services.requests.request("community.create_role", request, RoleResponse)
        return Page(call.visit.reader.say("groups.role_made", name=role.name))

    async def _delete(self, call: GroupCall, name: str) -> Page:
        request = commands.DeleteRole(group_id=call.visit.chat_id, caller=caller_of(call.moderator_id), name=name)
        await self._given.services.requests.request("community.delete_role", request, SuccessResponse)
        return Page(call.visit.reader.say("groups.role_deleted", name=name))

    async def _hand(self, call: GroupCall, name: str, target: Target, *, given: bool) -> Page:
        if target.user_id < 0:
            return Page(call.visit.reader.say("groups.no_channel"))
        if (why := await self._targets.protected(call, target, admins=True)) is not None:
            return why
        verb, key = ("assign_role", "groups.role_given") if given else ("unassign_role", "groups.role_taken")
        request = commands.AssignRole(
            group_id=call.visit.chat_id, caller=caller_of(call.moderator_id), name=name, user_id=target.user_id
        )
        await self._given.services.requests.request(f"community.{verb}", request, SuccessResponse)
        return Page(call.visit.reader.say(key, name=name, who=texts.person(target.user_id, target.name)))


def _beyond(call: GroupCall, permissions: list[Permission], priority: int) -> Page | None:
    """Return why a role may not be handed out: it may do what they may not, or ranks as high as they do."""
    lacking = [one for one in permissions if not call.standing.may(one)]
    if lacking:
        return Page(call.visit.reader.say("groups.role_beyond", names=" ".join(lacking)))
    if not call.standing.is_admin and priority >= call.standing.priority:
        return Page(call.visit.reader.say("groups.same_rank"))
    return None


def _without(call: GroupCall, count: int) -> GroupCall:
    """Return a call without its first words."""
    return GroupCall(
        visit=call.visit,
        words=call.words[count:],
        message=call.message,
        standing=call.standing,
        group=call.group,
    )
