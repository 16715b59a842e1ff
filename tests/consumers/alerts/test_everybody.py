"""Alerts for everybody: which events make one, what it says, what is held within the tier's silence, and late ones."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from consumers.alerts.core import LATE_NS, MOST_CAUSES
from consumers.alerts.everybody import KEYS, Everybody, alert_subject
from contracts import subjects
from tests.consumers.alerts.conftest import RULES, SECOND
from tests.consumers.test_storms_and_clusters import START, whale

Make = Callable[..., Any]
PERP = subjects.LIQUIDATION + "bybit.BTC.USDT.perp"
SPOT = subjects.WHALE + "binance.BTC.USDT.spot"


def fold(everybody: Everybody, subject: str, event: Any, seq: int = 1, now: int | None = None) -> Any:
    verdict = everybody.fold(subject, event, seq, now)
    assert verdict is not None
    return verdict


def test_an_alert_of_a_liquidation_says_what_was_liquidated(liquidation: Make) -> None:
    event = liquidation(1, START, ts_recv=START + 7, sim=True)
    verdict = fold(Everybody(RULES), PERP, event)
    assert (verdict.key, verdict.before, verdict.state) == ("liquidation.bybit.BTC.USDT.perp.long", None, "fired")
    assert verdict.usd == "1000000.00"
    alert = verdict.alert
    assert alert.id == "bybit.BTC.USDT.perp.alert.liquidation.a82b8828f17d0429"
    assert alert_subject(alert) == "alert.v1.liquidation.bybit.BTC.USDT.perp"
    assert (alert.venue, alert.symbol, alert.venue_symbol, alert.sim) == ("bybit", event.symbol, "BTCUSDT", True)
    assert (alert.ts_event, alert.ts_recv, alert.fired_at) == (START, START + 7, START)
    assert (alert.alert, alert.rule, alert.tier, alert.side) == ("liquidation", "liquidation/1", "majors", "long")
    assert (alert.usd_value, alert.price, alert.stands_for, alert.causes) == ("1000000.00", "100000", 1, [event.id])


def test_an_alert_of_a_whale_has_its_own_rule_side_and_value() -> None:
    verdict = fold(Everybody(RULES), SPOT, whale(1, START, side="sell"))
    assert verdict.key == "whale.binance.BTC.USDT.spot.sell"
    alert = verdict.alert
    assert (alert.alert, alert.rule, alert.side, alert.usd_value) == ("whale", "whale/1", "sell", "1200000.00")
    assert (alert.tier, alert.price) == ("majors", "60000")


def test_a_side_that_is_not_known_has_a_silence_of_its_own(liquidation: Make) -> None:
    everybody = Everybody(RULES)
    keys = [fold(everybody, PERP, liquidation(n, position_side=side)).key for n, side in enumerate(("long", None))]
    assert keys == ["liquidation.bybit.BTC.USDT.perp.long", "liquidation.bybit.BTC.USDT.perp.-"]


@pytest.mark.parametrize(
    ("base", "amount", "state"),
    [("BTC", "5", "fired"), ("BTC", "4.99999", "not_met"), ("SOL", "2", "fired"), ("PEPE", "1", "fired")],
)
def test_a_liquidation_is_large_from_its_tiers_limit_on(liquidation: Make, base: str, amount: str, state: str) -> None:
    subject = f"{subjects.LIQUIDATION}bybit.{base}.USDT.perp"
    verdict = fold(Everybody(RULES), subject, liquidation(1, symbol=f"{base}/USDT:USDT", amount=amount))
    assert verdict.state == state
    assert (verdict.alert is not None) == (state == "fired")


def test_a_liquidation_is_worth_its_average_price_and_nothing_is_known_without_amount_or_rate(
    liquidation: Make,
) -> None:
    everybody = Everybody(RULES)
    averaged = fold(everybody, PERP, liquidation(1, average_price="90000", price="1"))
    assert (averaged.state, averaged.usd) == ("fired", "900000.00")
    inverse = fold(everybody, PERP, liquidation(4, symbol="BTC/USD:BTC"))
    assert (inverse.state, inverse.usd) == ("held", "1000000.00")
    for event in (liquidation(2, amount=None, contracts="5"), liquidation(3, symbol="BTC/EUR:EUR")):
        verdict = fold(everybody, PERP, event)
        assert (verdict.state, verdict.usd, verdict.alert) == ("not_met", None, None)


def test_a_silence_is_the_tiers_and_its_end_lets_the_next_one_speak_for_all() -> None:
    everybody = Everybody(RULES)
    first = fold(everybody, SPOT, whale(1, START), seq=5)
    held = fold(everybody, SPOT, whale(2, START + 300 * SECOND - 1))
    assert (held.state, held.alert, held.usd, held.key) == ("held", None, "1200000.00", first.key)
    assert held.before is not None
    assert (held.before.spoke, held.before.clock, held.before.held, held.before.seq) == (START, START, 0, 5)
    assert (held.before.fired_id, held.before.causes) == (first.alert.id, [])
    assert fold(everybody, SPOT, whale(3, START)).state == "held"  # what comes late counts at the time of before
    spoken = fold(everybody, SPOT, whale(4, START + 300 * SECOND), seq=9)
    assert spoken.before is not None
    assert (spoken.before.held, spoken.before.clock) == (2, START + 300 * SECOND - 1)
    assert (spoken.state, spoken.alert.stands_for) == ("fired", 3)
    assert spoken.alert.causes == [whale(number).id for number in (2, 3, 4)]
    silence = everybody.silences.get(first.key)
    assert silence is not None
    assert (silence.spoke, silence.clock, silence.held, silence.seq) == (
        START + 300 * SECOND,
        START + 300 * SECOND,
        0,
        9,
    )


def test_what_arrives_before_the_last_one_speaks_at_the_later_time() -> None:
    everybody = Everybody(RULES)
    fold(everybody, SPOT, whale(1, START))
    fold(everybody, SPOT, whale(2, START + 299 * SECOND))
    everybody.silences.get("whale.binance.BTC.USDT.spot.buy").spoke = START - 10 * SECOND  # type: ignore[union-attr]
    alert = fold(everybody, SPOT, whale(3, START + SECOND)).alert
    assert (alert.ts_recv, alert.fired_at) == (START + 299 * SECOND, START + SECOND)


def test_an_alert_names_its_newest_causes_only() -> None:
    everybody = Everybody(RULES)
    assert (MOST_CAUSES, KEYS) == (100, 20_000)
    for number in range(MOST_CAUSES + 5):
        fold(everybody, SPOT, whale(number, START + number))
    alert = fold(everybody, SPOT, whale(1000, START + 300 * SECOND)).alert
    assert alert.stands_for == MOST_CAUSES + 5
    wanted = [whale(number).id for number in (*range(6, MOST_CAUSES + 5), 1000)]
    assert alert.causes == wanted
    assert len(wanted) == MOST_CAUSES


@pytest.mark.parametrize(("late_ns", "late"), [(None, False), (LATE_NS, False), (LATE_NS + 1, True)])
def test_an_alert_is_late_more_than_ten_seconds_after_its_receipt(late_ns: int | None, late: bool) -> None:
    now = None if late_ns is None else START + late_ns
    assert fold(Everybody(RULES), SPOT, whale(1, START), now=now).alert.late is late
    assert LATE_NS == 10 * SECOND


def test_nothing_but_signals_and_liquidations_makes_an_alert(liquidation: Make) -> None:
    everybody = Everybody(RULES)
    assert everybody.fold(SPOT, whale(1, late=True), 1) is None
    assert everybody.fold(subjects.TRADE + "binance.BTC.USDT.spot", whale(1), 1) is None
    assert everybody.fold("alert.v1.price_alert.all.BTC.USDT.spot", whale(1), 1) is None
    assert everybody.fold(PERP, liquidation(1), 1) is not None


def test_a_tier_is_the_events_own_where_it_has_one() -> None:
    verdict = fold(Everybody(RULES), SPOT, whale(1, tier="mid"))
    assert verdict.alert.tier == "mid"
    assert Everybody(RULES).is_large("mid", "100000")
    assert not Everybody(RULES).is_large("mid", "99999.99")
    assert not Everybody(RULES).is_large("mid", None)
    assert RULES.liquidation_usd["mid"] == Decimal(100_000)
