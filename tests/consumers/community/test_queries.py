"""Every query of every command has an index: recorded as it is sent, then explained by the server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from consumers.community.caching import Caches
from consumers.community.handlers import make_handles
from consumers.community.services.context import Context
from consumers.community.store.changes import Changes
from consumers.community.store.collections import ACTIONS, COLLECTIONS, INDEXES, SCHEMA_ID, SETTINGS
from consumers.community.store.migrations import Migration, migrate
from contracts.services.community.requests import COMMANDS
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from runtime.store import Collection, IndexSpec, Store
from tests.consumers.community.conftest import CALLER, GROUP

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
FILTERED = {
    "find",
    "find_one",
    "update_one",
    "update_many",
    "replace_one",
    "delete_one",
    "delete_many",
    "count_documents",
}
Asked = list[tuple[str, dict[str, Any]]]
MODELS = {command.verb: command.request for command in COMMANDS}
NOW = datetime.now(UTC)


class Recording:
    """A collection that notes by what it is searched."""

    def __init__(self, collection: Any, name: str, asked: Asked) -> None:
        self._collection, self._name, self._asked = collection, name, asked

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._collection, method)

        def call(*arguments: Any, **named: Any) -> Any:
            if method in FILTERED:
                self._asked.append((self._name, dict(arguments[0])))
            elif method == "aggregate":
                self._asked.append((self._name, dict(arguments[0][0]["$match"])))
            elif method == "bulk_write":
                self._asked += [(self._name, dict(one._filter)) for one in arguments[0]]
            else:
                assert method.startswith("insert_"), f"is {method} a search?"
            return found(*arguments, **named)

        return call


class RecordingStore(Store):
    """A store whose every search is noted, those of transactions too: here they run without."""

    def __init__(self, url: str, database: str) -> None:
        super().__init__(url, database)
        self.asked: Asked = []

    def collection(self, name: str) -> Collection:
        return Recording(super().collection(name), name, self.asked)  # pyright: ignore[reportReturnType]


Send = Callable[..., Any]


@pytest_asyncio.fixture
async def recorded(
    community_nats: NatsServer, documents_url: str, documents: Store
) -> AsyncGenerator[tuple[RecordingStore, Send]]:
    """A store that notes its searches, and what sends a command."""
    bus = await Bus(BusOptions(servers=(community_nats.url,), name="test")).connect()
    store = RecordingStore(documents_url, documents._database.name)
    await migrate(store)
    caches = Caches()
    changes = Changes(bus, store, caches, transactions=False)
    context = Context(store, changes, caches)
    handles = make_handles(context)

    async def send(verb: str, **fields: Any) -> Any:
        caches.clear()
        known = {"owner": "alice", "group_id": GROUP, "caller": CALLER, **fields}
        model = MODELS[verb]
        given = {name: value for name, value in known.items() if name in model.model_fields}
        reply = await handles[verb](model.model_validate(given))
        await changes.close()
        for document in await changes.keep():
            await context.groups.finish_deletion(document["_id"])
        return reply

    yield store, send
    await changes.close()
    await store.close()
    await bus.close()


async def use_everything(send: Send) -> set[str]:
    """Send every command at least once, lists by every filter; give the verbs."""
    sent: set[str] = set()

    async def do(verb: str, **fields: Any) -> Any:
        sent.add(verb)
        return await send(verb, **fields)

    await do("create_group", group={"group_id": GROUP, "name": "Test"})
    await do("create_group", group={"group_id": -2, "name": "Second"})
    for search in (None, "te"):
        await do("list_groups", search=search)
    await do("update_group", changes={"description": "x"})
    for name, parent in (("low", None), ("high", "low")):
        await do("create_role", role={"name": name, "permissions": [], "parent": parent})
    for verb in ("list_roles", "list_rules", "find_group", "find_settings", "group_stats", "action_stats"):
        await do(verb)
    await do("update_role", name="low", changes={"priority": 3})
    await do("assign_role", name="high", user_id=1)
    await do("find_role", name="high")
    await do("permissions", user_id=1)
    await do("unassign_role", name="high", user_id=1)
    await do("delete_role", name="high")
    words = {"name": "w", "kind": "words", "params": {"words": ["spam"]}, "penalty": {"kind": "mute"}}
    rule = (await do("create_rule", rule=words)).rule_id
    await do("update_rule", rule_id=rule, changes={"priority": 2})
    await do("find_rule", rule_id=rule)
    await do("rule_history", rule_id=rule)
    await do("update_settings", changes={"language": "id"})
    action = {"kind": "mute", "user_id": 1, "moderator_id": 7, "rule_id": rule}
    await do("create_action", action=action, request_key="ab")
    await do("create_actions", bulk={"actions": [{**action, "user_id": 1 + number} for number in range(5)]})
    filters = [
        {},
        {"kind": "mute"},
        {"user_id": 1},
        {"moderator_id": 7},
        {"rule_id": rule},
        {"user_id": 1, "kind": "mute"},
    ]
    for one in filters:
        await do("list_actions", **one)
        await do("list_actions", since=NOW - timedelta(hours=1), until=NOW + timedelta(hours=1), **one)
    await do("undo_actions", undo={"rule_id": rule, "since": (NOW - timedelta(hours=1)).isoformat(), "moderator_id": 9})
    await _use_the_rest(do, rule)
    return sent


async def _use_the_rest(do: Send, rule: str) -> None:
    await do("undo_actions", undo={"ids": ["0" * 16 + ".0"], "moderator_id": 9})
    (ban,) = (await do("create_actions", bulk={"actions": [{"kind": "ban", "user_id": 5, "moderator_id": 7}]})).results
    await do("undo_actions", undo={"ids": [ban.id], "moderator_id": 9}, lift=True)
    await do("refuse_undo", refusals={ban.id: "not enough rights"})
    await do("record", batch="b", seen=[{"at": NOW, "user_id": 1, "text": "spam"}])
    await do("dry_run_rule", rule_id=rule)
    await do("judge", seen={"at": NOW, "user_id": 1, "text": "spam"})
    await do("update_members", members=[{"user_id": 2, "status": "member", "at": NOW, "name": "Two"}])
    await do("update_user", user_id=1, changes={"username": "someone"})
    await do("find_user", user_id=1)
    await do("find_user", username="someone")
    await do("user_stats", user_id=1)
    await do("delete_rule", rule_id=rule)
    await do("migrate", to_group_id=-100999)
    await do("delete_group")


def stages(plan: Any) -> set[str]:
    """The names of a plan's stages, and those of its indexes."""
    if not isinstance(plan, dict):
        return set()
    own = {plan[name] for name in ("stage", "indexName") if name in plan}
    return own.union(*(stages(part) for part in plan.values()))


async def test_no_query_of_any_command_scans_a_collection(recorded: tuple[RecordingStore, Send]) -> None:
    store, send = recorded
    assert await use_everything(send) == set(MODELS)
    shapes = {(name, tuple(sorted(wanted))): wanted for name, wanted in store.asked}
    used: set[tuple[str, str]] = set()
    scans: list[str] = []
    for (name, fields), wanted in shapes.items():
        plan = await store._database.command("explain", {"find": name, "filter": wanted}, verbosity="queryPlanner")
        found = stages(plan["queryPlanner"]["winningPlan"])
        used |= {(name, one) for one in found}
        if "COLLSCAN" in found or not found & {"IXSCAN", "IDHACK"}:
            scans.append(f"{name} {fields}: {sorted(found)}")
    print(f"\n{len(store.asked)} queries of {len(shapes)} shapes by {len(MODELS)} commands")
    assert scans == []
    declared = {(spec.collection, spec.model().document["name"]) for spec in INDEXES if spec.ttl is None}
    assert declared <= used, "an index that no query needs"


def test_there_are_seven_collections_and_eighteen_or_more_indexes() -> None:
    assert len(COLLECTIONS) == 7
    assert len(INDEXES) >= 18
    assert {spec.collection for spec in INDEXES} | {SETTINGS} == set(COLLECTIONS)
    (ttl,) = [spec for spec in INDEXES if spec.ttl is not None]
    assert (ttl.collection, ttl.ttl) == (ACTIONS, 30 * 86_400)


async def test_migrations_run_once_each_in_order_and_may_be_interrupted(documents: Store) -> None:
    ran: list[int] = []
    fails = [True]

    def migration(version: int) -> Migration:
        async def run(store: Store) -> None:
            ran.append(version)
            if version == 2 and fails:
                fails.clear()
                raise RuntimeError("interrupted")
            await store.create_indexes([IndexSpec("groups", (f"field{version}",))])

        return Migration(version, f"m{version}", run)

    both = [migration(2), migration(1)]
    with pytest.raises(RuntimeError, match="interrupted"):
        await migrate(documents, both)
    assert await migrate(documents, both) == 2
    assert await migrate(documents, both) == 2
    assert await migrate(documents, [*both, migration(3)]) == 3
    assert ran == [1, 2, 2, 3]
    kept = await documents.collection(SETTINGS).find_one({"_id": SCHEMA_ID})
    assert kept is not None
    assert kept["version"] == 3


async def test_every_migration_may_run_again(documents: Store) -> None:
    for _ in range(2):
        assert await migrate(documents) == 2
        await documents.collection(SETTINGS).delete_one({"_id": SCHEMA_ID})
