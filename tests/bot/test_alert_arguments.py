"""What people write behind alert commands, and what is understood of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from bot.commands.alert_arguments import (
    read_filter,
    read_moment,
    read_price,
    read_rule,
    read_span,
    with_whales,
    without_whales,
)
from contracts.alerts import ALERT_KINDS
from contracts.services.chats import AlertFilter

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def test_words_of_a_filter_are_distinguished_by_what_they_are() -> None:
    found = read_filter(["whale,storm", "btc", "ETH/USDT", "majors", "Binance"], {"binance", "okx"})
    assert found.kinds == ("whale", "storm")
    assert found.symbols == ("BTC", "ETH/USDT")
    assert found.tiers == ("majors",)
    assert found.venues == ("binance",)
    assert read_filter([], set()) == AlertFilter()
    assert read_filter(["liq", "paus"], set()).kinds == ("liquidation", "storm", "whale", "cluster")
    with pytest.raises(ValidationError):
        read_filter(["x" * 65], set())


def test_whales_are_added_and_taken_away() -> None:
    assert with_whales(AlertFilter()).kinds == ()
    assert with_whales(AlertFilter(kinds=("storm",))).kinds == ("storm", "whale", "cluster")
    without = without_whales(AlertFilter())
    assert without is not None
    assert set(without.kinds) == set(ALERT_KINDS) - {"whale", "cluster"}
    assert without_whales(AlertFilter(kinds=("whale",))) is None


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("2j", 7200), ("1d", 86_400), ("2", None), ("h", None)],
)
def test_a_span(word: str, seconds: int | None) -> None:
    assert read_span(word) == seconds


@pytest.mark.parametrize(
    ("word", "price"),
    [
        ("100000", "100000"),
        ("100,000.50", "100000.5"),
        ("$91k", "91000"),
        ("1.5m", "1500000"),
        ("0.00001234", "0.00001234"),
        ("-5", None),
        ("0", None),
        ("nan", None),
        ("1e5", "100000"),
        ("abc", None),
    ],
)
def test_a_price(word: str, price: str | None) -> None:
    assert read_price(word) == price


@pytest.mark.parametrize(
    ("text", "condition", "value", "repeat"),
    [
        ("BTC above 100000", "above", "100000", False),
        ("BTC < 90k repeat", "below", "90000", True),
        ("BTC 95000", "crosses", "95000", False),
        ("BTC change 5% 1h", "change", "5", False),
        ("BTC every 1h", "every", None, True),
    ],
)
def test_a_price_alert(text: str, condition: str, value: str | None, *, repeat: bool) -> None:
    found = read_rule(text.split())
    assert found is not None
    assert (found.symbol, found.condition, found.value, found.repeats) == ("BTC", condition, value, repeat)


@pytest.mark.parametrize("text", ["", "BTC", "BTC above", "BTC above x", "BTC every", "BTC change"])
def test_what_is_no_price_alert(text: str) -> None:
    assert read_rule(text.split()) is None


def test_a_moment_is_the_last_one_before_now() -> None:
    assert read_moment("11:30", NOW) == NOW.replace(hour=11, minute=30)
    assert read_moment("14:05", NOW) == NOW.replace(day=25, hour=14, minute=5)
    assert read_moment("30m", NOW) == NOW.replace(hour=11, minute=30)
    assert read_moment("BTC", NOW) is None
    assert read_moment("25:00", NOW) is None
