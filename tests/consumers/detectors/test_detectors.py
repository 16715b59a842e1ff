"""Each detector: what makes a signal, what does not, and that the same events always give the same one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.detectors.funding import FundingDetector
from consumers.detectors.interest import InterestDetector
from consumers.detectors.listings import Listing, ListingDetector
from consumers.detectors.rules import (
    FundingRules,
    InterestRules,
    SpreadRules,
    VolumeRules,
    WallRules,
    limits_of,
    with_limits,
)
from consumers.detectors.spread import SpreadDetector
from consumers.detectors.volume import VolumeDetector
from consumers.detectors.wall import WallDetector
from contracts import codec
from contracts.arithmetic.usd import DatedRates
from contracts.codec import EVENTS, encode
from runtime.app.explaining.trace import Trace
from tests.consumers.detectors.making import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    book,
    candle,
    funding,
    interest,
    side,
    ticker,
)

FLAT = ["1"] * 12
BIDS, ASKS = side(100, -1, FLAT), side(101, 1, FLAT)


def fold_all(detector: Any, events: list[Any]) -> list[Any]:
    """Fold events; every signal is what its readers take it for."""
    found: list[Any] = []
    for event in events:
        for subject, signal in detector.fold(event):
            body = encode(signal)
            codec.decode(subject, body)
            EVENTS[signal.kind].model_validate_json(body)
            found.append(signal)
    return found


# ---- funding


def test_a_rate_beyond_the_limit_of_either_sign_is_extreme() -> None:
    rates = ["0.001", "0.0011", "-0.0011", None]
    found = fold_all(FundingDetector(FundingRules(cooldown=0)), [funding(START + n, r) for n, r in enumerate(rates)])
    assert [(signal.rate, signal.threshold, signal.basis) for signal in found] == [
        ("0.0011", "0.001", "limit"),
        ("-0.0011", "0.001", "limit"),
    ]


def test_a_rate_beyond_its_own_quantile_is_extreme_once_there_are_enough_hours() -> None:
    rules = FundingRules(samples=50)
    detector = FundingDetector(rules)
    usual = [funding(START + n * HOUR, "0.0001") for n in range(49)]
    assert fold_all(detector, [*usual, funding(START + 48 * HOUR + 1, "0.0005")]) == []
    assert fold_all(detector, [funding(START + 49 * HOUR, "0.0001")]) == []
    (signal,) = fold_all(detector, [funding(START + 50 * HOUR, "0.0005")])
    assert (signal.basis, signal.threshold, signal.samples) == ("quantile", "0.0003", 50)  # the floor
    assert fold_all(detector, [funding(START + 51 * HOUR, "0.0002")]) == []


def test_a_quantile_is_of_thirty_days_and_of_one_rate_an_hour() -> None:
    detector = FundingDetector(FundingRules(samples=24, cooldown=0))
    high = [funding(START + n * HOUR + m, "0.0009") for n in range(48) for m in range(5)]
    assert fold_all(detector, high) == []
    low = [funding(START + n * HOUR, "0.0001") for n in range(48, 32 * 24)]
    assert fold_all(detector, low) == []
    (signal,) = fold_all(detector, [funding(START + 32 * 24 * HOUR, "0.0008")])
    assert signal.samples == 29 * 24 + 24


def test_what_funding_saves_gives_the_same_quantile_again() -> None:
    rules = FundingRules(samples=20)
    first, again = FundingDetector(rules), FundingDetector(rules)
    fold_all(first, [funding(START + n * HOUR, "0.0004") for n in range(30)])
    ((tail, document),) = first.save().items()
    again.restore(tail, document)
    assert first.save() == {}
    after = [funding(START + 30 * HOUR + 5, "0.0006")]
    assert fold_all(again, after) == fold_all(first, after) != []
    assert again.find_known(tail, (START + 25 * HOUR) // HOUR) == first.find_known(tail, (START + 25 * HOUR) // HOUR)


# ---- open interest


def test_open_interest_jumps_by_percent_of_the_windows_beginning() -> None:
    values = ["100", "101", "102.9", "103"]
    events = [interest(START + n * MINUTE, value) for n, value in enumerate(values)]
    (signal,) = fold_all(InterestDetector(InterestRules()), events)
    assert (signal.previous_amount, signal.amount, signal.change, signal.unit) == ("100", "103", "3.0000", "base")
    assert signal.event_ids == [events[0].id, events[-1].id]
    (fall,) = fold_all(InterestDetector(InterestRules()), [interest(START, "100"), interest(START + MINUTE, "97")])
    assert fall.change == "-3.0000"


@pytest.mark.parametrize(
    "events",
    [
        [interest(START, "100"), interest(START + 16 * MINUTE, "110")],
        [interest(START, "100"), interest(START + MINUTE, None, contracts="1000")],
        [interest(START, "0"), interest(START + MINUTE, "5")],
        [interest(START + MINUTE, "100"), interest(START, "110")],
        [interest(START, "100", symbol="PEPE/USDT:USDT"), interest(START + 9, "109", symbol="PEPE/USDT:USDT")],
    ],
    ids=["out of the window", "other unit", "from nothing", "older", "another tier"],
)
def test_what_is_no_jump(events: list[Any]) -> None:
    assert fold_all(InterestDetector(InterestRules()), events) == []


def test_the_open_interest_says_what_it_takes() -> None:
    detector = InterestDetector(InterestRules())
    first, second = interest(START, "100"), interest(START + MINUTE, "101")
    fold_all(detector, [first, second, interest(START + MINUTE + 1, "101")])
    assert detector.size() == 2 * 310 + len(first.id) + len(second.id), "the third is of the second's ten seconds"


# ---- walls


def test_a_level_of_many_times_the_median_is_a_wall_on_its_side() -> None:
    heavy = side(100, -1, [*FLAT[:5], "200000", *FLAT[6:]])
    (signal,) = fold_all(WallDetector(WallRules(), DatedRates()), [book(START, heavy, ASKS)])
    assert (signal.side, signal.price, signal.amount, signal.distance) == ("buy", "95", "200000", "5.0000")
    assert (signal.usd_value, signal.usd_rate_source, signal.levels) == ("19000000.00", "peg", 12)
    both = book(START, heavy, side(101, 1, [*FLAT[:3], "200000", *FLAT[:8]]))
    assert [found.side for found in fold_all(WallDetector(WallRules(), DatedRates()), [both])] == ["buy", "sell"]


@pytest.mark.parametrize(
    "event",
    [
        book(START, side(100, -1, [*FLAT, "9000"]), ASKS),
        book(START, side(100, -1, ["1", "200000"]), ASKS),
        book(START, side(100, -1, [*FLAT, "200000"]), ASKS, quality="gap"),
        book(START, side(100, -1, [*FLAT, "200000"]), ASKS, unit="contracts"),
        book(START, side(100, -1, ["200000"] * 12), side(101, 1, ["200000"] * 12)),
        book(START, side(100, -1, [*FLAT, "200000"]), ASKS, symbol="BTC/EUR:EUR"),
    ],
    ids=["too light", "too few levels", "not live", "in contracts", "all alike", "not valued"],
)
def test_what_is_no_wall(event: Any) -> None:
    assert fold_all(WallDetector(WallRules(), DatedRates()), [event]) == []


# ---- spreads


def test_a_bid_above_another_venues_ask_is_a_spread() -> None:
    events = [
        ticker(START, "99", "100", venue="okx"),
        ticker(START + SECOND, "100.29", "100.4"),
        ticker(START + 2 * SECOND, "100.3", "100.4", sim=True),
    ]
    (signal,) = fold_all(SpreadDetector(SpreadRules()), events)
    assert (signal.buy_venue, signal.ask, signal.sell_venue, signal.bid) == ("okx", "100", "bybit", "100.3")
    assert (signal.share, signal.venue, signal.sim) == ("0.3000", "all", True)
    assert signal.event_ids == [events[0].id, events[2].id]
    (other,) = fold_all(SpreadDetector(SpreadRules()), [events[2], events[0]])
    assert (other.buy_venue, other.sell_venue) == ("okx", "bybit")


@pytest.mark.parametrize(
    "events",
    [
        [ticker(START, "99", "100", venue="okx"), ticker(START + 5 * SECOND + 1, "110", "111")],
        [ticker(START, "99", "100", venue="okx"), ticker(START, "110", "111", symbol="BTC/USDT")],
        [ticker(START, "99", "100", venue="okx"), ticker(START, "110", "111", symbol="BTC/USD:BTC")],
        [ticker(START, "99", "100"), ticker(START + 1, "110", "111")],
        [ticker(START, None, "100", venue="okx"), ticker(START, None, "90")],
    ],
    ids=["stale", "another contract", "another quote", "one venue", "no bid"],
)
def test_what_is_no_spread(events: list[Any]) -> None:
    assert fold_all(SpreadDetector(SpreadRules()), events) == []


def test_a_null_side_stays_as_it_was_and_ages_by_its_own_time() -> None:
    detector = SpreadDetector(SpreadRules(cooldown=0))
    ask = ticker(START, None, "100", venue="okx")
    assert fold_all(detector, [ask, ticker(START + 3 * SECOND, "90", None, venue="okx")]) == []
    assert len(fold_all(detector, [ticker(START + 4 * SECOND, "101", None)])) == 1
    assert fold_all(detector, [ticker(START + 6 * SECOND, "101", None)]) == []


# ---- volumes


def minutes(volumes: list[str], **fields: Any) -> list[Any]:
    return [candle(START + n * MINUTE, volume, **fields) for n, volume in enumerate(volumes)]


def test_a_minute_of_many_times_the_median_is_a_spike() -> None:
    events = minutes([*(["10"] * 30), "70000"])
    (signal,) = fold_all(VolumeDetector(VolumeRules(), DatedRates()), events)
    assert (signal.volume, signal.usual, signal.times, signal.samples) == ("70000", "10", "7000.0000", 30)
    assert (signal.usd_value, signal.start_ts) == ("7000000.00", events[-1].start_ts)


@pytest.mark.parametrize(
    "events",
    [
        minutes([*(["10"] * 29), "70000"]),
        minutes([*(["10"] * 30), "400"]),
        minutes([*(["10000"] * 30), "70000"]),
        [*minutes(["10"] * 30), candle(START + 30 * MINUTE, "70000", closed=False)],
        [*minutes(["10"] * 30), candle(START + 30 * MINUTE, "70000", timeframe="5m")],
        [*minutes(["10"] * 31), candle(START + 30 * MINUTE, "70000")],
        [*minutes(["10"] * 30), candle(START + 65 * MINUTE, "70000")],
        minutes([*(["0"] * 30), "70000"]),
    ],
    ids=["too few", "worth too little", "usual", "open", "longer", "amended", "after a pause", "from nothing"],
)
def test_what_is_no_spike(events: list[Any]) -> None:
    assert fold_all(VolumeDetector(VolumeRules(), DatedRates()), events) == []


# ---- listings


def listing(revision: int, symbols: list[str], unit: str = "okx", **fields: Any) -> Listing:
    values: dict[str, Any] = {"id": f"{unit}.{revision}", "unit": unit, "venue": "okx", "symbol": symbols[0]}
    names = {symbol: symbol.replace("/", "-") for symbol in symbols}
    return Listing(**values, revision=revision, ts_recv=START + revision, listed=names, **fields)


def test_what_a_venue_begins_and_ceases_to_list_is_reported_once() -> None:
    detector = ListingDetector()
    assert fold_all(detector, [listing(1, ["BTC/USDT", "ETH/USDT"])]) == []
    changed = listing(2, ["BTC/USDT", "SOL/USDT"], sim=True)
    found = fold_all(detector, [changed, changed])
    assert [(one.symbol, one.change, one.venue_symbol, one.sim) for one in found] == [
        ("SOL/USDT", "listed", "SOL-USDT", True),
        ("ETH/USDT", "delisted", "ETH-USDT", True),
    ]
    assert found[0].event_ids == ["okx.1", "okx.2"]


def test_units_of_one_venue_tell_a_change_once() -> None:
    detector = ListingDetector()
    both = [listing(1, ["BTC/USDT"], "okx.0"), listing(2, ["BTC/USDT"], "okx.1")]
    assert fold_all(detector, both) == []
    more = ["BTC/USDT", "SOL/USDT"]
    found = fold_all(
        detector, [listing(3, more, "okx.1"), listing(4, ["BTC/USDT"], "okx.0"), listing(5, more, "okx.0")]
    )
    assert [one.change for one in found] == ["listed"]
    found = fold_all(detector, [listing(6, ["BTC/USDT"], "okx.0"), listing(7, ["BTC/USDT"], "okx.1")])
    assert [(one.change, one.event_ids[-1]) for one in found] == [("delisted", "okx.1.7")]


def test_listings_go_on_after_a_restart() -> None:
    first, again = ListingDetector(), ListingDetector()
    fold_all(first, [listing(1, ["BTC/USDT"])])
    for unit, document in first.save().items():
        again.restore(unit, document)
    later = [listing(1, ["BTC/USDT"]), listing(2, ["BTC/USDT", "SOL/USDT"])]
    assert fold_all(again, later) == fold_all(first, later) != []


# ---- all of them

CASES: dict[str, tuple[Callable[[int, Trace | None], Any], list[Any]]] = {
    "funding": (
        lambda cooldown, trace: FundingDetector(FundingRules(cooldown=cooldown), trace),
        [funding(START + n * MINUTE, "0.002") for n in range(4)],
    ),
    "interest": (
        lambda cooldown, trace: InterestDetector(InterestRules(cooldown=cooldown), trace),
        [interest(START + n * MINUTE, str(100 + n * 5)) for n in range(5)],
    ),
    "wall": (
        lambda cooldown, trace: WallDetector(WallRules(cooldown=cooldown), DatedRates(), trace),
        [book(START + n * MINUTE, side(100, -1, [*FLAT, "200000"]), ASKS) for n in range(4)],
    ),
    "spread": (
        lambda cooldown, trace: SpreadDetector(SpreadRules(cooldown=cooldown), trace),
        [ticker(START + n * SECOND, "101", None) for n in range(4)],
    ),
    "volume": (
        lambda cooldown, trace: VolumeDetector(VolumeRules(cooldown=cooldown, samples=5), DatedRates(), trace),
        minutes([*(["10"] * 12), "70000", "70000", "80000", "90000"]),
    ),
}
CASES["spread"][1].insert(0, ticker(START, None, "100", venue="okx"))


@pytest.mark.parametrize("name", CASES)
def test_a_silence_holds_after_a_signal_and_after_a_restart(name: str) -> None:
    make, events = CASES[name]
    loud = fold_all(make(0, None), events)
    assert len(loud) == 4
    (only,) = fold_all(make(24 * HOUR, None), events)
    assert only == loud[0]
    again = make(24 * HOUR, None)
    again.recall(only)
    assert fold_all(again, events) == []


@pytest.mark.parametrize("name", CASES)
def test_a_trace_changes_nothing_and_has_what_was_compared(name: str) -> None:
    make, events = CASES[name]
    trace = Trace()
    traced, plain = make(24 * HOUR, trace), make(24 * HOUR, None)
    silences = 0
    for event in events:
        outputs = traced.fold(event)
        assert outputs == plain.fold(event)
        step = trace.take()
        if outputs:
            assert step.comparisons
            assert any(item.holds for item in step.comparisons)
        if step.silence is not None:
            silences += 1
            assert outputs == []
    assert silences == 3


rates = st.lists(st.decimals("-0.01", "0.01", places=6), min_size=1, max_size=60)


@given(rates, st.integers(0, 59))
def test_a_restart_between_any_two_rates_changes_nothing(values: list[Decimal], cut: int) -> None:
    rules = FundingRules(samples=10, cooldown=3 * HOUR)
    events = [funding(START + n * HOUR // 2, format(value, "f")) for n, value in enumerate(values)]
    whole, first, second = (FundingDetector(rules) for _ in range(3))
    wanted = fold_all(whole, events)
    found = fold_all(first, events[:cut])
    for tail, document in first.save().items():
        second.restore(tail, document)
    for signal in found:
        second.recall(signal)
    assert found + fold_all(second, events[cut:]) == wanted


prices = st.integers(90, 110).map(str)
quotes = st.lists(
    st.tuples(st.sampled_from(["okx", "bybit", "gate"]), prices, prices, st.integers(0, 3000)), max_size=60
)


@given(quotes)
def test_a_spread_is_what_the_fresh_prices_say(given_quotes: list[tuple[str, str, str, int]]) -> None:
    rules = SpreadRules(cooldown=0, stale=2 * SECOND)
    detector, at = SpreadDetector(rules), START
    last: dict[str, tuple[str, str, int]] = {}
    for venue, bid, ask, pause in given_quotes:
        at += pause * 1_000_000
        found = fold_all(detector, [ticker(at, bid, ask, venue=venue)])
        others = [q for name, q in last.items() if name != venue and at - q[2] <= rules.stale]
        last[venue] = (bid, ask, at)
        wide = Decimal("1.003")
        wanted = any(Decimal(bid) >= wide * Decimal(a) or Decimal(b) >= wide * Decimal(ask) for b, a, _ in others)
        assert bool(found) is wanted


def test_limits_are_tried_by_name() -> None:
    rules = with_limits(WallRules(), {"times": "3", "usd_mid": "7", "levels": "4"})
    assert (rules.times, rules.usd["mid"], rules.usd["majors"], rules.levels) == (3, 7, 1_000_000, 4)
    assert limits_of(rules) == {"times", "levels", "usd_majors", "usd_large", "usd_mid"}
    assert with_limits(replace(rules), {}) == rules
