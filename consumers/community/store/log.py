"""The log of actions. Each has a number in its group, without gaps and in the order of time.

So a page without a filter is a range of numbers, a span of time becomes one, and everything else walks back from the
newest number in growing ranges of one index: nothing is ever sorted or counted that is not shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from consumers.community.store import days
from consumers.community.store.changes import Collections
from consumers.community.store.collections import ACTIONS, GROUPS
from consumers.community.store.days import OTHERS, DayStore, day_of, end_of_day
from contracts.services.community.actions import ActionResponse
from contracts.services.community.commands import ListActions
from runtime.store import Document, Store, change

FILTERS: Final = ("user_id", "rule_id", "kind", "moderator_id")  # the one that likely fits the fewest first
_COUNTED: Final = {"kind": "kinds", "moderator_id": "moderators", "rule_id": "rules"}
_FIRST_RANGE: Final = 512
_GROWTH: Final = 4


def read_action(document: Document) -> ActionResponse:
    """Return the action of a document."""
    names = ("reason", "duration_seconds", "rule_id", "undoes", "undone_by", "refusal")
    fields: dict[str, Any] = {name: document[name] for name in ("seq", "kind", "user_id", "moderator_id", "state")}
    fields |= {name: document.get(name) for name in names}
    return ActionResponse(id=document["_id"], at=document["at"], **fields)


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
        found = {one["_id"]: one async for one in actions.find({"_id": {"$in": list(entries)}})}
    missing = [name for name in entries if name not in found]
    if missing:
        await groups.update_one({"_id": key}, {"$inc": {"seq": len(missing)}, "$max": {"last_at": now}})
        group = await groups.find_one({"_id": key}, {"seq": 1, "last_at": 1}) or {}
        at, last = group["last_at"], group["seq"]
        written: list[Document] = [
            {
                "_id": name,
                "group": key,
                "seq": last - len(missing) + number,
                **entries[name],
                "at": at,
                "ended_at": end_of_day(at),
            }
            for number, name in enumerate(missing, start=1)
        ]
        await actions.insert_many(written, ordered=False)
        found |= {one["_id"]: one for one in written}
    in_order = [found[name] for name in entries]
    await days.count_in(collections, key, batch, in_order)
    return in_order


async def mark_undone(collections: Collections, taken_back: Mapping[str, str | None]) -> None:
    """Mark actions as undone, each with the action that took it back, if one was needed."""
    await collections(ACTIONS).bulk_write(
        [
            change({"_id": name}, {"$set": {"state": "undone", "undone_by": by, "refusal": None}})
            for name, by in taken_back.items()
        ],
        ordered=False,
    )


async def note_refusals(collections: Collections, refusals: Mapping[str, str | None]) -> None:
    """Write why Telegram did not take actions back; None where it is asked again."""
    await collections(ACTIONS).bulk_write(
        [change({"_id": name}, {"$set": {"refusal": why}}) for name, why in refusals.items()], ordered=False
    )


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
            found = await self._actions.find_one({"group": key, "seq": middle}, {"at": 1})
            if found is not None and found["at"] >= at:
                high = middle
            else:
                low = middle + 1
        return low

    async def page(self, key: str, query: ListActions) -> tuple[list[ActionResponse], int]:
        """Return a page of actions, the newest first, and how many there are."""
        low, high, kept = await self.bounds(key, query)
        skip, size = (query.page - 1) * query.page_size, query.page_size
        given = {name: getattr(query, name) for name in FILTERS if getattr(query, name) is not None}
        if not given:
            top = high - skip
            found = [one async for one in self._range(key, {}, max(low, top - size + 1), top)]
            return [read_action(one) for one in found], max(0, high - low + 1)
        total = await self._total(key, given, (low, high), kept if _is_whole(query) else None)
        chosen = [] if skip >= total else await self.walk(key, given, (low, high), skip + size)
        return [read_action(one) for one in chosen[skip : skip + size]], total

    async def walk(
        self, key: str, given: Document, bounds: tuple[int, int], most: int, *, more: Document | None = None
    ) -> list[Document]:
        """Return at most so many actions that fit, the newest first; `more` is checked on what the index finds."""
        low, top = bounds
        width, found = max(_FIRST_RANGE, most), list[Document]()
        while top >= low and len(found) < most:
            bottom = max(low, top - width + 1)
            found += [one async for one in self._range(key, given, bottom, top, more=more)]
            top, width = bottom - 1, width * _GROWTH
        return found[:most]

    async def _total(self, key: str, given: Document, bounds: tuple[int, int], kept: Sequence[Document] | None) -> int:
        (name, value), *others = given.items()
        part = _COUNTED.get(name)
        if (
            kept is not None
            and not others
            and part is not None
            and not any(OTHERS in one.get(part, {}) for one in kept)
        ):
            return sum(one.get(part, {}).get(str(value), 0) for one in kept)
        pipeline = [*_matches(key, given, *bounds), {"$count": "count"}]
        counted: list[Document] = [one async for one in self._actions.aggregate(pipeline)]
        return counted[0]["count"] if counted else 0

    async def _range(
        self, key: str, given: Document, low: int, high: int, *, more: Document | None = None
    ) -> AsyncIterator[Document]:
        pipeline = [*_matches(key, given, low, high), *([{"$match": more}] if more else []), {"$sort": {"seq": -1}}]
        async for one in self._actions.aggregate(pipeline):
            yield one

    async def find(self, key: str, ids: Sequence[str]) -> list[Document]:
        """Return the actions of a group that have these ids, in their order."""
        found = {one["_id"]: one async for one in self._actions.find({"_id": {"$in": list(ids)}})}
        return [found[name] for name in ids if name in found and found[name].get("group") == key]

    async def sums_of_user(self, key: str, user_id: int) -> list[Document]:
        """Return what was done to a user, counted by kind, rule, state and day."""
        day = {"$dateToString": {"format": "%Y-%m-%d", "date": "$at"}}
        by = {"kind": "$kind", "rule": "$rule_id", "state": "$state", "day": day}
        pipeline = [
            {"$match": {"group": key, "user_id": user_id}},
            {"$group": {"_id": by, "count": {"$sum": 1}, "last": {"$max": "$at"}}},
        ]
        return [one async for one in self._actions.aggregate(pipeline)]


def _matches(key: str, given: Document, low: int, high: int) -> list[Document]:
    """Return the stages that find actions: first what one index holds, then the rest."""
    (first, rest) = (dict(list(given.items())[:1]), dict(list(given.items())[1:]))
    partial = {"by_rule": True} if "rule_id" in first else {}
    indexed = {"$match": {**partial, "group": key, **first, "seq": {"$gte": low, "$lte": high}}}
    return [indexed, {"$match": rest}] if rest else [indexed]


def _is_whole(query: ListActions) -> bool:
    return query.since is None and query.until is None and query.first is None and query.last is None
