"""What of the consolidated market waits to be published, and from which tickers it is made."""

from __future__ import annotations

import json
from typing import Any

from consumers.market.publishing import Consolidator, fold_ticker
from contracts import codec, subjects
from contracts.instrument import Instrument, make_instrument
from contracts.market import Ticker
from contracts.symbols import SymbolBook
from tests.consumers.market.exactly.world import (
    IDR,
    LISTED,
    NOW,
    SPOT,
    STALE_NS,
    feed_away,
    key,
    ticker,
    world,
)


def test_a_frame_changes_what_it_says_and_leaves_the_rest() -> None:
    def frame(ts: int, **parts: Any) -> Any:
        own = {"id": "x", "venue": "v", "symbol": "A/B", "venue_symbol": "AB", "ts_event": None}
        return codec.fast(Ticker)(**{**own, "ts_recv": ts, "sim": False, **parts})

    first = fold_ticker(None, frame(5, last="1", bid="0.9"))
    assert (first.last, first.bid, first.ask, first.quality, first.venue_symbol) == ("1", "0.9", None, "live", "AB")
    second = fold_ticker(first, frame(5, last="2", ask="3", sim=True))
    assert (second.last, second.bid, second.ask, second.quality, second.sim) == ("2", "0.9", "3", "sim", True)
    assert fold_ticker(second, frame(4, last="9")) is second


def test_markets_wait_from_the_listing_on_and_those_that_are_gone_are_forgotten() -> None:
    made = world(SPOT)
    found = Consolidator(made.state)
    assert (found.waiting, list(found.drain(NOW))) == (0, [])
    found.on_listing()
    assert found.waiting == 2 * 5
    outputs = [output for output in found.drain(NOW) if output is not None]
    assert [subject for subject, _, _ in outputs] == ["md.v1.ticker.all.BTC.USDT.spot"]
    found.on_state(key(SPOT, subjects.STATE_BOOK))
    found.on_state("other.binance.BTC.USDT.spot")
    assert (found.waiting, list(found.drain(NOW))) == (1, [None])
    found.forget()
    assert len([output for output in found.drain(NOW) if output is not None]) == 1
    made.state.save_symbols(SymbolBook(LISTED[2:]))
    found.on_listing()
    assert (found._said, found._expires) == ({}, {})
    assert set(found._by_venue) == {"indodax", "okx"}
    assert found._by_market["BTC.IDR.spot"] == (IDR,)


def test_what_came_over_the_bus_is_kept_for_what_is_listed_and_until_the_state_has_newer() -> None:
    made = world(SPOT)
    found = Consolidator(made.state)
    found.on_listing()
    list(found.drain(NOW))

    def frame(ts: int, last: str, item: Instrument = SPOT) -> None:
        own = {"id": "x", "venue": item.venue, "symbol": item.symbol, "venue_symbol": None, "ts_event": None}
        found.on_ticker(subjects.TICKER + item.tail, codec.fast(Ticker)(**own, ts_recv=ts, sim=False, last=last))

    frame(NOW + 1, "101")
    frame(NOW + 1, "5", make_instrument("gone", "BTC/USDT", "x"))
    assert (found.waiting, set(found._newer)) == (1, {SPOT.tail})
    ((_, _, body),) = [output for output in found.drain(NOW + 1) if output is not None]
    assert json.loads(body)["last"] == "101"
    made.held[key(SPOT)] = ticker(SPOT, "102", age=-9, bid="90")
    frame(NOW + 10, "103")
    assert (found._newer[SPOT.tail].last, found._newer[SPOT.tail].bid) == ("103", "90")
    made.held[key(SPOT)] = ticker(SPOT, "104", age=-10, bid="80")  # no newer than what came
    frame(NOW + 11, "105")
    assert found._newer[SPOT.tail].bid == "90"
    made.state.save_symbols(SymbolBook(LISTED[2:]))
    found.on_listing()
    assert (found._newer, found._read) == ({}, {})


def test_a_document_is_read_once_however_many_frames_come() -> None:
    made = world()
    found = Consolidator(made.state)
    found.on_listing()
    made.held[key(SPOT)] = b"{"
    own = {"id": "x", "venue": SPOT.venue, "symbol": SPOT.symbol, "venue_symbol": None, "ts_event": None, "sim": False}
    for ts in range(3):
        found.on_ticker(subjects.TICKER + SPOT.tail, codec.fast(Ticker)(**own, ts_recv=ts, last="1"))
    assert made.unreadable == [key(SPOT)]


def test_feeds_are_judged_though_one_of_them_cannot_be_read() -> None:
    made = world(SPOT, IDR)
    found = Consolidator(made.state)
    found.on_listing()
    found.look(NOW)
    list(found.drain(NOW))
    made.held[f"{subjects.STATE_FEED}binance"] = b"{"
    made.held[f"{subjects.STATE_FEED}indodax"] = feed_away("indodax", "ticker", IDR.symbol)
    found.look(NOW)
    waiting = {market for changed in found._changed.values() for market in changed}
    assert waiting == {"BTC.IDR.spot", "USDT.IDR.spot"}


def test_a_market_without_a_price_does_not_become_stale() -> None:
    made = world(SPOT)
    found = Consolidator(made.state)
    found.on_listing()
    found.look(NOW)
    list(found.drain(NOW))
    made.held[key(SPOT)] = ticker(SPOT, None)
    found.on_state(key(SPOT))
    assert list(found.drain(NOW)) == [None]
    found.look(NOW + 2 * STALE_NS)
    assert found.waiting == 0


def test_a_ticker_is_published_again_once_it_is_stale_and_not_a_moment_before() -> None:
    made = world(SPOT)
    found = Consolidator(made.state)
    found.on_listing()
    list(found.drain(NOW))
    found.look(NOW)
    list(found.drain(NOW))
    found.look(NOW + STALE_NS)
    assert found.waiting == 0
    found.look(NOW + STALE_NS + 1)
    assert found.waiting == 1
    ((_, _, body),) = [output for output in found.drain(NOW + STALE_NS + 1) if output is not None]
    assert json.loads(body)["quality"] == "stale"
