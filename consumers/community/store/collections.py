"""The seven collections, their indexes with the query that needs each, and versioned migrations.

The embedded server uses an index only where every field of a filter is in it, in order, a range last; so a filter here
has no other fields, and what is left to check is checked on what it found. Ids alone need no index.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from contracts.services.community.actions import KEPT_DAYS
from runtime.store import IndexSpec, Store

_log = structlog.get_logger("community")
GROUPS: Final = "groups"
USERS: Final = "users"
ROLES: Final = "roles"
RULES: Final = "rules"
SETTINGS: Final = "settings"
ACTIONS: Final = "actions"
MEMBERSHIPS: Final = "memberships"
COLLECTIONS: Final = (GROUPS, USERS, ROLES, RULES, SETTINGS, ACTIONS, MEMBERSHIPS)
SCHEMA_ID: Final = "schema"  # of the document in SETTINGS that says how far the migrations went
DAY_SECONDS: Final = 86_400

INDEXES: Final = (
    IndexSpec(GROUPS, ("group_id",), unique=True),  # find_group
    IndexSpec(GROUPS, ("former_ids",)),  # find_group by an id from before a migration
    IndexSpec(GROUPS, ("owner", "-created_at")),  # list_groups
    IndexSpec(GROUPS, ("owner", "words")),  # list_groups with a search
    IndexSpec(GROUPS, ("waiting",), where={"waiting": True}),  # events that are not on the bus, deletions under way
    IndexSpec(USERS, ("owner", "username")),  # find_user by name
    IndexSpec(USERS, ("waiting",), where={"waiting": True}),  # events that are not on the bus
    IndexSpec(MEMBERSHIPS, ("owner", "user_id")),  # find_user: the groups that a user is in
    IndexSpec(MEMBERSHIPS, ("group", "-last_active_at")),  # group_stats: active users; delete_group
    IndexSpec(MEMBERSHIPS, ("group", "roles")),  # find_role: how many have it; delete_role: who loses it
    IndexSpec(ROLES, ("group", "-priority")),  # list_roles, permissions
    IndexSpec(RULES, ("group", "-priority")),  # list_rules
    IndexSpec(ACTIONS, ("group", "-seq")),  # list_actions, by time too
    IndexSpec(ACTIONS, ("group", "kind", "-seq")),  # list_actions of a kind
    IndexSpec(ACTIONS, ("group", "user_id", "-seq")),  # list_actions of a user, user_stats, escalation
    IndexSpec(ACTIONS, ("group", "moderator_id", "-seq")),  # list_actions by a moderator
    # list_actions by a rule, undo_actions; most actions follow from none and are not in it
    IndexSpec(ACTIONS, ("by_rule", "group", "rule_id", "-seq"), where={"by_rule": True}),
    IndexSpec(ACTIONS, ("ended_at",), ttl=KEPT_DAYS * DAY_SECONDS),  # when the day of an action had ended
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the documents' form; `run` may be interrupted anywhere and run again, also by two at once."""

    version: int
    name: str
    run: Callable[[Store], Awaitable[None]]


async def _create_indexes(store: Store) -> None:
    await store.create_indexes(INDEXES)


MIGRATIONS: Final = (Migration(1, "indexes", _create_indexes),)


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
