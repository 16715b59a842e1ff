"""An undo over the API is done in Telegram by the bot, which marks it then; and what Telegram refuses is said."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from bot.simulator.model import Member
from tests.api.groups_world import Owner
from tests.bot.groups.owner import api_owner, undo
from tests.bot.groups.stage import Group, Stage
from tests.bot.groups.test_undo import made_rule, muted

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(stage: Stage) -> AsyncGenerator[Owner]:
    """The API, with a key that may manage the groups of `alice`."""
    async with api_owner(stage) as made:
        yield made


async def managed(stage: Stage, owner: Owner) -> Group:
    """A group that the key's owner manages, with the bot as its administrator."""
    group = await stage.group(added=lambda made: owner.add_group(made.group_id))
    assert (await group.ask("find_group"))["owner"] == "alice"
    return group


async def test_an_undo_over_the_api_lifts_in_telegram_and_marks_then(stage: Stage, owner: Owner) -> None:
    group = await managed(stage, owner)
    rule = await made_rule(group, "no ads")
    users = await muted(group, 3, rule)
    found = await undo(owner, group, rule_id=rule, kind="mute", reason="it was wrong")
    assert (found["undone"], found["pending"], found["more"]) == (3, 0, False)
    assert {one["result"] for one in found["results"]} == {"undone"}
    members = stage.server.world.chats[group.group_id].members
    assert {members[one].status for one in users} == {"member"}
    assert len(await group.did("restrictChatMember")) == 3
    assert {one["state"] for one in await group.log(kind="mute")} == {"undone"}
    lifted = await group.log(kind="unmute")
    assert {(one["reason"], one["moderator_id"]) for one in lifted} == {("it was wrong", group.owner)}
    again = await undo(owner, group, rule_id=rule, kind="mute")
    assert (again["undone"], again["pending"], again["results"]) == (0, 0, [])


async def test_what_telegram_refuses_stays_and_says_why(stage: Stage, owner: Owner) -> None:
    group = await managed(stage, owner)
    users = await muted(group, 2, None)
    ids = [one["id"] for one in await group.log()]
    world = stage.server.world
    world.chats[group.group_id].members[users[1]] = Member(world.users[users[1]], "creator")
    found = await undo(owner, group, ids=ids)
    assert (found["undone"], found["pending"]) == (1, 0)
    assert {one["user_id"]: one["result"] for one in found["results"]} == {users[0]: "undone", users[1]: "refused"}
    states = {one["user_id"]: (one["state"], one["refusal"]) for one in await group.log(kind="mute")}
    assert states[users[0]] == ("undone", None)
    assert states[users[1]][0] == "done"
    assert "administrator" in states[users[1]][1]
    world.chats[group.group_id].members[users[1]] = Member(world.users[users[1]], "restricted")
    assert (await undo(owner, group, ids=ids))["undone"] == 1  # it is asked again


async def test_warnings_are_taken_back_without_telegram(stage: Stage, owner: Owner) -> None:
    group = await managed(stage, owner)
    action = {"kind": "warn", "user_id": group.base + 7, "moderator_id": group.owner}
    made = await group.ask("create_action", action=action)
    assert (await undo(owner, group, ids=[made["id"]]))["undone"] == 1
    assert await group.did("restrictChatMember", "unbanChatMember") == []


async def test_where_the_chat_is_unknown_to_telegram_nothing_holds(stage: Stage, owner: Owner) -> None:
    group = Group(stage, -1_009_000_000_001, 990_000)
    await owner.add_group(group.group_id)
    actions = [{"kind": "ban", "user_id": group.base + 1, "moderator_id": group.owner}]
    made = await group.ask("create_actions", bulk={"actions": actions})
    found = await undo(owner, group, ids=[made["results"][0]["id"]])
    assert (found["undone"], found["pending"]) == (1, 0)
