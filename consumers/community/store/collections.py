"""The seven collections, and their indexes with the query that needs each.

The embedded server uses an index only where every field of a filter is in it, in order, a range last; so a filter here
has no other fields, and what is left to check is checked on what it found. Ids alone need no index.
"""

from __future__ import annotations

from typing import Final

from contracts.services.community.actions import KEPT_DAYS
from runtime.store import IndexSpec

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
    # of pages: see `pages`
    IndexSpec(ACTIONS, ("group", "-last")),  # list_actions, by time too
    IndexSpec(ACTIONS, ("group", "rows.kind", "-last")),  # list_actions of a kind, undo_actions
    IndexSpec(ACTIONS, ("group", "rows.user_id", "-last")),  # list_actions of a user, user_stats, escalation, undo
    IndexSpec(ACTIONS, ("group", "rows.moderator_id", "-last")),  # list_actions by a moderator
    # list_actions by a rule; most actions follow from none, and pages without such are not in it
    IndexSpec(ACTIONS, ("by_rule", "group", "rows.rule_id", "-last"), where={"by_rule": True}),
    IndexSpec(ACTIONS, ("ended_at",), ttl=KEPT_DAYS * DAY_SECONDS),  # when the day of an action had ended
)
