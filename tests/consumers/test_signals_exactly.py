"""Storms and clusters to the last figure: what a signal says, where limits lie, what is counted, what is traced."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from consumers.clusters import core as clusters
from consumers.clusters.core import ClusterDetector
from consumers.storms import core as storms
from consumers.storms.core import StormDetector
from contracts.arithmetic.exact import FigureError
from contracts.arithmetic.usd import UsdRates
from contracts.market import MOST_IDS
from contracts.numbers import DAY_NS
from runtime.app.explaining.trace import Trace
from tests.consumers.test_storms_and_clusters import CLUSTERS, SECOND, START, STORMS, fold_all, whale
from tests.consumers.test_storms_and_clusters import storms as make_storms

Make = Callable[..., Any]


def compared(trace: Trace) -> list[tuple[str, str, str, str, bool, int]]:
    """What was compared since the last time, and with what it came out."""
    return [(one.what, one.value, one.operator, one.limit, one.holds, one.at) for one in trace.take().comparisons]


def test_a_storm_says_where_when_and_from_what_it_was_made(liquidation: Make) -> None:
    events = [
        liquidation(3, START + 2 * SECOND, ts_recv=START + 9 * SECOND),
        liquidation(1, START, ts_recv=START + SECOND, sim=True),
        liquidation(2, START, ts_recv=START + 3 * SECOND),
    ]
    detector = make_storms()
    ((subject, storm),) = [output for event in events for output in detector.fold(event)]
    assert subject == "signal.v1.storm.all.BTC.USD.any"
    assert storm.id == "all.BTC.USD.any.storm.388104f8bdf56a6eabd4e038"
    assert (storm.venue, storm.symbol, storm.venue_symbol, storm.rule) == ("all", "BTC/USD", None, "storm/1")
    assert (storm.ts_event, storm.ts_recv, storm.sim) == (START + 2 * SECOND, START + 9 * SECOND, True)
    assert storm.liquidation_ids == [events[place].id for place in (1, 2, 0)]  # by time, then by id
    limits = (storm.window_ns, storm.threshold_usd, storm.threshold_count, storm.count)
    assert limits == (30 * SECOND, "2000000", 3, 3)


def test_a_storm_needs_every_dollar_of_its_limit(liquidation: Make) -> None:
    for last, found in (("0.99999999", 0), ("1", 1)):
        amounts = ["10", "9", last]
        events = [liquidation(number, amount=amount) for number, amount in enumerate(amounts)]
        assert len(fold_all(make_storms(), events)) == found


def test_what_left_the_window_is_in_no_sum(liquidation: Make) -> None:
    events = [liquidation(0), liquidation(1, START + 30 * SECOND, amount="9"), liquidation(2, START + 31 * SECOND)]
    detector = make_storms()
    assert fold_all(detector, [*events, liquidation(3, START + 32 * SECOND, amount="0.5")]) == []
    assert detector.crowded == 0  # it was too old, and not one too many
    assert len(fold_all(detector, [liquidation(4, START + 33 * SECOND, amount="0.5")])) == 1


def test_a_storm_names_as_many_as_it_may_and_counts_those_left_out(liquidation: Make) -> None:
    detector = make_storms()
    crowd = [liquidation(number, START + number, amount="0.001") for number in range(MOST_IDS + 2)]
    assert fold_all(detector, crowd) == []
    assert detector.crowded == 2


def test_liquidations_of_more_than_a_day_before_their_receipt_are_counted_and_left_out(liquidation: Make) -> None:
    detector = make_storms()
    assert (detector.old, detector.unvalued, detector.crowded, detector.forgotten) == (0, 0, 0, 0)
    late = [liquidation(number, START, ts_recv=START + DAY_NS + 1) for number in range(3)]
    assert [detector.fold(event) for event in late] == [[], [], []]
    assert detector.old == 3
    just = [liquidation(10 + number, START, ts_recv=START + DAY_NS) for number in range(3)]
    assert len(fold_all(detector, just)) == 1
    assert detector.old == 3


@pytest.mark.parametrize("module", [storms, clusters])
def test_bases_that_are_dropped_for_others_are_counted(
    module: Any, liquidation: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module.BASES == 5_000
    monkeypatch.setattr(module, "BASES", 2)
    detector = make_storms() if module is storms else ClusterDetector(CLUSTERS)
    make = liquidation if module is storms else whale
    for number in range(5):
        detector.fold(make(number, START + number, symbol=f"C{number}/USDT"))
    assert detector.forgotten == 2


def test_a_storms_comparisons_are_traced_with_its_limits_and_the_time_of_the_window(liquidation: Make) -> None:
    trace = Trace()
    detector = StormDetector(STORMS, UsdRates(), trace)
    detector.fold(liquidation(1, START))
    much, many = "usd_value in 30 s", "liquidations in 30 s"
    assert compared(trace) == [
        (much, "1000000", ">=", "2000000", False, START),
        (many, "1", ">=", "3", False, START),
    ]
    for number in (2, 3):
        detector.fold(liquidation(number, START + number))
    assert compared(trace)[2:] == [
        (much, "3000000", ">=", "2000000", True, START + 3),
        (many, "3", ">=", "3", True, START + 3),
    ]
    assert trace.take().silence is None
    detector.fold(liquidation(4, START + 4))
    silence = trace.take().silence
    assert silence is not None
    assert (silence.since, silence.until) == (START + 3, START + 3 + 300 * SECOND)


def test_the_windows_of_detectors_are_those_of_their_rules() -> None:
    assert (make_storms().window, ClusterDetector(CLUSTERS).window) == (30 * SECOND, 300 * SECOND)


def test_a_cluster_says_where_when_and_from_what_it_was_made() -> None:
    events = [
        whale(3, START + 2 * SECOND, ts_recv=START + 9 * SECOND),
        whale(2, START, ts_recv=START + SECOND),
        whale(1, START, ts_recv=START + 3 * SECOND),
    ]
    (cluster,) = fold_all(ClusterDetector(CLUSTERS), events)
    assert cluster.id == "all.BTC.USD.any.cluster.buy.83cafef98ceb88be11d2073e"
    assert (cluster.venue, cluster.symbol, cluster.venue_symbol) == ("all", "BTC/USD", None)
    assert (cluster.ts_event, cluster.ts_recv, cluster.sim) == (START + 2 * SECOND, START + 9 * SECOND, False)
    assert cluster.whale_ids == [events[place].id for place in (2, 1, 0)]  # by time, then by id
    assert (cluster.rule, cluster.window_ns, cluster.tier) == ("cluster/1 3 in 300 s", 300 * SECOND, "majors")


def test_whales_of_more_than_a_day_before_their_receipt_are_counted_and_left_out() -> None:
    detector = ClusterDetector(CLUSTERS)
    assert (detector.old, detector.forgotten) == (0, 0)
    late = [whale(number, START, ts_recv=START + DAY_NS + 1) for number in range(3)]
    assert [detector.fold(event) for event in late] == [[], [], []]
    assert detector.old == 3
    assert len(fold_all(detector, [whale(10 + number, START, ts_recv=START + DAY_NS) for number in range(3)])) == 1


def test_a_whale_of_more_dollars_than_can_be_added_up_changes_nothing() -> None:
    detector = ClusterDetector(CLUSTERS)
    with pytest.raises(FigureError):
        detector.fold(whale(1, usd_value="1000000000000000"))
    assert fold_all(detector, [whale(2), whale(3)]) == []
    assert len(fold_all(detector, [whale(4, usd_value="999999999999999.99")])) == 1


def test_a_clusters_comparison_is_traced_with_its_limit_and_the_time_of_the_window() -> None:
    trace = Trace()
    detector = ClusterDetector(CLUSTERS, trace)
    assert fold_all(detector, [whale(number, START + number, side="sell") for number in range(2)]) == []
    assert compared(trace) == [
        ("sell whales in 300 s", "1", ">=", "3", False, START),
        ("sell whales in 300 s", "2", ">=", "3", False, START + 1),
    ]
    detector.fold(whale(2, START + 2, side="sell"))
    assert compared(trace) == [("sell whales in 300 s", "3", ">=", "3", True, START + 2)]


@pytest.mark.parametrize(("base", "seconds"), [("BTC", 300), ("SOL", 450), ("PEPE", 600)])
def test_a_clusters_silence_is_that_of_its_bases_tier(base: str, seconds: int) -> None:
    detector = ClusterDetector(CLUSTERS)
    first = [whale(number, START, symbol=f"{base}/USDT") for number in range(3)]
    assert len(fold_all(detector, first)) == 1
    again = [whale(10 + step, START + seconds * SECOND - 1, symbol=f"{base}/USDT") for step in range(3)]
    assert fold_all(detector, again) == []
    assert len(fold_all(detector, [whale(20, START + seconds * SECOND, symbol=f"{base}/USDT")])) == 1


def test_the_values_of_a_cluster_are_added_up_exactly() -> None:
    values = ("0.01", "999999999999999.99", "1000000")
    (cluster,) = fold_all(ClusterDetector(CLUSTERS), [whale(n, usd_value=text) for n, text in enumerate(values)])
    assert Decimal(cluster.usd_value) == sum(map(Decimal, values))
