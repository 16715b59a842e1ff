"""What is done to members: `/ban /unban /kick /mute /unmute /warn /unwarn /approve /unapprove`, and silent forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.groups.commands.arguments import read_penalty
from bot.groups.commands.calling import PREFIX, GroupCall, GroupCommand, GroupServices, MakeForGroup, Need
from bot.groups.commands.targets import Target, Targets
from bot.groups.deeds import DEED_SECONDS, Deed, Undone
from bot.groups.refusals import refusal_of
from bot.page import Page, Rows, button, row, rows
from bot.texts import groups as texts
from contracts.services.community.actions import UNDONE_BY, ActionKind, ActionPage, Undo, UserStatistics
from contracts.services.community.commands import ListActions, UserStats
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import ApproveJoin
from runtime.texts.markup import Html

UNDO: Final = f"{PREFIX}u"
_LASTING: Final = frozenset({"ban", "mute"})
_LIFTS: Final[dict[str, tuple[ActionKind, ActionKind, Need]]] = {
    "unban": ("ban", "unban", "ban_members"),
    "unmute": ("mute", "unmute", "restrict_members"),
    "unapprove": ("approve", "unapprove", "approve_members"),
}
_NEEDS: Final[dict[ActionKind, Need]] = {
    "ban": "ban_members",
    "kick": "ban_members",
    "mute": "restrict_members",
    "warn": "restrict_members",
}


class Members:
    """Commands about one member each."""

    def __init__(self, given: GroupServices, targets: Targets) -> None:
        self._given, self._targets = given, targets

    def commands(self) -> list[GroupCommand]:
        """Return them."""
        found = [GroupCommand("unwarn", "restrict_members", self._unwarn)]
        found.append(GroupCommand("approve", "approve_members", self._approve))
        for kind, need in _NEEDS.items():
            found.append(GroupCommand(kind, need, self._penalty(kind, silent=False)))
            found.append(GroupCommand(f"s{kind}", need, self._penalty(kind, silent=True)))
        for name, (held, lift, need) in _LIFTS.items():
            found.append(GroupCommand(name, need, self._lift(held, lift)))
        return found

    def _penalty(self, kind: ActionKind, *, silent: bool) -> MakeForGroup:
        async def make(call: GroupCall) -> Page | None:
            target = await self._targets.find(call)
            if isinstance(target, Page):
                return target
            penalty = read_penalty(target.words)
            if penalty.seconds is not None and (penalty.wrong or kind not in _LASTING):
                key = "groups.span_wrong" if kind in _LASTING else "groups.no_span"
                return Page(call.visit.reader.say(key))
            if (why := await self._targets.protected(call, target)) is not None:
                return why
            return await self._do(call, target, kind, penalty.reason, seconds=penalty.seconds, silent=silent)

        return make

    async def _do(
        self,
        call: GroupCall,
        target: Target,
        kind: ActionKind,
        reason: str = "",
        *,
        seconds: int | None = None,
        silent: bool = False,
    ) -> Page | None:
        """Do it, and return what is said of it: nothing of a silent one, whose command is deleted."""
        deed = Deed(
            kind=kind,
            group_id=call.visit.chat_id,
            user_id=target.user_id,
            moderator_id=call.moderator_id,
            key=call.visit.key,
            reason=reason,
            duration_seconds=seconds,
            message_ids=(call.message.message_id,) if silent else (),
            thread_id=call.visit.thread_id,
            silent=silent,
        )
        outcome = await self._given.deeds.do(deed)
        if outcome.refusal is not None:
            return Page(outcome.refusal.say(call.visit.reader))
        if silent:
            return None
        parts = [texts.did(deed, target.name, call.visit.reader)]
        if outcome.action is None:
            parts.append(call.visit.reader.say("groups.not_logged"))
        elif kind == "warn":
            parts.append(call.visit.reader.say("groups.warns", count=await self._warns(call, target)))
        return Page(texts.lines(parts), undo_rows(outcome.action and outcome.action.id, kind, call))

    def _lift(self, held: ActionKind, lift: ActionKind) -> MakeForGroup:
        async def make(call: GroupCall) -> Page | None:
            target = await self._targets.find(call)
            if isinstance(target, Page):
                return target
            if (why := await self._targets.protected(call, target)) is not None:
                return why
            reason = " ".join(target.words)[:500]
            found = await self._standing(call, target, held)
            if found:
                undone = await self._undo(call, found, reason)
                if (page := _refused(undone, call)) is not None:
                    return page
                if any(one.action == lift for one in undone.results):
                    return Page(
                        texts.did_kind(lift, texts.person(target.user_id, target.name), reason, call.visit.reader)
                    )
            return await self._do(call, target, lift, reason)

        return make

    async def _unwarn(self, call: GroupCall) -> Page | None:
        target = await self._targets.find(call)
        if isinstance(target, Page):
            return target
        if (why := await self._targets.protected(call, target)) is not None:
            return why
        found = await self._standing(call, target, "warn")
        if not found:
            return Page(call.visit.reader.say("groups.no_warns", who=texts.person(target.user_id, target.name)))
        reason = " ".join(target.words)[:500]
        await self._undo(call, found[:1], reason)
        who = texts.person(target.user_id, target.name)
        said = texts.did_kind("unwarn", who, reason, call.visit.reader)
        count = await self._warns(call, target)
        return Page(texts.lines([said, call.visit.reader.say("groups.warns", count=count)]))

    async def _approve(self, call: GroupCall) -> Page | None:
        """Exempt somebody from what rules of content and floods do; who asked to join is let in."""
        target = await self._targets.find(call)
        if isinstance(target, Page):
            return target
        if (why := await self._targets.protected(call, target)) is not None:
            return why
        standing = await self._targets.standing(call, target)
        if standing.status == "left" and target.user_id > 0:
            operation = ApproveJoin(user_id=target.user_id)
            job = TelegramJob(
                id=f"{call.visit.key}.join", chat_id=call.visit.chat_id, priority="urgent", operation=operation
            )
            refusal = refusal_of(operation.op, await self._given.telegram.carry_out(job, DEED_SECONDS))
            if refusal is not None:
                return Page(refusal.say(call.visit.reader))
        if target.user_id < 0:
            return Page(call.visit.reader.say("groups.no_channel"))
        return await self._do(call, target, "approve", " ".join(target.words)[:500])

    async def _standing(self, call: GroupCall, target: Target, kind: ActionKind) -> list[str]:
        """Return ids of the actions of a kind on somebody that were not taken back, the newest first."""
        query = ListActions(group_id=call.visit.chat_id, kind=kind, user_id=target.user_id, page_size=100)
        found = await self._given.services.requests.request("community.list_actions", query, ActionPage)
        return [one.id for one in found.items if one.state == "done"]

    async def _undo(self, call: GroupCall, ids: Sequence[str], reason: str) -> Undone:
        wanted = Undo(ids=list(ids), moderator_id=call.moderator_id, reason=reason)
        return await self._given.deeds.undo(call.visit.chat_id, wanted, call.visit.key)

    async def _warns(self, call: GroupCall, target: Target) -> int:
        if target.user_id < 0:
            return len(await self._standing(call, target, "warn"))
        query = UserStats(group_id=call.visit.chat_id, user_id=target.user_id)
        return (await self._given.services.requests.request("community.user_stats", query, UserStatistics)).warns


def undo_rows(action_id: str | None, kind: ActionKind, call: GroupCall) -> Rows:
    """Return the button that takes an action back, where it can be."""
    if action_id is None or kind not in UNDONE_BY:
        return ()
    return rows(row(button(call.visit.reader.plain("groups.button.undo"), UNDO, action_id)))


def _refused(undone: Undone, call: GroupCall) -> Page | None:
    said: list[Html] = [one.say(call.visit.reader) for one in undone.refused.values()]
    return Page(said[0]) if said else None
