"""When the bot may send: a chat's second, a group's minute, all chats together, and what Telegram asks for."""

from __future__ import annotations

from bot.pacing import CHAT_SECONDS, GROUP, OVERALL, Slots


def test_a_chat_gets_one_message_a_second_and_others_do_not_wait() -> None:
    slots = Slots()
    assert slots.find_chat(1, 100.0) == 100.0
    slots.record(1, 100.0)
    assert slots.find_chat(1, 100.2) == 100.0 + CHAT_SECONDS
    assert slots.find_chat(2, 100.2) == 100.2


def test_a_group_gets_twenty_messages_a_minute() -> None:
    slots, now = Slots(), 100.0
    for _ in range(GROUP[0]):
        now = slots.find_chat(-1, now)
        slots.record(-1, now)
    assert slots.find_chat(-1, now) == 100.0 + GROUP[1]


def test_all_chats_together_stay_below_thirty_a_second() -> None:
    slots = Slots()
    times = [slots.take_any(100.0) for _ in range(OVERALL[0] * 2 + 1)]
    assert times[OVERALL[0] - 1] == 100.0
    assert times[OVERALL[0]] == 100.0 + OVERALL[1]
    assert times[-1] == 100.0 + 2 * OVERALL[1]


def test_a_pause_that_telegram_asks_for_outlasts_the_message_it_refused() -> None:
    slots = Slots()
    slots.pause(1, 130.0)
    slots.record(1, 100.0)
    assert slots.find_chat(1, 101.0) == 130.0
