"""Messages and joins as they were seen, some hundreds a document of `actions`, for dry runs of rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from consumers.community.store.changes import Collections
from consumers.community.store.collections import ACTIONS
from consumers.community.store.days import day_of, end_of_day
from contracts.services.community.rules import LONGEST_SEEN, Seen
from runtime.store import Document, Store

PIECE: Final = 500  # in one document, before the next is begun
MOST_OF_A_DAY: Final = 20_000  # of one group
MOST_EXAMINED: Final = 50_000  # by one dry run, the newest
_KEPT_BATCHES: Final = 100


def _head_id(key: str, day: str) -> str:
    return f"seen:{key}:{day}"


def _piece_id(key: str, day: str, number: int) -> str:
    return f"seen:{key}:{day}:{number}"


async def record(collections: Collections, key: str, batch: str, seen: Sequence[Seen]) -> int:
    """Record what was seen; return how much of it. The same batch is recorded once."""
    by_day: defaultdict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        by_day[day_of(one.at)].append(one)
    return sum([await _record_day(collections, key, batch, day_seen) for day_seen in by_day.values()])


async def _record_day(collections: Collections, key: str, batch: str, seen: Sequence[Seen]) -> int:
    actions, day, ends = collections(ACTIONS), day_of(seen[0].at), end_of_day(seen[0].at)
    head = await actions.find_one({"_id": _head_id(key, day)}) or {"count": 0, "batches": []}
    if batch in head["batches"]:
        return len(seen)
    fitting = seen[: max(0, MOST_OF_A_DAY - head["count"])]
    if not fitting:
        return 0
    piece = {"_id": _piece_id(key, day, head["count"] // PIECE)}
    written = await actions.find_one(piece, {"batches": 1}) or {"batches": []}
    kept = {"$each": [batch], "$slice": -_KEPT_BATCHES}
    if batch not in written["batches"]:
        update = {"$push": {"seen": {"$each": [_kept(one) for one in fitting]}, "batches": kept}}
        await actions.update_one(piece, {**update, "$setOnInsert": {"ended_at": ends}}, upsert=True)
    counted = {"$inc": {"count": len(fitting)}, "$push": {"batches": kept}, "$setOnInsert": {"ended_at": ends}}
    await actions.update_one({"_id": _head_id(key, day)}, counted, upsert=True)
    return len(fitting)


def _kept(seen: Seen) -> Document:
    """Return what is kept: what is as by default is not."""
    fields = seen.model_dump(exclude_defaults=True, exclude={"key"})
    return {**fields, "text": seen.text[:LONGEST_SEEN]} if seen.text else fields


class Recorded:
    """Reads what was recorded."""

    def __init__(self, store: Store) -> None:
        self._actions = store.collection(ACTIONS)

    async def of_days(self, key: str, days: Sequence[str]) -> list[Seen]:
        """Return what was seen on some days, the oldest first; at most the newest 50,000."""
        ids = [_head_id(key, day) for day in days]
        heads = {one["_id"]: one["count"] async for one in self._actions.find({"_id": {"$in": ids}}, {"count": 1})}
        found: list[Seen] = []
        for day in reversed(days):
            count = heads.get(_head_id(key, day), 0)
            pieces = [_piece_id(key, day, number) for number in range((count + PIECE - 1) // PIECE)]
            if pieces and len(found) < MOST_EXAMINED:
                documents = self._actions.find({"_id": {"$in": pieces}}, {"seen": 1})
                found += [Seen.model_validate(one) async for document in documents for one in document["seen"]]
        return sorted(found, key=lambda one: one.at)[-MOST_EXAMINED:]
