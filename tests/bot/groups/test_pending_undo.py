"""An undo over the API while no bot runs: it says what is pending, and a bot that begins does it."""

from __future__ import annotations

import pytest

from runtime.servers.embedded import NatsServer
from tests.bot.groups.owner import api_owner, undo
from tests.bot.groups.stage import BOT, Group, staged
from tests.bot.groups.test_undo import muted

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


async def test_without_a_bot_it_is_pending_and_done_when_one_begins(
    groups_nats: NatsServer, documents_url: str
) -> None:
    async with staged(groups_nats, documents_url) as stage, api_owner(stage) as owner:
        group = Group(stage, -1_009_000_000_002, 991_000)
        await group.post("chat", title="Alone")
        await group.member(BOT, "administrator")
        await owner.add_group(group.group_id)
        (user,) = await muted(group, 1, None)
        (action,) = await group.log()
        found = await undo(owner, group, ids=[action["id"]])
        assert (found["undone"], found["pending"], found["results"][0]["result"]) == (0, 1, "pending")
        assert (await group.log())[0]["state"] == "done"

        async def is_undone() -> bool:
            return (await group.log(kind="mute"))[0]["state"] == "undone"

        async with stage.bot():
            await group.until(is_undone)
        assert stage.server.world.chats[group.group_id].members[user].status == "member"
        assert len(await group.did("restrictChatMember")) == 1
