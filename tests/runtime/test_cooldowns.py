"""Silences: which one holds, until when, and that an older signal does not shorten a newer one's."""

from __future__ import annotations

from runtime.cooldowns import Cooldowns, Silence


def test_a_silence_lasts_from_its_signal_until_its_span_is_over() -> None:
    held: Cooldowns[str] = Cooldowns(10)
    held.begin("BTC", 100, "a")
    assert held.find("BTC", 100, 50) == Silence("a", 100, 150)
    assert held.find("BTC", 149, 50) == Silence("a", 100, 150)
    assert held.find("BTC", 150, 50) is None
    assert held.find("ETH", 100, 50) is None


def test_the_newest_signal_counts_in_whatever_order_they_are_known() -> None:
    held: Cooldowns[str] = Cooldowns(10)
    for at, name in ((200, "b"), (100, "a")):
        held.begin("BTC", at, name)
    assert held.find("BTC", 210, 50) == Silence("b", 200, 250)
    held.clear()
    assert held.find("BTC", 210, 50) is None


def test_memory_is_bounded() -> None:
    held: Cooldowns[int] = Cooldowns(10)
    for key in range(1000):
        held.begin(key, key, str(key))
    assert len(held) <= 20
