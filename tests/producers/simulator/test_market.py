"""The market itself: the same for a seed, never crossed, with whales and cascades."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace

import pytest

from producers.simulator.config import Options, SimulatorConfig
from producers.simulator.market.book import Book
from producers.simulator.market.candles import MINUTE_US, Candles
from producers.simulator.market.instruments import number_text
from producers.simulator.market.market import Market, MarketConfig
from producers.simulator.registry import VENUES

BEGIN_US = 1_790_000_000_000_000
STEP_US = 50_000
CONFIG = MarketConfig(7, tuple(VENUES), ("BTC", "ETH", "SOL", "XRP", "DOGE"), 1.0, (5.0, 10.0), (30.0, 60.0))


def run(market: Market, steps: int) -> str:
    """A digest of everything that happens in these steps."""
    digest = hashlib.sha256()
    for index in range(1, steps + 1):
        market.step(BEGIN_US + index * STEP_US, STEP_US)
        for key, item in market.listings.items():
            digest.update(repr((key, item.book.update_id, item.trades, item.liquidations)).encode())
    return digest.hexdigest()


def test_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    first, second, other = (Market(replace(CONFIG, seed=seed), BEGIN_US) for seed in (7, 7, 8))
    assert run(first, 100) == run(second, 100) != run(other, 100)


def test_books_never_cross_and_keep_their_size() -> None:
    market = Market(replace(CONFIG, rate=10.0), BEGIN_US)
    for index in range(1, 100):
        market.step(BEGIN_US + index * STEP_US, STEP_US)
        for item in market.listings.values():
            assert item.book.best_bid < item.book.best_ask
            assert item.book.bid_prices == sorted(item.book.bids)
            assert 150 <= len(item.book.asks) <= 420
            assert min(item.book.bids.values()) > 0


def test_whales_sweep_several_levels_at_one_time() -> None:
    market = Market(CONFIG, BEGIN_US)
    big: list[float] = []
    for index in range(1, 1201):
        market.step(BEGIN_US + index * STEP_US, STEP_US)
        for item in market.listings.values():
            orders: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
            for trade in item.trades:
                orders[trade.order].append((trade.price, trade.amount, trade.ts_us))
            for fills in orders.values():
                usd = sum(amount for _, amount, _ in fills) * item.lot_usd
                assert len({ts for _, _, ts in fills}) == 1
                if usd > 950_000:
                    big.append(usd)
                    assert len({price for price, _, _ in fills}) > 3
    assert 5 <= len(big) <= 20, "about one in 5 to 10 s over 60 s, cascades aside"


def test_cascade_strikes_one_base_on_one_side_with_trades() -> None:
    market = Market(replace(CONFIG, cascade_every_s=(20.0, 20.0)), BEGIN_US)
    sums: dict[tuple[str, bool], float] = defaultdict(float)
    counts: dict[tuple[str, bool], int] = defaultdict(int)
    venues: dict[tuple[str, bool], set[str]] = defaultdict(set)
    for index in range(1, 600):
        market.step(BEGIN_US + index * STEP_US, STEP_US)
        for item in market.listings.values():
            for x in item.liquidations:
                key = (item.instrument.base, x.is_long)
                sums[key] += x.amount * item.lot_usd
                counts[key] += 1
                venues[key].add(item.instrument.venue)
                assert any(t.ts_us == x.ts_us and t.taker_buys != x.is_long for t in item.trades)
    assert market.cascade_count == 1
    key = max(sums, key=lambda name: sums[name])
    assert sums[key] > (2_000_000 if key[0] in {"BTC", "ETH"} else 500_000)
    assert counts[key] >= 5
    terms = [item.instrument for item in market.listings.values()]
    assert venues[key] == {item.venue for item in terms if item.base == key[0] and item.market == "linear"}
    assert {"binanceusdm", "bybit", "okx"} <= venues[key]


def test_prices_of_one_base_stay_together_across_venues() -> None:
    market = Market(CONFIG, BEGIN_US)
    run(market, 200)
    terms = [(i.instrument, i.mark_price()) for i in market.listings.values() if i.instrument.base == "BTC"]
    prices = [price / 10**item.price_scale / item.quote_rate for item, price in terms]
    assert max(prices) / min(prices) < 1.01


def test_book_journal_names_what_a_step_touched() -> None:
    book = Book(100, 1)
    book.save_level(10, 5, is_bid=True)
    book.begin_step()
    book.save_level(10, 5, is_bid=True)
    assert (book.update_id, book.first_id) == (101, 0)
    book.save_level(10, 0, is_bid=True)
    book.save_level(11, 2, is_bid=False)
    assert (book.touched_bids, book.touched_asks, book.first_id, book.update_id) == ({10}, {11}, 102, 103)
    assert (book.list_bids(), book.list_asks()) == ([], [(11, 2)])


def test_candles_of_what_was_traded_close_where_the_next_window_begins() -> None:
    candles = Candles(1000, 600, BEGIN_US, 0.5)
    start = BEGIN_US - BEGIN_US % MINUTE_US
    for offset, price in ((0, 1000), (10, 1010), (20, 990), (70, 1005)):
        candles.fold(price, 2, start + offset * 1_000_000, taker_buys=price > 1000)
    live = candles.find(start, MINUTE_US)
    assert (live.open, live.high, live.low, live.close, live.volume, live.trades) == (1000, 1010, 990, 990, 6, 3)
    past = candles.list_candles(MINUTE_US, start - 1, 3)
    assert all(c.low <= min(c.open, c.close) <= max(c.open, c.close) <= c.high for c in past)
    assert past[0].close == past[1].open


@pytest.mark.parametrize(
    ("units", "scale", "decimals", "text"),
    [
        (8465000, 2, 8, "84650.00000000"),
        (8465010, 2, -1, "84650.1"),
        (7, 5, -1, "0.00007"),
        (0, 3, -1, "0"),
        (-5, 1, 2, "-0.50"),
    ],
)
def test_numbers_are_written_with_the_venues_precision(units: int, scale: int, decimals: int, text: str) -> None:
    assert number_text(units, scale, decimals) == text


@pytest.mark.parametrize(
    ("settings", "name"), [({"rate": 51}, "rate"), ({"venues": ("mtgox",)}, "venues"), ({"venues": ()}, "venues")]
)
def test_impossible_configuration_is_refused_by_name(settings: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}:"):
        SimulatorConfig(**settings)  # type: ignore[arg-type]


def test_options_are_named_by_venue_and_point_and_change_that_venue_only() -> None:
    options = Options(kucoin_unknown_symbol_is_error=False, okx_net_positions=True)
    assert options.find("kucoin").unknown_symbol_is_error is False
    assert options.find("kucoinfutures").unknown_symbol_is_error is True
    assert options.find("okx") == replace(VENUES["okx"].options, net_positions=True)
    with pytest.raises(TypeError, match="okx_tea"):
        Options(okx_tea=True)


def test_an_instruments_trades_never_go_back_in_time_where_steps_follow_each_other_early() -> None:
    market = Market(replace(CONFIG, rate=10.0), BEGIN_US)
    last: dict[tuple[str, str, str], tuple[int, int]] = dict.fromkeys(market.listings, (0, BEGIN_US))
    now_us = BEGIN_US
    for index in range(24):
        now_us += (STEP_US, STEP_US * 2, 1, STEP_US // 5)[index % 4]
        market.step(now_us, STEP_US)
        for key, item in market.listings.items():
            for trade in item.trades:
                assert last[key] < (trade.id, trade.ts_us)
                assert last[key][1] <= trade.ts_us <= now_us
                last[key] = (trade.id, trade.ts_us)
