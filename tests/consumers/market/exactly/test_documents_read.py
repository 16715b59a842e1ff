"""Documents of the state as they are read: listings, trades over their pages, prices of zero."""

from __future__ import annotations

import json
from typing import Any

from consumers.market.documents import decode, decode_listing, join_trades
from contracts import codec, subjects
from contracts.state import MOST_TRADES
from tests.consumers.market.exactly.quoted import ticker as quoted_ticker


def test_a_listing_is_read_as_instruments() -> None:
    values = {"venue": "v", "symbol": "A/B", "venue_symbol": "AB", "base": "A", "quote": "B", "settle": None}
    (item,) = decode_listing(json.dumps([{**values, "contract": "spot"}]).encode())
    assert (item.tail, item.contract) == ("v.A.B.spot", "spot")


def test_trades_are_the_newest_and_those_of_the_pages_that_they_name() -> None:
    def trades(numbers: list[int], pages: list[int]) -> Any:
        return state_decode(subjects.STATE_TRADE, numbers, pages=pages, quality="live")

    newest = trades([9, 8], [2, 1])
    pages = [state_decode(subjects.STATE_TRADES_PAGE, [7, 6], number=2), None]
    assert [one.price for one in join_trades(newest, pages).trades] == ["9", "8", "7", "6"]
    other = [state_decode(subjects.STATE_TRADES_PAGE, [7, 6], number=12), None]
    assert [one.price for one in join_trades(newest, other).trades] == ["9", "8"]
    many = state_decode(subjects.STATE_TRADES_PAGE, list(range(1, 60)), number=1)
    joined = join_trades(trades([99], [1]), [many]).trades
    assert (len(joined), joined[0].price) == (MOST_TRADES, "99")


def state_decode(prefix: str, prices: list[int], **fields: Any) -> Any:
    trade = {
        "venue": "v",
        "symbol": "A/B",
        "venue_symbol": "AB",
        "ts_event": 1,
        "ts_recv": 1,
        "sim": False,
        "side": "buy",
    }
    found = [
        {**trade, "id": f"{price}", "trade_id": f"{price}", "price": str(price), "amount": "1"} for price in prices
    ]
    return decode(prefix, json.dumps({"venue": "v", "symbol": "A/B", "trades": found, "sim": False, **fields}).encode())


def test_a_price_of_zero_is_none_whoever_wrote_it() -> None:
    zero = quoted_ticker("a", "0.00", bid="0", ask="0.10", open_24h="0", high_24h="0.0", low_24h="10", volume_24h="0")
    assert (zero.last, zero.bid, zero.ask, zero.open_24h, zero.high_24h, zero.low_24h) == (
        None,
        None,
        "0.10",
        None,
        None,
        "10",
    )
    assert zero.volume_24h == "0"
    body = codec.encode(quoted_ticker("a", "5"))
    assert decode(subjects.STATE_TICKER, body) == quoted_ticker("a", "5")
