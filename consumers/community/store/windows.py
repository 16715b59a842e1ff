"""When members wrote and joined lately, a document each window in `actions`: the same for every process that judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Final

from consumers.community.moderation.evaluate import EVERYBODY, Asked
from consumers.community.store.collections import ACTIONS
from contracts.services.community.actions import KEPT_DAYS
from contracts.services.community.rules import Seen
from runtime.store import AlreadyThereError, Document, Store

_ROOM: Final = 2  # of what is kept and what is needed: what came twice is in it twice
_AFTER: Final = timedelta(hours=2) - timedelta(days=KEPT_DAYS)  # of `ended_at`: forgotten two hours after its last time


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one message or join."""

    counts: Mapping[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    joined: Mapping[str, list[int]] = field(default_factory=dict[str, list[int]])

    def count(self, key: tuple[str, int], at: float, seconds: float) -> int:  # it is counted already
        """Return how often it came within the last seconds, this time included; 0 where it was counted before."""
        return self.counts.get(key, 0)

    def users(self, rule_id: str) -> list[int]:
        """Return who joined within the seconds of a rule."""
        return self.joined.get(rule_id, [])


class Windows:
    """Counts in one write each: whichever process it is, the next one counts on."""

    def __init__(self, store: Store) -> None:
        self._actions = store.collection(ACTIONS)

    async def count(self, asked: Iterable[Asked], seen: Seen) -> Counted:
        """Add a message or a join to its windows and return how many there are in each."""
        counts, joined = dict[tuple[str, int], int](), dict[str, list[int]]()
        for one in asked:
            row: Document = {"at": seen.at, "of": seen.key or token_hex(8), "user": seen.user_id}
            before = within(await self._add(one, row), seen.at, one.seconds)
            names = [found["of"] for found in before]
            counts[one.key] = 0 if names.count(row["of"]) > 1 else len(set(names))
            if one.key[1] == EVERYBODY:
                joined[one.key[0]] = list(dict.fromkeys(found["user"] for found in before))
        return Counted(counts, joined)

    async def _add(self, asked: Asked, row: Document) -> list[Document]:
        rule_id, user_id = asked.key
        kept = {"$each": [row], "$slice": -_ROOM * asked.most}
        ends: Document = {"ended_at": row["at"] + _AFTER}
        name = {"_id": f"window:{rule_id}:{user_id}"}
        update: Document = {"$push": {"seen": kept}, "$set": ends}
        while (found := await self._actions.find_one_and_update(name, update, return_document=True)) is None:
            with suppress(AlreadyThereError):  # an upsert would not say what it wrote where several begin at once
                await self._actions.insert_one({**name, **ends, "seen": []})
        return found["seen"]


def within(rows: Iterable[Document], at: datetime, seconds: int) -> list[Document]:
    """Return the times of the last seconds; what came later and was counted before is one of them."""
    since = at - timedelta(seconds=seconds)
    return [row for row in rows if row["at"] > since]
