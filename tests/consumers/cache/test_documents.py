"""Documents of the bucket: how many are kept, which leave it, when they are written, and what comes back of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumers.cache.core import BASES, INSTRUMENTS, VENUES, StateCache
from contracts import codec, subjects
from contracts.signals import WhaleTrade

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
TAIL = "binance.BTC.USDT.spot"
TICKER, TRADE = subjects.TICKER + TAIL, subjects.TRADE + TAIL
FEED = "feed.v1.binance"
GOLDEN = Path(__file__).parents[2] / "contracts" / "golden"
Make = Callable[..., Any]


def body_of(kind: str, **fields: Any) -> bytes:
    """Return a good body of BTC/USDT on Binance."""
    text = json.loads((GOLDEN / f"{kind}.v1.json").read_text())
    named = {"venue": "binance", "symbol": "BTC/USDT", "venue_symbol": "BTCUSDT", "ts_event": START, "ts_recv": START}
    return json.dumps(text | named | fields, separators=(",", ":")).encode()


def whale(name: str = "1", symbol: str = "BTC/USDT") -> tuple[str, Any]:
    event = codec.decoder(WhaleTrade).decode((GOLDEN / "whale.v1.json").read_bytes())
    return "signal.v1.whale.binance.x", msgspec.structs.replace(event, id=name, symbol=symbol)


def trade_of(trade: Make, base: str, number: int = 1, **fields: Any) -> tuple[str, Any]:
    return f"{subjects.TRADE}binance.{base}.USDT.spot", trade(number, symbol=f"{base}/USDT", **fields)


# ---- how many are kept
def test_as_many_are_kept_as_documented() -> None:
    assert (INSTRUMENTS, VENUES, BASES) == (10_000, 256, 5_000)


def test_what_is_dropped_leaves_the_bucket_once_and_is_counted(trade: Make, status: Make, liquidation: Make) -> None:
    cache = StateCache(instruments=1, venues=1, bases=1)
    for number, name in enumerate("ABC"):
        cache.fold_trades([trade_of(trade, name)], START)
        cache.fold_whales([whale(name, f"{name}/USDT")], number)
        cache.fold_liquidations([("x", liquidation(number, symbol=f"{name}/USDT:USDT", venue="binance"))], START)
    cache.fold_feeds([(f"feed.v1.{name}", status("live", venue=name)) for name in ("okx", "htx")], 1)
    assert cache.forgotten == 4, "of each the one that was used first"
    gone = {key for key, body in cache.drain(START).items() if body is None}
    assert {key for key in gone if not key.startswith(("trades_page.", "feed."))} == {
        *("ticker.binance.A.USDT.spot", "trade.binance.A.USDT.spot", "whales.A", "liquidations.A"),
    }
    assert "feed.okx" in gone
    assert [key for key, body in cache.drain(START).items() if body is None] == []


def test_tickers_and_books_of_all_venues_are_of_none(ticker: Make) -> None:
    cache = StateCache()
    assert not cache.fold_tickers([(subjects.CONSOLIDATED_TICKER + "BTC.USDT.spot", ticker(last="1"))], START)
    consolidated = [(subjects.CONSOLIDATED_BOOK + "BTC.USDT.spot", body_of("book"))]
    assert not cache.fold_bodies(subjects.BOOK, consolidated, START)
    assert cache.drain(START) == {}


def test_what_a_dollar_coin_is_worth_is_told_by_its_trades_too(trade: Make, liquidation: Make) -> None:
    cache = StateCache()
    priced = trade(1, symbol="USDC/USD", price="0.5")
    cache.fold_trades([("md.v1.trade.binance.USDC.USD.spot", priced)], START)
    cache.fold_liquidations([("x", liquidation(1, symbol="BTC/USDC:USDC", price="100", amount="2"))], START)
    shown = json.loads(cache.drain(START)["liquidations.BTC"] or b"")
    assert shown["recent"][0]["usd_value"] == "100.00"


def test_a_ticker_without_a_last_price_tells_no_price(ticker: Make, liquidation: Make) -> None:
    cache = StateCache()
    cache.fold_tickers([(TICKER, ticker(bid="5"))], START)
    tails = [("md.v1.ticker.binance.USDC.USD.spot", ticker(symbol="USDC/USD", last="0.5"))]
    cache.fold_tickers(tails, START)
    sold = liquidation(1, symbol="BTC/USDC:USDC", price="100", amount="2")
    cache.fold_liquidations([("x", sold)], START)
    changed = cache.drain(START)
    assert json.loads(changed["liquidations.BTC"] or b"")["recent"][0]["usd_value"] == "100.00"
    assert json.loads(changed["feed.binance"] or b"")["events"] == {"ticker": 2}


@pytest.mark.parametrize("kind", ["book", "funding", "interest"])
def test_of_a_body_the_last_counts_and_its_feed_counts_all(kind: str) -> None:
    cache = StateCache()
    prefix = codec.KIND_SUBJECTS[kind]
    for number in (1, 2):
        assert not cache.fold_bodies(prefix, [(prefix + TAIL, body_of(kind, id=f"x{number}"))], START + number)
    changed = cache.drain(START + 5)
    assert json.loads(changed[f"{kind}.{TAIL}"] or b"")["id"] == "x2"
    feed = json.loads(changed["feed.binance"] or b"")
    assert (feed["events"], feed["last_message_ts"]) == ({kind: 2}, {kind: START + 2})


def test_of_32_bodies_one_is_measured() -> None:
    cache = StateCache()
    for number in range(65):
        cache.fold_bodies(subjects.BOOK, [(subjects.BOOK + TAIL, body_of("book"))], START + number)
    hops = cache.take_hops()
    assert len([venue for venue, _ in hops if venue == "binance"]) == 2 * 3, "the way to us and the way here"
    assert cache.take_hops() == []


def test_liquidations_of_the_past_are_of_no_feed(liquidation: Make) -> None:
    cache = StateCache()
    cache.fold_liquidations([("x", liquidation(1))], 0)
    assert set(cache.drain(START)) == {"liquidations.BTC"}
    cache.fold_liquidations([("x", liquidation(2))], START + 7)
    feed = json.loads(cache.drain(START + 8)["feed.bybit"] or b"")
    assert (feed["events"], feed["last_message_ts"]) == ({"liquidation": 1}, {"liquidation": START})
    assert [venue for venue, _ in cache.take_hops()] == ["bybit"] * 2
    assert {kind for hop in feed["hops"].values() for kind in hop} == {"liquidation"}


def test_a_status_marks_again_what_is_of_its_venue(trade: Make, status: Make) -> None:
    cache = StateCache()
    cache.fold_trades([(TRADE, trade(1)), ("md.v1.trade.okx.BTC.USDT.spot", trade(1, venue="okx"))], START)
    cache.drain(START)
    cache.fold_feeds([(FEED, status("down"))], 1)
    assert set(cache.drain(START)) == {"feed.binance", "ticker." + TAIL, "trade." + TAIL}


def test_publish_times_and_limits_are_of_their_venue(trade: Make) -> None:
    cache = StateCache()
    cache.on_publish_times({"binance": {"trade": (1, 2, 3)}})
    cache.on_silence_limits({"okx": {"trade": 5}})
    changed = {key: json.loads(body or b"") for key, body in cache.drain(START).items()}
    assert set(changed) == {"feed.binance", "feed.okx"}
    assert (changed["feed.okx"]["silence"], changed["feed.binance"]["silence"]) == ({"trade": 5}, {})
    assert changed["feed.okx"]["hops"] != changed["feed.binance"]["hops"]


# ---- when they are written
def test_health_is_written_again_after_exactly_a_second(status: Make) -> None:
    cache = StateCache()
    cache.fold_feeds([(FEED, status("down"))], 1)
    cache.drain(START)
    assert cache.drain(START + SECOND - 1) == {}
    assert set(cache.drain(START + SECOND)) == {"feed.binance"}


def test_every_document_is_written_again_where_all_is_lost(trade: Make, status: Make, liquidation: Make) -> None:
    cache = StateCache()
    cache.fold_trades([(TRADE, trade(1))], START)
    cache.fold_bodies(subjects.FUNDING, [(subjects.FUNDING + TAIL, body_of("funding"))], START)
    cache.fold_whales([whale()], 1)
    cache.fold_liquidations([("x", liquidation(1))], START)
    cache.fold_feeds([(FEED, status("live"))], 1)
    first = cache.drain(START)
    assert cache.drain(START) == {}
    cache.show_all()
    assert cache.drain(START) == first
    assert set(first) == {
        *("feed.binance", "feed.bybit", "whales.BTC", "liquidations.BTC"),
        *(f"{kind}.{TAIL}" for kind in ("ticker", "trade", "funding")),
    }


def test_a_feed_that_was_dropped_meanwhile_is_another_one(trade: Make, status: Make) -> None:
    cache = StateCache(venues=1)
    cache.fold_trades([(TRADE, trade(1))], START)
    for name in ("okx", "htx", "gate"):
        cache.fold_feeds([(f"feed.v1.{name}", status("live", venue=name))], 1)
    cache.fold_trades([(TRADE, trade(2))], START)
    cache.drain(START)
    cache.fold_feeds([(FEED, status("down"))], 2)
    assert json.loads(cache.drain(START)["trade." + TAIL] or b"")["quality"] == "stale"


def test_a_feed_that_was_dropped_is_found_again_for_what_is_not_counted(status: Make) -> None:
    cache, funding = StateCache(venues=1), [(subjects.FUNDING + TAIL, body_of("funding"))]
    cache.fold_bodies(subjects.FUNDING, funding, START)
    for name in ("okx", "htx", "gate"):
        cache.fold_feeds([(f"feed.v1.{name}", status("live", venue=name))], 1)
    cache.fold_bodies(subjects.FUNDING, funding, START)
    assert cache.drain(START)["feed.binance"] is not None


def test_a_feed_that_falls_silent_has_its_documents_written_again_at_once(trade: Make, status: Make) -> None:
    cache = StateCache()
    cache.fold_feeds([(FEED, status("live"))], 1)
    cache.fold_trades([(TRADE, trade(1)), ("md.v1.trade.htx.BTC.USDT.spot", trade(1, venue="htx"))], START)
    written = [set(cache.drain(START + second * SECOND)) for second in range(33)]
    assert written[31] >= {"feed.binance", "ticker." + TAIL, "trade." + TAIL}
    assert not {"ticker.htx.BTC.USDT.spot", "trade.htx.BTC.USDT.spot"} & written[31], "of a feed that says nothing"


def test_what_cannot_be_folded_is_named_by_its_place(status: Make) -> None:
    cache, bad = StateCache(), object()
    for faults in (
        cache.fold_tickers([(TICKER, bad)], START),
        cache.fold_trades([(TRADE, bad)], START),
        cache.fold_liquidations([("x", bad)], START),
        cache.fold_whales([("x", bad)], 1),
        cache.fold_feeds([(FEED, bad)], 1),
    ):
        assert [index for index, _ in faults] == [0]
    assert [index for index, _ in cache.fold_feeds([(FEED, status("live")), (FEED, bad)], 2)] == [1]


# ---- what comes back
def test_every_document_comes_back_as_it_was(trade: Make, ticker: Make, status: Make) -> None:
    cache = StateCache()
    cache.fold_tickers([(TICKER, ticker(START, bid="99", bid_amount="1", open_24h="90"))], START)
    cache.fold_trades([(TRADE, trade(number)) for number in range(1, 40)], START)
    cache.fold_bodies(subjects.FUNDING, [(subjects.FUNDING + TAIL, body_of("funding"))], START)
    cache.fold_whales([whale("1"), whale("2")], 8)
    cache.fold_feeds([(FEED, status("gap", channel="trade"))], 9)
    first = cache.drain(START)
    again = StateCache()
    for key, body in first.items():
        again.restore(key, body or b"")
    assert (again.find_feeds_seq(), again.find_whales_seq()) == (9, 8)
    assert {key for key in again.drain(START) if not key.startswith("feed.")} == set()
    again.show_all()
    shown = again.drain(START)
    for key in ("ticker." + TAIL, "trade." + TAIL, "funding." + TAIL, "whales.BTC"):
        assert shown[key] == first[key], key
    assert shown.keys() == {key for key in first if "page" not in key} | {key for key in shown if "page" in key}


def test_a_simulated_ticker_comes_back_as_one(ticker: Make) -> None:
    cache, again = StateCache(), StateCache()
    cache.fold_tickers([(TICKER, ticker(START, last="99", sim=True))], START)
    body = cache.drain(START)["ticker." + TAIL] or b""
    again.restore("ticker." + TAIL, body)
    again.fold_tickers([(TICKER, ticker(START, bid="98", sim=True))], START)
    shown = json.loads(again.drain(START)["ticker." + TAIL] or b"")
    assert (shown["last"], shown["bid"], shown["sim"], shown["venue_symbol"]) == ("99", "98", True, "BTCUSDT")


def test_sequences_are_the_highest_and_are_forgotten_with_their_stream(status: Make) -> None:
    cache = StateCache()
    assert (cache.find_feeds_seq(), cache.find_whales_seq()) == (0, 0)
    cache.fold_feeds([(FEED, status("live"))], 5)
    cache.fold_feeds([("feed.v1.okx", status("live", venue="okx"))], 4)
    cache.fold_whales([whale("1")], 7)
    cache.fold_whales([whale("2", "ETH/USDT")], 6)
    assert (cache.find_feeds_seq(), cache.find_whales_seq()) == (5, 7)
    cache.forget_feeds_seq()
    assert (cache.find_feeds_seq(), cache.find_whales_seq()) == (0, 7)
    cache.forget_whales_seq()
    assert cache.find_whales_seq() == 0


def test_a_feed_that_is_restored_is_of_its_instruments(trade: Make, status: Make) -> None:
    cache = StateCache()
    cache.fold_feeds([(FEED, status("down"))], 1)
    document = cache.drain(START)["feed.binance"] or b""
    again = StateCache()
    again.restore("trade." + TAIL, first_trades(trade))
    again.restore("trade.okx.BTC.USDT.spot", first_trades(trade, "okx"))
    again.restore("feed.binance", document)
    again.show_all()
    shown = again.drain(START)
    assert json.loads(shown["trade." + TAIL] or b"")["quality"] == "stale"
    assert json.loads(shown["trade.okx.BTC.USDT.spot"] or b"")["quality"] == "live"


def test_a_feed_that_is_restored_and_falls_silent_marks_its_instruments(trade: Make, status: Make) -> None:
    cache, again = StateCache(), StateCache()
    cache.fold_feeds([(FEED, status("live"))], 1)
    document = cache.drain(START)["feed.binance"] or b""
    again.restore("trade." + TAIL, first_trades(trade))
    again.restore("feed.binance", document)
    again.drain(START)
    assert json.loads(again.drain(START + 31 * SECOND)["trade." + TAIL] or b"")["quality"] == "stale"


def first_trades(trade: Make, venue: str = "binance") -> bytes:
    cache = StateCache()
    cache.fold_trades([(f"{subjects.TRADE}{venue}.BTC.USDT.spot", trade(1, venue=venue))], START)
    return cache.drain(START)[f"trade.{venue}.BTC.USDT.spot"] or b""


@pytest.mark.parametrize("prefix", ["ticker.", "trade.", "trades_page.1.", "book.", "funding.", "interest.", "feed."])
def test_what_is_no_document_is_refused_with_nothing_restored(prefix: str) -> None:
    cache = StateCache()
    with pytest.raises((ValueError, msgspec.MsgspecError)):
        cache.restore(prefix + ("binance" if prefix == "feed." else TAIL), b"{}")
    assert cache.drain(START) == {}
    cache.restore("unknown.x", b"{}")


def test_a_body_is_restored_with_its_subject_checked() -> None:
    cache = StateCache()
    cache.restore("funding." + TAIL, body_of("funding"))
    cache.show_all()
    assert cache.drain(START)["funding." + TAIL] == body_of("funding")
    with pytest.raises(ValueError, match="on the subject of"):
        cache.restore("funding." + TAIL, body_of("funding", venue="okx"))
