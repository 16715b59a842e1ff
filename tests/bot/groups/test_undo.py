"""What was done is taken back: by id, by rule and time, hundreds at once; and a deed comes twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bot.groups.deeds import Deed, Deeds
from bot.groups.telegram import Telegram
from bot.simulator.model import PERMISSIONS, Member
from contracts.services.community.actions import Undo
from runtime.clients.command_client import CommandClient
from tests.bot.groups.stage import BOT, Group, Stage
from tests.bot.world import SENT

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]
RULE = {"kind": "words", "params": {"words": ["ads"]}, "penalty": {"kind": "mute"}}


async def muted(group: Group, count: int, rule_id: str | None, first: int = 100_000) -> list[int]:
    """Members who were muted, by a rule where one is named."""
    users = [group.base + first + number for number in range(count)]
    world = group.stage.server.world
    for user_id in users:
        user = world.user(user_id)
        world.chats[group.group_id].members[user_id] = Member(user, "restricted", dict.fromkeys(PERMISSIONS, False))
    actions = [{"kind": "mute", "user_id": one, "moderator_id": BOT, "rule_id": rule_id} for one in users]
    reply = await group.ask("create_actions", bulk={"actions": actions})
    assert reply["created"] == count
    return users


async def made_rule(group: Group, name: str) -> str:
    return (await group.ask("create_rule", rule={"name": name, **RULE}))["rule_id"]


@pytest.mark.parametrize("many", [60, pytest.param(500, marks=pytest.mark.long)])
async def test_hundreds_of_penalties_of_a_rule_are_taken_back(stage: Stage, many: int) -> None:
    group = await stage.group()
    rule, other = await made_rule(group, "no ads"), await made_rule(group, "no spam")
    users = await muted(group, many, rule)
    (spared,) = await muted(group, 1, other, 200_000)
    owner = group.person()
    owner.patience = 180  # each is carried out and logged
    assert f"Taking back {many}" in (await owner.say("/undo all mutes by rule no ads since 1h"))["text"]
    assert f"Taken back: {many}" in (await owner.next(SENT))["text"]
    members = stage.server.world.chats[group.group_id].members
    assert {members[one].status for one in users} == {"member"}
    assert members[spared].status == "restricted"
    assert len(await group.did("restrictChatMember")) == many
    stats = (await group.ask("action_stats"))["by_kind"]
    assert (stats["mute"], stats["unmute"]) == (many + 1, many)


async def test_a_rule_is_meant_by_its_number_and_a_time_by_its_clock(stage: Stage) -> None:
    group = await stage.group()
    rule = await made_rule(group, "no ads")
    await muted(group, 3, rule)
    later = f"{datetime.now(UTC).isoformat().replace('+00:00', 'Z')}"
    assert "Taken back: 0" in await group.say(f"/undo mutes rule 1 since {later}")
    assert "Taken back: 3" in await group.say("/undo mutes rule 1 since 00:00")
    assert "There is no rule 2" in await group.say("/undo rule 2 since 00:00")
    assert "Which?" in await group.say("/undo everything")


async def test_what_telegram_does_not_lift_stays_in_the_log(stage: Stage) -> None:
    group = await stage.group()
    users = await muted(group, 2, None)
    first, second = [one["id"] for one in await group.log()]
    stage.server.world.chats[group.group_id].members[users[1]] = Member(stage.server.world.users[users[1]], "creator")
    answer = await group.say(f"/undo {first} {second}")
    assert "Taken back: 1" in answer
    assert "an administrator of the group" in answer
    assert {one["id"]: one["state"] for one in await group.log(kind="mute")} == {first: "done", second: "undone"}
    assert len(await group.log(kind="unmute")) == 1


async def test_another_action_still_holds(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    first = await group.person().say(f"/mute {eve} first")
    await group.say(f"/mute {eve} second")
    assert "Held by another action still" in (await group.person().press(first, "↩️ Undo"))["text"]
    assert (await group.status(eve))["status"] == "restricted"
    assert "may write again" in await group.say(f"/unmute {eve}")
    assert (await group.status(eve))["status"] == "member"
    assert {one["state"] for one in await group.log(kind="mute")} == {"undone"}


async def test_only_who_may_promote_takes_a_promotion_back(stage: Stage) -> None:
    group = await stage.group()
    eve, bob = await group.new(), await group.new("administrator", rights={"can_restrict_members": True})
    answer = await group.person().say(f"/promote {eve}")
    changed = await group.person(bob).press(answer, "↩️ Undo")
    assert "Only who may add administrators" in changed["text"]
    assert (await group.status(eve))["status"] == "administrator"
    assert "is an administrator no more" not in changed["text"]
    await group.person().press(changed, "↩️ Undo")
    assert (await group.status(eve))["status"] == "member"


async def test_the_same_deed_again_is_done_and_logged_once(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    client = CommandClient(stage.bus)
    deeds = Deeds(client, Telegram(client))
    deed = Deed(kind="ban", group_id=group.group_id, user_id=eve, moderator_id=group.owner, key="message.7")
    outcomes = await asyncio.gather(*(deeds.do(deed) for _ in range(3)))
    assert {one.action.id for one in outcomes if one.action} == {(await group.log())[0]["id"]}
    assert len(await group.did("banChatMember")) == 1
    assert len(await group.log()) == 1
    undo = Undo(ids=[(await group.log())[0]["id"]], moderator_id=group.owner)
    assert (await deeds.undo(group.group_id, undo, "press.1")).undone == 1
    assert (await deeds.undo(group.group_id, undo, "press.1")).undone == 0
    assert len(await group.did("unbanChatMember")) == 1


async def test_what_telegram_does_not_do_in_time_is_not_logged(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    await stage.client.post(
        "/test/fail", json={"chat_id": group.group_id, "method": "banChatMember", "error": "400", "times": 1,
                            "description": "Bad Request: CHAT_ADMIN_REQUIRED"}
    )  # fmt: skip
    assert "I need the right" in await group.say(f"/ban {eve}")
    assert await group.log() == []
