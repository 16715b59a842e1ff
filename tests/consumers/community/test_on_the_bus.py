"""The service on a real bus and a real document server: every command, its events, repeats and refusals."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts import streams
from contracts.services.audit import AuditEvent
from contracts.services.community.events import CommunityEvent
from contracts.services.community.requests import COMMANDS
from runtime.app.resume import Start
from runtime.nats.streams.past import read_past
from runtime.servers.embedded import NatsServer
from runtime.store import Store
from tests.consumers.community.conftest import GROUP, Community, serving_community

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


async def test_a_supergroup_migration_keeps_everything(community: Community) -> None:
    new = -1009999999999
    await community.add_group()
    await community.good("create_role", role={"name": "mod", "permissions": ["ban_members"]})
    await community.good("assign_role", name="mod", user_id=42)
    rule = await community.good("create_rule", rule=SPAM)
    await community.good("update_settings", changes={"welcome": "Hi {name}", "language": "id"})
    await community.add_actions(30, rule_id=rule["rule_id"])
    seen = [{"at": iso(datetime.now(UTC)), "user_id": 42, "text": "free money"}]
    await community.good("record", batch="b1", seen=seen)
    verbs: dict[str, dict[str, Any]] = {
        "find_settings": {}, "list_roles": {}, "list_rules": {}, "list_actions": {}, "action_stats": {},
        "group_stats": {},
        "permissions": {"user_id": 42}, "user_stats": {"user_id": 105}, "dry_run_rule": {"rule_id": rule["rule_id"]},
    }  # fmt: skip
    before = {verb: await community.good(verb, **fields) for verb, fields in verbs.items()}
    profile = await community.good("find_user", user_id=42)
    moved = await community.good("migrate", to_group_id=new)
    assert (moved["group_id"], moved["former_ids"]) == (new, [GROUP])
    for group_id in (new, GROUP):  # what was on its way with the old id arrives, too
        for verb, fields in verbs.items():
            after = await community.good(verb, group_id=group_id, **fields)
            assert {**after, "group_id": GROUP} == {**before[verb], "group_id": GROUP}, verb
    after = await community.good("find_user", user_id=42)
    assert [one["group_id"] for one in after["groups"]] == [new]
    assert after["groups"][0]["roles"] == profile["groups"][0]["roles"] == ["mod"]
    assert (await community.good("migrate", to_group_id=new)) == moved  # Telegram may say it twice
    assert (await community.good("list_groups", search="100999"))["total"] == 1
    assert [one.deed for one in await events(community) if one.what == "group"] == ["created", "migrated"]
    assert await community.code("create_group", group={"group_id": GROUP, "name": "x"}) == "ALREADY_EXISTS"


async def test_a_migration_takes_the_place_of_what_was_begun_under_the_new_id_and_of_nothing_else(
    community: Community,
) -> None:
    await community.add_group()
    await community.add_group(-1, name="seen early")
    await community.add_group(-2, name="kept")
    await community.good("create_rule", group_id=-2, rule=SPAM)
    assert await community.code("migrate", to_group_id=-2) == "CONFLICT"
    assert (await community.good("migrate", to_group_id=-1))["name"] == "Test"
    assert (await community.good("list_groups"))["total"] == 2
    await community.add_group(-3, owner="bob")
    assert await community.code("migrate", group_id=-2, to_group_id=-3) == "CONFLICT"


async def test_every_change_is_an_event_and_in_the_audit_trail(community: Community) -> None:
    await community.add_group()
    await community.good("create_role", role={"name": "mod", "permissions": []})
    await community.good("create_rule", rule=SPAM)
    await community.good("update_settings", changes={"language": "id"})
    await community.good("update_user", user_id=1, changes={"note": "x"})
    ids = await community.add_actions(2)
    await community.good("undo_actions", undo={"ids": ids, "moderator_id": 9})
    await community.good("delete_group")
    found = await events(community)
    assert [(one.what, one.deed) for one in found] == [
        ("group", "created"), ("role", "created"), ("rule", "created"), ("settings", "updated"), ("user", "updated"),
        ("action", "created"), ("action", "undone"), ("group", "deleted"),
    ]  # fmt: skip
    assert {one.subject for one in found} == {f"community.v1.{one.what}.{GROUP}" for one in found if one.group} | {
        "community.v1.user.all"
    }
    assert (found[6].first, found[6].last) == (3, 4)
    async with asyncio.timeout(20):
        while len(await audited(community)) < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await audited(community) == {
        "group_created", "role_created", "rule_created", "settings_updated", "user_updated", "group_deleted",
    }  # fmt: skip


async def audited(community: Community) -> set[str]:
    rows = await read_past(community.bus, streams.AUDIT, (">",), Start(sequence=1), limit=1000)
    return {AuditEvent.model_validate_json(row.payload).action for row in rows}


async def test_a_request_that_comes_again_changes_nothing_more(community: Community) -> None:
    group = {"group_id": GROUP, "name": "Test"}
    requests: tuple[tuple[str, dict[str, Any]], ...] = (
        ("create_group", {"group": group}),
        ("create_role", {"role": {"name": "mod", "permissions": []}}),
        ("create_rule", {"rule": SPAM}),
        ("create_action", {"action": {"kind": "ban", "user_id": 1, "moderator_id": 7}}),
        ("create_actions", {"bulk": {"actions": [{"kind": "ban", "user_id": 1, "moderator_id": 7}] * 3}}),
    )
    for verb, fields in requests:
        first = await community.good(verb, request_key="abc1", **fields)
        assert await community.good(verb, request_key="abc1", **fields) == first, verb
    assert (await community.good("list_actions"))["total"] == 4
    assert (await community.good("action_stats"))["total"] == 4
    assert (await community.good("list_rules"))["total"] == 1


async def test_numbers_have_no_gap_however_many_write_at_once(community: Community) -> None:
    await community.add_group()
    await asyncio.gather(*(community.add_actions(20) for _ in range(5)))
    items = [one for page in (1, 2) for one in (await community.good("list_actions", page=page, page_size=50))["items"]]
    assert [one["seq"] for one in items] == list(range(100, 0, -1))
    assert [one["at"] for one in items] == sorted((one["at"] for one in items), reverse=True)
    assert (await community.good("action_stats"))["total"] == 100


async def test_two_processes_never_answer_what_the_other_has_changed(
    community: Community, community_nats: NatsServer
) -> None:
    async with serving_community(community_nats.url, community.documents):  # requests go to either
        await community.add_group()
        for number in range(20):
            await community.good("update_group", changes={"name": f"Name {number}"})
            await community.good("update_settings", changes={"welcome": f"Hi {number}"})
            await community.good("update_user", user_id=1, changes={"note": str(number)})
            for _ in range(4):
                assert (await community.good("find_group"))["name"] == f"Name {number}"
                assert (await community.good("find_settings"))["welcome"] == f"Hi {number}"
                assert (await community.good("find_user", user_id=1))["note"] == str(number)


async def test_an_owner_sees_nothing_of_another(community: Community) -> None:
    await community.add_group()
    await community.good("create_role", role={"name": "mod", "permissions": []})
    rule = (await community.good("create_rule", rule=SPAM))["rule_id"]
    ids = await community.add_actions(2)
    await community.good("update_user", user_id=100, changes={"note": "secret"})
    await community.add_group(-5, owner="bob", name="Bob's")
    fields: dict[str, Any] = {
        "role": {"name": "x", "permissions": []}, "rule": SPAM, "rule_id": rule, "name": "mod", "user_id": 100,
        "changes": {}, "action": {"kind": "ban", "user_id": 1, "moderator_id": 7}, "bulk": {"actions": [{}]},
        "undo": {"ids": ids, "moderator_id": 9}, "to_group_id": -6,
        "refusals": {ids[0]: "why"}, "members": [{"user_id": 1, "at": iso(datetime.now(UTC)), "status": "left"}],
        "batch": "b", "seen": [{"at": iso(datetime.now(UTC)), "user_id": 1}],
    }  # fmt: skip
    asked = 0
    for command in COMMANDS:
        verb, request = command.verb, command.request
        if "group_id" in request.model_fields:
            given = {name: value for name, value in fields.items() if name in request.model_fields}
            given |= {"seen": fields["seen"][0]} if verb == "judge" else {}
            assert await community.code(verb, "bob", **given) == "NOT_FOUND", verb
            # nor by an id of his own group
            if "rule_id" in request.model_fields and verb != "list_actions":
                assert await community.code(verb, "bob", **{**given, "group_id": -5}) == "NOT_FOUND", verb
            asked += 1
    assert asked > 25
    assert await community.code("find_user", "bob", user_id=100) == "NOT_FOUND"
    assert [one["name"] for one in (await community.good("list_groups", "bob"))["items"]] == ["Bob's"]
    stranger = await community.good("undo_actions", "bob", group_id=-5, undo={"ids": ids, "moderator_id": 9})
    assert {one["result"] for one in stranger["results"]} == {"not_found"}
    assert await community.code("create_group", "bob", group={"group_id": GROUP, "name": "x"}) == "ALREADY_EXISTS"
    assert (await community.good("list_actions"))["total"] == 2


async def test_rules_judge_with_escalation_shadow_and_exemptions(community: Community) -> None:
    await community.add_group()
    steps = [{"after": 2, "kind": "ban"}]
    spam = {**SPAM, "penalty": {"kind": "mute", "duration_seconds": 60, "escalation": steps}}
    rule = (await community.good("create_rule", rule=spam))["rule_id"]
    await community.good("create_rule", rule={**SPAM, "name": "shadow", "shadow": True})
    now = iso(datetime.now(UTC))
    first = await community.good("judge", seen={"at": now, "user_id": 1, "text": "FREE money"})
    assert (first["act"]["penalty"], first["act"]["duration_seconds"], first["act"]["offence"]) == ("mute", 60, 1)
    assert [one["rule"] for one in first["shadow"]] == ["shadow"]
    action = {"kind": "mute", "user_id": 1, "moderator_id": 7, "rule_id": rule, "duration_seconds": 60}
    made = await community.good("create_action", action=action)
    second = await community.good("judge", seen={"at": now, "user_id": 1, "text": "free money"})
    assert (second["act"]["penalty"], second["act"]["offence"]) == ("ban", 2)
    await community.good("undo_actions", undo={"ids": [made["id"]], "moderator_id": 9})
    third = await community.good("judge", seen={"at": now, "user_id": 1, "text": "free money"})
    assert third["act"]["offence"] == 1  # what was taken back does not count
    await community.good("create_role", role={"name": "mod", "permissions": ["ban_members"]})
    await community.good("assign_role", name="mod", user_id=1)
    assert (await community.good("judge", seen={"at": now, "user_id": 1, "text": "free money"}))["act"] is None
    await community.good("update_user", user_id=2, changes={"trusted": True})
    assert (await community.good("judge", seen={"at": now, "user_id": 2, "text": "free money"}))["act"] is None
    await community.good("update_settings", changes={"moderation": {"blocklist": ["casino"]}})
    blocked = await community.good("judge", seen={"at": now, "user_id": 3, "text": "ca51no"})
    assert (blocked["act"]["penalty"], blocked["act"]["kind"]) == ("delete", "words")


async def test_two_processes_count_floods_and_raids_as_one(community: Community, community_nats: NatsServer) -> None:
    await community.add_group()
    flood = {"enabled": True, "messages": 9, "seconds": 60}
    raid = {"enabled": True, "joins": 20, "seconds": 60, "lock_seconds": 60}
    await community.good("update_settings", changes={"moderation": {"flood": flood, "raid": raid}})
    start = datetime.now(UTC)

    async def judge(number: int, **given: Any) -> dict[str, Any] | None:
        seen = {"at": iso(start + timedelta(seconds=number)), "key": f"{given['kind']}.{number}", **given}
        return (await community.good("judge", seen=seen))["act"]

    async with serving_community(community_nats.url, community.documents):
        messages = await asyncio.gather(*(judge(at, user_id=1, kind="message") for at in range(30)))
        assert sum(one is not None for one in messages) == 21  # each is counted once, and all of them together
        assert await judge(30, user_id=1, kind="message") is not None
        assert await judge(30, user_id=1, kind="message") is None  # what comes again is counted already
        joins = await asyncio.gather(*(judge(at, user_id=100 + at, kind="join") for at in range(40)))
        raided = [one for one in joins if one is not None]
        assert len(raided) == 21
        assert {one["penalty"] for one in raided} == {"mute"}
    async with serving_community(community_nats.url, community.documents):  # one that has just begun counts on
        last = await judge(41, user_id=200, kind="join")
        assert last is not None
        assert len(last["users"]) >= 20
        assert 200 in last["users"]


async def test_a_raid_goes_before_a_captcha(community: Community) -> None:
    await community.add_group()
    on = {"captcha": {"enabled": True}, "raid": {"enabled": True, "joins": 3}}
    await community.good("update_settings", changes={"moderation": on})
    now = iso(datetime.now(UTC))
    kinds = [
        (await community.good("judge", seen={"at": now, "user_id": user, "kind": "join"}))["act"]["kind"]
        for user in (1, 2, 3)
    ]
    assert kinds == ["captcha", "captcha", "raid"]


async def test_what_is_recorded_is_recorded_once_and_only_where_it_may(community: Community) -> None:
    await community.add_group()
    rule = (await community.good("create_rule", rule=SPAM))["rule_id"]
    now = datetime.now(UTC)
    seen = [{"at": iso(now - timedelta(minutes=number)), "user_id": 1, "text": "free money"} for number in range(500)]
    for batch in ("a", "a", "b"):
        assert (await community.good("record", batch=batch, seen=seen)) == {"recorded": 500}
    assert (await community.good("dry_run_rule", rule_id=rule))["matches"] == 1000
    await community.good("update_settings", changes={"record": False})
    assert (await community.good("record", batch="c", seen=seen)) == {"recorded": 0}
    assert (await community.good("dry_run_rule", rule_id=rule))["examined"] == 1000


async def test_what_could_not_be_published_is_published_later(community: Community) -> None:
    await community.add_group()
    store = Store(community.documents)
    groups = store.collection("groups")
    event = CommunityEvent(
        id="left.1", at=datetime.now(UTC), what="rule", deed="deleted", group="x", group_ids=[GROUP], key="y",
        owner="alice", actor="a",
    )  # fmt: skip
    left = {"$push": {"outbox": event.model_dump(mode="json")}, "$set": {"waiting": True}}
    await groups.update_one({"group_id": GROUP}, left)  # as a process leaves it that dies after its write
    async with asyncio.timeout(20):
        while "left.1" not in [one.id for one in await events(community)]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        while (await groups.find_one({"group_id": GROUP}) or {})["waiting"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await store.close()
