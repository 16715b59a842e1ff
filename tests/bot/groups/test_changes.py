"""What Telegram says of groups: the bot is added, a group has moved, members changed; and what `/doctor` finds."""

from __future__ import annotations

import httpx
import pytest

from tests.bot.groups.stage import BOT, Group, Stage

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


async def test_a_group_belongs_to_who_added_the_bot_where_they_administer_it(stage: Stage) -> None:
    group = await stage.group()
    assert (await group.ask("find_group"))["owner"] == f"telegram:{group.owner}"
    for status, whose in (("administrator", "theirs"), ("member", "the creator's")):
        other = Group(stage, -1_004_000_000_000 - len(whose), 900_000 + len(whose) * 10)
        await other.member(other.owner, "creator")
        adder = await other.new(status)
        await other.add_bot(adder)
        await other.until(other.is_managed)
        owner = adder if whose == "theirs" else other.owner
        assert (await other.ask("find_group"))["owner"] == f"telegram:{owner}"


async def test_a_group_that_another_manages_stays_theirs_and_is_served(stage: Stage) -> None:
    group = Group(stage, -1_004_100_000_001, 910_000)
    made = {"group_id": group.group_id, "name": "By a key"}
    await group.ask("create_group", owner="alice", group=made)
    await group.member(group.owner, "creator")
    await group.add_bot(group.owner)
    assert "is warned" in await group.say(f"/warn {await group.new()}")
    assert (await group.ask("find_group"))["owner"] == "alice"


async def test_a_group_that_becomes_a_supergroup_keeps_everything(stage: Stage) -> None:
    group = await stage.group(group_id=-400_001)
    eve, bob = await group.new(), await group.new()
    await group.say(f"/warn {eve} early")
    await group.say("/settings language id")
    await group.say("/role new mod restrict_members 5")
    await group.say(f"/role give mod {bob}")
    new = (await group.post("migrate"))["chat_id"]
    moved = Group(stage, new, group.base)

    async def has_moved() -> bool:
        return (await moved.ask("find_group")).get("group_id") == new

    await moved.until(has_moved)
    assert (await moved.ask("find_group"))["former_ids"] == [-400_001]
    assert [one["reason"] for one in await moved.log()] == ["early"]
    assert (await moved.ask("find_settings"))["language"] == "id"
    assert "Warnings: 2" in await moved.say(f"/warn {eve} late", by=bob)
    assert [one["group_id"] for one in (await moved.ask("list_groups", owner=f"telegram:{group.owner}"))["items"]] == [
        new
    ]


async def test_members_are_known_as_what_they_are(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    for status, known in (("kicked", "banned"), ("restricted", "restricted"), ("member", "member")):
        await group.member(eve, status)

        async def is_known(as_what: str = known) -> bool:
            return (await group.ask("user_stats", user_id=eve)).get("status") == as_what

        await group.until(is_known)


async def test_a_new_title_is_taken_on(stage: Stage) -> None:
    group = await stage.group()
    world = stage.server.world
    world.moment = stage.server.moment()
    chat = world.chats[group.group_id]
    chat.title = "Another name"
    message = world.post(chat, {"new_chat_title": "Another name"}, sender=world.users[group.owner])
    world.updates.add("message", message)

    async def is_called() -> bool:
        return (await group.ask("find_group"))["name"] == "Another name"

    await group.until(is_called)


async def test_the_doctor_names_each_missing_right_and_the_fix(stage: Stage) -> None:
    group = await stage.group()
    await group.member(BOT, "administrator", rights={"can_delete_messages": True, "can_invite_users": True})
    answer = await group.say("/doctor")
    for right in ("Ban users", "Pin messages", "Add new admins"):
        assert f"The right {right} is missing" in answer
    assert "Delete messages" not in answer
    assert "group settings, Administrators" in answer


async def test_the_doctor_names_privacy_mode(stage: Stage) -> None:
    group = await stage.group()
    await group.member(BOT, "member")
    answer = await group.say("/doctor")
    assert "I am no administrator" in answer
    assert "/setprivacy" in answer
    await stage.client.post("/test/settings", json={"privacy": False})
    assert "/setprivacy" not in await group.say("/doctor")
    await stage.client.post("/test/settings", json={"privacy": True})


async def test_the_doctor_names_a_log_channel_that_is_gone_or_closed(stage: Stage) -> None:
    group = await stage.group()
    channel = Group(stage, -1_005_000_000_001, group.base)
    await channel.post("chat", chat_type="channel", title="Log")
    await channel.member(group.owner, "creator")
    await group.say(f"/settings log {channel.group_id}")
    assert "All is well" in await group.say("/doctor")
    await channel.member(BOT, "administrator", rights={"can_manage_chat": True})
    assert "I may not write in the log channel Log" in await group.say("/doctor")
    await channel.post("chat", deleted=True)
    assert "The log channel -1005000000001 is deleted" in await group.say("/doctor")
    await group.say("/settings log off")
    assert "All is well" in await group.say("/doctor")


async def test_the_doctor_says_that_a_plain_group_is_no_supergroup(stage: Stage) -> None:
    group = await stage.group(group_id=-400_777)
    eve = await group.new()
    assert "This is no supergroup" in await group.say("/doctor")
    assert "in supergroups only" in await group.say(f"/mute {eve}")
    assert "was removed" in await group.say(f"/kick {eve}")


async def test_slow_mode_of_telegram_is_shown(stage: Stage) -> None:
    group = await stage.group(slow_mode_delay=60)
    assert "Telegram's own slow mode: 1 min" in await group.say("/slowmode")


async def test_in_private_the_commands_say_where_they_work(stage: Stage) -> None:
    client: httpx.AsyncClient = stage.client
    await client.post("/test/message", json={"chat_id": 77, "user_id": 77, "text": "/ban 5", "language_code": "id"})
    private = Group(stage, 77, 77, "id")
    assert "hanya untuk grup" in (await private.person(77).next({"sendMessage"}))["text"]
