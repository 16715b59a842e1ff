"""The day of sizes that an adaptive limit is made of survives a restart, wherever it falls."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from consumers.whales import saving
from consumers.whales.core import WhaleDetector
from consumers.whales.rules import Adaptive, WhaleRules
from consumers.whales.saving import HOUR_KEYS
from contracts.arithmetic.tiers import Tiers

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
SPOT = "md.v1.trade.binance.BTC.USDT.spot"
QUIET = "md.v1.trade.binance.ETH.USDT.spot"
RULES = WhaleRules(
    tiers=Tiers(),
    limits=dict.fromkeys(("majors", "large", "mid"), Decimal(1_000_000)),
    adaptive=Adaptive(share=(9, 10), samples=100, floor_usd=Decimal(100)),
)
Make = Callable[..., Any]


def day_of(trade: Make) -> list[tuple[str, Any]]:
    """26 hours of trades of growing size, one in five minutes, and some large ones; one instrument is quiet at last."""
    found: list[tuple[str, Any]] = []
    for number in range(26 * 12):
        ts = START + number * 300 * SECOND
        amount = str(1000 + 10 * number if number % 40 else 9000)
        found.append((SPOT, trade(number, ts, price="1", amount=amount)))
        if number < 150:
            quiet = trade(number, ts, id=f"e{number}", symbol="ETH/USDT", price="1", amount=amount)
            found.append((QUIET, quiet))
    return found


def fold(detector: WhaleDetector, events: list[tuple[str, Any]], kept: dict[str, bytes]) -> list[Any]:
    """Fold one by one, and save after each as the consumer does in time."""
    found: list[Any] = []
    for event in events:
        outputs, faults = detector.fold([event], detector.seq + 1, event[1].ts_recv)
        assert faults == []
        found += [whale for _, whale in outputs]
        kept |= detector.save_hours()
    return found


@pytest.mark.parametrize("cut", [1, 30, 149, 200, 311, 400])
def test_a_restart_changes_no_limit(trade: Make, cut: int) -> None:
    events = day_of(trade)
    wanted = fold(WhaleDetector(RULES), events, {})
    assert len({whale.threshold_usd for whale in wanted}) > 5
    first, kept = WhaleDetector(RULES), dict[str, bytes]()
    found = fold(first, events[:cut], kept)
    document = first.save()
    again = WhaleDetector(RULES)
    for key in sorted(kept):
        assert key.startswith(HOUR_KEYS)
        again.restore_hour(kept[key])
    again.restore(document)
    assert found + fold(again, events[cut:], kept) == wanted
    assert len(kept) <= 24


def test_hours_saved_after_the_document_count_once(trade: Make) -> None:
    events = day_of(trade)
    wanted = fold(WhaleDetector(RULES), events, {})
    first, kept = WhaleDetector(RULES), dict[str, bytes]()
    found = fold(first, events[:200], kept)
    document = first.save()
    fold(first, events[200:230], kept)  # killed before it saved its document again
    again = WhaleDetector(RULES)
    for hour in kept.values():
        again.restore_hour(hour)
    again.restore(document)
    assert found + fold(again, events[200:], kept) == wanted


def test_nothing_more_is_saved_without_an_adaptive_limit(trade: Make) -> None:
    detector = WhaleDetector(WhaleRules(tiers=Tiers(), limits=RULES.limits))
    kept: dict[str, bytes] = {}
    fold(detector, day_of(trade), kept)
    assert kept == {}
    assert b'"sizes":{}' in detector.save()


def test_the_hours_that_a_document_held_are_saved_once_they_are_over(trade: Make) -> None:
    first, kept, hour = WhaleDetector(RULES), dict[str, bytes](), 3600 * SECOND
    spot = [(SPOT, trade(number, START + number * hour, price="1", amount="9000")) for number in range(3, 6)]
    quiet = trade(3, START + 3 * hour, id="e3", symbol="ETH/USDT", price="1", amount="9000")
    fold(first, [(QUIET, quiet), *spot], kept)
    again = WhaleDetector(RULES)
    again.restore(first.save())
    assert fold(again, [(SPOT, trade(number, START + number * hour)) for number in (7, 8)], kept) == []
    assert set(again.save_hours()) == set()
    assert {f"{HOUR_KEYS}{(START // hour + number) % 24}" for number in (3, 4, 5)} <= kept.keys()


def test_sizes_without_room_in_the_document_are_counted(trade: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = WhaleDetector(RULES)
    fold(detector, [(SPOT, trade(number, START + number)) for number in range(2)], {})
    detector.save()
    assert detector.counts.unsaved == 0
    monkeypatch.setattr(saving, "_MOST_SIZES", 1)
    assert b'"sizes":{}' in detector.save()
    assert detector.counts.unsaved == 1
