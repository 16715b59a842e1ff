"""Managed groups over HTTP: one test for each row of the table of `/api/v2`, named after it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.groups_world import GROUP, GROUPS, ONE, Owner, groups_api
from tests.api.world import Start, Store
from tests.consumers.community.conftest import Community

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
SPAM: dict[str, Any] = {
    "name": "no spam",
    "kind": "words",
    "params": {"words": ["free money"]},
    "penalty": {
        "kind": "warn",
        "escalation": [{"after": 2, "kind": "mute", "duration_seconds": 3600}, {"after": 4, "kind": "ban"}],
    },
    "priority": 10,
    "enabled": True,
    "shadow": False,
}
PAGE = {"items", "total", "page", "page_size", "pages"}
ACTION = {"kind": "mute", "user_id": 42, "moderator_id": 7, "reason": "spam", "duration_seconds": 3600}


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest_asyncio.fixture
async def alice(store: Store, start: Start, api_nats: NatsServer, documents_url: str) -> AsyncGenerator[Owner]:
    """Alice, over an API with the community service."""
    async with groups_api(store, start, api_nats, documents_url) as (alice, _):
        yield alice


@pytest_asyncio.fixture
async def bot(api_nats: NatsServer) -> AsyncGenerator[Community]:
    """What the bot says on the bus."""
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="bot")).connect()
    yield Community(bus, "")
    await bus.close()


async def test_groups_are_made_listed_searched_changed_and_deleted(alice: Owner) -> None:
    made = await alice.add_group()
    assert made["group_id"] == GROUP
    assert made["name"] == "Test"
    for number in range(25):
        await alice.add_group(-5000 - number, f"Club {number}")
    first = await alice.good("GET", f"{GROUPS}?page=1&page_size=20")
    assert (first.keys(), first["total"], first["pages"], len(first["items"])) == (PAGE, 26, 2, 20)
    assert first["items"][0]["name"] == "Club 24"
    assert len((await alice.good("GET", f"{GROUPS}?page=2"))["items"]) == 6
    assert (await alice.good("GET", f"{GROUPS}?search=club&page_size=5"))["total"] == 25
    assert [one["name"] for one in (await alice.good("GET", f"{GROUPS}?search=tes"))["items"]] == ["Test"]
    changed = await alice.good("PUT", ONE, {"description": "about tests"})
    assert (changed["name"], changed["description"]) == ("Test", "about tests")
    assert await alice.good("GET", ONE) == changed
    gone = await alice.good("DELETE", ONE)
    assert gone == {"success": True, "message": "The group was deleted"}
    assert await alice.refused("GET", ONE) == (404, "NOT_FOUND")
    assert await alice.refused("DELETE", ONE) == (404, "NOT_FOUND")


async def test_group_stats_have_members_active_users_actions_by_kind_and_a_trend_by_day(
    alice: Owner, bot: Community
) -> None:
    await alice.add_group()
    now = datetime.now(UTC)
    for user_id, status in ((1, "member"), (2, "member"), (3, "left")):
        members = [{"user_id": user_id, "status": status, "at": iso(now)}]
        await bot.good("update_members", None, members=members)
    seen = [{"at": iso(now - timedelta(days=ago)), "user_id": user} for user, ago in ((1, 0), (1, 0), (2, 3), (4, 20))]
    await bot.good("record", None, batch="b1", seen=seen)
    await alice.add_actions(3)
    await alice.add_actions(2, kind="ban")
    stats = await alice.good("GET", f"{ONE}/stats?days=7")
    assert stats["members"] == {"member": 3, "left": 1}
    assert stats["active_users"] == {"1d": 1, "7d": 2, "30d": 3}
    assert (stats["messages"], stats["actions"], stats["by_kind"]) == (4, 5, {"mute": 3, "ban": 2})
    assert [day["actions"] for day in stats["trend"]] == [0, 0, 0, 0, 0, 0, 5]


async def test_roles_have_permissions_priority_inheritance_and_members(alice: Owner) -> None:
    await alice.add_group()
    roles = f"{ONE}/roles"
    helper = {"name": "helper", "permissions": ["delete_messages"], "priority": 1}
    await alice.good("POST", roles, helper, 201)
    chief = {"name": "chief", "permissions": ["ban_members"], "priority": 9, "parent": "helper"}
    made = await alice.good("POST", roles, chief, 201)
    assert (made["inherits"], made["effective_permissions"]) == (["helper"], ["delete_messages", "ban_members"])
    assert await alice.refused("POST", roles, chief) == (409, "ALREADY_EXISTS")
    assert await alice.refused("PUT", f"{roles}/helper", {"parent": "chief"}) == (409, "CONFLICT")
    assert await alice.refused("PUT", f"{roles}/helper", {"parent": "helper"}) == (409, "CONFLICT")
    assert await alice.refused("PUT", f"{roles}/helper", {"parent": "nobody"}) == (400, "INVALID_PARAMETER")
    listed = await alice.good("GET", roles)
    assert (listed.keys(), [one["name"] for one in listed["items"]]) == (PAGE, ["chief", "helper"])
    assert (await alice.good("POST", f"{roles}/chief/members/42"))["success"] is True
    assert (await alice.good("POST", f"{roles}/chief/members/42"))["success"] is True
    assert (await alice.good("GET", f"{roles}/chief"))["members"] == 1
    assert await alice.refused("DELETE", f"{roles}/helper") == (409, "CONFLICT")
    assert (await alice.good("PUT", f"{roles}/chief", {"parent": None}))["inherits"] == []
    await alice.good("DELETE", f"{roles}/chief/members/42")
    assert await alice.refused("DELETE", f"{roles}/chief/members/42") == (404, "NOT_FOUND")
    await alice.good("POST", f"{roles}/chief/members/43")
    await alice.good("DELETE", f"{roles}/chief")
    assert await alice.refused("GET", f"{roles}/chief") == (404, "NOT_FOUND")
    assert (await alice.good("GET", "/api/v2/users/43"))["groups"][0]["roles"] == []
    assert await alice.refused("POST", f"{roles}/chief/members/43") == (404, "NOT_FOUND")


async def test_rules_have_penalties_priority_history_and_a_dry_run_over_the_recorded_past(
    alice: Owner, bot: Community
) -> None:
    await alice.add_group()
    rules = f"{ONE}/rules"
    made = await alice.good("POST", rules, SPAM, 201)
    one = f"{rules}/{made['rule_id']}"
    assert {name: made[name] for name in ("name", "kind", "priority", "enabled", "shadow", "version")} == {
        "name": "no spam", "kind": "words", "priority": 10, "enabled": True, "shadow": False, "version": 1,
    }  # fmt: skip
    await alice.good("POST", rules, {**SPAM, "name": "later", "priority": 1}, 201)
    assert [rule["name"] for rule in (await alice.good("GET", rules))["items"]] == ["no spam", "later"]
    changed = await alice.good("PUT", one, {"shadow": True, "priority": 20})
    assert (changed["shadow"], changed["version"]) == (True, 2)
    history = await alice.good("GET", f"{one}/history")
    newest = history["items"][0]
    assert (newest["version"], sorted(newest["changed"])) == (2, ["priority", "shadow"])
    assert (history["total"], history["items"][1]["changed"]["name"]) == (2, "no spam")
    now = datetime.now(UTC)
    texts = ["FREE M0NEY", "hello", "fr\u0435\u0435  mone\u0443!", "freedom", "f r e e money", "free money"]
    seen = [
        {"at": iso(now - timedelta(hours=len(texts) - number)), "user_id": 500, "text": text}
        for number, text in enumerate(texts)
    ]
    await bot.good("record", None, batch="b1", seen=seen)
    found = await alice.good("POST", f"{one}/dry-run?days=30")
    assert (found["examined"], found["matches"], found["users"]) == (6, 4, 1)
    assert found["penalties"] == {"warn": 1, "mute": 2, "ban": 1}
    assert (await alice.good("GET", f"{ONE}/actions"))["total"] == 0  # nothing was done
    await alice.good("DELETE", one)
    assert await alice.refused("GET", one) == (404, "NOT_FOUND")
    assert await alice.refused("POST", rules, {**SPAM, "params": {"words": []}}) == (400, "INVALID_BODY")
    assert await alice.refused("GET", f"{rules}/xyz") == (404, "NOT_FOUND")


async def test_settings_have_messages_moderation_language_and_custom_values(alice: Owner) -> None:
    await alice.add_group()
    settings = f"{ONE}/settings"
    first = await alice.good("GET", settings)
    assert (first["welcome"], first["language"], first["updated_at"]) == ("", "en", None)
    change = {
        "welcome": "Hi {mention}, you are number {count} of {group}. {rules}",
        "goodbye": "Bye {name}",
        "delete_commands_seconds": 30,
        "log_channel_id": -100777,
        "language": "id",
        "custom": {"colour": "blue"},
        "moderation": {"blocklist": ["casino"], "flood": {"enabled": True, "messages": 5, "seconds": 10}},
    }
    changed = await alice.good("PUT", settings, change)
    assert (changed["log_channel_id"], changed["custom"]) == (-100777, {"colour": "blue"})
    assert changed["moderation"]["flood"] == {"enabled": True, "messages": 5, "seconds": 10}
    assert await alice.good("GET", settings) == changed
    back = await alice.good("PUT", settings, {"log_channel_id": None})
    assert (back["log_channel_id"], back["welcome"]) == (None, change["welcome"])
    answer = await alice.send("PUT", settings, {"welcome": "Hi {nobody}"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["welcome"])
    assert await alice.refused("PUT", settings, {"wellcome": "Hi"}) == (400, "INVALID_BODY")


async def test_actions_are_logged_filtered_counted_and_made_in_bulk_with_a_result_each(alice: Owner) -> None:
    await alice.add_group()
    actions = f"{ONE}/actions"
    rule = (await alice.good("POST", f"{ONE}/rules", SPAM, 201))["rule_id"]
    made = await alice.good("POST", actions, ACTION, 201)
    assert (made["seq"], made["state"], made["kind"]) == (1, "done", "mute")
    begun = datetime.now(UTC)
    mixed = [
        {"kind": "ban", "user_id": 50, "moderator_id": 8},
        {"kind": "burn", "user_id": 50, "moderator_id": 8},
        {"kind": "warn", "user_id": 51, "moderator_id": 7, "rule_id": rule},
        {"kind": "warn", "moderator_id": 7},
    ]
    bulk = await alice.good("POST", f"{actions}/bulk", {"actions": mixed}, 201)
    assert (bulk["created"], bulk["failed"]) == (2, 2)
    assert [one["id"] is None for one in bulk["results"]] == [False, True, False, True]
    assert bulk["results"][3]["error"].startswith("user_id")
    assert [one["kind"] for one in (await alice.good("GET", actions))["items"]] == ["warn", "ban", "mute"]
    filters = {
        "kind=ban": 1, "user_id=51": 1, "moderator_id=7": 2, f"rule_id={rule}": 1, "kind=warn&moderator_id=8": 0,
        f"since={iso(begun)}": 2, f"until={iso(begun)}": 1, f"since={iso(begun)}&kind=warn": 1,
        "user_id=51&kind=ban": 0,
    }  # fmt: skip
    for query, count in filters.items():
        page = await alice.good("GET", f"{actions}?{query}")
        assert (query, page["total"], len(page["items"])) == (query, count, count)
    stats = await alice.good("GET", f"{actions}/stats")
    assert (stats["total"], stats["by_moderator"], stats["by_rule"]) == (3, {"7": 2, "8": 1}, {rule: 1})
    assert (await alice.good("GET", f"{ONE}/rules/{rule}"))["hits"] == 1
    thousand = await alice.add_actions(1000)
    assert len(set(thousand)) == 1000
    assert await alice.refused("POST", f"{actions}/bulk", {"actions": [{}] * 1001}) == (400, "INVALID_BODY")
    assert (await alice.good("GET", f"{actions}?page=11&page_size=100"))["items"][-1]["id"] == made["id"]


async def test_actions_are_undone_by_id_or_by_rule_and_time(alice: Owner, bot: Community) -> None:
    await alice.add_group()
    actions = f"{ONE}/actions"
    rule = (await alice.good("POST", f"{ONE}/rules", SPAM, 201))["rule_id"]
    before = await alice.add_actions(3, rule_id=rule)
    ten = datetime.now(UTC)
    after = await alice.add_actions(4, rule_id=rule)
    other = await alice.add_actions(1, kind="kick", rule_id=rule)
    undo = {"rule_id": rule, "kind": "mute", "since": iso(ten), "moderator_id": 9, "reason": "it was wrong"}
    found = await alice.good("POST", f"{actions}/undo", undo)
    assert (found["undone"], found["pending"], found["more"]) == (3, 1, False)  # no bot is there to lift the fourth
    assert {one["id"] for one in found["results"]} == set(after)
    # 100 to 102 were muted twice: what the first mute holds is not lifted
    assert [(one["user_id"], one["result"], one["action"]) for one in reversed(found["results"])] == [
        (100, "another_holds", None), (101, "another_holds", None), (102, "another_holds", None),
        (103, "pending", "unmute"),
    ]  # fmt: skip
    by_id = await alice.good("POST", f"{actions}/undo", {"ids": [*before, *other, "0" * 16 + ".0"], "moderator_id": 9})
    assert [(one["result"], one["action"]) for one in by_id["results"]] == [
        *[("pending", "unmute")] * 3, ("not_possible", None), ("not_found", None),
    ]  # fmt: skip
    lifted = await bot.good("undo_actions", None, undo={"ids": [*before, after[3]], "moderator_id": 9})
    assert lifted["undone"] == 4
    listed = (await alice.good("GET", f"{actions}?kind=unmute"))["items"]
    assert (len(listed), listed[0]["moderator_id"], {one["undoes"] for one in listed}) == (4, 9, {*before, after[3]})
    states = {one["id"]: one["state"] for one in (await alice.good("GET", f"{actions}?kind=mute"))["items"]}
    assert set(states.values()) == {"undone"}
    nothing = await alice.good("POST", f"{actions}/undo", undo)
    assert nothing["results"] == []
    assert await alice.refused("POST", f"{actions}/undo", {"moderator_id": 9}) == (400, "INVALID_PARAMETER")
    bad = {"rule_id": rule, "since": "at ten", "moderator_id": 9}
    assert await alice.refused("POST", f"{actions}/undo", bad) == (400, "INVALID_PARAMETER")


async def test_users_have_figures_in_a_group_and_a_profile_across_groups(alice: Owner) -> None:
    await alice.add_group()
    await alice.add_group(-77, "Second")
    assert await alice.refused("GET", "/api/v2/users/42") == (404, "NOT_FOUND")
    assert await alice.refused("GET", f"{ONE}/users/42/stats") == (404, "NOT_FOUND")
    made = await alice.good("PUT", "/api/v2/users/42", {"username": "Some_One", "name": "Someone", "trusted": True})
    assert (made["username"], made["trusted"], made["groups"]) == ("Some_One", True, [])
    for path in (ONE, f"{GROUPS}/-77"):
        await alice.good("POST", f"{path}/roles", {"name": "vip", "permissions": ["bypass_flood"]}, 201)
        await alice.good("POST", f"{path}/roles/vip/members/42")
    profile = await alice.good("GET", "/api/v2/users/42")
    assert {(one["group_id"], one["name"]) for one in profile["groups"]} == {(GROUP, "Test"), (-77, "Second")}
    changed = await alice.good("PUT", "/api/v2/users/42", {"note": "met in person", "name": None})
    assert (changed["username"], changed["name"], changed["note"]) == ("Some_One", None, "met in person")
    for kind in ("warn", "warn", "mute"):
        await alice.good("POST", f"{ONE}/actions", {**ACTION, "kind": kind, "duration_seconds": None}, 201)
    stats = await alice.good("GET", f"{ONE}/users/42/stats")
    assert (stats["by_kind"], stats["warns"], stats["roles"]) == ({"warn": 2, "mute": 1}, 2, ["vip"])
    assert stats["trend"][-1]["actions"] == 3
