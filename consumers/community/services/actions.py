"""The log: actions written one by one and in bulk, read, counted, and taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from consumers.community.moderation.past import UndoPlan, plan_undo, tally
from consumers.community.services.context import Context, new_id, page_of, place
from consumers.community.services.figures import counts_of, day_counts
from consumers.community.store import log
from consumers.community.store.changes import Collections
from consumers.community.store.days import last_days
from consumers.community.store.groups import Group
from consumers.community.store.log import read_action
from contracts.errors import InvalidParameterError
from contracts.services.community import commands
from contracts.services.community.actions import (
    MOST_BULK,
    UNDONE_BY,
    ActionCreate,
    ActionPage,
    ActionResponse,
    ActionStatistics,
    BulkResponse,
    BulkResult,
    Undo,
    UndoResponse,
)
from contracts.services.community.events import CommunityEvent
from runtime.store import Document

_AT_ONCE: Final = 200  # actions that are taken back in one transaction


class ActionService:
    """The commands about actions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create_action(self, request: commands.CreateAction) -> ActionResponse:
        """Log an action; a request of the same name finds what it logged."""
        group = await self._context.group(request)
        batch = _batch(group, "one", request.request_key)
        entry: Document = {**entry_of(request.action), "state": "shadow" if request.shadow else "done"}
        (written,) = await self._add(group, {f"{batch}.0": entry}, batch, request)
        return read_action(written)

    async def create_actions(self, request: commands.CreateActions) -> BulkResponse:
        """Log many actions; a wrong one costs itself only."""
        group = await self._context.group(request)
        batch, entries, results = _batch(group, "many", request.request_key), dict[str, Document](), list[BulkResult]()
        for index, given in enumerate(request.bulk.actions):
            name = f"{batch}.{index}"
            try:
                entries[name] = entry_of(ActionCreate.model_validate(given))
                results.append(BulkResult(index=index, id=name))
            except ValidationError as error:
                results.append(BulkResult(index=index, id=None, error=_fault(error)))
        if entries:
            await self._add(group, entries, batch, request)
        return BulkResponse(created=len(entries), failed=len(results) - len(entries), results=results)

    async def list_actions(self, request: commands.ListActions) -> ActionPage:
        """Return a page of actions, the newest first."""
        group = await self._context.group(request)
        found, total = await self._context.log.page(group.key, request)
        return page_of(ActionPage, found, total, request)

    async def action_stats(self, request: commands.ActionStats) -> ActionStatistics:
        """Return the figures of some days of the log."""
        context = self._context
        group = await context.group(request)
        days = last_days(context.now(), request.days)
        sums = await context.log.days.sums(group.key, days)
        by_day = day_counts(days, sums)
        by_kind = tally(one.by_kind for one in by_day)
        return ActionStatistics(
            days=request.days,
            total=sum(by_kind.values()),
            by_kind=by_kind,
            by_moderator=counts_of(sums.get("moderators", [])),
            by_rule=counts_of(sums.get("rules", [])),
            by_day=by_day,
        )

    async def undo_actions(self, request: commands.UndoActions) -> UndoResponse:
        """Take actions back: each is marked, and what lifts it is logged; the event of that is what the bot acts on."""
        context, undo = self._context, request.undo
        group = await context.group(request)
        chosen, more = await self._choose(group, undo)
        plan = plan_undo(chosen, await self._others(group, chosen), undo.ids or (), context.now())
        for begin in range(0, 0 if request.dry_run else len(plan.undone), _AT_ONCE):
            await self._take_back(group, plan, plan.undone[begin : begin + _AT_ONCE], request)
        return UndoResponse(undone=len(plan.undone), more=more, results=plan.results)

    async def _add(
        self, group: Group, entries: Mapping[str, Document], batch: str, request: commands.Creation
    ) -> list[Document]:
        context, repeatable = self._context, request.request_key is not None

        async def write(collections: Collections) -> tuple[list[Document], CommunityEvent | None]:
            written = await log.add(collections, group.key, entries, batch, now=context.now(), repeatable=repeatable)
            span = {"first": written[0]["seq"], "last": written[-1]["seq"]}
            return written, context.event("action", "created", group, batch, caller=request.caller, **span)

        return await context.changes.change(place(group), write)

    async def _choose(self, group: Group, undo: Undo) -> tuple[list[ActionResponse], bool]:
        """Return the actions that an undo means, and whether there are more; by ids they come as they were named."""
        context = self._context
        others = (undo.rule_id, undo.kind, undo.since)
        if undo.ids is not None:
            if any(one is not None for one in others):
                raise InvalidParameterError("Either ids, or a rule, a kind or a time", parameter="ids")
            return [read_action(one) for one in await context.log.find(group.key, undo.ids)], False
        if undo.rule_id is None and undo.since is None:
            raise InvalidParameterError("Say which: ids, a rule, or a time", parameter="ids")
        query = commands.ListActions(group_id=group.group_id, since=_time(undo.since))
        low, high, _ = await context.log.bounds(group.key, query)
        given = {name: value for name, value in (("rule_id", undo.rule_id), ("kind", undo.kind)) if value is not None}
        kinds = {"state": "done", "kind": {"$in": list(UNDONE_BY)}}
        found = await context.log.walk(group.key, given, (low, high), MOST_BULK + 1, more=kinds)
        return [read_action(one) for one in found[:MOST_BULK]], len(found) > MOST_BULK

    async def _others(self, group: Group, chosen: Sequence[ActionResponse]) -> list[ActionResponse]:
        """Return actions of the same kinds on the same members that may hold still."""
        context = self._context
        low, high, _ = await context.log.bounds(group.key, commands.ListActions(group_id=group.group_id))
        found: list[Document] = []
        for kind in {one.kind for one in chosen} & set(UNDONE_BY) - {"warn"}:
            users = sorted({one.user_id for one in chosen if one.kind == kind})
            more = {"state": "done", "user_id": {"$in": users}}
            found += await context.log.walk(group.key, {"kind": kind}, (low, high), high, more=more)
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


def entry_of(action: ActionCreate) -> Document:
    """Return what is kept of an action, beside its id, number and time."""
    by_rule = {} if action.rule_id is None else {"by_rule": True}
    return {**action.model_dump(), **by_rule, "state": "done", "undoes": None, "undone_by": None}


def _entry(kind: Any, user_id: int, moderator_id: int, *, reason: str, undoes: str) -> Document:
    action = ActionCreate(kind=kind, user_id=user_id, moderator_id=moderator_id, reason=reason)
    return {**entry_of(action), "undoes": undoes}


def _batch(group: Group, what: str, request_key: str | None) -> str:
    """Return what the ids of a request's actions begin with: the same for the same request."""
    if request_key is None:
        return new_id()
    return hashlib.sha256(f"{group.key}.{what}.{request_key}".encode()).hexdigest()[:32]


def _fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    return ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))


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
