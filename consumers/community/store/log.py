"""The log of actions. Each has a number in its group, without gaps and in the order of time.

So a page without a filter is a range of numbers, a span of time becomes one, and everything else walks back from the
newest number in growing ranges of one index: nothing is ever sorted or counted that is not shown.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from consumers.community.store import days
from consumers.community.store.changes import Collections
from consumers.community.store.collections import ACTIONS, GROUPS
from consumers.community.store.days import OTHERS, DayStore, day_of
from consumers.community.store.pages import (
    DONE,
    MOST_ROWS,
    Fits,
    actions_of,
    changes_of,
    has,
    newest_first,
    page_id,
    pages_of,
    standing,
)
from contracts.services.community.actions import ActionResponse
from contracts.services.community.commands import ListActions
from runtime.store import Collection, Document, Store, change

FILTERS: Final = ("user_id", "rule_id", "kind", "moderator_id")  # the one that likely fits the fewest first
_COUNTED: Final = {"kind": "kinds", "moderator_id": "moderators", "rule_id": "rules"}
_FIRST_RANGE: Final = 512
_GROWTH: Final = 4


def read_action(document: Document) -> ActionResponse:
    """Return the action of a document."""
    names = ("reason", "duration_seconds", "rule_id", "undoes", "undone_by", "refusal")
    fields: dict[str, Any] = {name: document[name] for name in ("seq", "kind", "user_id", "moderator_id", "state")}
    fields |= {name: document.get(name) for name in names}
    return ActionResponse(id=document["id"], at=document["at"], **fields)


async def add(
    collections: Collections,
    key: str,
    entries: Mapping[str, Document],
    batch: str,
    *,
    now: datetime,
    repeatable: bool = False,
) -> list[Document]:
    """Write actions by id, with their numbers, and count them; return them as they are, also those of a repeat.

    `repeatable`: the same may have been written before.
    """
    actions, groups = collections(ACTIONS), collections(GROUPS)
    found: dict[str, Document] = {}
    if repeatable:
        found = {one["id"]: one for page in await _pages(actions, entries) for one in actions_of(page)}
    missing = {name: entry for name, entry in entries.items() if name not in found}
    if missing:
        await groups.update_one({"_id": key}, {"$inc": {"seq": len(missing)}, "$max": {"last_at": now}})
        group = await groups.find_one({"_id": key}, {"seq": 1, "last_at": 1}) or {}
        written = pages_of(key, missing, group["seq"] - len(missing) + 1, group["last_at"])
        await actions.insert_many(written, ordered=False)
        found |= {one["id"]: one for page in written for one in actions_of(page)}
    in_order = [found[name] for name in entries]
    await days.count_in(collections, key, batch, in_order)
    return in_order


async def _pages(actions: Collection, ids: Iterable[str]) -> list[Document]:
    """Return the pages that hold actions."""
    names = list(dict.fromkeys(page_id(one) for one in ids))
    return [page async for page in actions.find({"_id": {"$in": names}})]


async def _change(collections: Collections, fields: Mapping[str, Document]) -> None:
    """Set fields of actions by id; those that are not kept any more are left out."""
    actions = collections(ACTIONS)
    updates = {page["_id"]: changes_of(page, fields) for page in await _pages(actions, fields)}
    requests = [change({"_id": name}, {"$set": update}) for name, update in updates.items() if update]
    if requests:
        await actions.bulk_write(requests, ordered=False)


async def mark_undone(collections: Collections, taken_back: Mapping[str, str | None]) -> None:
    """Mark actions as undone, each with the action that took it back, if one was needed."""
    fields = {name: {"state": "undone", "undone_by": by, "refusal": None} for name, by in taken_back.items()}
    await _change(collections, fields)


async def note_refusals(collections: Collections, refusals: Mapping[str, str | None]) -> None:
    """Write why Telegram did not take actions back; None where it is asked again."""
    await _change(collections, {name: {"refusal": why} for name, why in refusals.items()})


class ActionLog:
    """Reads the log."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._actions, self._groups = store.collection(ACTIONS), store.collection(GROUPS)
        self.days, self._now = DayStore(store), now

    async def newest(self, key: str) -> int:
        """Return the newest number of a group; 0 where nothing is logged."""
        return ((await self._groups.find_one({"_id": key}, {"seq": 1})) or {}).get("seq", 0)

    async def bounds(self, key: str, query: ListActions) -> tuple[int, int, list[Document]]:
        """Return the first and the last number that a query is about, and the days that are kept."""
        newest, kept = await self.newest(key), await self.days.all_of(key, self._now())
        low, high = (kept[0]["first_seq"] if kept else newest + 1), newest
        if query.since is not None:
            low = max(low, await self._first_at(key, query.since, kept, newest))
        if query.until is not None:
            high = min(high, await self._first_at(key, query.until, kept, newest) - 1)
        return max(low, query.first or low), min(high, query.last or high), kept

    async def _first_at(self, key: str, at: datetime, kept: Sequence[Document], newest: int) -> int:
        """Return the first number that is not before a time, found by halves within its day."""
        day = day_of(at)
        later = [one["first_seq"] for one in kept if one["day"] > day]
        after = later[0] if later else newest + 1
        own = next((one for one in kept if one["day"] == day), None)
        if own is None:
            return after
        low, high = own["first_seq"], own["last_seq"] + 1
        while low < high:
            middle = (low + high) // 2
            found = await self._page_at(key, middle)
            if found is None:
                low = middle + 1
            elif found["at"] >= at:
                high = max(low, min(middle, found["first"]))
            else:
                low = max(middle, found["last"]) + 1
        return low

    async def _page_at(self, key: str, seq: int) -> Document | None:
        """Return where the page is that holds a number, or the next one within the length of a page; None for none."""
        wanted = {"group": key, "last": {"$gte": seq, "$lt": seq + MOST_ROWS}}
        found = [one async for one in self._actions.find(wanted, {"first": 1, "last": 1, "at": 1})]
        return min(found, key=lambda one: one["first"], default=None)

    async def page(self, key: str, query: ListActions) -> tuple[list[ActionResponse], int]:
        """Return a page of actions, the newest first, and how many there are."""
        low, high, kept = await self.bounds(key, query)
        skip, size = (query.page - 1) * query.page_size, query.page_size
        given = {name: getattr(query, name) for name in FILTERS if getattr(query, name) is not None}
        if not given:
            top = high - skip
            return self._shown(await self._range(key, {}, max(low, top - size + 1), top)), max(0, high - low + 1)
        total = self._count(given, kept) if _is_whole(query) else None
        if total is not None and skip >= total:
            return [], total
        chosen = await self.walk(key, given, (low, high), high if total is None else skip + size)
        return self._shown(chosen[skip : skip + size]), len(chosen) if total is None else total

    @staticmethod
    def _shown(found: Iterable[Document]) -> list[ActionResponse]:
        return [read_action(one) for one in found]

    @staticmethod
    def _count(given: Document, kept: Sequence[Document]) -> int | None:
        """Return how many actions the days count that have a value; None where they do not count it by name."""
        (name, value), *others = given.items()
        part = _COUNTED.get(name)
        if others or part is None or any(OTHERS in one.get(part, {}) for one in kept):
            return None
        return sum(one.get(part, {}).get(str(value), 0) for one in kept)

    async def walk(self, key: str, given: Document, bounds: tuple[int, int], most: int) -> list[Document]:
        """Return at most so many actions that have some values, the newest first."""
        low, top = bounds
        width, found = max(_FIRST_RANGE, most), list[Document]()
        while top >= low and len(found) < most:
            bottom = max(low, top - width + 1)
            found += await self._range(key, given, bottom, top)
            top, width = bottom - 1, width * _GROWTH
        return found[:most]

    async def _range(self, key: str, given: Document, low: int, high: int) -> list[Document]:
        """Return the actions of a range of numbers that have some values, the newest first."""
        wanted: Document = {"group": key, **_indexed(given), "last": {"$gte": low, "$lt": high + MOST_ROWS}}
        return [one for one in await self._read(wanted, has(given)) if low <= one["seq"] <= high]

    async def _read(self, wanted: Document, fits: Fits) -> list[Document]:
        return newest_first([one async for page in self._actions.find(wanted) for one in actions_of(page, fits)])

    def may_have(self, query: ListActions, kept: Sequence[Document]) -> bool:
        """Return whether there may be actions by the rule of a query, by what the days count."""
        return query.rule_id is None or self._count({"rule_id": query.rule_id}, kept) != 0

    async def pages_with(self, key: str, kinds: Iterable[str], kept: Sequence[Document]) -> list[Document]:
        """Return every page that has an action of some kinds; kinds that the days, `kept`, do not count are in none."""
        counted = {kind for day in kept for kind in day.get("kinds", {})}.intersection(kinds)
        if not counted:
            return []
        return [page async for page in self._actions.find({"group": key, "rows.kind": {"$in": sorted(counted)}})]

    async def standing_on(self, key: str, user_id: int, kinds: Container[str]) -> list[Document]:
        """Return what was done to a user and not taken back, of some kinds, the newest first."""
        pages = [page async for page in self._actions.find({"group": key, "rows.user_id": user_id})]
        return standing(pages, lambda row: row["user_id"] == user_id and row["kind"] in kinds)

    async def find(self, key: str, ids: Sequence[str]) -> list[Document]:
        """Return the actions of a group that have these ids, in their order."""
        pages = [page for page in await _pages(self._actions, ids) if page.get("group") == key]
        found = {one["id"]: one for page in pages for one in actions_of(page)}
        return [found[name] for name in ids if name in found]

    async def sums_of_user(self, key: str, user_id: int) -> list[Document]:
        """Return what was done to a user, counted by kind, rule, state and day."""
        day = {"$dateToString": {"format": "%Y-%m-%d", "date": "$at"}}
        state = {"$ifNull": ["$rows.state", DONE]}
        by = {"kind": "$rows.kind", "rule": "$rows.rule_id", "state": state, "day": day}
        own = {"$filter": {"input": "$rows", "as": "row", "cond": {"$eq": ["$$row.user_id", user_id]}}}
        pipeline = [
            {"$match": {"group": key, "rows.user_id": user_id}},
            {"$project": {"at": 1, "rows": own}},
            {"$unwind": "$rows"},
            {"$group": {"_id": by, "count": {"$sum": 1}, "last": {"$max": "$at"}}},
        ]
        return [one async for one in self._actions.aggregate(pipeline)]


def _indexed(given: Document) -> Document:
    """Return the part of a filter that an index has: the first value, the rest is looked at in what is found."""
    name = next(iter(given), None)
    if name is None:
        return {}
    return {**({"by_rule": True} if name == "rule_id" else {}), f"rows.{name}": given[name]}


def _is_whole(query: ListActions) -> bool:
    return query.since is None and query.until is None and query.first is None and query.last is None
