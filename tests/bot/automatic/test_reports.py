"""Reports of members, the presses of moderators, and many penalties that are taken back at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bot.groups.deeds import Deeds
from bot.groups.telegram import Telegram
from bot.requests import PromptRequests
from contracts.services.community.actions import Undo
from runtime.clients.command_client import CommandClient
from tests.bot.automatic.world import OWNER, World, until

pytestmark = [pytest.mark.nats, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
SHOW = {"en": "✅ Show it again", "id": "✅ Tampilkan lagi"}
KEEP = {"en": "🗑 Keep it deleted", "id": "🗑 Biarkan terhapus"}
LANGUAGES = pytest.mark.parametrize("language", ["en", "id"])


@LANGUAGES
async def test_enough_members_hide_a_message_until_a_moderator_shows_it_again(groups: World, language: str) -> None:
    log = -1_001_777_777_777
    groups.do("chat", chat_id=log, chat_type="supergroup")
    group = await groups.group(language=language, log_channel_id=log)
    message = group.write(42, "buy <this> now", first_name="Ann")
    for reporter in (43, 43, 44):
        group.write(reporter, "/report spam", reply_to=message)
        await group.action(kind="report", user_id=42, moderator_id=reporter)
    assert group.has(message)  # who reports twice counts once
    assert (await group.action(moderator_id=43))["reason"] == "spam"
    group.write(45, "/report", reply_to=message)
    notice = await group.message("buy <this> now", chat_id=log)
    await until(lambda: not group.has(message), "the message is hidden")
    hidden = await group.action(kind="delete", user_id=42)
    assert hidden["reason"] == "reported by 3 members"
    label = SHOW[language]
    refused = await group.note(group.press(notice["message_id"], 43, label, chat_id=log))
    assert refused is not None
    await group.note(group.press(notice["message_id"], OWNER, label, chat_id=log))
    assert "buy <this> now" in (await group.message("buy <this> now"))["text"]
    decided = await until(lambda: group.sent("editMessageText", chat_id=log)[-1:], "the notice says who decided")
    assert "Ann" in decided[0]["text"]


@LANGUAGES
async def test_a_moderator_keeps_a_hidden_message_deleted(groups: World, language: str) -> None:
    group = await groups.group(language=language, moderation={"report_hides_after": 1})
    message = group.write(42, "rude words", first_name="Ann")
    group.write(43, "/report", reply_to=message)
    notice = await group.message("🚩 A message" if language == "en" else "🚩 Pesan")
    assert "rude words" not in notice["text"]  # everybody reads it here
    await group.note(group.press(notice["message_id"], OWNER, KEEP[language]))
    await until(lambda: group.sent("editMessageText"), "the notice says who decided")
    assert not any("rude words" in text for text in group.texts())
    assert not group.has(message)


async def test_administrators_are_not_reported_and_zero_hides_nothing(groups: World) -> None:
    group = await groups.group(moderation={"report_hides_after": 0})
    mine = group.write(OWNER, "my rules")
    group.write(43, "/report", reply_to=mine)
    await group.message("administrator's or my own")
    message = group.write(42, "hm")
    reporters = range(43, 73)
    for reporter in reporters:  # at once: each report is counted, whichever is written first
        group.write(reporter, "/report", reply_to=message)
    for reporter in reporters:
        await group.action(kind="report", moderator_id=reporter)
    assert group.has(message)
    assert group.has(mine)
    group.write(43, "/report")
    await group.message("Answer the message")


async def undo_penalties(groups: World, count: int) -> None:
    """Mute so many members by the bot's own rule, then take all of it back."""
    group = await groups.group(moderation={})
    rule = {"name": "spam", "kind": "words", "params": {"words": ["spam"]}}
    made = await groups.ask("create_rule", group.id, rule={**rule, "penalty": {"kind": "mute"}})
    begun = datetime.now(UTC).isoformat()
    members = range(5000, 5000 + count)
    for user_id in members:
        group.write(user_id, "spam")
    await until(lambda: all(group.status(one) == "restricted" for one in members), "all are muted", 300)
    deadline = asyncio.get_running_loop().time() + 120
    while (await groups.ask("list_actions", group.id, kind="mute"))["total"] < count:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.1)
    requests = PromptRequests(CommandClient(groups.bus), lambda: True)
    deeds = Deeds(requests, Telegram(requests))
    undo = Undo(rule_id=made["rule_id"], kind="mute", since=begun, moderator_id=OWNER)
    result = await deeds.undo(group.id, undo, f"undo.{group.id}")
    assert (result.undone, result.refused) == (count, {})
    assert all(group.status(one) == "member" for one in members)
    assert len(groups.server.world.limits.breaches) == 0


async def test_penalties_are_taken_back_within_telegrams_limits(groups: World) -> None:
    await undo_penalties(groups, 20)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_five_hundred_penalties_are_taken_back_within_telegrams_limits(groups: World) -> None:
    await undo_penalties(groups, 500)
