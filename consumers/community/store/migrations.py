"""Versioned migrations of the documents: each may be interrupted anywhere and run again, also by two at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import structlog

from consumers.community.store.collections import ACTIONS, GROUPS, INDEXES, SCHEMA_ID, SETTINGS
from consumers.community.store.pages import entry_of_single, page_id, pages_of
from contracts.services.community.actions import MOST_BULK
from runtime.store import Collection, Document, Store, upsert

_log = structlog.get_logger("community")
OLD_INDEXES: Final = (
    "group_down_seq",
    "group_kind_down_seq",
    "group_user_id_down_seq",
    "group_moderator_id_down_seq",
    "by_rule_group_rule_id_down_seq",
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the documents' form."""

    version: int
    name: str
    run: Callable[[Store], Awaitable[None]]


async def _create_indexes(store: Store) -> None:
    await store.create_indexes(INDEXES)


async def put_actions_into_pages(store: Store, at_once: int = 2 * MOST_BULK) -> None:
    """Put actions that are documents of their own into pages, and drop their indexes when none is left.

    `at_once` numbers are read at once: more than one request has.
    """
    await store.create_indexes(INDEXES)
    old = [name for name in OLD_INDEXES if name in await store.list_indexes(ACTIONS)]
    if OLD_INDEXES[0] in old:
        actions = store.collection(ACTIONS)
        async for group in store.collection(GROUPS).find({}, {"seq": 1}):
            async for singles in _requests(actions, group["_id"], group.get("seq", 0), at_once):
                await _replace(actions, singles)
    for name in reversed(old):  # the one that is looked for above is the last
        await store.drop_index(ACTIONS, name)


async def _requests(actions: Collection, key: str, newest: int, at_once: int) -> AsyncIterator[list[Document]]:
    """Give the single actions of a group, those of one request together, the oldest first."""
    low = 1
    while low <= newest:
        wanted = {"group": key, "seq": {"$gte": low, "$lt": low + at_once}}
        found = sorted([one async for one in actions.find(wanted)], key=lambda one: one["seq"])
        requests = [list(rows) for _, rows in groupby(found, key=lambda one: one["_id"].partition(".")[0])]
        low += at_once
        if low <= newest and len(requests) > 1:  # the last may go on beyond what was read
            low = requests.pop()[0]["seq"]
        for singles in requests:
            yield singles


async def _replace(actions: Collection, singles: Sequence[Document]) -> None:
    """Write the pages of one request, where they are not written yet, and take its single documents away."""
    for _, rows in groupby(singles, key=lambda one: page_id(one["_id"])):
        of_page = list(rows)
        first = of_page[0]
        entries = {one["_id"]: entry_of_single(one) for one in of_page}
        (page,) = pages_of(first["group"], entries, first["seq"], first["at"])
        fields = {name: value for name, value in page.items() if name != "_id"}
        await actions.bulk_write([upsert({"_id": page["_id"]}, {"$setOnInsert": fields})])
    await actions.delete_many({"_id": {"$in": [one["_id"] for one in singles]}})


MIGRATIONS: Final = (
    Migration(1, "indexes", _create_indexes),
    Migration(2, "actions in pages", put_actions_into_pages),
)


async def migrate(store: Store, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Run the migrations that were not run yet, in order; return the version that the documents have then."""
    settings = store.collection(SETTINGS)
    found = await settings.find_one({"_id": SCHEMA_ID})
    version: int = (found or {}).get("version", 0)
    for migration in sorted(migrations, key=lambda one: one.version):
        if migration.version > version:
            await migration.run(store)
            version = migration.version
            await settings.update_one({"_id": SCHEMA_ID}, {"$max": {"version": version}}, upsert=True)
            _log.info("community.migrated", version=version, migration=migration.name)
    return version
