"""The group commands as people type them, in both languages: what is answered, done in Telegram, and logged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bot.groups.stage import BOT, Stage

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]
LANGUAGES = ("en", "id")
WORDS: tuple[tuple[str, str, str], ...] = (
    ("/warn {eve} spam", "is warned because of: spam", "diperingatkan karena: spam"),
    ("/warns {eve}", "Warnings of", "Peringatan"),
    ("/unwarn {eve}", "is taken back", "dicabut"),
    ("/mute {eve} 1d12h loud", "may not write for 36 h because of: loud", "tidak boleh menulis selama 36 h"),
    ("/unmute {eve}", "may write again", "boleh menulis lagi"),
    ("/approve {eve}", "is approved", "disetujui"),
    ("/unapprove {eve}", "is approved no more", "tidak disetujui lagi"),
    ("/promote {eve}", "is an administrator", "menjadi admin"),
    ("/demote {eve}", "is an administrator no more", "bukan admin lagi"),
    ("/kick {eve}", "was removed", "dikeluarkan"),
    ("/ban {eve} bad", "is banned because of: bad", "diblokir karena: bad"),
    ("/unban {eve}", "may come back", "boleh kembali"),
    ("/lock sticker photo", "may not send: photo sticker", "tidak boleh mengirim: photo sticker"),
    ("/unlock photo", "may not send: sticker", "tidak boleh mengirim: sticker"),
    ("/slowmode 30s", "once in 30 s", "sekali dalam 30 s"),
    ("/slowmode off", "no slow mode", "Tidak ada mode lambat"),
    ("/role new mod restrict_members 10", "The role mod is made", "Peran mod dibuat"),
    ("/role give mod {eve}", "has the role mod", "mendapat peran mod"),
    ("/role take mod {eve}", "has the role mod no more", "tidak lagi punya peran mod"),
    ("/role delete mod", "is deleted", "dihapus"),
    ("/settings", "Settings of this group", "Pengaturan grup ini"),
    ("/rules", "slow mode: deletion", "slow mode: penghapusan"),
    ("/stats", "Actions:", "Tindakan:"),
    ("/undo", "The newest actions", "Tindakan terbaru"),
    ("/doctor", "All is well", "Semua baik"),
)
DONE = (
    "restrictChatMember", "restrictChatMember", "promoteChatMember", "promoteChatMember", "unbanChatMember",
    "banChatMember", "unbanChatMember",
)  # fmt: skip
LOGGED = [
    "warn", "unwarn", "mute", "unmute", "approve", "unapprove", "promote", "demote", "kick", "ban", "unban",
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_command_says_what_it_does_and_does_it(stage: Stage, language: str) -> None:
    group = await stage.group()
    group.language = language
    eve = await group.new()
    for text, english, indonesian in WORDS:
        answer = await group.say(text.format(eve=eve))
        assert (english if language == "en" else indonesian) in answer, text
    acts = await group.did(*set(DONE))
    assert tuple(one["method"] for one in acts) == DONE
    assert [one["kind"] for one in reversed(await group.log())] == LOGGED
    assert {one["moderator_id"] for one in await group.log()} == {group.owner}
    assert {one["state"] for one in await group.log(kind="mute")} == {"undone"}
    assert (await group.ask("find_settings"))["moderation"]["locks"] == ["sticker"]
    (slow,) = (await group.ask("list_rules"))["items"]
    assert (slow["enabled"], slow["params"]["messages"], slow["params"]["seconds"]) == (False, 1, 30)


async def test_a_ban_is_undone_by_its_button(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    answer = await group.person().say("/ban 2h spam", reply_to=await group.write(eve, "buy my coin"))
    assert (await group.status(eve))["status"] == "kicked"
    (action,) = await group.log()
    assert (action["reason"], action["duration_seconds"], action["user_id"]) == ("spam", 7200, eve)
    changed = await group.person().press(answer, "↩️ Undo")
    assert "Taken back by" in changed["text"]
    assert (await group.status(eve))["status"] == "left"
    assert [one["kind"] for one in await group.log()] == ["unban", "ban"]
    assert changed["buttons"] == []


async def test_silent_forms_leave_no_trace_in_the_group(stage: Stage) -> None:
    group = await stage.group()
    for kind in ("ban", "kick", "mute", "warn"):
        eve = await group.new()
        command = await group.write(group.owner, f"/s{kind} {eve} spam")
        await group.until(lambda of=eve: group.log(user_id=of))
        assert await group.is_deleted(command)
        (action,) = await group.log(user_id=eve)
        assert (action["kind"], action["reason"]) == (kind, "spam")
    assert await group.did("sendMessage") == []


async def test_somebody_is_meant_by_name_mention_id_or_answer(stage: Stage) -> None:
    group = await stage.group()
    eve, bob, tom, ann = [await group.new() for _ in range(4)]
    await group.told(eve, "Eve_1234")
    assert f"tg://user?id={eve}" in await group.html("/warn @eve_1234 by name")
    entity = {"type": "text_mention", "offset": 6, "length": 9, "user": user(bob, "Bob Smith")}
    await group.say("/warn Bob Smith by mention", entities=[COMMAND, entity])
    await group.say(f"/warn {tom} by id")
    await group.say("/warn by answer", reply_to=await group.write(ann))
    found = {one["user_id"]: one["reason"] for one in await group.log(kind="warn")}
    assert found == {eve: "by name", bob: "by mention", tom: "by id", ann: "by answer"}
    assert "I have not seen @nobody_here" in await group.say("/ban @nobody_here")
    assert "Whom?" in await group.say("/ban")


async def test_a_time_that_telegram_cannot_keep_is_refused(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    assert "30 seconds up to 366 days" in await group.say(f"/mute {eve} 10s")
    assert "30 seconds up to 366 days" in await group.say(f"/ban {eve} 400d")
    assert "has no time" in await group.say(f"/kick {eve} 2h")
    assert await group.log() == []


async def test_who_is_protected(stage: Stage) -> None:
    group = await stage.group()
    admin = await group.new("administrator")
    assert "an administrator of the group" in await group.say(f"/ban {admin}")
    assert "Not to myself" in await group.say(f"/ban {BOT}")
    assert "Not to yourself" in await group.say(f"/mute {group.owner}")
    assert await group.log() == []
    assert await group.did("banChatMember", "restrictChatMember") == []


@pytest.mark.parametrize(("language", "words"), [("en", "I need the right Ban users"), ("id", "saya perlu hak Blokir")])
async def test_what_telegram_refuses_is_said_and_not_logged(stage: Stage, language: str, words: str) -> None:
    group = await stage.group()
    group.language = language
    eve = await group.new()
    await group.member(BOT, "administrator", rights={"can_delete_messages": True})
    assert words in plain(await group.say(f"/ban {eve} spam"))
    assert await group.log() == []
    assert (await group.status(eve))["status"] == "member"


async def test_messages_are_pinned_unpinned_and_purged(stage: Stage) -> None:
    group = await stage.group()
    eve = await group.new()
    numbers = [await group.write(eve, f"message {at}") for at in range(4)]
    pinned = await group.person().say("/pin", reply_to=numbers[0])
    assert (await group.chat())["pinned"] == [numbers[0]]
    await group.person().press(pinned, "↩️ Undo")
    assert (await group.chat())["pinned"] == []
    await group.say("/pin loud", reply_to=numbers[1])
    await group.say("/unpin", reply_to=numbers[1])
    assert (await group.chat())["pinned"] == []
    assert "Answer the message" in await group.say("/purge")
    assert "are deleted" in await group.say("/purge", reply_to=numbers[1])
    left = {one["message_id"] for one in (await group.chat())["messages"]}
    assert left & set(numbers) == {numbers[0]}
    assert [one["kind"] for one in await group.log()] == ["delete", "unpin", "pin", "unpin", "pin"]


async def test_a_purge_in_a_topic_spares_the_others(stage: Stage) -> None:
    group = await stage.group(topics=[7, 8])
    eve = await group.new()
    numbers = [await group.write(eve, f"message {at}", thread_id=(7, 8)[at % 2]) for at in range(6)]
    answer = await group.person().say("/purge", reply_to=numbers[0], thread_id=7)
    assert answer["thread_id"] == 7
    left = {one["message_id"] for one in (await group.chat())["messages"]}
    assert left & set(numbers) == set(numbers[1::2])


async def test_an_answer_goes_into_the_topic_of_the_question(stage: Stage) -> None:
    group = await stage.group(topics=[7])
    eve = await group.new()
    answer = await group.person().say(f"/warn {eve}", thread_id=7)
    assert answer["thread_id"] == 7
    assert (await group.person().say(f"/warn {eve}"))["thread_id"] is None
    assert "Whom?" in await group.say("/ban", thread_id=7)  # the beginning of the topic is nobody's message


async def test_somebody_who_asked_to_join_is_let_in(stage: Stage) -> None:
    group = await stage.group()
    eve = group.base + 7
    await group.post("join_request", user_id=eve)
    assert "is approved" in await group.say(f"/approve {eve}")
    assert (await group.status(eve))["status"] == "member"
    assert (await group.ask("permissions", user_id=eve))["roles"] == ["approved"]


async def test_actions_are_reported_in_the_log_channel(stage: Stage) -> None:
    group = await stage.group()
    eve, log = await group.new(), await stage.group(group_id=-1_002_000_000_001)
    foreign = await stage.group()
    await log.member(group.owner, "administrator")
    assert "no administrator of that chat" in await group.say(f"/settings log {foreign.group_id}")
    await group.say(f"/settings log {log.group_id}")
    await group.say(f"/mute {eve} 1h spam")
    row = await log.person().next({"sendMessage"})
    assert "may not write for 1 h because of: spam (by" in row["text"]


COMMAND = {"type": "bot_command", "offset": 0, "length": 5}


def user(user_id: int, name: str) -> dict[str, Any]:
    return {"id": user_id, "is_bot": False, "first_name": name}


def plain(text: str) -> str:
    return text.replace("<b>", "").replace("</b>", "")
