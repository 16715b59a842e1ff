"""Names without end: consumers keep what was used last and say how much they dropped; odd times open nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from consumers.cache.core import StateCache
from consumers.candles.core import CandleBook
from consumers.candles.gaps import MARKS, Gaps
from consumers.candles.history import CandleHistory
from consumers.candles.rules import CandleRules
from consumers.clusters.core import ClusterDetector, ClusterRules
from consumers.storms.core import StormDetector, StormRules
from consumers.whales.core import WhaleDetector
from consumers.whales.rules import WhaleRules
from contracts import codec
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import UsdRates
from contracts.codec import EVENTS
from contracts.market import MOST_IDS
from contracts.numbers import DAY_NS
from contracts.recent import Recent
from runtime.bounded import Window
from tests.consumers.odd_events import golden

SECOND = 1_000_000_000
NOW = 1_795_291_200 * SECOND
NAMES = 10_000
LIMITS = dict.fromkeys(("majors", "large", "mid"), Decimal(1000))
COUNTS = dict.fromkeys(("majors", "large", "mid"), 2)
COOLDOWN = dict.fromkeys(("majors", "large", "mid"), SECOND)

Make = Callable[..., Any]


def named(kind: str, number: int, **fields: Any) -> tuple[str, Any]:
    """A good event of an instrument, base and venue that nobody named before."""
    _, body = golden(EVENTS[kind], NOW)
    body |= {"id": f"{kind}.{number}", "venue": f"v{number}", "symbol": f"B{number}/USDT", **fields}
    prefix = codec.KIND_SUBJECTS[kind]
    subject = prefix + body["venue"] if kind == "feed" else f"{prefix}{body['venue']}.B{number}.USDT.spot"
    return subject, codec.decode(subject, json.dumps(body).encode(), NOW)


def test_the_cache_keeps_the_instruments_that_were_used_last_and_takes_the_others_out_of_the_bucket() -> None:
    cache, names = StateCache(instruments=100, venues=20, bases=50), 2000
    shown: set[str] = set()
    for number in range(names):
        cache.fold_trades([named("trade", number), named("trade", 1_000_000)], NOW)
        cache.fold_feeds([named("feed", number)], number)
        cache.fold_liquidations([named("liquidation", number)], NOW)
        cache.fold_whales([named("whale", number)], number)
        if number % 10 == 0:
            for key, body in cache.drain(NOW).items():
                if body is None:
                    shown.discard(key)
                else:
                    shown.add(key)
    assert len(shown) < 1000
    assert "ticker.v1000000.B1000000.USDT.spot" in shown  # traded all the time
    assert cache.forgotten > 3 * names


def test_candles_keep_the_instruments_that_were_traded_last() -> None:
    book = CandleBook(CandleRules(instruments=100))
    for number in range(NAMES):
        assert book.fold([named("trade", number), named("trade", 1_000_000, trade_id=str(number))], number) == []
    assert len(book.save()) <= 200
    assert book.forgotten >= NAMES - 200
    assert book.list_current("v1000000.B1000000.USDT.spot", "1m") != []


def test_past_candles_gaps_and_prices_are_bounded(status: Make) -> None:
    history, gaps, rates = CandleHistory(series=100), Gaps(), UsdRates(limit=100)
    for number in range(2 * MARKS):
        gaps.on_status(status("gap", NOW, channel="trade", symbol=f"B{number}/USDT"))
        rates.on_price(f"B{number}", "USD", "1", NOW)
    for number in range(1000):
        _, candle = named("trade", number)
        history.save(f"v{number}.B.USDT.spot", candle_of(candle))
    assert len(history) <= 200
    assert len(rates.list_prices()) <= 200
    assert gaps.list_spans("binance", "NEVER/USDT", NOW + 1) == [(NOW, NOW + 1)]  # too many to tell apart
    assert sum(len(venue.states.lasting) for venue in gaps._venues.values()) <= MARKS + 1


def candle_of(trade: Any) -> Any:
    _, body = golden(EVENTS["candle"], NOW)
    return codec.decoder(EVENTS["candle"]).decode(json.dumps(body | {"venue": trade.venue}).encode())


def test_detectors_keep_the_bases_and_instruments_that_were_used_last() -> None:
    tiers = Tiers()
    whales = WhaleDetector(WhaleRules(tiers=tiers, limits=LIMITS), instruments=100)
    clusters = ClusterDetector(ClusterRules(tiers=tiers, cooldown=COOLDOWN))
    storms = StormDetector(StormRules(tiers=tiers, usd=LIMITS, count=COUNTS, cooldown=COOLDOWN), UsdRates())
    for number in range(NAMES):
        whales.fold([named("trade", number)], number, NOW)
        clusters.fold(named("whale", number)[1])
        storms.fold(named("liquidation", number)[1])
    assert len(whales.save()) < 600_000
    assert whales.forgotten >= NAMES - 200
    assert len(clusters._whales) <= 10_000
    assert len(storms._hits) <= 10_000


def test_a_group_of_too_many_fills_is_reported_as_several_whales(trade: Make) -> None:
    detector = WhaleDetector(WhaleRules(tiers=Tiers(), limits=LIMITS))
    fills = [("md.v1.trade.binance.BTC.USDT.spot", trade(number, NOW, price="9")) for number in range(2500)]
    outputs, faults = detector.fold(fills, 1, NOW)
    outputs += detector.tick(NOW + SECOND)
    assert faults == []
    assert [len(whale.trade_ids) for _, whale in outputs] == [MOST_IDS, MOST_IDS, 500]
    assert len({whale.id for _, whale in outputs}) == 3


def test_a_saved_document_fits_into_a_message_whatever_the_names(trade: Make) -> None:
    detector = WhaleDetector(WhaleRules(tiers=Tiers(), limits=LIMITS))
    for number in range(6000):
        base = f"{number}{'x' * 150}"
        fields = {"symbol": f"{base}/USDT", "id": f"{number}{'y' * 250}", "venue_symbol": "z" * 256}
        detector.fold([(f"md.v1.trade.binance.{base}.USDT.spot", trade(number, NOW, **fields))], number, NOW)
    document = detector.save()
    assert len(document) < 1_000_000
    assert detector.counts.unsaved > 0
    assert WhaleDetector(detector.rules).restore(document) == 5999


def test_trades_of_years_ago_open_no_candle_and_no_signal(trade: Make) -> None:
    book, whales = CandleBook(), WhaleDetector(WhaleRules(tiers=Tiers(), limits=LIMITS))
    book.begin(NOW)
    old = [
        (
            "md.v1.trade.binance.BTC.USDT.spot",
            trade(number, NOW - 30 * DAY_NS - number * DAY_NS, ts_recv=NOW - (number % 2) * 20 * DAY_NS, amount="99"),
        )
        for number in range(3000)
    ]
    assert book.fold(old, 1) == []
    assert book.tick(NOW) == []
    assert sum(book.counts.too_late.values()) == 8 * 3000
    assert whales.fold(old, 1, NOW) == ([], [])
    assert whales.tick(NOW + SECOND) == []
    assert whales.counts.old == 3000


@pytest.mark.parametrize("kind", ["whale", "liquidation"])
def test_prints_older_than_a_day_make_no_cluster_and_no_storm(kind: str) -> None:
    clusters = ClusterDetector(ClusterRules(tiers=Tiers(), cooldown=COOLDOWN, count=1))
    rules = StormRules(tiers=Tiers(), usd=LIMITS, count=dict.fromkeys(COUNTS, 1), cooldown=COOLDOWN)
    storms = StormDetector(rules, UsdRates())
    detector = {"whale": clusters, "liquidation": storms}[kind]
    assert detector.fold(named(kind, 1, ts_event=NOW - DAY_NS - 1, price="99999")[1]) == []
    assert detector.old == 1
    assert detector.fold(named(kind, 2, ts_event=NOW - DAY_NS, price="99999")[1]) != []


def test_a_clock_far_ahead_does_not_outdate_what_follows() -> None:
    clusters = ClusterDetector(ClusterRules(tiers=Tiers(), cooldown=COOLDOWN, count=3))
    found = [
        clusters.fold(named("whale", 5, id=f"w{n}", ts_event=NOW + (DAY_NS if n == 0 else n))[1]) for n in range(3)
    ]
    assert [len(signals) for signals in found] == [0, 0, 1]


def test_recent_keeps_what_is_used() -> None:
    gone: list[int] = []
    held: Recent[int, str] = Recent(3, lambda key, _: gone.append(key))
    for number in range(20):
        held.put(number, str(number))
        assert held.get(0) == "0"
        assert len(held) <= 6
    assert 0 not in gone
    assert held.dropped == len(gone) == 20 - len(held)
    assert held.pop(0) == "0"
    assert held.pop(0) is None


def test_window_gives_what_leaves_it() -> None:
    window: Window[str] = Window(10, 3)
    assert [window.add(str(at), str(at), at) for at in (5, 1, 7)] == [[], [], []]
    assert window.add("8", "8", 8) == ["1"]  # more than three
    assert window.add("18", "18", 18) == ["5", "7", "8"]  # too old
    assert window.add("2", "2", 2) == ["2"]  # too old when it comes
    assert list(window.values()) == ["18"]
