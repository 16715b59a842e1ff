"""The log: actions written one by one and in bulk, read, and counted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pydantic import ValidationError

from consumers.community.moderation.past import tally
from consumers.community.services.context import Context, new_id, page_of, place
from consumers.community.services.figures import counts_of, day_counts
from consumers.community.store import log
from consumers.community.store.changes import Collections
from consumers.community.store.days import last_days
from consumers.community.store.groups import Group
from consumers.community.store.log import read_action
from consumers.community.store.pages import DONE
from contracts.services.community import commands
from contracts.services.community.actions import (
    ActionCreate,
    ActionPage,
    ActionResponse,
    ActionStatistics,
    BulkResponse,
    BulkResult,
)
from contracts.services.community.events import CommunityEvent
from runtime.store import Document


class ActionService:
    """The commands about actions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create_action(self, request: commands.CreateAction) -> ActionResponse:
        """Log an action; a request of the same name finds what it logged."""
        group = await self._context.group(request)
        batch = _batch(group, "one", request.request_key)
        entry: Document = {**entry_of(request.action), "state": "shadow" if request.shadow else DONE}
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

    async def _add(
        self, group: Group, entries: Mapping[str, Document], batch: str, request: commands.Creation
    ) -> list[Document]:
        context, repeatable = self._context, request.request_key is not None

        async def write(collections: Collections) -> tuple[list[Document], CommunityEvent | None]:
            written = await log.add(collections, group.key, entries, batch, now=context.now(), repeatable=repeatable)
            span = {"first": written[0]["seq"], "last": written[-1]["seq"]}
            return written, context.event("action", "created", group, batch, caller=request.caller, **span)

        return await context.changes.change(place(group), write)


def entry_of(action: ActionCreate) -> Document:
    """Return what is kept of an action, beside its id, number and time; what it has not is left out."""
    return {**action.model_dump(exclude_none=True), "state": DONE}


def _batch(group: Group, what: str, request_key: str | None) -> str:
    """Return what the ids of a request's actions begin with: the same for the same request."""
    if request_key is None:
        return new_id()
    return hashlib.sha256(f"{group.key}.{what}.{request_key}".encode()).hexdigest()[:32]


def _fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    return ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))
