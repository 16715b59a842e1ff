"""Coinbase (its Exchange feed, and Advanced Trade in recordings) and the kinds of faults of the field."""

from __future__ import annotations

import json
from typing import Any, Final

from contracts.instrument import make_instrument
from producers.registry import VENUES
from producers.venue import CHANNELS
from tests.producers.kinds.asserting import bad_row_costs_itself, is_quiet, is_refused, says, text
from tests.producers.kinds.driving import Driven

AT: Final = "2026-11-25T10:26:40.000000Z"
MATCH: Final = {
    "type": "match",
    "trade_id": 10,
    "sequence": 50,
    "time": AT,
    "product_id": "ABC-USD",
    "size": "1",
    "price": "91",
    "side": "sell",
}
TICKER: Final = {
    "type": "ticker",
    "sequence": 50,
    "product_id": "ABC-USD",
    "price": "91",
    "open_24h": "90",
    "volume_24h": "42",
    "low_24h": "89",
    "high_24h": "95",
    "best_bid": "90.5",
    "best_bid_size": "1",
    "best_ask": "91",
    "best_ask_size": "2",
    "time": AT,
    "trade_id": 10,
}
SNAPSHOT: Final = {
    "type": "snapshot",
    "product_id": "ABC-USD",
    "bids": [["90", "1"]],
    "asks": [["91", "1"]],
    "time": AT,
}
ZEROS: Final = ("0", "0.0", "0.00000")


def driven(*channels: str) -> Driven:
    return Driven("coinbase", ["ABC-USD", "LMN-USD"], channels or ("trade", "ticker", "book"))


def update(*changes: list[str], product: str = "ABC-USD") -> str:
    return text({"type": "l2update", "product_id": product, "time": AT, "changes": list(changes)})


def beat(last: int | None) -> str:
    return text({"type": "heartbeat", "sequence": 9, "last_trade_id": last, "product_id": "ABC-USD", "time": AT})


def advanced(channel: str, name: str, rows: Any) -> dict[str, Any]:
    events = [{"type": "update", name: rows}]
    return {"channel": channel, "client_id": "", "timestamp": AT, "sequence_num": 3, "events": events}


def advanced_trade(**fields: Any) -> dict[str, Any]:
    row = {"trade_id": "10", "product_id": "ABC-USD", "price": "91", "size": "1", "side": "BUY", "time": AT}
    return row | fields


def zero_price() -> None:
    drive = driven()
    for zero in ZEROS:
        figures = dict.fromkeys(("price", "open_24h", "low_24h", "high_24h", "best_bid"), zero)
        drive = driven().feed(
            text(TICKER | figures),
            text(MATCH | {"price": zero}),
            text(SNAPSHOT | {"bids": [[zero, "1"], ["90", "1"]]}),
            text(advanced("ticker", "tickers", [{"product_id": "ABC-USD", "price": zero, "best_bid": zero}])),
            text(advanced("market_trades", "trades", [advanced_trade(price=zero)])),
        )
        for ticker in drive.of("ticker"):
            says(ticker, last=None, bid=None, bid_amount=None, open_24h=None, low_24h=None, high_24h=None)
        says(drive.of("ticker")[0], ask="91", ask_amount="2")
        assert not drive.of("trade")
        assert drive.of("delta")[0].bids == [("90", "1")]
        assert len(drive.unread) == 2
    history = VENUES["coinbase"].rest.history
    assert history is not None
    body = b"[[1795600020,1,3,2,2,5],[1795599960,0.0,3,2,2,5]]"
    found = history.decode_candles(body, drive.find("ABC-USD"), "1m", ts_recv=drive.ts, sim=False)
    assert [candle.low for candle in found if candle.kind == "candle"] == ["1"]


def trade_holes() -> None:
    drive = driven("trade")
    drive.feed(text(MATCH | {"type": "last_match"}), beat(0), beat(10), text(MATCH | {"trade_id": 11}), beat(11))
    assert "gap" not in drive.said("trade")
    drive.feed(text(MATCH | {"trade_id": 14}))
    assert drive.reasons("gap", "trade") == ["trades 12 to 13 were not received"]
    drive.feed(beat(16), beat(16))
    assert drive.reasons("gap", "trade")[1:] == ["trades 15 to 16 were not received"]
    drive.close()
    drive.open()
    drive.feed(text(MATCH | {"type": "last_match", "trade_id": 18}))
    assert drive.reasons("gap", "trade")[2:] == ["trade 17 was not received"]
    rows = [advanced_trade(trade_id=str(number)) for number in (21, 20, 19)]
    drive.feed(text(advanced("market_trades", "trades", rows)))
    assert len(drive.reasons("gap", "trade")) == 3


def bad_row() -> None:
    for odd in ({"product_id": "BTC-PERP-INTX"}, {"price": "1e400"}, {"size": "1_0"}, {"time": "now"}):
        rows = [advanced_trade(trade_id=str(n)) | (odd if n == 8 else {}) for n in (7, 8, 9)]
        bad_row_costs_itself(driven(), "trade", lambda rows: advanced("market_trades", "trades", rows), rows)
    names = ("ABC-USD", "BIT-28MAR25-CDE", "LMN-USD")
    tickers = [{"product_id": name, "price": "1"} for name in names]
    bad_row_costs_itself(driven(), "ticker", lambda rows: advanced("ticker", "tickers", rows), tickers)
    bar = {"start": "1795600000", "high": "3", "low": "1", "open": "2", "close": "2", "volume": "1"}
    bars = [bar | {"product_id": "ABC-USD", "open": price} for price in ("2", "0", "3")]
    bad_row_costs_itself(driven(), "candle", lambda rows: advanced("candles", "candles", rows), bars)
    update_that_cannot_be_read()
    listed = [{"id": f"{base}-USD", "base_currency": base, "quote_currency": "USD", "status": "online"} for base in
              ("ABC", "X-Y", "LMN")]  # fmt: skip
    found, _ = VENUES["coinbase"].rest.decode_instruments("spot", json.dumps([*listed, {"id": 5}]).encode())
    assert [getattr(item, "symbol", None) for item in found] == ["ABC/USD", None, "LMN/USD", None]


def update_that_cannot_be_read() -> None:
    """Nothing numbers the updates: one that is not read is a gap of its book, which is subscribed anew."""
    drive = driven("book").feed(text(SNAPSHOT), text(SNAPSHOT | {"product_id": "LMN-USD"}))
    drive.feed(update(["buy", "89", "1"], ["sell", "92", "x"]))
    assert len(drive.unread) == 1
    assert drive.resyncs == ["ABC/USD"]
    assert [(state, symbol) for state, channel, symbol, _ in drive.states if (channel, state) == ("book", "gap")] == [
        ("gap", "ABC/USD")
    ]
    assert not drive.of("delta")[2:], "half an update was published"
    drive.feed(update(["buy", "88", "1"]), text(SNAPSHOT | {"bids": [["87", "1"]]}))
    assert drive.of("book")[-1].bids == [("87", "1")]


def omitted_field() -> None:
    paused = {
        "type": "ticker",
        "product_id": "ABC-USD",
        "price": "0",
        "open_24h": "0",
        "volume_24h": "0",
        "best_bid": "0.00000",
        "best_ask": None,
        "low_24h": "",
    }
    drive = driven().feed(text(paused), text({"type": "ticker", "product_id": "ABC-USD"}))
    says(drive.of("ticker")[0], seq=None, ts_event=None, last=None, bid=None, ask=None, volume_24h="0")
    says(drive.of("ticker")[1], seq=None, last=None, volume_24h=None)
    no_time = {name: value for name, value in SNAPSHOT.items() if name != "time"}
    drive.feed(text(no_time), text(advanced("ticker", "tickers", [{"product_id": "ABC-USD", "price": None}])))
    assert drive.of("delta")[0].ts_event is None
    assert drive.unread == []


def control_message() -> None:
    listed = {"type": "subscriptions", "channels": [{"name": "heartbeat", "product_ids": None}]}
    news = {"type": "notice", "message": "of no product"}
    is_quiet(driven(), text(listed), text(news), beat(None), text({"type": "status", "products": []}))
    is_quiet(driven(), text({"type": "error", "message": "ErrSlowConsume"}))
    drive = driven().feed(text({"type": "tea", "product_id": "ABC-USD"}))
    assert drive.unread == ["type: 'tea' is no frame of this feed"]


def unknown_name() -> None:
    odd = ("BTC-PERP-INTX", "BIT-28MAR25-CDE", "BTCUSD", "BTC-", "-USD", "BTC/USD", "btc-usd", "BTC-USD:X")
    is_refused("coinbase", [("spot", name) for name in odd])


def shared_id() -> None:
    drive = driven()
    frames = [
        *(text(TICKER | {"price": price, "trade_id": number}) for price, number in (("91", 10), ("92", 11))),
        *(text(MATCH | {"trade_id": number}) for number in (10, 11)),
        *(update(["buy", "89", amount]) for amount in ("1", "2")),
        *(text(advanced("ticker", "tickers", [{"product_id": "ABC-USD", "price": price}])) for price in ("1", "2")),
    ]
    first = list(drive.feed(*frames).events)
    assert len({event.id for event in first}) == len(first) == len(frames)
    again = drive.feed(*frames).events[len(first) :]
    assert [event.id for event in again] == [event.id for event in first]


def subscription_limit() -> None:
    venue = VENUES["coinbase"]
    many = [make_instrument("coinbase", f"C{n}/USD", f"C{n}-USD") for n in range(600)]
    sockets = venue.plan(venue.ws_url, many, CHANNELS)
    keys = [item.key for socket in sockets for item in socket.subscriptions]
    assert len(keys) == len(set(keys)) == 3 * len(many), "more than one subscription of a product and channel"
    assert all(len(socket.requests) == 1 for socket in sockets), "nothing is subscribed within 5 seconds"
    assert venue.policy.pace >= 1 / 8 <= venue.policy.connect_pace, "requests a second and address"


KINDS: Final[dict[str, Any]] = {
    "lagging_snapshot": "a book begins with a snapshot that is pushed on the socket of its updates; none is asked for",
    "zero_price": zero_price,
    "trade_holes": trade_holes,
    "crossing": "its books have neither numbers nor checksums, so that a crossed one may well have lost updates",
    "bad_row": bad_row,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": "Coinbase Exchange is spot and has no liquidations",
    "subscription_limit": subscription_limit,
}
