"""Rules that act by themselves, in both languages: what is deleted, who is muted, what is said, logged and undone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

import pytest
from telegram import User

from bot.groups.people import People
from contracts.services.community.groups import GroupResponse
from tests.bot.automatic.world import OWNER, World, until

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
SPAM = {"name": "no spam", "kind": "words", "params": {"words": ["free money"]}, "penalty": {"kind": "warn"}}
LINKS = {"name": "no links", "kind": "links", "params": {}, "penalty": {"kind": "mute", "duration_seconds": 3600}}
SHOUT = {"name": "calm", "kind": "custom", "params": {"capitals_percent": 90}, "penalty": {"kind": "kick"}}
FLOOD = {"flood": {"enabled": True, "messages": 3, "seconds": 60}}
EN, ID = "en", "id"


@pytest.mark.parametrize(("language", "said"), [(EN, "for too many messages"), (ID, "karena terlalu banyak pesan")])
async def test_a_flood_is_muted_said_and_logged_and_can_be_undone(groups: World, language: str, said: str) -> None:
    group = await groups.group(language=language, moderation=FLOOD)
    for number in range(3):
        group.write(42, f"hello {number}", first_name="Ann")
    group.write(43, "one of another", first_name="Bob")
    last = group.write(42, "and one more")
    text = (await group.message("Ann"))["text"]
    assert said in text
    assert "5 min" in text
    await until(lambda: not group.has(last), "the message that was too much is deleted")
    assert group.status(42) == "restricted"
    action = await group.action(kind="mute", user_id=42)
    assert (action["reason"], action["duration_seconds"]) == ("4 messages within 60 s", 300)
    assert group.status(43) == "member"
    await groups.ask("undo_actions", group.id, undo={"ids": [action["id"]], "moderator_id": OWNER})
    assert (await group.action(id=action["id"]))["state"] == "undone"


async def test_what_was_written_first_counts_first_though_its_author_is_looked_up_for_longer(
    groups: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = await groups.group(moderation=FLOOD)
    look_up, waits = People.saw, [0.5]

    async def look_up_slowly(people: People, group: GroupResponse, users: Iterable[User], at: datetime) -> None:
        await asyncio.sleep(waits.pop() if waits else 0.0)
        await look_up(people, group, users, at)

    monkeypatch.setattr(People, "saw", look_up_slowly)
    written = [group.write(42, f"hello {number}", first_name="Ann") for number in range(4)]
    await until(lambda: not all(map(group.has, written)), "one too many is deleted")
    assert [group.has(one) for one in written] == [True, True, True, False]


@pytest.mark.parametrize(
    ("language", "said"),
    [(EN, "for a word that is not allowed here"), (ID, "karena kata yang tidak diizinkan di sini")],
)
async def test_a_word_is_found_behind_letters_that_look_alike(groups: World, language: str, said: str) -> None:
    group = await groups.group(language=language)
    rule = await groups.ask("create_rule", group.id, rule=SPAM)
    message = group.write(42, "FRЕЕ m0nеу", first_name="Ann")  # noqa: RUF001 - Cyrillic letters
    assert said in (await group.message("Ann"))["text"]
    action = await group.action(kind="warn", user_id=42)
    assert (action["rule_id"], action["reason"]) == (rule["rule_id"], "the word free money")
    assert not group.has(message)


@pytest.mark.parametrize(
    ("language", "said"),
    [(EN, "for a link that is not allowed here"), (ID, "karena tautan yang tidak diizinkan di sini")],
)
async def test_a_link_mutes_who_may_not_post_any_and_nobody_else(groups: World, language: str, said: str) -> None:
    group = await groups.group(language=language, member_permissions=[])
    await groups.ask("create_rule", group.id, rule=LINKS)
    await groups.ask("create_role", group.id, role={"name": "poster", "permissions": ["post_links"]})
    await groups.ask("assign_role", group.id, name="poster", user_id=43)
    kept = [group.write(one, "see https://example.org/x") for one in (OWNER, 43)]
    gone = group.write(42, "see https://example.org/x", first_name="Ann")
    assert said in (await group.message("Ann"))["text"]
    await until(lambda: not group.has(gone), "the link is deleted")
    assert all(group.has(one) for one in kept)
    assert (group.status(42), group.status(43), group.status(OWNER)) == ("restricted", "member", "creator")
    assert {one["user_id"] for one in await group.actions()} == {42}


async def test_an_edited_message_is_looked_at_again(groups: World) -> None:
    group = await groups.group(moderation={"blocklist": ["casino"]})
    message = group.write(42, "good morning", first_name="Ann")
    groups.do("edit", chat_id=group.id, message_id=message, text="ca51no tonight")
    action = await group.action(kind="delete", user_id=42)
    assert action["reason"] == "the word casino"
    await until(lambda: not group.has(message), "the message is deleted")
    assert group.texts() == []  # a deletion is not said: it would repeat what it deletes


async def test_locked_media_are_deleted(groups: World) -> None:
    group = await groups.group(moderation={"locks": ["photo"]}, member_permissions=[])
    message = group.write(42, "look", photo=True)
    assert (await group.action(kind="delete", user_id=42))["reason"] == "media: photo"
    await until(lambda: not group.has(message), "the picture is deleted")


@pytest.mark.parametrize(("language", "said"), [(EN, "for the rule “calm”"), (ID, "karena aturan “calm”")])
async def test_a_rule_of_the_groups_own_acts_and_one_in_shadow_is_only_logged(
    groups: World, language: str, said: str
) -> None:
    group = await groups.group(language=language)
    await groups.ask("create_rule", group.id, rule={**SPAM, "name": "shadow", "shadow": True})
    kept = group.write(43, "free money for you", first_name="Bob")
    shadow = await group.action(kind="warn", user_id=43)
    assert (shadow["state"], shadow["reason"]) == ("shadow", "the word free money")
    assert group.has(kept)
    await groups.ask("create_rule", group.id, rule=SHOUT)
    group.write(42, "THIS IS VERY LOUD INDEED", first_name="Ann")
    assert said in (await group.message("Ann"))["text"]
    assert group.status(42) == "left"
    assert (await group.action(kind="kick", user_id=42))["state"] == "done"
    assert not any("Bob" in text for text in group.texts())


async def test_administrators_the_group_itself_and_its_channel_are_never_judged(groups: World) -> None:
    group = await groups.group(moderation={"blocklist": ["casino"]})
    groups.do("member", chat_id=group.id, user_id=50, status="administrator", is_anonymous=True)
    groups.do("member", chat_id=group.id, user_id=51, status="administrator", rights={"can_manage_chat": True})
    channel = group.id - 500
    groups.do("chat", chat_id=group.id, linked_chat_id=channel)
    kept = [group.write(one, "casino") for one in (OWNER, 50, 51)]
    kept.append(group.write(52, "casino", sender_chat_id=channel))
    gone = group.write(42, "casino")
    await group.action(kind="delete", user_id=42)
    await until(lambda: not group.has(gone), "the member's message is deleted")
    assert all(group.has(one) for one in kept)
    assert len(await group.actions()) == 1


async def test_an_unmanaged_group_is_left_alone_and_messages_are_recorded_in_a_managed_one(groups: World) -> None:
    chat_id = -1_001_999_999_999
    groups.do("chat", chat_id=chat_id, chat_type="supergroup")
    groups.do("message", chat_id=chat_id, user_id=42, text="casino")
    group = await groups.group()
    rule = await groups.ask("create_rule", group.id, rule={**SPAM, "enabled": False})
    for number in range(5):
        group.write(42, f"free money {number}")

    async def matches() -> int:
        return (await groups.ask("dry_run_rule", group.id, rule_id=rule["rule_id"]))["matches"]

    async with asyncio.timeout(30):
        while await matches() < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert not [one for one in groups.server.world.sent if one["chat_id"] == chat_id]


async def test_an_answer_goes_to_the_topic_of_the_message_and_the_log_to_its_own(groups: World) -> None:
    log = -1_001_888_888_888
    groups.do("chat", chat_id=log, chat_type="supergroup", topics=[7])
    group = await groups.group(log_channel_id=log, log_thread_id=7)
    await groups.ask("create_rule", group.id, rule=SPAM)
    group.write(42, "free money", thread_id=5, first_name="Ann")
    assert (await group.message("Ann"))["thread_id"] == 5
    logged = await group.message("warned", chat_id=log)
    assert logged["thread_id"] == 7
    assert "the word free money" in logged["text"]


async def test_a_rule_escalates_and_what_it_did_is_undone_in_the_group(groups: World) -> None:
    group = await groups.group()
    steps = [{"after": 2, "kind": "ban", "duration_seconds": 86_400}]
    await groups.ask("create_rule", group.id, rule={**SPAM, "penalty": {"kind": "warn", "escalation": steps}})
    group.write(42, "free money", first_name="Ann")
    await group.action(kind="warn", user_id=42)
    group.write(42, "free money again")
    ban = await group.action(kind="ban", user_id=42)
    assert ban["duration_seconds"] == 86_400
    assert group.status(42) == "kicked"


@pytest.mark.parametrize(("language", "said"), [(EN, "may write once in 1"), (ID, "boleh menulis sekali dalam 1")])
async def test_a_slow_mode_lets_one_message_of_a_member_through_in_so_many_seconds(
    groups: World, language: str, said: str
) -> None:
    group = await groups.group(language=language, moderation={"blocklist": ["casino"]})
    group.write(OWNER, "/slowmode 1s", language_code=language)
    await group.message(said)
    beginning = groups.server.moment().date
    await until(lambda: groups.server.moment().date > beginning, "a second begins")
    first, second = group.write(42, "one"), group.write(42, "two")
    others = [group.write(43, "of another"), group.write(OWNER, "of mine"), group.write(OWNER, "and one more")]
    await until(lambda: not group.has(second), "what came too early is deleted")
    assert (await group.action(kind="delete", user_id=42))["reason"] == "2 messages within 1 s"
    now = groups.server.moment().date
    await until(lambda: groups.server.moment().date > now + 1, "the second is over")
    third, fourth = group.write(42, "three"), group.write(42, "four")
    await until(lambda: not group.has(fourth), "what came too early again is deleted")
    assert all(group.has(one) for one in (first, third, *others))
    group.write(OWNER, "/slowmode off", language_code=language)
    await group.message("no slow mode" if language == EN else "Tidak ada mode lambat")
    kept = [group.write(42, "five"), group.write(42, "six")]
    last = group.write(42, "casino")  # judged after those
    await until(lambda: not group.has(last), "what is not allowed is deleted")
    assert all(group.has(one) for one in kept)
