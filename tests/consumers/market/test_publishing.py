"""The consolidated ticker and book: of every fresh venue of one market, on change only, who was left out beside."""

from __future__ import annotations

import json
from typing import Any

from consumers.market.publishing import Consolidator
from contracts import codec
from contracts.consolidated import ConsolidatedTicker
from contracts.market import Ticker
from tests.consumers.market.recorded import make_state, read_golden

RECORDED = read_golden("state.json.gz")
NOW: int = RECORDED["now_ns"]
SECOND = 10**9
TICKER = "md.v1.ticker.all.BTC.USDT.spot"
BOOK = "md.v1.book.all.BTC.USDT.spot"
KEY = "ticker.binance.BTC.USDT.spot"


def begin() -> tuple[Consolidator, dict[str, bytes]]:
    state, held = make_state(RECORDED)
    consolidator = Consolidator(state)
    consolidator.on_listing()
    return consolidator, held


def drain(consolidator: Consolidator, now: int = NOW) -> dict[str, Any]:
    outputs = [output for output in consolidator.drain(now) if output is not None]
    assert len({subject for subject, _, _ in outputs}) == len(outputs)
    return {subject: codec.decode(subject, body) for subject, _, body in outputs}


def change(held: dict[str, bytes], key: str, **parts: Any) -> None:
    held[key] = json.dumps({**json.loads(held[key]), **parts}).encode()


def frame(**parts: Any) -> Any:
    """A ticker frame as the lane decodes it."""
    own = {"id": "x", "venue": "binance", "symbol": "BTC/USDT", "venue_symbol": "BTCUSDT", "ts_event": None}
    return codec.fast(Ticker)(**{**own, "ts_recv": NOW, "sim": False, **parts})


def test_every_market_is_published_once_and_then_only_what_changed() -> None:
    consolidator, held = begin()
    first = drain(consolidator)
    assert {TICKER, BOOK, "md.v1.ticker.all.BTC.USD.inverse", "md.v1.ticker.all.ETH.BTC.spot"} <= first.keys()
    assert first[TICKER].used == ["binance", "bybit", "okx"]
    assert (first[TICKER].venue, first[TICKER].symbol, first[TICKER].quality) == ("all", "BTC/USDT", "live")
    assert drain(consolidator) == {}
    consolidator.on_all()
    assert drain(consolidator) == {}
    change(held, KEY, last="91500.5")
    consolidator.on_state(KEY)
    assert drain(consolidator).keys() == {TICKER}


def test_it_says_what_the_routes_say() -> None:
    published = drain(begin()[0])
    answers = read_golden("answers.json.gz")
    ticker = json.loads(answers["/multi/ticker/BTC"][1], parse_float=str)
    for field, name in {"last": "price", "bid": "bid", "ask": "ask", "volume_24h": "volume_24h"}.items():
        assert getattr(published[TICKER], field) == str(ticker[name])
    book = json.loads(answers["/multi/orderbook/BTC"][1], parse_float=str, parse_int=str)["data"]
    assert published[BOOK].bids == [(level["price"], level["amount"]) for level in book["bids"]]
    assert published[BOOK].asks == [(level["price"], level["amount"]) for level in book["asks"]]
    assert published[BOOK].crossed is book["crossed"]


def test_what_is_left_out_is_named_with_why() -> None:
    published = drain(begin()[0])
    assert published["md.v1.ticker.all.SOL.USDT.spot"].left_out == [("okx", "outlier")]
    assert published["md.v1.ticker.all.ETH.USDT.spot"].left_out == [("okx", "stale")]
    inverse = "md.v1.book.all.BTC.USD.inverse"
    assert inverse not in published  # all that there is has contracts of unknown size


def test_without_a_fresh_venue_the_last_is_published_as_stale_once() -> None:
    consolidator, _ = begin()
    assert drain(consolidator)[TICKER].quality == "live"
    later = NOW + 60 * SECOND
    consolidator.look(later)
    stale = drain(consolidator, later)
    assert stale[TICKER].quality == "stale"
    assert stale[BOOK].quality == "stale"
    consolidator.look(later + SECOND)
    assert drain(consolidator, later + SECOND) == {}


def test_a_feed_that_goes_down_takes_its_venue_out() -> None:
    consolidator, held = begin()
    consolidator.look(NOW)
    drain(consolidator)
    change(held, "feed.binance", connected=False, state="down")
    consolidator.look(NOW)
    changed = drain(consolidator)
    assert changed[TICKER].used == ["bybit", "okx"]
    assert changed[TICKER].left_out == [("binance", "stale")]
    assert changed[BOOK].used == ["bybit", "okx"]


def test_a_frame_is_published_before_the_state_has_it_and_an_older_one_changes_nothing() -> None:
    consolidator, _ = begin()
    before = drain(consolidator)[TICKER]
    consolidator.on_ticker("md.v1.ticker.binance.BTC.USDT.spot", frame(last="95000"))
    after = drain(consolidator)[TICKER]
    assert (after.last != before.last, after.bid) == (True, before.bid)
    consolidator.on_ticker("md.v1.ticker.binance.BTC.USDT.spot", frame(last="1", ts_recv=NOW - SECOND))
    consolidator.on_ticker(TICKER, frame(venue="all", last="1"))
    assert drain(consolidator) == {}


def test_two_replicas_name_the_same_event_alike_and_another_one_otherwise() -> None:
    (one, held), (other, _) = begin(), begin()
    first, second = drain(one), drain(other)
    assert {subject: event.id for subject, event in first.items()} == {key: event.id for key, event in second.items()}
    change(held, KEY, quality="gap")
    one.on_state(KEY)
    assert drain(one)[TICKER].id != first[TICKER].id
    assert first[TICKER].id.startswith(f"all.BTC.USDT.spot.ticker.{first[TICKER].ts_recv}.")


def test_a_document_that_cannot_be_read_costs_its_markets_only() -> None:
    consolidator, held = begin()
    held[KEY] = b'{"venue":7}'
    held["feed.okx"] = b"["
    consolidator.look(NOW)
    published = drain(consolidator)
    assert TICKER not in published
    assert "md.v1.ticker.all.BTC.USDC.spot" in published


def test_whoever_reads_tickers_reads_the_consolidated_one() -> None:
    model = ConsolidatedTicker.__mro__[1]
    event = drain(begin()[0])[TICKER]
    plain = codec.decoder(model).decode(codec.encode(event))
    assert (plain.last, plain.venue) == (event.last, "all")
    assert codec.schema_of(ConsolidatedTicker) == "ticker/1"


def test_whoever_stops_early_keeps_neither_tickers_nor_books_waiting() -> None:
    consolidator, _ = begin()
    first = [output for _, output in zip(range(8), consolidator.drain(NOW), strict=False) if output is not None]
    assert {subject.split(".")[2] for subject, _, _ in first} == {"ticker", "book"}
    before = consolidator.waiting
    drain(consolidator)
    assert (before > 0, consolidator.waiting) == (True, 0)
