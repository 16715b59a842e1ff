"""Newcomers: questions by button and by sum, requests to join, raids, welcomes and goodbyes, in both languages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.groups.automatic.context import Context
from bot.groups.automatic.core import Board, Pending, Raid, StateModel
from bot.groups.automatic.kept import Kept, board_key, captcha_key, raid_key
from contracts.services.community.rules import Seen, Verdict
from tests.bot.automatic.world import OWNER, Group, World, until

pytestmark = [pytest.mark.nats, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
PERSON = {"en": "✅ I am a person", "id": "✅ Saya manusia"}
SUM = {"en": "❓ My sum", "id": "❓ Soal saya"}
ASKS = {"en": "press the button within 2 min", "id": "tekan tombol dalam 2 min"}
FOR_NEW = {"en": "for those who have just joined", "id": "untuk yang baru bergabung"}
BUTTON = {"captcha": {"enabled": True}}
SUMS = {"captcha": {"enabled": True, "kind": "sum"}}
LANGUAGES = pytest.mark.parametrize("language", ["en", "id"])


def read_sum(note: str | None) -> tuple[int, int]:
    words = (note or "").removesuffix(" = ?").split()
    return int(words[-3]), int(words[-1])


async def held(group: Group, user_id: int) -> None:
    await until(lambda: group.status(user_id) == "restricted", f"{user_id} is held back")
    await group.action(kind="mute", user_id=user_id)


@LANGUAGES
async def test_a_newcomer_may_write_after_pressing_the_button_and_is_welcomed(groups: World, language: str) -> None:
    welcome = "Hi {mention}, you are number {count} in {group} <3\n{rules}"
    group = await groups.group(language=language, moderation=BUTTON, welcome=welcome)
    await groups.ask(
        "create_rule",
        group.id,
        rule={"name": "be kind", "kind": "links", "params": {}, "penalty": {"kind": "warn"}},
    )
    group.join(42, first_name="Ann & Co")
    question = await group.message("Ann")
    assert ASKS[language] in question["text"]
    await held(group, 42)
    assert FOR_NEW[language] in (await group.note(group.press(question["message_id"], OWNER, PERSON[language])) or "")
    await group.note(group.press(question["message_id"], 42, PERSON[language]))
    await until(lambda: group.status(42) == "member", "the newcomer may write")
    text = (await group.message("Hi "))["text"]
    assert text == "Hi Ann & Co, you are number 3 in Traders <3\n• be kind"
    mute = await group.action(kind="mute", user_id=42)
    assert (mute["state"], mute["reason"]) == ("undone", "captcha: button within 120 s")
    await until(lambda: not group.has(question["message_id"]), "the question is taken away")


@LANGUAGES
async def test_a_sum_has_to_be_right_within_three_answers(groups: World, language: str) -> None:
    group = await groups.group(language=language, moderation=SUMS)
    group.join(42, first_name="Ann")
    group.join(43, first_name="Bob")
    question = await group.message("👋")
    at = question["message_id"]
    for user_id in (42, 43):
        await held(group, user_id)
    first, second = read_sum(await group.note(group.press(at, 42, SUM[language])))
    wrong = 2 if first + second != 2 else 3
    note = await group.note(group.press(at, 42, str(wrong)))
    first, second = read_sum(note)
    await group.note(group.press(at, 42, str(first + second)))
    await until(lambda: group.status(42) == "member", "the right sum lets in")
    for _ in range(3):
        first, second = read_sum(await group.note(group.press(at, 43, SUM[language])))
        await group.note(group.press(at, 43, str(2 if first + second != 2 else 3)))
    kick = await group.action(kind="kick", user_id=43)
    assert kick["reason"] == "captcha: three wrong answers"
    assert group.status(43) == "left"
    assert len(group.texts()) == 1  # one question for both


async def test_who_does_not_answer_in_time_is_removed_and_may_come_back(groups: World) -> None:
    group = await groups.group(moderation=BUTTON)
    group.join(42)
    await held(group, 42)
    groups.clock.by += 121
    kick = await group.action(kind="kick", user_id=42)
    assert kick["reason"] == "captcha: not answered in time"
    assert group.status(42) == "left"
    group.join(42)
    await held(group, 42)


async def test_a_bot_that_begins_again_goes_on_with_who_has_to_answer(groups: World) -> None:
    group = await groups.group(moderation=BUTTON)
    group.join(42)
    question = await group.message()
    await held(group, 42)
    async with groups.bot():  # a second one, which takes the updates from now on
        await group.note(group.press(question["message_id"], 42, PERSON["en"]))
        await until(lambda: group.status(42) == "member", "the second bot lets in")
        assert len(group.sent("restrictChatMember")) == 2  # held back once, let in once
    await until(lambda: groups.server.polling, "the first bot takes updates again")


async def test_who_is_exempt_or_brought_by_an_administrator_is_not_asked(groups: World) -> None:
    group = await groups.group(moderation=BUTTON)
    await groups.ask("create_role", group.id, role={"name": "friend", "permissions": ["bypass_captcha"]})
    await groups.ask("assign_role", group.id, name="friend", user_id=43)
    group.join(43)
    group.join(44)
    await held(group, 44)
    assert group.status(43) == "member"
    assert {one["user_id"] for one in await group.actions()} == {44}


@LANGUAGES
async def test_who_asks_to_join_is_asked_in_private_and_then_let_in_without_another_question(
    groups: World, language: str
) -> None:
    group = await groups.group(language=language, moderation=BUTTON, welcome="Hello {name}!")
    groups.do("join_request", chat_id=group.id, user_id=1042, first_name="Ann")
    question = await group.message("Traders", chat_id=1042)
    assert group.status(1042) == "left"
    await group.note(group.press(question["message_id"], 1042, PERSON[language], chat_id=1042))
    await until(lambda: group.status(1042) == "member", "the request is approved")
    await group.message("Hello Ann!")
    assert len(group.sent("restrictChatMember")) == 0
    closed = await until(lambda: group.sent("editMessageText", chat_id=1042), "the question is closed")
    assert "Traders" in closed[0]["text"]


async def test_a_request_without_an_answer_is_declined(groups: World) -> None:
    group = await groups.group(moderation=BUTTON)
    groups.do("join_request", chat_id=group.id, user_id=1043)
    await group.message("Traders", chat_id=1043)
    groups.clock.by += 121
    await until(lambda: group.sent("declineChatJoinRequest"), "the request is declined")
    assert (await group.action(kind="captcha", user_id=1043))["reason"] == "captcha: not answered in time"


async def test_requests_wait_for_moderators_where_no_rule_says_otherwise(groups: World) -> None:
    group = await groups.group(moderation={"captcha": {"enabled": True, "join_requests": False}})
    groups.do("join_request", chat_id=group.id, user_id=1044)
    group.join(45)
    await held(group, 45)
    assert not group.sent("approveChatJoinRequest", "declineChatJoinRequest")
    assert not group.texts(chat_id=1044)


@LANGUAGES
async def test_welcome_and_goodbye_stand_in_their_topic(groups: World, language: str) -> None:
    group = await groups.group(language=language, welcome="Hi {name}", goodbye="Bye {name}", welcome_thread_id=9)
    groups.do("chat", chat_id=group.id, topics=[9])
    group.join(42, first_name="<Ann>")
    assert (await group.message("Hi"))["thread_id"] == 9
    groups.do("leave", chat_id=group.id, user_id=42)
    bye = await group.message("Bye")
    assert (bye["text"], bye["thread_id"]) == ("Bye <Ann>", 9)
    assert len(group.texts()) == 2  # each once, though Telegram says it in two updates


def raiding(joins: int = 20, lock_seconds: int = 300, **more: object) -> dict[str, object]:
    return {"raid": {"enabled": True, "joins": joins, "seconds": 60, "lock_seconds": lock_seconds}, **more}


@LANGUAGES
async def test_a_raid_is_said_once_holds_everybody_back_and_ends_by_itself(groups: World, language: str) -> None:
    group = await groups.group(language=language, moderation=raiding(5), welcome="Hi {name}")
    for user_id in range(101, 161):
        group.join(user_id)
    await until(lambda: all(group.status(one) == "restricted" for one in range(101, 161)), "all are held back", 90)
    notice = await group.message("🛡")
    assert ("Raid mode" if language == "en" else "Mode serbuan") in notice["text"]
    for user_id in range(101, 106):
        await group.note(group.press(notice["message_id"], user_id, PERSON[language]))
    await until(lambda: all(group.status(one) == "member" for one in range(101, 106)), "people get in", 90)
    assert len([text for text in group.texts() if "🛡" in text]) == 1
    assert len(group.texts()) - len([text for text in group.texts() if "Hi" in text]) == 1
    mutes = await group.actions(kind="mute")
    assert {one["user_id"] for one in mutes} == set(range(101, 161))
    assert all(one["reason"].endswith("joins within 60 s") for one in mutes)
    groups.clock.by += 301
    over = await until(lambda: group.sent("editMessageText"), "the notice says that it is over")
    assert ("Raid mode is over" if language == "en" else "Mode serbuan berakhir") in over[0]["text"]
    assert not group.sent("banChatMember")
    group.write(OWNER, "/raid")
    await group.message("Raid mode is off")


async def test_moderators_begin_and_end_a_raid_and_members_do_not(groups: World) -> None:
    group = await groups.group()
    group.write(42, "/raid 15m")
    await group.message("administrators")
    group.write(OWNER, "/raid")
    await group.message("Raid mode is off")
    group.write(OWNER, "/raid 15m")
    await group.message("on until")
    notice = await group.message("🛡 Raid mode. ")
    group.join(43)
    await held(group, 43)
    raid = await group.action(kind="raid")
    assert (raid["moderator_id"], raid["duration_seconds"]) == (OWNER, 900)
    await group.note(group.press(notice["message_id"], 43, PERSON["en"]))
    await until(lambda: group.status(43) == "member", "a person gets in")
    group.write(OWNER, "/raid off")
    await until(lambda: group.sent("editMessageText"), "the notice says that it is over")
    group.join(44)
    group.write(OWNER, "/raid 5s")
    await group.message("from 1 minute")
    assert group.status(44) == "member"


async def test_a_raid_is_said_and_ended_whatever_else_is_written_meanwhile(
    groups: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = await groups.group()
    beside, find = Kept(groups.bus), Kept.find
    raced = list[str]()

    async def find_then_lose(self: Kept, key: str, kind: type[Any]) -> tuple[Any, int]:
        """Another bot writes what this one has just read, once for each purpose."""
        state, revision = await find(self, key, kind)
        if key == board_key(group.id) and "question" not in raced:
            raced.append("question")
            await beside.put(key, Board(at=1.0), revision)
        if key == raid_key(group.id) and state is not None and raced[-1] == "off":
            raced.append("prolonged")
            await beside.put(key, state.model_copy(update={"until": state.until + 1}), revision)
        return state, revision

    monkeypatch.setattr(Kept, "find", find_then_lose)
    group.write(OWNER, "/raid 15m")
    await group.message("🛡 Raid mode. ")
    await group.message("on until")
    raced.append("off")
    group.write(OWNER, "/raid off")
    await until(lambda: group.sent("editMessageText"), "the notice says that it is over")
    await group.message("Raid mode is off")
    assert raced == ["question", "off", "prolonged"]


async def test_whose_joins_made_it_a_raid_is_held_whoever_began_it_and_not_again(
    groups: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = await groups.group(language="en", moderation=raiding(5))
    made_it = {111: [111], 105: [101, 105], 106: [101, 111, 106]}  # who is judged first knows not all who came before

    async def judge(_context: Context, _group_id: int, seen: Seen) -> Verdict | None:
        if (users := made_it.get(seen.user_id)) is None:
            return None
        return Verdict(
            rule_id="settings.raid",
            rule="raid",
            kind="raid",
            penalty="mute",
            duration_seconds=300,
            offence=1,
            reason="5 joins within 60 s",
            shadow=False,
            users=users,
        )

    monkeypatch.setattr(Context, "judge", judge)
    group.join(101)
    group.join(111)
    await held(group, 111)
    notice = await group.message("🛡")
    assert group.status(101) == "member"
    group.join(105)
    await held(group, 105)
    await held(group, 101)
    await group.note(group.press(notice["message_id"], 111, PERSON["en"]))
    await until(lambda: group.status(111) == "member", "a person gets in")
    group.join(106)
    await held(group, 106)
    assert group.status(111) == "member"
    assert len(await group.actions(kind="mute")) == 4


def lose_first(monkeypatch: pytest.MonkeyPatch, beside: Kept, key: str, wins: Wins) -> list[StateModel | None]:
    """Let another bot be faster once, where this one writes: what `wins` makes of that, if anything, stands there."""
    put, lost = Kept.put, list[StateModel | None]()

    async def put_too_late(self: Kept, at: str, state: StateModel | None, revision: int) -> int | None:
        if at == key and not lost and (theirs := wins(state)) is not NOT_NOW:
            lost.append(state)
            assert await put(beside, at, theirs, revision) is not None
        return await put(self, at, state, revision)

    monkeypatch.setattr(Kept, "put", put_too_late)
    return lost


NOT_NOW: Any = object()
Wins = Callable[[StateModel | None], Any]


async def test_a_question_is_shown_though_the_one_before_it_is_taken_away_meanwhile(
    groups: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, beside = await groups.group(moderation=BUTTON), Kept(groups.bus)
    lost = lose_first(monkeypatch, beside, board_key(group.id), lambda state: None if state else NOT_NOW)
    group.join(42, first_name="Ann")
    assert ASKS["en"] in (await group.message("Ann"))["text"]
    assert len(lost) == 1


async def test_a_raid_that_is_prolonged_while_it_ends_begins_again(
    groups: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, beside, now = await groups.group(), Kept(groups.bus), groups.clock()
    await beside.put(raid_key(group.id), Raid(began=now - 500, until=now + 100, seconds=900, reason="x"), 0)
    lost = lose_first(monkeypatch, beside, raid_key(group.id), lambda state: None if state else NOT_NOW)
    group.write(OWNER, "/raid 15m")
    await group.message("🛡 Raid mode. ")
    await group.message("on until")
    assert len(lost) == 1


async def test_who_answers_wrongly_while_their_mute_is_logged_is_held_by_it(
    groups: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, beside = await groups.group(moderation=SUMS), Kept(groups.bus)
    key = captcha_key(group.id, 42)

    def answer_wrongly(state: StateModel | None) -> Any:
        if not isinstance(state, Pending) or state.action_id is None:
            return NOT_NOW
        return state.model_copy(update={"action_id": None, "wrong": 1})

    lost = lose_first(monkeypatch, beside, key, answer_wrongly)
    group.join(42)
    await held(group, 42)
    async with asyncio.timeout(20):
        while (found := (await beside.find(key, Pending))[0]) is None or found.action_id is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (found.wrong, len(lost)) == (1, 1)


async def test_who_could_not_be_held_is_not_sent_away_for_a_wrong_answer_either(
    groups: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, beside = await groups.group(moderation=SUMS), Kept(groups.bus)
    key = captcha_key(group.id, 42)
    seen = list[Pending]()

    def answer_wrongly(state: StateModel | None) -> Any:
        if isinstance(state, Pending):
            seen.append(state)
        return NOT_NOW if state is not None else seen[0].model_copy(update={"wrong": 1})

    lost = lose_first(monkeypatch, beside, key, answer_wrongly)
    async with httpx.AsyncClient(base_url=groups.url) as client:
        fault = {"method": "restrictChatMember", "chat_id": group.id, "error": "400", "times": 1}
        assert (await client.post("/test/fail", json=fault)).is_success
    group.join(42)
    await until(lambda: lost, "what is kept of them is taken away")
    async with asyncio.timeout(20):
        while (await beside.find(key, Pending))[0] is not None:  # noqa: ASYNC110  # of another process
            await asyncio.sleep(0.02)
    assert group.status(42) == "member"


MOST_MESSAGES = 3
HUMANS = 20


@pytest.mark.timeout(900)
@pytest.mark.parametrize("joins", [100, pytest.param(1000, marks=pytest.mark.long)])
async def test_in_a_raid_the_bot_says_little_and_bans_no_human(groups: World, joins: int) -> None:
    """So many joins within a minute: at most 3 messages, nobody is banned, all 20 people get in once they answer."""
    group = await groups.group(moderation=raiding(20, captcha={"enabled": True, "kind": "sum"}), welcome="Hi {name}")
    everybody = range(2000, 2000 + joins)
    humans = list(everybody[joins // HUMANS - 1 :: joins // HUMANS])
    raiders = [one for one in everybody if one not in humans]
    assert len(humans) == HUMANS
    for user_id in everybody:
        group.join(user_id)
    notice = await group.message("🛡")
    await until(lambda: all(group.status(one) == "restricted" for one in everybody), "all are held back", 600)
    for user_id in humans:
        note = await group.note(group.press(notice["message_id"], user_id, SUM["en"]))
        await group.note(group.press(notice["message_id"], user_id, str(sum(read_sum(note)))))
    await until(lambda: all(group.status(one) == "member" for one in humans), "people get in", 300)
    assert len(group.texts()) <= MOST_MESSAGES, group.texts()
    assert not group.sent("banChatMember")
    groups.clock.by += 300 + 121
    await until(lambda: all(group.status(one) == "left" for one in raiders), "who did not answer is gone", 600)
    assert all(group.status(one) == "member" for one in humans)
    assert len(group.texts()) <= MOST_MESSAGES, group.texts()
    assert not group.sent("banChatMember")
    assert (await groups.ask("list_actions", group.id, kind="ban"))["total"] == 0

    async def kicks() -> int:
        return (await groups.ask("list_actions", group.id, kind="kick"))["total"]

    while await kicks() < len(raiders):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    assert await kicks() == len(raiders)
