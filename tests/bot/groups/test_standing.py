"""Who somebody is in a group: roles, Telegram's administrators, anonymous ones, channels, and when that changes."""

from __future__ import annotations

import pytest

from tests.bot.groups.stage import BOT, Group, Stage

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]
MODERATOR = {"name": "moderator", "permissions": ["restrict_members"], "priority": 10}


async def with_moderator(stage: Stage) -> tuple[Group, int, int]:
    """A group, a member who moderates by a role of it, and one who has none."""
    group = await stage.group()
    bob, eve = await group.new(), await group.new()
    await group.ask("create_role", role=MODERATOR)
    await group.ask("assign_role", name="moderator", user_id=bob)
    return group, bob, eve


async def test_a_role_lets_a_member_do_what_it_names_and_no_more(stage: Stage) -> None:
    group, bob, eve = await with_moderator(stage)
    assert "may not write" in await group.say(f"/mute {eve}", by=bob)
    assert "It needs: ban members" in await group.say(f"/ban {eve}", by=bob)
    assert [one["moderator_id"] for one in await group.log()] == [bob]
    await group.ask("unassign_role", name="moderator", user_id=bob)
    assert "It needs: restrict members" in await group.say(f"/mute {eve}", by=bob)


async def test_moderators_of_one_rank_leave_each_other_alone(stage: Stage) -> None:
    group, bob, eve = await with_moderator(stage)
    await group.ask("assign_role", name="moderator", user_id=eve)
    assert "ranks as high" in await group.say(f"/mute {eve}", by=bob)
    await group.ask("create_role", role={"name": "chief", "permissions": ["restrict_members"], "priority": 20})
    await group.ask("assign_role", name="chief", user_id=bob)
    assert "may not write" in await group.say(f"/mute {eve}", by=bob)


async def test_a_muted_moderator_moderates_no_more(stage: Stage) -> None:
    group, bob, eve = await with_moderator(stage)
    await group.member(bob, "restricted", rights={"can_send_messages": True})
    assert "It needs: restrict members" in await group.say(f"/mute {eve}", by=bob)


async def test_nobody_hands_out_more_than_they_have(stage: Stage) -> None:
    group, bob, eve = await with_moderator(stage)
    await group.ask("create_role", role={"name": "hr", "permissions": ["manage_roles"], "priority": 5})
    await group.ask("assign_role", name="hr", user_id=bob)
    assert "what you have not: ban_members" in await group.say("/role new boss ban_members 1", by=bob)
    assert "ranks as high" in await group.say(f"/role give moderator {eve}", by=bob)
    assert "has the role hr" in await group.say(f"/role give hr {eve}", by=bob)
    assert "Telegram's right to add administrators" in await group.say(f"/promote {eve}", by=bob)


async def test_promotion_gives_no_more_than_who_promotes_has(stage: Stage) -> None:
    group = await stage.group()
    rights = {"can_manage_chat": True, "can_promote_members": True, "can_pin_messages": True}
    bob, eve = await group.new("administrator", rights=rights), await group.new()
    await group.say(f"/promote {eve}", by=bob)
    given = {name for name, value in (await group.status(eve)).items() if value is True and name.startswith("can_")}
    assert given == {"can_manage_chat", "can_pin_messages"}


async def test_who_is_demoted_is_refused_at_once(stage: Stage) -> None:
    group = await stage.group()
    bob, eve = await group.new("administrator"), await group.new()
    assert "is warned" in await group.say(f"/warn {eve}", by=bob)
    await group.member(bob, "member")
    assert "You may not do that" in await group.say(f"/warn {eve}", by=bob)
    await group.member(bob, "administrator", rights={"can_restrict_members": True})
    assert "is warned" in await group.say(f"/warn {eve}", by=bob)


async def test_an_anonymous_administrator_may_do_what_each_of_them_may(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    one = await group.new("administrator", rights={"can_restrict_members": True}, is_anonymous=True)
    assert "is warned" in await group.say(f"/warn {eve}", by=one)
    assert [action["moderator_id"] for action in await group.log()] == [1087968824]
    await group.new("administrator", rights={"can_pin_messages": True}, is_anonymous=True)
    answer = await group.say(f"/warn {eve}", by=one)
    assert "You may not do that" in answer
    assert "Write as yourself" in answer
    await group.member(
        one, "administrator", rights={"can_restrict_members": True}, is_anonymous=True, custom_title="Warden"
    )
    assert "is warned" in await group.say(f"/warn {eve}", by=one)


async def test_channels_are_recognised(stage: Stage) -> None:
    group = await stage.group(linked_chat_id=-1_003_000_000_001)
    eve = await group.new()
    for channel in (-1_003_000_000_001, -1_003_000_000_002):
        assert "You may not do that" in await group.say(f"/ban {eve}", by=eve, sender_chat_id=channel)
    said = await group.write(eve, "an advertisement", sender_chat_id=-1_003_000_000_002)
    assert "is banned" in await group.say("/ban spam", reply_to=said)
    (row,) = await group.did("banChatSenderChat")
    assert row["sender_chat_id"] == -1_003_000_000_002
    assert [one["user_id"] for one in await group.log()] == [-1_003_000_000_002]
    await group.say("/unban -1003000000002")
    assert len(await group.did("unbanChatSenderChat")) == 1


async def test_others_may_not_command_the_bot_itself(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    assert (await group.ask("permissions", user_id=BOT))["roles"] == []
    assert "Not to myself" in await group.say(f"/demote {BOT}")
    assert "You may not do that" in await group.say(f"/demote {BOT}", by=eve)
