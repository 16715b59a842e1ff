"""The community service on the embedded document server: bulk writes and reads at 20,000 actions of one group."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from consumers.community.caching import Caches
from consumers.community.handlers import make_handles
from consumers.community.services.context import Context
from consumers.community.store.changes import Changes
from consumers.community.store.migrations import migrate
from contracts.services.access import Caller
from contracts.services.community import actions, bot, commands, groups, rules
from runtime import provision
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import document_server
from runtime.store import Store
from tests.bench.sides.worker import cpu_of

ACTIONS = 20_000
BULK = 1000
GROUP = -1001234567890
CALLER = Caller(actor="bench")
KINDS = ("mute", "warn", "ban", "delete")
Call = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class Figure:
    """What is measured: at most `most` milliseconds."""

    name: str
    most: float
    call: Call


@asynccontextmanager
async def community(nats: str) -> AsyncGenerator[tuple[dict[str, Any], int]]:
    """The service's commands by verb, on a document server of its own, and that one's process id."""
    bus = await Bus(BusOptions(servers=(nats,), name="bench")).connect()
    await provision.apply(bus, provision.declared(synced=True))
    with tempfile.TemporaryDirectory() as folder:
        async with document_server(Path(folder)) as server:
            store = Store(server.url)
            await migrate(store)
            caches = Caches()
            changes = Changes(bus, store, caches, transactions=await store.has_transactions())
            yield make_handles(Context(store, changes, caches)), server.pid
            await changes.close()
            await caches.close()
            await store.close()
    await bus.close()


def bulk(rule_id: str, begin: int) -> commands.CreateActions:
    """A thousand actions by a rule and a few moderators, on 500 members."""
    found = [
        {
            "kind": KINDS[number % 4],
            "user_id": 1000 + number % 500,
            "moderator_id": 7 + number % 5,
            "reason": "no spam",
            **({"rule_id": rule_id} if number % 10 == 0 else {}),
        }
        for number in range(begin, begin + BULK)
    ]
    given = actions.BulkCreate(actions=found)
    return commands.CreateActions(group_id=GROUP, owner="alice", caller=CALLER, bulk=given)


def reads(handles: dict[str, Any], rule_id: str) -> list[Figure]:
    """The reads that are measured, simple ones first."""
    group: dict[str, Any] = {"group_id": GROUP, "owner": "alice"}

    def simple(name: str, verb: str, request: Any) -> Figure:
        return Figure(name, 50.0, lambda: handles[verb](request))

    def hard(name: str, verb: str, request: Any) -> Figure:
        return Figure(name, 200.0, lambda: handles[verb](request))

    listed = commands.ListActions
    none, many = (actions.Undo(rule_id=rule_id, kind=kind, moderator_id=9) for kind in ("pin", None))
    return [
        simple("a group", "find_group", commands.FindGroup(**group)),
        simple("groups, searched", "list_groups", commands.ListGroups(owner="alice", search="test")),
        simple("settings", "find_settings", commands.FindSettings(**group)),
        simple("a role", "find_role", commands.FindRole(name="helper", **group)),
        simple("a rule", "find_rule", commands.FindRule(rule_id=rule_id, **group)),
        simple("a profile", "find_user", commands.FindUser(owner="alice", user_id=1001)),
        simple("permissions of a member", "permissions", bot.MemberPermissions(user_id=1001, **group)),
        simple("actions, first page", "list_actions", listed(**group)),
        simple("actions, page 500", "list_actions", listed(page=500, page_size=20, **group)),
        simple("actions on a user", "list_actions", listed(user_id=1001, **group)),
        hard("actions of a kind", "list_actions", listed(kind="ban", **group)),
        hard("actions by a moderator", "list_actions", listed(moderator_id=8, **group)),
        hard("actions by a rule", "list_actions", listed(rule_id=rule_id, **group)),
        hard("actions of a kind on a user", "list_actions", listed(user_id=1001, kind="warn", **group)),
        hard("figures of the log", "action_stats", commands.ActionStats(**group)),
        hard("figures of the group", "group_stats", commands.GroupStats(**group)),
        hard("figures of a user", "user_stats", commands.UserStats(user_id=1001, **group)),
        hard("an undo of nothing", "undo_actions", commands.UndoActions(caller=CALLER, undo=none, **group)),
        hard("what an undo of 1000 means", "undo_actions", _dry(many, group)),
    ]


def _dry(undo: actions.Undo, group: dict[str, Any]) -> commands.UndoActions:
    return commands.UndoActions(caller=CALLER, undo=undo, dry_run=True, **group)


@dataclass(frozen=True)
class Measured:
    """Milliseconds of one figure: median, worst, CPU of the document server each time, and the limit."""

    name: str
    middle: float
    worst: float
    cpu: float
    most: float


async def timed(name: str, calls: Iterable[Call], pid: int, most: float) -> Measured:
    """Measure calls one after the other."""
    times: list[float] = []
    before = cpu_of(pid)
    for call in calls:
        began = time.perf_counter()
        await call()
        times.append((time.perf_counter() - began) * 1000)
    return Measured(name, median(times), max(times), (cpu_of(pid) - before) / len(times), most)


async def prepare(handles: dict[str, Any]) -> str:
    """Make a group with a role and a rule; give the rule's id."""
    about: dict[str, Any] = {"owner": "alice", "caller": CALLER}
    await handles["create_group"](commands.CreateGroup(group=groups.GroupCreate(group_id=GROUP, name="Test"), **about))
    role = groups.RoleCreate(name="helper", permissions=["delete_messages"])
    await handles["create_role"](commands.CreateRole(group_id=GROUP, role=role, **about))
    await handles["assign_role"](commands.AssignRole(group_id=GROUP, name="helper", user_id=1001, **about))
    rule = rules.RuleCreate(name="no spam", kind="flood", penalty=rules.Penalty(kind="mute"))
    return (await handles["create_rule"](commands.CreateRule(group_id=GROUP, rule=rule, **about))).rule_id


async def measure(nats: str, turns: int = 9) -> list[Measured]:
    """Fill a group, then read of it."""
    async with community(nats) as (handles, pid):
        rule_id = await prepare(handles)
        requests = [bulk(rule_id, begin) for begin in range(0, ACTIONS, BULK)]
        writes = [partial(handles["create_actions"], request) for request in requests]
        rows = [await timed("1000 actions in bulk", writes, pid, 1000.0)]
        return rows + [await timed(one.name, [one.call] * turns, pid, one.most) for one in reads(handles, rule_id)]


def print_rows(rows: list[Measured]) -> None:
    """Print the table, and how many limits were held."""
    print(f"\nManaged groups: {ACTIONS} actions of one group on the embedded document server (milliseconds)")
    print(f"{'':30}{'median':>10}{'worst':>10}{'its CPU':>10}{'limit':>10}")
    for row in rows:
        verdict = "met" if row.middle < row.most else "NOT met"
        print(f"{row.name:30}{row.middle:10.1f}{row.worst:10.1f}{row.cpu:10.1f}{row.most:10.0f}  {verdict}")
    met = sum(row.middle < row.most for row in rows)
    print(f"{met} limits held by the median of the wall clock, {len(rows) - met} not; load {os.getloadavg()[0]:.1f}")


async def main(nats: str, turns: int) -> None:
    """Measure and print."""
    print_rows(await measure(nats, turns))
