"""The latest state: what is merged, what is marked, what is kept, what comes back after a restart."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from consumers.cache.core import StateCache
from contracts import subjects
from contracts.codec import decoder, encode, fast
from contracts.market import BookSnapshot, TradeRange
from contracts.signals import WhaleTrade
from contracts.state import DOCUMENTS, FeedHealth, find_page_place
from contracts.streams import RECORDED_AGAIN
from runtime.seen.ids import SeenIds

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
START = 1_767_225_600 * SECOND
TAIL = "binance.BTC.USDT.spot"
TICKER = subjects.TICKER + TAIL
TRADE = subjects.TRADE + TAIL
LIQUIDATION = "md.v1.liquidation.bybit.BTC.USDT.perp"
Make = Callable[..., Any]


def drain(cache: StateCache, now: int = START) -> dict[str, Any]:
    """Everything that changed, parsed by its model."""
    changed = {key: body for key, body in cache.drain(now).items() if body is not None}
    return {
        key: next(model for prefix, model in DOCUMENTS.items() if key.startswith(prefix)).model_validate_json(body)
        for key, body in changed.items()
    }


def recent(documents: dict[str, Any]) -> list[str]:
    """The ids of the recent trades, newest first, those on pages too."""
    newest = documents["trade." + TAIL]
    pages = [documents["trades_page." + find_page_place(number, TAIL)] for number in newest.pages]
    return [trade.trade_id for one in (newest, *pages) for trade in one.trades]


def book(quality: str = "live", **fields: Any) -> Any:
    values: dict[str, Any] = {
        "id": f"{TAIL}.book.1",
        "venue": "binance",
        "symbol": "BTC/USDT",
        "venue_symbol": "BTCUSDT",
        "ts_event": START,
        "ts_recv": START,
        "sim": False,
        "bids": [("99", "1")],
        "asks": [("101", "2")],
        "seq": 1,
        "quality": quality,
        "checksum": 7,
        "venue_checksum": None,
    }
    return fast(BookSnapshot)(**{**values, **fields})


def test_a_frame_changes_only_the_parts_that_it_carries(ticker: Make) -> None:
    cache = StateCache()
    stats = {"last": "100", "open_24h": "90", "volume_24h": "5"}
    cache.fold_tickers([(TICKER, ticker(START, bid="99", bid_amount="1", ask="101", ask_amount="2", **stats))], START)
    cache.fold_tickers([(TICKER, ticker(START + 1, bid="98", bid_amount="3"))], START + 1)
    shown = drain(cache)["ticker." + TAIL]
    assert (shown.bid, shown.bid_amount, shown.ask, shown.ask_amount) == (98, 3, 101, 2)
    assert (shown.last, shown.open_24h, shown.volume_24h, shown.high_24h) == (100, 90, 5, None)
    assert (shown.last_ts, shown.bbo_ts, shown.stats_ts) == (START, START + 1, START)
    assert shown.quality == "live"


def test_the_last_price_comes_from_trades_too_unless_they_are_older(ticker: Make, trade: Make) -> None:
    cache = StateCache()
    cache.fold_trades([(TRADE, trade(1, START + 5, price="7"))], START)
    cache.fold_tickers([(TICKER, ticker(START, last="6"))], START)
    cache.fold_trades([(TRADE, trade(2, START + 4, price="8"))], START)
    shown = drain(cache)["ticker." + TAIL]
    assert (shown.last, shown.last_ts) == (Decimal(7), START + 5)


def test_nothing_is_drained_twice_and_many_changes_are_one_document(trade: Make) -> None:
    cache = StateCache()
    cache.fold_trades([(TRADE, trade(number)) for number in range(80)], START)
    changed = drain(cache)
    pages = {f"trades_page.{place}.{TAIL}" for place in range(1, 5)}
    assert set(changed) == {"ticker." + TAIL, "trade." + TAIL, "feed.binance", *pages}
    assert recent(changed) == [str(n) for n in range(79, 29, -1)]
    assert changed["feed.binance"].events == {"trade": 80}
    assert cache.drain(START) == {}


@pytest.mark.parametrize(
    ("fields", "marked"),
    [
        ({"state": "down"}, {"ticker": "stale", "trade": "stale", "book": "stale"}),
        ({"state": "gap", "symbol": "BTC/USDT", "channel": "book"}, {"book": "gap"}),
        ({"state": "gap", "symbol": "ETH/USDT", "channel": "book"}, {}),
        ({"state": "stale", "channel": "trade"}, {"trade": "stale"}),
        ({"state": "stale", "symbol": "BTC/USDT"}, {"ticker": "stale", "trade": "stale", "book": "stale"}),
    ],
    ids=["all of it", "one book", "another book", "one channel", "one symbol"],
)
def test_a_broken_feed_marks_what_depends_on_it_until_it_is_live(
    trade: Make, status: Make, fields: dict[str, Any], marked: dict[str, str]
) -> None:
    cache = StateCache()
    cache.fold_trades([(TRADE, trade(1))], START)
    cache.fold_bodies(subjects.BOOK, [(subjects.BOOK + TAIL, encode(book()))], START)
    cache.fold_feeds([("feed.v1.binance", status("live"))], 1)
    drain(cache)
    cache.fold_feeds([("feed.v1.binance", status(**fields))], 2)
    changed = drain(cache)
    for kind in ("ticker", "trade", "book"):
        assert changed[f"{kind}.{TAIL}"].quality == marked.get(kind, "live")
    cache.fold_feeds([("feed.v1.binance", status(**{**fields, "state": "live"}))], 3)
    changed = drain(cache)
    assert {changed[f"{kind}.{TAIL}"].quality for kind in ("ticker", "trade", "book")} == {"live"}


def test_simulated_stays_simulated_and_is_never_mixed_with_real(ticker: Make, status: Make) -> None:
    cache = StateCache()
    cache.fold_tickers([(TICKER, ticker(START, bid="99", last="100", sim=True))], START)
    cache.fold_feeds([("feed.v1.binance", status("down", sim=True))], 1)
    shown = drain(cache)
    assert (shown["ticker." + TAIL].quality, shown["ticker." + TAIL].sim) == ("sim", True)
    assert shown["feed.binance"].sim
    cache.fold_tickers([(TICKER, ticker(START + 1, ask="101"))], START)
    real = drain(cache)["ticker." + TAIL]
    assert (real.sim, real.bid, real.last, real.ask) == (False, None, None, Decimal(101))


def test_bodies_are_kept_as_they_are() -> None:
    cache = StateCache()
    body = encode(book("gap"))
    cache.fold_bodies(subjects.BOOK, [(subjects.BOOK + TAIL, body)], START)
    assert cache.drain(START)["book." + TAIL] == body


def test_feed_health_counts_reconnects_gaps_resyncs_and_tells_the_worst_of_each_channel(
    trade: Make, status: Make
) -> None:
    cache = StateCache()
    for seq, (state, fields) in enumerate(
        [
            ("connecting", {}),
            ("live", {}),
            ("down", {"reason": "closed"}),
            ("connecting", {}),
            ("live", {}),
            ("gap", {"channel": "book", "symbol": "BTC/USDT"}),
            ("resync", {"channel": "book", "symbol": "BTC/USDT"}),
            ("stale", {"channel": "book", "symbol": "ETH/USDT"}),
        ]
    ):
        cache.fold_feeds([("feed.v1.binance", status(state, START + seq, **fields))], seq)
    late = [trade(number, START, ts_recv=START + 1_000_000) for number in range(16)]
    cache.fold_trades([(TRADE, item) for item in late], START + 3_000_000)
    health = drain(cache)["feed.binance"]
    assert (health.connected, health.state, health.since) == (True, "live", START + 4)
    assert (health.reconnects, health.gaps, health.resyncs) == (1, 1, 1)
    assert health.channels == {"book": "resync", "trade": "live"}
    assert health.last_message_ts == {"trade": START + 1_000_000}
    assert 1_000_000 <= health.venue_latency.p50 < 1_070_000
    assert 2_000_000 <= health.bus_latency.p99 < 2_130_000
    assert health.clock_offset is None  # too few samples to tell


def test_a_clock_that_is_behind_the_venues_shows_as_a_negative_offset(trade: Make) -> None:
    cache = StateCache()
    for number, late in enumerate((7_000_000, -2_000_000, 1_000_000, -3_000_000, -1_000_000)):
        item = trade(number, START, ts_recv=START + late)
        cache.fold_trades([(TRADE, item)], START + 10_000_000)
        cache.drain(START)  # the first trade after each is a sample
    cache.fold_trades([(TRADE, trade(9, None, ts_recv=START - 9_000_000))], START)  # the venue tells no time
    health = drain(cache)["feed.binance"]
    assert health.clock_offset == -1_000_000
    assert cache.measure()["binance"]["clock_offset_seconds"] == -0.001
    assert cache.measure()["binance"]["state"] == 4, "no state was published yet"
    assert cache.measure()["binance"]["bus_latency_p50_seconds"] == health.bus_latency.p50 / 1e9


def test_liquidation_totals_cover_their_windows_by_side(liquidation: Make) -> None:
    cache = StateCache()
    now = START + 24 * HOUR
    ages = {1: 0, 2: 2 * HOUR, 3: 5 * HOUR, 4: 25 * HOUR}
    for number, age in ages.items():
        cache.fold_liquidations([(LIQUIDATION, liquidation(number, now - age))], now)
    cache.fold_liquidations([(LIQUIDATION, liquidation(5, now, position_side="short", sampled=True))], now)
    cache.fold_liquidations([(LIQUIDATION, liquidation(5, now, position_side="short"))], now)
    cache.fold_liquidations([(LIQUIDATION, liquidation(6, now, amount=None, contracts="9"))], now)
    shown = drain(cache, now)["liquidations.BTC"]
    assert {name: (total.long_usd, total.short_usd, total.count) for name, total in shown.totals.items()} == {
        "1h": (1_000_000, 1_000_000, 3),
        "4h": (2_000_000, 1_000_000, 4),
        "24h": (3_000_000, 1_000_000, 5),
    }
    assert shown.totals["1h"].unvalued == 1
    assert shown.sampled
    assert [entry.usd_value for entry in shown.recent][:2] == [None, Decimal(1_000_000)]


def test_liquidation_totals_shrink_as_time_passes_without_any_event(liquidation: Make) -> None:
    cache = StateCache()
    cache.fold_liquidations([(LIQUIDATION, liquidation(1))], START)
    drain(cache)
    assert "liquidations.BTC" not in drain(cache, START + SECOND)
    assert drain(cache, START + HOUR)["liquidations.BTC"].totals["1h"].count == 0


def test_liquidations_wait_until_the_past_is_read(liquidation: Make) -> None:
    cache = StateCache()
    cache.fold_liquidations([(LIQUIDATION, liquidation(1))], 0)
    assert cache.drain(START, liquidations=False) == {}
    assert "liquidations.BTC" in cache.drain(START)


def test_everything_comes_back_after_a_restart(ticker: Make, trade: Make, status: Make) -> None:
    cache = StateCache()
    cache.fold_tickers([(TICKER, ticker(START, bid="99", bid_amount="1", open_24h="90"))], START)
    cache.fold_trades([(TRADE, trade(1)), (TRADE, trade(2))], START)
    cache.fold_feeds([("feed.v1.binance", status("live")), ("feed.v1.binance", status("gap", channel="book"))], 9)
    cache.fold_bodies(subjects.BOOK, [(subjects.BOOK + TAIL, encode(book()))], START)
    documents = cache.drain(START)
    again = StateCache()
    for key, document in documents.items():
        assert document is not None
        again.restore(key, document)
    assert again.find_feeds_seq() == 9
    again.fold_trades([(TRADE, trade(3, START + 1, price="5"))], START)
    again.fold_feeds([("feed.v1.binance", status("live"))], 10)
    shown = drain(again)
    assert [trade.trade_id for trade in shown["trade." + TAIL].trades] == ["3", "2", "1"]
    merged = shown["ticker." + TAIL]
    assert (merged.last, merged.bid, merged.open_24h) == (5, 99, 90)
    assert shown["book." + TAIL].quality == "gap"
    assert (shown["feed.binance"].gaps, shown["feed.binance"].seq) == (1, 10)


def test_documents_hold_exactly_the_declared_fields(ticker: Make, trade: Make, status: Make, liquidation: Make) -> None:
    cache = StateCache()
    cache.fold_tickers([(TICKER, ticker(START, bid="1"))], START)
    cache.fold_trades([(TRADE, trade(1))], START)
    cache.fold_feeds([("feed.v1.binance", status("gap", channel="book"))], 1)
    cache.fold_liquidations([(LIQUIDATION, liquidation(1))], START)
    for key, body in cache.drain(START).items():
        assert body is not None
        model = next(model for prefix, model in DOCUMENTS.items() if key.startswith(prefix))
        assert set(json.loads(body)) == set(model.model_fields), key


# ---- feeds are watched
LIMITS = {"binance": {"trade": 10 * SECOND, "ticker": 40 * SECOND}}


def watched(cache: StateCache, now: int) -> dict[str, Any]:
    return json.loads(cache.drain(now)["feed.binance"] or b"")


def live_cache(status: Make, trade: Make, ticker: Make) -> StateCache:
    cache = StateCache()
    cache.on_silence_limits(LIMITS)
    cache.fold_feeds([("feed.v1.binance", status("live"))], 1)
    cache.fold_trades([(TRADE, trade(1))], START)
    cache.fold_tickers([(TICKER, ticker(last="100"))], START)
    cache.drain(START)
    return cache


def test_feed_that_says_live_and_sends_nothing_is_stale(status: Make, trade: Make, ticker: Make) -> None:
    cache = live_cache(status, trade, ticker)
    assert watched(cache, START + 10 * SECOND)["state"] == "live"
    feed = watched(cache, START + 11 * SECOND)
    assert (feed["state"], feed["said"], feed["reason"]) == (
        "stale",
        "live",
        "it says live, and nothing has come for 11 s",
    )
    assert set(feed["channels"].values()) == {"stale"}
    FeedHealth.model_validate_json(json.dumps(feed))
    cache.fold_trades([(TRADE, trade(2))], START + 12 * SECOND)
    feed = watched(cache, START + 12 * SECOND)
    assert (feed["state"], feed["channels"]) == ("live", {"trade": "live", "ticker": "live"})


def test_silence_is_judged_by_our_clock_whatever_the_events_say(status: Make, trade: Make, ticker: Make) -> None:
    cache = live_cache(status, trade, ticker)
    cache.fold_trades([(TRADE, trade(2, START + 900 * SECOND))], START + SECOND)
    assert watched(cache, START + SECOND)["state"] == "live"
    assert watched(cache, START + 12 * SECOND)["state"] == "stale"


def test_one_silent_channel_is_stale_while_the_feed_is_live(status: Make, trade: Make, ticker: Make) -> None:
    cache = live_cache(status, trade, ticker)
    for second in range(1, 46, 5):
        cache.fold_trades([(TRADE, trade(second, START + second * SECOND))], START + second * SECOND)
        cache.drain(START + second * SECOND)
    documents = cache.drain(START + 47 * SECOND)
    feed = json.loads(documents["feed.binance"] or b"")
    assert (feed["state"], feed["channels"]) == ("live", {"trade": "live", "ticker": "stale"})


def test_what_a_silent_feed_sent_last_is_shown_as_stale(status: Make, trade: Make, ticker: Make) -> None:
    cache = live_cache(status, trade, ticker)
    documents = cache.drain(START + 11 * SECOND)
    assert {json.loads(body or b"")["quality"] for key, body in documents.items() if not key.startswith("feed.")} == {
        "stale"
    }


def test_feed_of_a_producer_without_limits_is_stale_after_half_a_minute(status: Make, trade: Make) -> None:
    cache = StateCache()
    cache.fold_feeds([("feed.v1.binance", status("live"))], 1)
    cache.fold_trades([(TRADE, trade(1))], START)
    cache.drain(START)
    assert watched(cache, START + 30 * SECOND)["state"] == "live"
    assert watched(cache, START + 31 * SECOND)["state"] == "stale"


def test_feed_that_never_sent_anything_is_stale_after_its_limit(status: Make) -> None:
    cache = StateCache()
    cache.on_silence_limits(LIMITS)
    cache.fold_feeds([("feed.v1.binance", status("live"))], 1)
    assert watched(cache, START)["state"] == "live"
    feed = watched(cache, START + 11 * SECOND)
    assert (feed["state"], feed["reason"]) == ("stale", "it says live, and nothing has come")


def test_feed_that_is_down_is_not_called_stale(status: Make, trade: Make, ticker: Make) -> None:
    cache = live_cache(status, trade, ticker)
    cache.fold_feeds([("feed.v1.binance", status("down", reason="cut"))], 2)
    feed = watched(cache, START + 60 * SECOND)
    assert (feed["state"], feed["reason"]) == ("down", "cut")


def test_health_is_shown_each_second_so_that_its_age_tells_of_a_dead_cache(status: Make) -> None:
    cache = StateCache()
    cache.fold_feeds([("feed.v1.binance", status("down"))], 1)
    assert watched(cache, START)["as_of"] == START
    assert "feed.binance" not in cache.drain(START + SECOND // 2)
    assert watched(cache, START + SECOND)["as_of"] == START + SECOND


def test_stale_feed_that_is_restored_is_what_it_said_until_it_is_judged(
    status: Make, trade: Make, ticker: Make
) -> None:
    cache, restarted = live_cache(status, trade, ticker), StateCache()
    for key, body in cache.drain(START + 11 * SECOND).items():
        restarted.restore(key, body or b"")
    assert watched(restarted, START + 12 * SECOND)["state"] == "live"
    assert watched(restarted, START + 23 * SECOND)["state"] == "stale"


def test_losses_of_the_bus_are_no_venue(status: Make) -> None:
    cache = StateCache()
    cache.fold_feeds([("feed.v1.bus", status("gap", venue="bus"))], 1)
    assert cache.drain(START) == {}


def test_everything_is_shown_again_when_the_bucket_was_lost(status: Make, trade: Make, ticker: Make) -> None:
    cache = live_cache(status, trade, ticker)
    cache.show_all()
    assert set(cache.drain(START)) == {"feed.binance", "ticker.binance.BTC.USDT.spot", "trade.binance.BTC.USDT.spot"}


def test_each_document_is_written_again_after_a_while_that_what_is_recorded_holds_it(
    status: Make, trade: Make, ticker: Make
) -> None:
    cache = live_cache(status, trade, ticker)
    cache.drain(START)
    seconds = range(1, 3 * RECORDED_AGAIN)
    written = [second for second in seconds if "ticker." + TAIL in cache.drain(START + second * SECOND)]
    assert max(later - second for second, later in itertools.pairwise([0, *written])) <= RECORDED_AGAIN
    assert written[-1] > 2 * RECORDED_AGAIN


def test_a_trade_that_was_filled_in_is_among_the_recent_ones_and_says_nothing_of_now(ticker: Make, trade: Make) -> None:
    cache = StateCache()
    cache.fold_trades([(TRADE, trade(number, START + 2 * number, price="7")) for number in range(1, 60)], START)
    before = drain(cache)
    late = trade(1000, START + 101, price="3", ts_recv=START + HOUR, backfilled=True)
    cache.fold_trades([(TRADE, late), (TRADE, trade(999, START + 1, backfilled=True))], START + HOUR)
    shown = drain(cache, START + SECOND)
    assert "ticker." + TAIL not in shown
    assert recent(shown)[7:11] == ["52", "51", "1000", "50"]
    assert len(recent(shown)) == len(recent(before)) == 50
    assert shown["feed.binance"].events == before["feed.binance"].events


def test_a_feed_counts_what_was_filled_and_what_is_missing_and_its_state_stays(status: Make) -> None:
    cache = StateCache()
    span = {"first_id": None, "last_id": None, "start_ts": START, "end_ts": START + 1}
    known, unknown = fast(TradeRange)(**span, trades=3), fast(TradeRange)(**span, trades=None)
    cache.fold_feeds([("feed.v1.binance", status("live"))], 1)
    cache.fold_feeds([("feed.v1.binance", status("gap", filled=[known], missing=[unknown]))], 2)
    shown = drain(cache)["feed.binance"]
    assert (shown.filled, shown.missing, shown.gaps, shown.state) == (3, 1, 0, "live")


def test_the_cache_says_what_its_liquidations_take(liquidation: Make) -> None:
    cache, seen = StateCache(), SeenIds(20_000)
    assert cache.sizes() == {"liquidation_sums": 0, "whales": 0}
    for number in (1, 2):
        event = liquidation(number, START)
        seen.add(event.id)
        cache.fold_liquidations([(LIQUIDATION, event)], START)
    found = cache.sizes()["liquidation_sums"]
    assert found == seen.size() + 340 + 2 * 350, "a minute and two entries"


def test_the_cache_says_what_its_whales_take() -> None:
    cache = StateCache()
    text = (Path(__file__).parents[2] / "contracts" / "golden" / "whale.v1.json").read_bytes()
    golden = decoder(WhaleTrade).decode(text)
    cache.fold_whales([("signal.v1.whale.binance.BTC.USDT.spot", golden)], 1)
    assert cache.sizes()["whales"] == 1160 + 112, "of two trades"
    other = replace(golden, id="other", symbol="ETH/USDT", trade_ids=["1"])
    cache.fold_whales([("signal.v1.whale.binance.ETH.USDT.spot", other)], 2)
    assert cache.sizes()["whales"] == 2 * 1160 + 112


def test_a_late_whale_is_listed_by_its_time() -> None:
    cache = StateCache()
    text = (Path(__file__).parents[2] / "contracts" / "golden" / "whale.v1.json").read_bytes()
    golden = decoder(WhaleTrade).decode(text)
    given = [("1", 0, UNSET), ("2", 2, UNSET), ("3", 1, True)]
    whales = [replace(golden, id=name, ts_event=START + after, late=late) for name, after, late in given]
    cache.fold_whales([("signal.v1.whale.binance.BTC.USDT.spot", one) for one in whales], 1)
    assert [one.id[-1] for one in drain(cache)["whales.BTC"].whales] == ["2", "3", "1"]
