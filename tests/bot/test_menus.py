"""Menus edit in place, stale buttons say so, and who may not use the bot is told; as people see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.access import Allowlist
from bot.texts.phrases import PHRASES
from tests.bot.world import BOB, EVE, GROUP, Person, StartBot, labels, text_of

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
MakePerson = Callable[..., Person]
NOWHERE = "nats://127.0.0.1:9"


@pytest.mark.parametrize("language", ["en", "id"])
async def test_a_walk_through_the_menus_edits_one_message(
    start_bot: StartBot, person: MakePerson, language: str
) -> None:
    await start_bot()
    ann = person(language_code=language)

    def label(key: str) -> str:
        return getattr(PHRASES[f"button.{key}"], language)

    menu = await ann.say("/start")
    for steps, said in (
        (("market", "BTC", "raw", "⬅️ BTC", "price", "refresh"), "90,9"),
        (("portfolio",), ""),
        (("trading",), ""),
        (("strategies",), ""),
        (("help",), "/price"),
        (("status",), "binance"),
        (("alerts",), ""),
    ):
        shown = await ann.say("/start")
        for step in steps:
            wanted = label(step) if f"button.{step}" in PHRASES else step
            if step == "refresh":
                await asyncio.sleep(1.1)  # what is shown again must have changed: its age has
            became = await ann.press(shown, wanted)
            assert became["message_id"] == shown["message_id"]
            assert became["method"] == "editMessageText"
            shown = {**shown, **became}
        assert said in text_of(shown), (steps, text_of(shown))
    assert menu["message_id"] != shown["message_id"]


async def test_a_stale_button_says_so(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    ann = person()
    menu = await ann.say("/start")
    await ann.press(menu, "📈 Market")
    assert "out of date" in str(await ann.pressed(menu, text="🩺 Status", data="m|status", stale=True))
    assert "out of date" in str(await ann.pressed(menu, data="no-such-action|1", stale=True))


async def test_commands_and_buttons_are_only_for_whom_they_are_allowed(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot(allowlist=Allowlist(frozenset({BOB}), frozenset({1})))
    refused = await person(EVE).say("/price BTC")
    assert "private" in text_of(refused)
    assert str(EVE) in text_of(refused)
    allowed = await person(BOB).say("/start")
    assert "Live prices" in text_of(allowed)
    bob, eve = (person(one, GROUP, chat_type="supergroup") for one in (BOB, EVE))
    menu = await bob.say("/start")
    assert await eve.pressed(menu, text="📈 Market") == "This bot is private."


@pytest.mark.parametrize(
    ("status", "allowed"),
    [("member", False), ("restricted", False), ("administrator", True), ("creator", True)],
)
async def test_only_administrators_decide_what_a_group_gets(
    start_bot: StartBot, person: MakePerson, status: str, *, allowed: bool
) -> None:
    await start_bot()
    eve = person(EVE, GROUP, chat_type="supergroup")
    await eve.do("member", status=status, rights={"can_send_messages": True})
    for command in ("/subscribe", "/unsubscribe", "/alerts_on_w", "/alerts_off_w", "/snooze 1h"):
        answer = text_of(await eve.say(command))
        assert ("Only administrators" not in answer) is allowed, (command, answer)


async def test_without_the_bus_every_market_command_says_so(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot(NOWHERE, core=False)
    ann, budi = person(), person(BOB, language_code="id")
    for command in ("/price BTC", "/raw BTC", "/raw_orderbook BTC", "/whale BTC", "/liq BTC", "/spread BTC"):
        assert "data bus is not reachable" in text_of(await ann.say(command))
    for command in ("/chart BTC 1h", "/sentiment good news", "/subscribe", "/alerts", "/why x", "/language id"):
        assert "data bus is not reachable" in text_of(await ann.say(command))
    assert "Bus data sedang tidak terjangkau" in text_of(await budi.say("/price BTC"))
    assert "message bus is not reachable" in text_of(await ann.say("/status"))
    assert "/price" in text_of(await ann.say("/help"))


async def test_an_unknown_command_is_answered_in_private_only(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    assert "/help" in text_of(await person().say("/nonsense"))
    group = person(EVE, GROUP, chat_type="supergroup")
    await group.do("message", text="/nonsense")
    answer = await group.say("/help")
    assert "Commands" in text_of(answer)
    sent = (await group.client.get("/test/sent", params={"chat_id": GROUP})).json()
    assert len([one for one in sent if one["method"] == "sendMessage"]) == 1


async def test_telegram_knows_the_commands_in_both_languages(start_bot: StartBot) -> None:
    bot = (await start_bot()).bot
    english = {one.command: one.description for one in await bot.get_my_commands()}
    indonesian = {one.command: one.description for one in await bot.get_my_commands(language_code="id")}
    assert english["price"] == "price of a symbol"
    assert indonesian["price"] == "harga sebuah simbol"
    assert set(english) == set(indonesian)


async def test_a_link_to_a_chart_opens_it(start_bot: StartBot, person: MakePerson) -> None:
    await start_bot()
    answer = await person().say("/start TlVMTHwxaA")  # NULL|1h
    assert "do not know the symbol NULL" in text_of(answer)


async def test_unicode_and_markup_in_names_and_symbols_are_shown_as_they_are(
    start_bot: StartBot, person: MakePerson
) -> None:
    await start_bot()
    answer = await person(first_name="<b>A&B").say("/start")
    assert "<b>A&B" in text_of(answer)
    assert "<i>x</i>" in text_of(await person().say("/price <i>x</i>"))
    assert labels(answer)
