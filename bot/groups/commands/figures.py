"""What is only looked at: `/stats`, `/warns`."""

from __future__ import annotations

from bot.groups.commands.calling import GroupCall, GroupCommand, GroupServices, refused
from bot.groups.commands.targets import Target, Targets, answered_message
from bot.page import Page
from bot.texts import groups as texts
from contracts.errors import NotFoundError
from contracts.services.community.actions import ActionPage, GroupStatistics, UserStatistics
from contracts.services.community.commands import GroupStats, ListActions, UserStats


class Figures:
    """Commands that change nothing."""

    def __init__(self, given: GroupServices, targets: Targets) -> None:
        self._given, self._targets = given, targets

    def commands(self) -> list[GroupCommand]:
        """Return them."""
        return [
            GroupCommand("stats", "view_actions", self._stats),
            GroupCommand("warns", None, self._warns),
        ]

    async def _stats(self, call: GroupCall) -> Page | None:
        if not call.words and answered_message(call.message) is None:
            query = GroupStats(group_id=call.visit.chat_id)
            found = await self._given.services.requests.request("community.group_stats", query, GroupStatistics)
            return Page(texts.group_figures(call.group.name, found, call.visit.reader))
        target = await self._targets.find(call)
        if isinstance(target, Page):
            return target
        return await self._of_user(call, target)

    async def _of_user(self, call: GroupCall, target: Target) -> Page:
        who = texts.person(target.user_id, target.name)
        if target.user_id < 0:
            return Page(call.visit.reader.say("groups.no_channel"))
        try:
            query = UserStats(group_id=call.visit.chat_id, user_id=target.user_id)
            found = await self._given.services.requests.request("community.user_stats", query, UserStatistics)
        except NotFoundError:
            return Page(call.visit.reader.say("groups.no_figures", who=who))
        return Page(texts.user_figures(who, found, call.visit.reader))

    async def _warns(self, call: GroupCall) -> Page | None:
        """Return one's own warnings; those of others for who may see the log."""
        about_other = bool(call.words) or answered_message(call.message) is not None
        target: Target | Page = Target(call.standing.user_id, call.visit.name, ())
        if about_other:
            target = await self._targets.find(call)
        if isinstance(target, Page):
            return target
        if target.user_id != call.standing.user_id and not call.standing.may("view_actions"):
            return refused("view_actions", call.visit, call.standing)
        query = ListActions(group_id=call.visit.chat_id, kind="warn", user_id=target.user_id, page_size=20)
        found = await self._given.services.requests.request("community.list_actions", query, ActionPage)
        holding = [one for one in found.items if one.state == "done"]
        who = texts.person(target.user_id, target.name)
        if not holding:
            return Page(call.visit.reader.say("groups.no_warns", who=who))
        return Page(texts.warnings(who, holding, call.visit.reader))
