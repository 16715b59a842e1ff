"""Roles, rules and settings of groups: read whole, as they are few; written by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from consumers.community.core import Role
from consumers.community.moderation.evaluate import Rule
from consumers.community.store.collections import ROLES, RULES, SETTINGS
from contracts.services.community.groups import RoleCreate
from contracts.services.community.rules import MOST_HISTORY, Penalty, RuleCreate, check_params
from contracts.services.community.settings import SettingsBase
from runtime.store import Document, Store


def role_id(key: str, name: str) -> str:
    """Return the id of a role's document."""
    return f"{key}:{name}"


def new_role(key: str, role: RoleCreate, now: datetime, request_key: str | None) -> Document:
    """Return the document of a role."""
    return {
        "_id": role_id(key, role.name),
        "group": key,
        **role.model_dump(),
        "created_at": now,
        "updated_at": now,
        "request_key": request_key,
    }


def read_role(document: Document) -> Role:
    """Return the role of a document."""
    permissions = frozenset(document["permissions"])
    return Role(document["name"], permissions, document["priority"], document["parent"])


def new_rule(key: str, rule_id: str, rule: RuleCreate, now: datetime) -> Document:
    """Return the document of a rule, but for its history."""
    return {
        "_id": rule_id,
        "group": key,
        **rule.model_dump(),
        "params": check_params(rule.kind, rule.params).model_dump(),
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }


def read_rule(document: Document) -> Rule:
    """Return the rule of a document, as it is evaluated."""
    plain: dict[str, Any] = {name: document[name] for name in ("name", "kind", "priority", "enabled", "shadow")}
    params = check_params(document["kind"], document["params"])
    return Rule(id=document["_id"], params=params, penalty=Penalty.model_validate(document["penalty"]), **plain)


def history_entry(version: int, at: datetime, actor: str, changed: Document) -> Document:
    """Return one change of a rule, as it is kept."""
    return {"version": version, "at": at, "actor": actor, "changed": changed}


def with_history(fields: Document, entry: Document) -> Document:
    """Return the update that changes a rule and remembers it."""
    return {"$set": fields, "$push": {"history": {"$each": [entry], "$slice": -MOST_HISTORY}}}


class Definitions:
    """Reads roles, rules and settings of a group by its key."""

    def __init__(self, store: Store) -> None:
        self._roles, self._rules = store.collection(ROLES), store.collection(RULES)
        self._settings = store.collection(SETTINGS)

    async def roles(self, key: str) -> list[Document]:
        """Return every role of a group, the highest priority first."""
        return sorted(
            [one async for one in self._roles.find({"group": key})], key=lambda one: (-one["priority"], one["name"])
        )

    async def rules(self, key: str) -> list[Document]:
        """Return every rule of a group, the highest priority first; without their history."""
        found = self._rules.find({"group": key}, {"history": 0})
        return sorted([one async for one in found], key=lambda one: (-one["priority"], one["_id"]))

    async def history(self, rule_id: str) -> Document | None:
        """Return a rule with its history."""
        return await self._rules.find_one({"_id": rule_id})

    async def settings(self, key: str) -> Document | None:
        """Return the settings of a group; None where none were set."""
        return await self._settings.find_one({"_id": key})


def read_settings(document: Document | None) -> SettingsBase:
    """Return settings, as by default where nothing was set."""
    fields = {name: value for name, value in (document or {}).items() if name in SettingsBase.model_fields}
    return SettingsBase.model_validate(fields)
