"""Storms of liquidations and clusters of whales: windows, limits, cooldowns, repeats."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from consumers.alerts.everybody import Everybody, EverybodyRules
from consumers.clusters.core import ClusterDetector, ClusterRules
from consumers.storms.core import StormDetector, StormRules
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import UsdRates
from contracts.codec import encode, fast
from contracts.signals import LiquidationStorm, WhaleCluster, WhaleTrade
from runtime.app.detector import Detector

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
COOLDOWN: dict[Any, int] = {"majors": 300 * SECOND, "large": 450 * SECOND, "mid": 600 * SECOND}
STORMS = StormRules(
    tiers=Tiers(),
    usd={"majors": Decimal(2_000_000), "large": Decimal(1_000_000), "mid": Decimal(500_000)},
    count={"majors": 3, "large": 2, "mid": 2},
    cooldown=COOLDOWN,
)
CLUSTERS = ClusterRules(tiers=Tiers(), cooldown=COOLDOWN)

Make = Callable[..., Any]


def storms() -> StormDetector:
    return StormDetector(STORMS, UsdRates())


def fold_all(detector: Detector, events: list[Any]) -> list[Any]:
    return [signal for event in events for _, signal in detector.fold(event)]


def test_a_storm_needs_both_the_sum_and_the_number_within_the_window(liquidation: Make) -> None:
    enough = [liquidation(number, START + number * SECOND) for number in range(3)]
    (storm,) = fold_all(storms(), enough)
    model = LiquidationStorm.model_validate_json(encode(storm))
    assert (model.base, model.count, model.usd_value, model.tier) == ("BTC", 3, Decimal(3_000_000), "majors")
    assert model.liquidation_ids == [event.id for event in enough]
    two = [liquidation(number, START, amount="50") for number in range(2)]
    assert fold_all(storms(), two) == []
    light = [liquidation(number, START, amount="1") for number in range(9)]
    assert fold_all(storms(), light) == []
    slow = [liquidation(number, START + number * 15 * SECOND) for number in range(9)]
    assert fold_all(storms(), slow) == []


def test_a_storm_counts_every_venue_and_contract_of_a_base_and_splits_sides(liquidation: Make) -> None:
    events = [
        liquidation(1),
        liquidation(2, venue="okx", symbol="BTC/USD:BTC", position_side="short", sampled=True),
        liquidation(3, venue="binanceusdm", position_side=None),
    ]
    (storm,) = fold_all(storms(), events)
    assert storm.venues == ["binanceusdm", "bybit", "okx"]
    assert (storm.usd_value, storm.long_usd, storm.short_usd) == ("3000000.00", "1000000.00", "1000000.00")
    assert storm.sampled


def test_the_average_price_counts_where_the_venue_gives_it(liquidation: Make) -> None:
    events = [liquidation(number, price="1", average_price="100000") for number in range(3)]
    assert [storm.usd_value for storm in fold_all(storms(), events)] == ["3000000.00"]


@pytest.mark.parametrize(
    ("base", "amount", "storm"), [("SOL", "5", True), ("SOL", "4.9", False), ("PEPE", "2.5", True)]
)
def test_limits_follow_the_tier(liquidation: Make, base: str, amount: str, storm: bool) -> None:
    events = [liquidation(number, symbol=f"{base}/USDT:USDT", amount=amount) for number in range(2)]
    assert bool(fold_all(storms(), events)) is storm


def test_after_a_storm_the_cooldown_silences_the_base_but_no_other(liquidation: Make) -> None:
    detector = storms()
    events = [liquidation(number, START + number) for number in range(6)]
    assert len(fold_all(detector, events)) == 1
    other = [liquidation(10 + number, START + number, symbol="ETH/USDT:USDT") for number in range(3)]
    assert len(fold_all(detector, other)) == 1
    later = [liquidation(20 + number, START + 300 * SECOND + number) for number in range(3)]
    assert len(fold_all(detector, later)) == 1


def test_a_published_storm_silences_after_a_restart(liquidation: Make) -> None:
    events = [liquidation(number, START + number) for number in range(4)]
    (storm,) = fold_all(storms(), events)
    again = storms()
    again.recall(storm)
    assert fold_all(again, events) == []


def test_the_same_liquidations_give_the_same_id_and_repeats_give_nothing(liquidation: Make) -> None:
    events = [liquidation(number, START + number) for number in range(3)]
    (first,) = fold_all(storms(), events)
    (second,) = fold_all(storms(), [event for event in events for _ in range(2)])
    assert first == second


def test_a_liquidation_that_cannot_be_valued_is_counted_and_in_no_sum(liquidation: Make) -> None:
    detector = storms()
    events = [liquidation(1, symbol="BTC/EUR:EUR"), liquidation(2, amount=None, contracts="5")]
    assert fold_all(detector, events) == []
    assert detector.unvalued == 2


def test_late_liquidations_count_by_their_own_time(liquidation: Make) -> None:
    events = [liquidation(3, START + 20 * SECOND), liquidation(1, START), liquidation(2, START + 10 * SECOND)]
    assert [storm.ts_event for storm in fold_all(storms(), events)] == [START + 20 * SECOND]
    older = [liquidation(1, START + 31 * SECOND), liquidation(2, START), liquidation(3, START + 32 * SECOND)]
    assert fold_all(storms(), older) == []


def whale(number: int, ts: int = START, **fields: Any) -> Any:
    values: dict[str, Any] = {
        "id": f"binance.BTC.USDT.spot.whale.{number}",
        "venue": "binance",
        "symbol": "BTC/USDT",
        "venue_symbol": "BTCUSDT",
        "ts_event": ts,
        "ts_recv": ts,
        "sim": False,
        "side": "buy",
        "price": "60000",
        "amount": "20",
        "usd_value": "1200000.00",
        "usd_rate": "1",
        "usd_rate_source": "peg",
        "tier": "majors",
        "threshold_usd": "1000000",
        "trade_ids": [f"t{number}"],
        "rule": "whale/1",
    }
    return fast(WhaleTrade)(**{**values, **fields})


def test_whales_of_one_side_across_venues_are_an_accumulation_or_a_distribution() -> None:
    for side, pattern in (("buy", "accumulation"), ("sell", "distribution")):
        whales = [
            whale(1, START, side=side),
            whale(2, START + 100 * SECOND, side=side, venue="okx", symbol="BTC/USDT:USDT"),
            whale(3, START + 299 * SECOND, side=side, sim=True),
        ]
        (cluster,) = fold_all(ClusterDetector(CLUSTERS), whales)
        model = WhaleCluster.model_validate_json(encode(cluster))
        assert (model.pattern, model.count, model.usd_value) == (pattern, 3, Decimal(3_600_000))
        assert (model.venues, model.whale_ids) == (["binance", "okx"], [item.id for item in whales])
        assert model.sim


@pytest.mark.parametrize(
    "third",
    [whale(3, START + 300 * SECOND), whale(3, side="sell"), whale(3, symbol="ETH/USDT"), whale(2)],
    ids=["after the window", "other side", "other base", "repeated"],
)
def test_whales_apart_are_no_cluster(third: Any) -> None:
    assert fold_all(ClusterDetector(CLUSTERS), [whale(1), whale(2), third]) == []


def test_a_cluster_is_reported_on_its_own_subject_and_silences_its_side_only() -> None:
    detector = ClusterDetector(CLUSTERS)
    found = [signal for number in range(6) for signal in detector.fold(whale(number, START + number))]
    assert [subject for subject, _ in found] == ["signal.v1.cluster.all.BTC.USD.any"]
    assert len(fold_all(detector, [whale(10 + n, START + n, side="sell") for n in range(3)])) == 1
    again = ClusterDetector(CLUSTERS)
    again.recall(found[0][1])
    assert fold_all(again, [whale(number, START + number) for number in range(6)]) == []


def test_a_late_whale_counts_in_a_cluster_and_completes_none() -> None:
    detector = ClusterDetector(CLUSTERS)
    late = whale(3, START + 3, late=True)
    assert fold_all(detector, [whale(1, START), whale(2, START + 1), late]) == []
    (cluster,) = fold_all(detector, [whale(4, START + 4)])
    assert cluster.count == 4


def test_no_alert_is_made_of_a_late_whale() -> None:
    rules = EverybodyRules(tiers=Tiers(), liquidation_usd=STORMS.usd, cooldown=COOLDOWN)
    subject, everybody = "signal.v1.whale.binance.BTC.USDT.spot", Everybody(rules)
    assert everybody.fold(subject, whale(1, START, late=True), 1) is None
    verdict = everybody.fold(subject, whale(2, START + 1), 2)
    assert verdict is not None
    assert verdict.state == "fired"
