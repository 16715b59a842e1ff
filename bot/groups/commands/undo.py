"""`/undo`, by ids or by rule and time, and the button below an action that takes it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.groups.commands.arguments import UndoWords, read_undo
from bot.groups.commands.calling import GroupCall, GroupCommand, GroupPress, GroupServices
from bot.groups.commands.members import UNDO
from bot.groups.deeds import Undone
from bot.groups.undos import BEGUN, undo_all
from bot.page import Page, Rows, button, row, rows
from bot.pages import now_in
from bot.texts import groups as texts
from contracts.services.community.actions import UNDONE_BY, ActionKind, ActionPage, Undo
from contracts.services.community.commands import ListActions, ListRules
from contracts.services.community.rules import RulePage, RuleResponse

_NEWEST: Final = 5
MANY: Final = 20  # actions that are lifted: of those it takes seconds within Telegram's limits


class Undoing:
    """What takes actions back."""

    def __init__(self, given: GroupServices) -> None:
        self._given = given

    def commands(self) -> list[GroupCommand]:
        """Return the command."""
        return [GroupCommand("undo", "undo_actions", self._undo)]

    def presses(self) -> list[GroupPress]:
        """Return the button."""
        return [GroupPress(UNDO, "undo_actions", self._press)]

    async def _undo(self, call: GroupCall) -> Page | None:
        if not call.words:
            return await self._newest(call)
        words = read_undo(call.words, now_in(call.visit))
        if words is None:
            return Page(call.visit.reader.say("groups.undo_usage"))
        wanted = await self._wanted(call, words)
        if wanted is None:
            return Page(call.visit.reader.say("groups.no_rule", name=words.rule or ""))
        return Page(texts.undone(await self._all(call, wanted), call.visit.reader))

    async def _press(self, call: GroupCall) -> Page | None:
        """Take back one action; the message says so from then on."""
        if len(call.words) != 1:
            return None
        wanted = Undo(ids=[call.words[0]], moderator_id=call.moderator_id)
        undone = await self._given.deeds.undo(call.visit.chat_id, wanted, call.visit.key, without=_without(call))
        said = texts.undone(undone, call.visit.reader, by=texts.person(call.moderator_id, call.visit.name))
        before = call.message.text_html or ""
        left: Rows = ()
        if undone.refused:
            left = rows(row(button(call.visit.reader.plain("groups.button.undo"), UNDO, call.words[0])))
        return Page(texts.lines([texts.kept(before), said]), left)

    async def _newest(self, call: GroupCall) -> Page:
        """Return the newest actions that can be taken back, each with its button."""
        query = ListActions(group_id=call.visit.chat_id, page_size=50)
        found = await self._given.services.requests.request("community.list_actions", query, ActionPage)
        listed = [one for one in found.items if one.state == "done" and one.kind in UNDONE_BY][:_NEWEST]
        if not listed:
            return Page(call.visit.reader.say("groups.undo_usage"))
        made = [row(button(texts.action_label(one, call.visit.reader), UNDO, one.id)) for one in listed]
        return Page(texts.actions(listed, call.visit.reader), rows(*made))

    async def _wanted(self, call: GroupCall, words: UndoWords) -> Undo | None:
        if words.ids:
            return Undo(ids=list(words.ids), moderator_id=call.moderator_id)
        rule_id = None
        if words.rule is not None:
            rule_id = await self._rule(call, words.rule)
            if rule_id is None:
                return None
        since = None if words.since is None else words.since.isoformat()
        return Undo(rule_id=rule_id, kind=words.kind, since=since, moderator_id=call.moderator_id)

    async def _rule(self, call: GroupCall, named: str) -> str | None:
        """Return the id of a rule: by its id, its name, or its number in the list of `/rules`."""
        query = ListRules(group_id=call.visit.chat_id, page_size=100)
        found: list[RuleResponse] = (
            await self._given.services.requests.request("community.list_rules", query, RulePage)
        ).items
        numbered = {str(at): one for at, one in enumerate(found, 1)}
        by_name = {one.name.casefold(): one for one in found} | {one.rule_id: one for one in found}
        rule = by_name.get(named.casefold()) or numbered.get(named.removeprefix("#"))
        return None if rule is None else rule.rule_id

    async def _all(self, call: GroupCall, wanted: Undo) -> Undone:
        """Take back everything that is meant; of many it is said at once that it has begun."""

        async def begun(count: int) -> None:
            if count >= MANY:
                visit = replace(call.visit, key=call.visit.key + BEGUN)
                await self._given.services.outbox.send(visit, Page(texts.undo_begun(count, call.visit.reader)))

        deeds, visit = self._given.deeds, call.visit
        return await undo_all(deeds, visit.chat_id, wanted, visit.key, without=_without(call), begun=begun)


def _without(call: GroupCall) -> frozenset[ActionKind]:
    """Return what may not be lifted: an administrator is taken back by who may add one."""
    return frozenset[ActionKind]() if call.standing.has_right("can_promote_members") else frozenset({"demote"})
