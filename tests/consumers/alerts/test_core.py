"""When a price alert is met, when it speaks, and what it counts: pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from consumers.alerts.core import MOST_CAUSES, SECOND, PriceWatch, Rule, State, begin_again
from consumers.alerts.prices import Price

T0 = 1_795_291_200 * SECOND


def rule(**parts: Any) -> Rule:
    fields: dict[str, Any] = {
        "id": "1f0c9a4be1d27c35",
        "owner": "alice",
        "symbol": "BTC/USDT",
        "tail": "all.BTC.USDT.spot",
        "exchange": None,
        "condition": "above",
        "value": "65000",
        "window_seconds": None,
        "interval_seconds": None,
        "repeat": True,
        "hysteresis": "0.1",
        "cooldown_seconds": 300,
        "created_ns": T0,
        "updated_ns": T0,
        "since_ns": T0,
        "since_seq": 0,
    }
    return Rule(**{**fields, **parts})


@dataclass
class World:
    """A rule, and what it said."""

    rule: Rule
    watch: PriceWatch = field(init=False)
    said: list[Any] = field(default_factory=list[Any])

    def __post_init__(self) -> None:
        self.watch = PriceWatch(self.rule, State())

    def at(self, seconds: float, *prices: str) -> list[Any]:
        """Fold prices a millisecond apart; what they made."""
        found: list[Any] = []
        for number, text in enumerate(prices):
            ts = T0 + int(seconds * SECOND) + number * 1_000_000
            alert = self.watch.fold(Price(ts, Decimal(text), text, f"tick.{ts}", sim=False), ts)
            if alert is not None:
                found.append(alert)
        self.said += found
        return found

    def restart(self, **parts: Any) -> None:
        """Go on from what was saved."""
        saved = msgspec.json.encode(msgspec.to_builtins(self.watch.state))
        self.rule = msgspec.structs.replace(self.rule, **parts)
        self.watch = PriceWatch(self.rule, msgspec.json.decode(saved, type=State))


@pytest.mark.slow
def test_a_million_oscillations_make_a_message_a_cooldown_and_every_crossing_is_counted() -> None:
    world = World(rule(condition="crosses", cooldown_seconds=300))
    step, count = 20_000_000, 1_000_000  # 20 ms: 20,000 s
    low, high = (Price(0, Decimal(text), text, "t", sim=False) for text in ("64900", "65100"))
    fold = world.watch.fold
    for number in range(count):
        price = high if number % 2 else low
        alert = fold(price._replace(ts=T0 + number * step))
        if alert is not None:
            world.said.append(alert)
    state, spans = world.watch.state, count * step / (300 * SECOND)
    assert state.crossings == count - 1
    assert len(world.said) <= 1 + spans
    assert len(world.said) >= spans - 1
    assert sum(alert.stands_for for alert in world.said) + state.held == state.crossings
    assert not state.done
    assert len({alert.id for alert in world.said}) == len(world.said) == state.messages
    times = [alert.ts_recv for alert in world.said]
    assert all(later - earlier >= 300 * SECOND for earlier, later in pairwise(times))
    world.at(count * step / SECOND + 301, "65100")
    assert sum(alert.stands_for for alert in world.said) == state.crossings


def test_jitter_within_the_hysteresis_is_one_crossing() -> None:
    world = World(rule())
    assert len(world.at(0, "64000", "65000", "64999", "65001", "64950", "65010")) == 1
    assert world.watch.state.crossings == 1
    world.at(400, "64935", "65000")  # back by 0.1 percent, and again
    assert world.watch.state.crossings == 2
    assert [alert.stands_for for alert in world.said] == [1, 1]


@pytest.mark.parametrize(("condition", "prices"), [("above", "64000 65000"), ("below", "66000 65000")])
def test_a_price_on_the_threshold_meets_it(condition: Any, prices: str) -> None:
    world = World(rule(condition=condition))
    (alert,) = world.at(0, *prices.split())
    assert (alert.price, alert.previous_price, alert.threshold) == ("65000", prices.split(maxsplit=1)[0], "65000")


def test_above_is_met_at_once_where_the_price_is_there_already() -> None:
    assert len(World(rule()).at(0, "66000")) == 1


def test_crosses_needs_a_passage() -> None:
    world = World(rule(condition="crosses", cooldown_seconds=0))
    assert world.at(0, "66000", "66100", "65070") == []
    assert len(world.at(1, "64999")) == 1
    assert world.at(2, "65001", "64999", "65001") == []  # jitter
    assert len(world.at(3, "65065")) == 1  # a hysteresis away on the other side, though it never armed
    assert len(world.at(4, "64000", "66000")) == 2
    flat = World(rule(condition="crosses", hysteresis="0", cooldown_seconds=0))
    assert flat.at(0, "65000", "65000", "65000") == []
    assert len(flat.at(1, "64999.99", "65000")) == 2


def test_change_is_met_by_a_move_within_the_window_and_measured_from_there_on() -> None:
    world = World(rule(condition="change", value="1", window_seconds=600, cooldown_seconds=0))
    assert world.at(0, "60000") == []
    assert world.at(300, "60599") == []
    (alert,) = world.at(400, "60600")
    assert (alert.price, alert.previous_price, alert.condition) == ("60600", "60000", "change")
    assert world.at(500, "60600", "61100") == []  # less than a percent from there
    assert len(world.at(550, "60100")) == 1  # down from 61100
    assert world.at(2000, "60800") == []  # the window is over: nothing to compare with
    assert world.at(2700, "61500") == []


def test_every_speaks_at_the_interval_and_counts_what_nobody_saw() -> None:
    world = World(rule(condition="every", value=None, interval_seconds=60, cooldown_seconds=0))
    assert world.at(59, "1") == []
    assert [alert.stands_for for alert in world.at(61, "2", "3")] == [1]
    assert [alert.stands_for for alert in world.at(301, "4")] == [4]
    assert world.watch.state.crossings == 5


def test_a_one_shot_speaks_once_over_restarts() -> None:
    world = World(rule(repeat=False, cooldown_seconds=0))
    world.at(0, "64000", "65000")
    for second in range(1, 20):
        world.restart()
        world.at(second, "64000", "66000")
    (alert,) = world.said
    assert alert.id == "all.BTC.USDT.spot.alert.1f0c9a4be1d27c35.1"
    assert world.watch.state.done


def test_a_restart_anywhere_changes_nothing() -> None:
    prices = [str(65000 + (number * 7919 % 401) - 200) for number in range(2000)]
    for condition, parts in {
        "above": {},
        "below": {},
        "crosses": {},
        "change": {"value": "0.4", "window_seconds": 60},
        "every": {"value": None, "interval_seconds": 60},
    }.items():
        whole, broken = (World(rule(condition=condition, **{"cooldown_seconds": 20, **parts})) for _ in range(2))
        for second, text in enumerate(prices):
            whole.at(second, text)
            if second % 7 == 0:
                broken.restart()
            broken.at(second, text)
        assert whole.said == broken.said
        assert len(whole.said) > 10
        assert sum(alert.stands_for for alert in whole.said) + whole.watch.state.held == whole.watch.state.crossings


def test_what_is_met_within_a_snooze_is_reported_after_it() -> None:
    world = World(rule(repeat=False, snoozed_ns=T0 + 100 * SECOND))
    assert world.at(50, "64000", "65000", "64000", "65000") == []
    (alert,) = world.at(100, "63000")
    assert (alert.stands_for, alert.price, alert.fired_at) == (2, "65000", T0 + 50 * SECOND + 3_000_000)
    assert alert.ts_recv == T0 + 100 * SECOND


def test_nothing_is_met_after_the_end_and_what_was_held_is_reported() -> None:
    world = World(rule(expires_ns=T0 + 100 * SECOND, cooldown_seconds=60))
    assert World(world.rule).at(100, "65000") == []
    world.at(0, "64000", "65000")
    world.at(50, "64000", "65000")
    (alert,) = world.at(200, "64000", "65000")
    assert (alert.stands_for, world.watch.state.crossings) == (1, 2)
    assert world.at(400, "64000", "65000") == []


@pytest.mark.parametrize(("after", "late"), [(None, False), (10 * SECOND, False), (10 * SECOND + 1, True)])
def test_a_crossing_that_nobody_saw_in_time_is_late(after: int | None, late: bool) -> None:
    watch = PriceWatch(rule(tail="binance.BTC.USDT.spot"), State())
    price = Price(T0, Decimal(66000), "66000", "t", sim=True)
    alert = watch.fold(price, None if after is None else T0 + after)
    assert (alert.late, alert.sim, alert.venue, alert.rule) == (late, True, "binance", "price/1")


def test_a_rule_speaks_of_each_crossing_once_and_is_armed_a_hysteresis_away() -> None:
    below = World(rule(condition="below", cooldown_seconds=0))
    assert len(below.at(0, "66000", "65000", "64990", "65064", "64999")) == 1
    assert len(below.at(1, "65065", "64999")) == 1
    crosses = World(rule(condition="crosses", cooldown_seconds=0))
    crosses.at(0, "66000", "64999", "64936", "65001")
    assert crosses.watch.state.crossings == 1
    crosses.at(1, "64935", "65001")
    assert crosses.watch.state.crossings == 2
    assert below.watch.band == crosses.watch.band == (64935, 65065)


def test_a_message_names_its_newest_hundred_causes() -> None:
    world = World(rule(condition="crosses", hysteresis="0", cooldown_seconds=60))
    prices = ["64000", "66000"] * 60
    world.at(0, *prices[:5])
    world.at(60, "65500", "64500")
    assert [(alert.stands_for, len(alert.causes)) for alert in world.said] == [(1, 1), (5, 5)]
    world.at(61, *prices)
    (alert,) = world.at(121, "66001")
    assert (alert.stands_for, MOST_CAUSES) == (119, 100)
    assert alert.causes == [f"tick.{T0 + 61 * SECOND + number * 1_000_000}" for number in range(20, 120)]


def test_a_move_of_just_the_percentage_counts_within_the_window_and_not_at_its_end() -> None:
    for last, seconds, count in (("101", 59, 1), ("99", 59, 1), ("101", 60, 0), ("99.01", 59, 0), ("100.99", 59, 0)):
        world = World(rule(condition="change", value="1", window_seconds=60, cooldown_seconds=0))
        world.at(0, "100")
        assert [alert.stands_for for alert in world.at(seconds, last)] == [1] * count


def test_a_window_is_kept_as_the_lowest_and_highest_price_of_each_sixtieth() -> None:
    world = World(rule(condition="change", value="50", window_seconds=120))
    first = T0 // (2 * SECOND)
    world.at(0, "100", "99", "101")
    world.at(3, "102", "98", "103")
    world.at(5.9, "100.5", "97", "104")
    assert world.watch.state.window == [(first, "99", "101"), (first + 1, "98", "103"), (first + 2, "97", "104")]
    at = [T0 + seconds * SECOND for seconds in (119, 121, 123, 125)]
    assert [world.watch.extremes(one) for one in at] == [("97", "104")] * 3 + [None]


def test_what_is_saved_of_a_rule_that_saw_nothing_and_of_one_from_before_its_newest_fields() -> None:
    state = State()
    assert (state.seq, state.seq_ns, state.clock, state.due, state.held) == (0, 0, 0, 0, 0)
    assert (state.feed.clock, state.feed.at, state.feed.used, state.feed.lasts) == (0, 0, [], {})
    old = rule()
    assert (old.revision, old.expires_ns, old.snoozed_ns, old.note, old.telegram) == (1, None, 0, None, None)
    assert (old.webhooks, old.request_key, old.asked) == (False, None, "")


def test_a_changed_rule_begins_again_and_goes_on_counting() -> None:
    world = World(rule(repeat=False))
    world.at(0, "66000")
    begin_again(world.watch.state)
    world.restart(value="67000", revision=2)
    (alert,) = world.at(1, "66000", "67000")
    assert alert.id.endswith(".2")
    assert world.watch.state.crossings == 2


def test_an_interval_that_begins_again_is_counted_from_there() -> None:
    world = World(rule(condition="every", value=None, interval_seconds=60, cooldown_seconds=0))
    assert len(world.at(61, "1")) == 1
    begin_again(world.watch.state)
    world.restart(since_ns=T0 + 100 * SECOND)
    assert world.at(159, "1") == []
    assert [alert.stands_for for alert in world.at(160, "1")] == [1]
