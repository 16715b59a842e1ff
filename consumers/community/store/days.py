"""One document a group and day in `actions`: how many of what there were, so that no total reads every action.

It is written with the actions that it counts, and both expire at once: thirty days after the day has ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from consumers.community.store.changes import Collections
from consumers.community.store.collections import ACTIONS
from contracts.services.community.actions import KEPT_DAYS
from runtime.store import Document, Store

MOST_NAMES: Final = 200  # moderators, or rules, that a day counts by name
OTHERS: Final = "others"
_DAY: Final = timedelta(days=1)
_KEPT_BATCHES: Final = 100
PARTS: Final = ("kinds", "moderators", "rules")


def day_of(at: datetime) -> str:
    """Return the day (UTC) of a time."""
    return f"{at.astimezone(UTC):%Y-%m-%d}"


def end_of_day(at: datetime) -> datetime:
    """Return when the day (UTC) of a time ends."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _DAY


def last_days(now: datetime, days: int) -> list[str]:
    """Return so many days (UTC), today the last."""
    return [day_of(now - _DAY * back) for back in range(days - 1, -1, -1)]


def day_id(key: str, day: str) -> str:
    """Return the id of the document of a group's day."""
    return f"day:{key}:{day}"


async def count_in(collections: Collections, key: str, batch: str, written: Sequence[Document]) -> None:
    """Add actions of one day to its document; the same batch is counted once."""
    actions, at = collections(ACTIONS), written[0]["at"]
    name = day_id(key, day_of(at))
    known = await actions.find_one({"_id": name}, {"moderators": 1, "rules": 1, "batches": 1}) or {}
    if batch in known.get("batches", ()):
        return
    counts = {
        "kinds": Counter(one["kind"] for one in written),
        "shadow": Counter(one["kind"] for one in written if one["state"] == "shadow"),
        "moderators": _named(known.get("moderators", {}), (str(one["moderator_id"]) for one in written)),
        "rules": _named(known.get("rules", {}), (one["rule_id"] for one in written if one.get("rule_id") is not None)),
    }
    seqs = [one["seq"] for one in written]
    update = {
        "$inc": {f"{part}.{value}": number for part, found in counts.items() for value, number in found.items()},
        "$min": {"first_seq": min(seqs)},
        "$max": {"last_seq": max(seqs)},
        "$push": {"batches": {"$each": [batch], "$slice": -_KEPT_BATCHES}},
        "$setOnInsert": {"day": day_of(at), "ended_at": end_of_day(at)},
    }
    await actions.update_one({"_id": name}, update, upsert=True)


def _named(known: Mapping[str, int], values: Iterable[str]) -> Counter[str]:
    """Count values by name, those as others that a full document has no place for."""
    names = set(known)
    counts = Counter[str]()
    for value in values:
        if value not in names and len(names) < MOST_NAMES:
            names.add(value)
        counts[value if value in names else OTHERS] += 1
    return counts


class DayStore:
    """Reads the days of a group."""

    def __init__(self, store: Store) -> None:
        self._actions = store.collection(ACTIONS)

    async def all_of(self, key: str, now: datetime) -> list[Document]:
        """Return every day that is kept, the oldest first, without what only writing needs."""
        ids = [day_id(key, day) for day in last_days(now, KEPT_DAYS + 2)]
        found = self._actions.find({"_id": {"$in": ids}}, {"batches": 0})
        return sorted([one async for one in found], key=lambda one: one["day"])

    async def sums(self, key: str, days: Sequence[str]) -> dict[str, list[Document]]:
        """Return the counts of some days by an aggregation: by part, and for each day by kind."""
        facets = {part: _summed(part, by_day=False) for part in (*PARTS, "shadow")}
        pipeline = [
            {"$match": {"_id": {"$in": [day_id(key, day) for day in days]}}},
            {
                "$facet": {
                    **facets,
                    "days": _summed("kinds", by_day=True),
                    "shadow_days": _summed("shadow", by_day=True),
                }
            },
        ]
        found: list[dict[str, Any]] = [one async for one in self._actions.aggregate(pipeline)]
        return found[0] if found else {}


def _summed(part: str, *, by_day: bool) -> list[Document]:
    name = {"day": "$day", "value": "$counts.k"} if by_day else "$counts.k"
    return [
        {"$project": {"day": 1, "counts": {"$objectToArray": {"$ifNull": [f"${part}", {}]}}}},
        {"$unwind": "$counts"},
        {"$group": {"_id": name, "count": {"$sum": "$counts.v"}}},
        {"$sort": {"count": -1, "_id": 1}},
    ]
