"""What a reader finds in the state, and until when it holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consumers.market.publishing import fold_ticker
from consumers.market.quality import DEAD_AFTER_NS
from contracts import codec, subjects
from contracts.errors import (
    InternalError,
    NotReadyError,
)
from contracts.instrument import Instrument
from contracts.market import Ticker
from tests.consumers.market.exactly.world import (
    ETH,
    FEED,
    NOW,
    SPOT,
    STALE_NS,
    World,
    feed_away,
    key,
    ticker,
    world,
)


def feeds(made: World, **as_of: int | None) -> None:
    live = {**FEED, "connected": True, "state": "live"}
    made.held |= {
        f"{subjects.STATE_FEED}{name}": json.dumps({**live, "venue": name, "as_of": at}).encode()
        for name, at in as_of.items()
    }


def test_a_reader_remembers_what_it_read_and_refuses_what_it_cannot_read() -> None:
    made = world(SPOT)
    reader = made.reader()
    found = reader.find_ticker(SPOT)
    assert found is not None
    assert found.last == "100"
    assert reader.find_book(SPOT) is None
    assert reader.read == {key(SPOT): made.held[key(SPOT)], key(SPOT, subjects.STATE_BOOK): None}
    made.held[key(ETH)] = b'{"venue":7}'
    with pytest.raises(InternalError, match="Something went wrong here"):
        reader.find_ticker(ETH)
    assert made.unreadable == [key(ETH)]


def test_a_ticker_is_the_newer_of_the_cached_one_and_what_came_since() -> None:
    made = world(SPOT)

    def find(ts: int, item: Instrument = SPOT) -> str | None:
        newer = make_ticker_of(item, ts)
        found = made.reader(newer={item.tail: newer}).find_ticker(item)
        return None if found is None else found.last

    assert [find(ts) for ts in (NOW - 1, NOW, NOW + 1)] == ["100", "100", "7"]
    assert find(NOW, ETH) == "7"
    assert made.reader().find_ticker(ETH) is None


def make_ticker_of(item: Instrument, ts: int) -> Any:
    own = {"id": "x", "venue": item.venue, "symbol": item.symbol, "venue_symbol": None, "ts_event": None}
    return fold_ticker(None, codec.fast(Ticker)(**own, ts_recv=ts, sim=False, last="7"))


def test_a_feed_that_nobody_judges_ends_what_was_answered() -> None:
    made = world(SPOT)
    feeds(made, binance=NOW, okx=NOW - DEAD_AFTER_NS - 1)
    reader = made.reader()
    found = reader.list_feeds()
    assert [(one.venue, one.state) for one in found] == [("binance", "live"), ("okx", "stale")]
    assert reader.holds_until == NOW + DEAD_AFTER_NS
    edge = made.reader(NOW + DEAD_AFTER_NS)
    assert (edge.find_feed("binance").state, edge.holds_until) == ("live", NOW + DEAD_AFTER_NS)  # type: ignore[union-attr]
    later = made.reader(NOW + DEAD_AFTER_NS + 1)
    assert (later.find_feed("binance").state, later.holds_until) == ("stale", 1 << 63)  # type: ignore[union-attr]
    assert made.reader().quality(made.reader().find_ticker(SPOT), SPOT, "ticker") == "live"
    assert made.reader(NOW + DEAD_AFTER_NS + 1).quality(made.reader().find_ticker(SPOT), SPOT, "ticker") == "stale"
    none = World()
    reader = none.reader()
    assert (reader.list_feeds(), reader.holds_until) == ([], NOW)


def test_a_quality_holds_until_the_document_is_too_old() -> None:
    made = world(SPOT)
    reader = made.reader()
    assert (reader.quality_of("live", NOW - STALE_NS, SPOT, "ticker"), reader.holds_until) == ("live", NOW)
    old = made.reader()
    assert (old.quality_of("live", NOW - STALE_NS - 1, SPOT, "ticker"), old.holds_until) == ("stale", 1 << 63)
    made.held[key(SPOT)] = ticker(SPOT, sim=True)
    assert made.reader().quality(made.reader().find_ticker(SPOT), SPOT, "ticker") == "sim"


@pytest.mark.parametrize(
    ("channel", "symbol", "quality"),
    [("ticker", SPOT.symbol, "stale"), ("ticker", "ETH/USDT", "live"), ("book", SPOT.symbol, "live")],
)
def test_what_a_connection_that_is_away_serves_is_stale(channel: str, symbol: str, quality: str) -> None:
    made = world(SPOT)
    made.held[f"{subjects.STATE_FEED}binance"] = feed_away("binance", channel, symbol)
    assert [one.quality for one in made.reader().list_quoted([SPOT])] == [quality]


def test_a_price_that_nobody_has_is_waited_for() -> None:
    made = world(SPOT)
    price, quoted = made.reader().price(made.state.find("BTC"))
    assert (price.price, len(quoted)) == (100, 1)
    made.held[key(SPOT)] = ticker(SPOT, None)
    with pytest.raises(NotReadyError, match="No price of BTC has arrived yet") as refused:
        made.reader().price(made.state.find("BTC"))
    assert refused.value.details == {"waiting_for": ["price"], "symbol": "BTC"}
