"""Dollar rates, tiers, the registry's plans, and memory that stays bounded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from consumers.__main__ import main
from consumers.app import _Figures
from consumers.clusters.making import cluster_rules
from consumers.registry import CONSUMERS
from consumers.storms.making import storm_rules
from consumers.whales.making import whale_rules
from consumers.whales.rules import Adaptive
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import CELL, HOUR_NS, LAG, DatedRates, UsdRates, price_tails
from runtime.bounded import RollingHistogram, RollingLow, bucket_of, edge_of
from runtime.config.settings import SettingsError, load

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


def test_a_dollar_is_a_dollar_and_a_dollar_coin_without_price_is_taken_as_one() -> None:
    rates = UsdRates()
    dollar, coin = rates.find("USD", 0), rates.find("USDC", 0)
    assert dollar is not None
    assert coin is not None
    assert (dollar.rate, dollar.source, coin.rate, coin.source) == (1, "usd", 1, "peg")
    assert rates.find("EUR", 0) is None


@pytest.mark.parametrize(
    ("prices", "coin", "rate", "source"),
    [
        ([("USDT", "USD", "0.99")], "USDT", "0.99", "bus"),
        ([("BTC", "USDT", "50000")], "BTC", "50000", "peg"),
        ([("BTC", "USDT", "50000"), ("USDT", "USD", "0.5")], "BTC", "25000.0", "bus"),
        ([("BTC", "USDT", "1"), ("BTC", "USD", "50000")], "BTC", "50000", "bus"),
        ([("USDT", "IDR", "16000")], "IDR", "0.0000625", "peg"),
    ],
)
def test_a_rate_follows_the_buss_own_prices(
    prices: list[tuple[str, str, str]], coin: str, rate: str, source: str
) -> None:
    rates = UsdRates()
    for base, quote, price in prices:
        rates.on_price(base, quote, price, 10)
    found = rates.find(coin, 10)
    assert found is not None
    assert (found.rate, found.source) == (Decimal(rate), source)


def test_an_old_price_or_one_that_is_no_price_is_not_used() -> None:
    rates = UsdRates()
    rates.on_price("BTC", "USD", "50000", 0)
    assert rates.find("BTC", HOUR_NS) is not None
    assert rates.find("BTC", HOUR_NS + 1) is None
    rates.on_price("BTC", "USD", "0", HOUR_NS)
    assert rates.find("BTC", HOUR_NS) is None


def test_an_older_price_does_not_replace_a_newer() -> None:
    rates = UsdRates()
    rates.on_price("BTC", "USD", "2", 5)
    rates.on_price("BTC", "USD", "1", 4)
    found = rates.find("BTC", 5)
    assert found is not None
    assert found.rate == 2


def test_tiers_name_every_base() -> None:
    assert [Tiers().find(base) for base in ("ETH", "XRP", "PEPE")] == ["majors", "large", "mid"]


def test_plans_carry_the_documented_limits() -> None:
    settings = load()
    assert whale_rules(settings).limits == {"majors": 1_000_000, "large": 500_000, "mid": 200_000}
    storm = storm_rules(settings)
    assert (storm.usd["majors"], storm.count["majors"], storm.window) == (2_000_000, 3, 30 * 10**9)
    assert storm.cooldown == {"majors": 300 * 10**9, "large": 450 * 10**9, "mid": 600 * 10**9}
    cluster = cluster_rules(settings)
    assert (cluster.count, cluster.window) == (3, 300 * 10**9)


def test_the_adaptive_limit_is_off_until_its_quantile_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert whale_rules(load()).adaptive is None
    monkeypatch.setenv("HYDROPHONE_WHALE_ADAPTIVE_QUANTILE", "0.999")
    monkeypatch.setenv("HYDROPHONE_WHALE_ADAPTIVE_SAMPLES", "250")
    rules = whale_rules(load())
    assert rules.adaptive == Adaptive(share=(999, 1000), samples=250)
    assert rules.name == "whale/1 adaptive 999/1000"
    monkeypatch.setenv("HYDROPHONE_WHALE_ADAPTIVE_QUANTILE", "1")
    with pytest.raises(SettingsError, match="HYDROPHONE_WHALE_ADAPTIVE_QUANTILE"):
        load()


def test_an_unknown_consumer_is_refused_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert capsys.readouterr().err == f"no such consumer: nothing; there are {', '.join(CONSUMERS)}\n"


@given(st.integers(0, 2**70))
def test_buckets_are_at_most_a_sixteenth_wide(value: int) -> None:
    bucket = bucket_of(value)
    assert edge_of(bucket) <= value < edge_of(bucket + 1)
    assert (edge_of(bucket + 1) - edge_of(bucket)) * 16 <= max(edge_of(bucket), 16)


def test_a_rolling_quantile_forgets_what_is_old() -> None:
    sizes = RollingHistogram(2, 10)
    for _ in range(100):
        sizes.add(1000, 0)
    assert sizes.find_quantile((1, 2)) in range(1000, 1064)
    for _ in range(10):
        sizes.add(7, 25)
    assert (sizes.find_quantile((99, 100)), sizes.count) == (7, 10)
    assert RollingHistogram(2, 10).find_quantile((1, 2)) is None


@given(st.lists(st.integers(-(10**12), 10**12), min_size=3, max_size=60))
def test_a_rolling_low_is_the_third_lowest_whatever_the_order(values: list[int]) -> None:
    low = RollingLow(3, 10)
    for number, value in enumerate(values):
        low.add(value, number % 30)
    assert low.find() == sorted(values)[2]


def test_a_rolling_low_is_not_moved_by_two_wild_ones_and_forgets_what_is_old() -> None:
    low = RollingLow(2, 10)
    assert low.find() is None
    for value in (-(10**9), 5, 6, -(10**9), 7):
        low.add(value, 0)
    assert low.find() == 5
    for value in (9, 8, 10):
        low.add(value, 25)
    assert low.find() == 10


def test_figures_of_feeds_have_the_venue_as_their_only_label() -> None:
    registry = CollectorRegistry()
    figures = _Figures.on(registry)
    for venue, seconds in (("okx", 0.25), ("binance", -0.001), ("okx", 0.5)):
        figures.measure("clock_offset_seconds", venue, seconds)
    text = generate_latest(registry).decode()
    assert 'hydrophone_feed_clock_offset_seconds{venue="okx"} 0.5' in text
    assert 'hydrophone_feed_clock_offset_seconds{venue="binance"} -0.001' in text


def test_a_dated_rate_is_the_same_whatever_was_read_when() -> None:
    prices = [(START + n * 3 * SECOND, str(Decimal(100 + n) / 100)) for n in range(40)]
    whole, late = DatedRates(), DatedRates()
    for ts, price in prices:
        whole.on_price("USDT", "USD", price, ts)
    at = START + 70 * SECOND
    for ts, price in prices:
        if ts <= at - LAG:  # what every reader has by then
            late.on_price("USDT", "USD", price, ts)
    rate = whole.find("USDT", at)
    assert rate == late.find("USDT", at)
    assert rate is not None
    assert (rate.source, rate.rate) == ("bus", Decimal("1.20"))  # the first after 60 s, which is 65 s - LAG


def test_a_dated_price_counts_from_its_lag_on_for_an_hour() -> None:
    rates = DatedRates()
    rates.on_price("USDT", "USD", "0.9", START)
    found = [rates.find("USDT", START + after) for after in (0, LAG - 1, LAG, HOUR_NS, HOUR_NS + 1)]
    assert [rate and rate.source for rate in found] == ["peg", "peg", "bus", "bus", "peg"]
    assert rates.find("EUR", START + LAG) is None
    assert rates.find("USD", START) is not None


def test_dated_prices_of_little_more_than_an_hour_are_kept() -> None:
    rates = DatedRates()
    for cell in range(371):
        rates.on_price("USDT", "USD", "0.9", START + cell * CELL)
    rates.on_price("USDT", "USD", "0.9", START + 370 * CELL + 1)
    early, late = (rates.find("USDT", START + after * CELL + LAG) for after in (0, 1))
    assert early is not None
    assert late is not None
    assert (early.source, late.source) == ("peg", "bus")


def test_price_tails_lead_to_dollars() -> None:
    assert price_tails("USD") == ()
    assert price_tails("USDT") == ("*.USDT.USD.spot",)
    assert {"*.EUR.USD.spot", "*.EUR.USDT.spot", "*.USDT.EUR.spot", "*.USDT.USD.spot"} <= set(price_tails("EUR"))
