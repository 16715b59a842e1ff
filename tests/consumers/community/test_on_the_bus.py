"""The service on a real bus and a real document server: every command, its events, repeats and refusals."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import streams
from contracts.services.community.events import CommunityEvent
from runtime.app.resume import Start
from runtime.nats.streams.past import read_past
from tests.consumers.community.conftest import GROUP, Community

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
SPAM = {"name": "no spam", "kind": "words", "params": {"words": ["free money"]}, "penalty": {"kind": "mute"}}


async def events(community: Community) -> list[CommunityEvent]:
    rows = await read_past(community.bus, streams.COMMUNITY, (">",), Start(sequence=1), limit=1000)
    return [CommunityEvent.model_validate_json(row.payload) for row in rows]


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def test_a_group_is_added_found_changed_listed_and_removed(community: Community) -> None:
    made = await community.add_group()
    assert {name: made[name] for name in ("group_id", "name", "owner", "former_ids")} == {
        "group_id": GROUP, "name": "Test", "owner": "alice", "former_ids": [],
    }  # fmt: skip
    assert await community.code("create_group", group={"group_id": GROUP, "name": "Other"}) == "ALREADY_EXISTS"
    changed = await community.good("update_group", changes={"name": "Rather Blue", "description": "of it"})
    assert (changed["name"], changed["description"]) == ("Rather Blue", "of it")
    assert (await community.good("find_group"))["name"] == "Rather Blue"
    for search, count in (("rath", 1), ("BLUE", 1), ("lue", 0), ("100123", 1), ("test", 0)):
        assert (await community.good("list_groups", search=search))["total"] == count, search
    await community.good("delete_group")
    assert await community.code("find_group") == "NOT_FOUND"
    assert (await community.good("list_groups"))["total"] == 0
    await community.add_group(name="Again")
    assert (await community.good("find_group"))["name"] == "Again"


async def test_smoke_of_the_rest(community: Community) -> None:
    await community.add_group()
    role = await community.good("create_role", role={"name": "mod", "permissions": ["ban_members"], "priority": 5})
    assert role["effective_permissions"] == ["ban_members"]
    rule = await community.good("create_rule", rule=SPAM)
    ids = await community.add_actions(30, rule_id=rule["rule_id"])
    page = await community.good("list_actions", page=2, page_size=20)
    assert (page["total"], page["pages"], len(page["items"])) == (30, 2, 10)
    assert [one["seq"] for one in page["items"]] == list(range(10, 0, -1))
    by_rule = await community.good("list_actions", rule_id=rule["rule_id"], page_size=5)
    assert (by_rule["total"], len(by_rule["items"])) == (30, 5)
    one_user = await community.good("list_actions", user_id=105)
    assert (one_user["total"], one_user["items"][0]["id"]) == (1, ids[5])
    stats = await community.good("action_stats")
    assert (stats["total"], stats["by_kind"], stats["by_rule"]) == (30, {"mute": 30}, {rule["rule_id"]: 30})
    undone = await community.good("undo_actions", undo={"rule_id": rule["rule_id"], "moderator_id": 9})
    assert (undone["undone"], undone["more"]) == (30, False)
    assert {(one["result"], one["action"]) for one in undone["results"]} == {("undone", "unmute")}
    again = await community.good("undo_actions", undo={"ids": ids[:2], "moderator_id": 9})
    assert [one["result"] for one in again["results"]] == ["already_undone"] * 2
    assert (await community.good("list_actions"))["total"] == 60
    print(await community.good("group_stats"))
    print(await community.good("user_stats", user_id=105))
    print(await community.good("find_settings"))
    print(await community.good("update_settings", changes={"welcome": "Hi {name}", "language": "id"}))
    print(await community.good("update_user", user_id=105, changes={"username": "Alice_1", "note": "x"}))
    print(await community.good("find_user", username="alice_1"))
    print(await community.good("permissions", user_id=105))
    now = datetime.now(UTC)
    seen: list[dict[str, Any]] = [
        {
            "at": iso(now - timedelta(seconds=60 - number)),
            "user_id": 500 + number % 3,
            "text": "FREE m0ney" if number % 5 == 0 else "hello",
        }
        for number in range(50)
    ]
    print(await community.good("record", batch="b1", seen=seen))
    print(await community.good("record", batch="b1", seen=seen))
    print(await community.good("dry_run_rule", rule_id=rule["rule_id"]))
    print(await community.good("judge", seen=seen[0]))
    print(await community.good("rule_history", rule_id=rule["rule_id"]))
    await asyncio.sleep(0.2)
    print([one.subject + " " + one.deed for one in await events(community)])
