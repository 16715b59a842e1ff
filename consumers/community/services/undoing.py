"""Actions that are taken back: marked where they hold nothing in Telegram, else when the bot has lifted them there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from consumers.community.moderation.past import UndoPlan, awaited, plan_undo
from consumers.community.services.actions import entry_of
from consumers.community.services.context import Context, new_id, place
from consumers.community.store import log
from consumers.community.store.changes import Collections
from consumers.community.store.groups import Group
from consumers.community.store.log import read_action
from consumers.community.store.pages import has, standing
from contracts.errors import InvalidParameterError, NotFoundError
from contracts.services.community import commands
from contracts.services.community.actions import (
    MOST_BULK,
    UNDONE_BY,
    ActionCreate,
    ActionResponse,
    Undo,
    UndoResponse,
    UndoState,
)
from contracts.services.community.events import CommunityEvent
from contracts.services.responses import SuccessResponse
from runtime import clock
from runtime.store import Document

_AT_ONCE: Final = 200  # actions that are taken back in one transaction
_FEW_USERS: Final = 8  # whose actions are read one user after the other; of more, everything of the kinds is
_LOOK_SECONDS: Final = 0.05
_LONGEST_LOOK: Final = 0.4


class UndoService:
    """The commands that take actions back."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def undo_actions(self, request: commands.UndoActions) -> UndoResponse:
        """Take actions back: each is marked, and what lifts it is logged.

        With `lift` what holds in Telegram is asked of the bot by an event, and marked when that is done.
        """
        context, undo = self._context, request.undo
        group = await context.group(request)
        chosen, others, more = await self._choose(group, undo)
        plan = plan_undo(chosen, others, undo.ids or (), context.now())
        if request.dry_run:
            return UndoResponse(undone=len(plan.undone), more=more, results=plan.results)
        waiting = awaited(plan) if request.lift else []
        marked = [one for one in plan.undone if one.id not in set(waiting)]
        for begin in range(0, len(marked), _AT_ONCE):
            await self._take_back(group, plan, marked[begin : begin + _AT_ONCE], request)
        if not waiting:
            return UndoResponse(undone=len(marked), more=more, results=plan.results)
        await self._ask_bot(group, waiting, request, more=more)
        return await self._answer(group, plan, waiting, request.wait_seconds)

    async def refuse_undo(self, request: commands.RefuseUndo) -> SuccessResponse:
        """Note why Telegram did not take actions back; NotFoundError where one is not of the group."""
        group = await self._context.group(request)
        found = {one["id"] for one in await self._context.log.find(group.key, list(request.refusals))}
        if missing := sorted(request.refusals.keys() - found):
            raise NotFoundError(f"There is no action {missing[0]}", id=missing[0])
        await self._note(group, dict(request.refusals))
        return SuccessResponse(message="Noted")

    async def _ask_bot(
        self, group: Group, waiting: Sequence[str], request: commands.UndoActions, *, more: bool
    ) -> None:
        """Publish what the bot has to lift: these actions, or where there are more than these all that were meant."""
        undo, context = request.undo, self._context
        asked = undo if more else Undo(ids=list(waiting), moderator_id=undo.moderator_id, reason=undo.reason)

        async def write(collections: Collections) -> tuple[None, CommunityEvent | None]:
            await log.note_refusals(collections, dict.fromkeys(waiting))
            return None, context.event("undo", "created", group, new_id(), caller=request.caller, undo=asked)

        await context.changes.change(place(group), write)

    async def _note(self, group: Group, refusals: Mapping[str, str | None]) -> None:
        async def write(collections: Collections) -> tuple[None, None]:
            await log.note_refusals(collections, refusals)
            return None, None

        await self._context.changes.change(place(group), write)

    async def _answer(self, group: Group, plan: UndoPlan, waiting: Sequence[str], seconds: float) -> UndoResponse:
        """Return what became of each within some seconds; the bot goes on by itself with what is pending then."""
        end, pause = clock.monotonic() + seconds, _LOOK_SECONDS
        while True:
            found = {one["id"]: read_action(one) for one in await self._context.log.find(group.key, waiting)}
            states = {name: _state_of(found.get(name)) for name in waiting}
            if "pending" not in states.values() or clock.monotonic() >= end:
                break
            await clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_LOOK)
        results = [one.model_copy(update={"result": states.get(one.id, one.result)}) for one in plan.results]
        pending = [one for one in states.values() if one == "pending"]
        refused = [one for one in states.values() if one == "refused"]
        undone = len(plan.undone) - len(pending) - len(refused)
        return UndoResponse(undone=undone, pending=len(pending), more=False, results=results)

    async def _choose(self, group: Group, undo: Undo) -> tuple[list[ActionResponse], list[ActionResponse], bool]:
        """Return the actions that an undo means, what else may hold of that kind on those members, and whether more.

        By ids they come as they were named.
        """
        if undo.ids is None:
            return await self._choose_many(group, undo)
        if any(one is not None for one in (undo.rule_id, undo.kind, undo.since)):
            raise InvalidParameterError("Either ids, or a rule, a kind or a time", parameter="ids")
        chosen = [read_action(one) for one in await self._context.log.find(group.key, undo.ids)]
        return chosen, await self._others(group, chosen), False

    async def _choose_many(self, group: Group, undo: Undo) -> tuple[list[ActionResponse], list[ActionResponse], bool]:
        """Choose by a rule, a kind and a time: one reading of what stands of the kinds has all that is needed."""
        if undo.rule_id is None and undo.since is None:
            raise InvalidParameterError("Say which: ids, a rule, or a time", parameter="ids")
        context, kinds = self._context, UNDONE_BY.keys() & ({undo.kind} if undo.kind else UNDONE_BY.keys())
        query = commands.ListActions(group_id=group.group_id, since=_time(undo.since), rule_id=undo.rule_id)
        low, high, kept = await context.log.bounds(group.key, query)
        pages = await context.log.pages_with(group.key, kinds, kept) if context.log.may_have(query, kept) else []
        by_rule = has({} if undo.rule_id is None else {"rule_id": undo.rule_id})
        found = standing(pages, lambda row: row["kind"] in kinds and by_rule(row))
        meant = [one for one in found if low <= one["seq"] <= high]
        chosen = meant[:MOST_BULK]
        ids = {one["id"] for one in chosen}
        what = {(one["user_id"], one["kind"]) for one in chosen if one["kind"] != "warn"}
        others = standing(pages, lambda row: (row["user_id"], row["kind"]) in what)
        others = [one for one in others if one["id"] not in ids]
        return [read_action(one) for one in chosen], [read_action(one) for one in others], len(meant) > MOST_BULK

    async def _others(self, group: Group, chosen: Sequence[ActionResponse]) -> list[ActionResponse]:
        """Return actions of the same kinds on the same members that may hold still."""
        log, kinds = self._context.log, {one.kind for one in chosen} & UNDONE_BY.keys() - {"warn"}
        users = {one.user_id for one in chosen if one.kind in kinds}
        if not users:
            return []
        if len(users) > _FEW_USERS:
            kept = await log.days.all_of(group.key, self._context.now())
            pages = await log.pages_with(group.key, kinds, kept)
            found = standing(pages, lambda row: row["user_id"] in users and row["kind"] in kinds)
        else:
            found = [one for user in users for one in await log.standing_on(group.key, user, kinds)]
        return [read_action(one) for one in found]

    async def _take_back(
        self, group: Group, plan: UndoPlan, undone: Sequence[ActionResponse], request: commands.UndoActions
    ) -> None:
        context, undo = self._context, request.undo
        lifted = {one.id: one.action for one in plan.results if one.action is not None}
        batch = new_id()
        by = {one.id: f"{batch}.{number}" for number, one in enumerate(undone) if one.id in lifted}
        entries: dict[str, Document] = {
            by[one.id]: _entry(
                lifted[one.id], one.user_id, undo.moderator_id, reason=undo.reason or one.reason, undoes=one.id
            )
            for one in undone
            if one.id in lifted
        }

        async def write(collections: Collections) -> tuple[None, CommunityEvent | None]:
            await log.mark_undone(collections, {one.id: by.get(one.id) for one in undone})
            if not entries:
                return None, context.event("action", "undone", group, batch, caller=request.caller)
            written = await log.add(collections, group.key, entries, batch, now=context.now())
            span = {"first": written[0]["seq"], "last": written[-1]["seq"]}
            return None, context.event("action", "undone", group, batch, caller=request.caller, **span)

        await context.changes.change(place(group), write)


def _state_of(action: ActionResponse | None) -> UndoState:
    """Return what became of an action that the bot was asked to lift."""
    if action is None or action.state == "undone":
        return "undone"
    return "pending" if action.refusal is None else "refused"


def _entry(kind: Any, user_id: int, moderator_id: int, *, reason: str, undoes: str) -> Document:
    action = ActionCreate(kind=kind, user_id=user_id, moderator_id=moderator_id, reason=reason)
    return {**entry_of(action), "undoes": undoes}


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InvalidParameterError("since is no time of ISO 8601 with a time zone", parameter="since")
    return found
