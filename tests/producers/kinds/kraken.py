"""Kraken spot (v2, and v1 in recordings) and the kinds of faults of the field."""

from __future__ import annotations

import json
from typing import Any, Final

from contracts.instrument import make_instrument
from producers.registry import VENUES
from producers.venue import CHANNELS
from runtime.book.checksums import sum_kraken as compute
from tests.producers.kinds.asserting import bad_row_costs_itself, crossing_passes, is_quiet, is_refused, says, text
from tests.producers.kinds.driving import Driven

AT: Final = "2026-11-25T10:26:40.000000Z"
TICKER: Final = {
    "symbol": "ABC/USD",
    "bid": 90,
    "bid_qty": 1,
    "ask": 91,
    "ask_qty": 2,
    "last": 91,
    "volume": 5,
    "vwap": 90,
    "low": 80,
    "high": 95,
    "change": 1,
    "change_pct": -1.5,
    "timestamp": AT,
}
BAR: Final = {
    "symbol": "ABC/USD",
    "open": 2,
    "high": 3,
    "low": 1,
    "close": 2,
    "vwap": 2,
    "trades": 3,
    "volume": 4,
    "interval_begin": AT,
    "interval": 1,
}


def driven(*channels: str) -> Driven:
    return Driven("kraken", ["ABC/USD", "LMN/USD"], channels or ("trade", "ticker", "book"))


def push(channel: str, *rows: Any, kind: str = "update") -> dict[str, Any]:
    return {"channel": channel, "type": kind, "data": list(rows)}


def trade(number: int, **fields: Any) -> dict[str, Any]:
    row = {"symbol": "ABC/USD", "side": "buy", "price": 91.5, "qty": 1, "ord_type": "limit", "trade_id": number}
    return row | {"timestamp": AT} | fields


def book(bids: list[tuple[str, str]], asks: list[tuple[str, str]], whole: tuple[Any, Any] | None = None) -> Any:
    """Write a book's row; `whole` are both sides after it, of which the checksum is."""
    sides = {
        name: [{"price": float(price), "qty": float(qty)} for price, qty in rows]
        for name, rows in (("bids", bids), ("asks", asks))
    }
    plain = [[(str(float(price)), str(float(qty))) for price, qty in side] for side in whole or (bids, asks)]
    return {"symbol": "ABC/USD", **sides, "checksum": compute(*plain), "timestamp": AT}


def zero_price() -> None:
    drive = driven()
    for zero in (0, 0.0):
        drive = driven().feed(
            text(push("ticker", TICKER | {"bid": zero, "last": zero, "low": zero})),
            text(push("trade", trade(5, price=zero))),
            text(push("ohlc", BAR | {"low": zero})),
            text(push("book", book([("0", "1"), ("90", "1")], []), kind="snapshot")),
            text([1, [["0.00000", "1", "1795600000.1", "s", "l", ""]], "trade", "ABC/USD"]),
            text([1, ["0.0", "91", "1795600000.1", "1", "2"], "spread", "ABC/USD"]),
        )
        first, spread = drive.of("ticker")
        says(first, bid=None, bid_amount=None, ask="91", last=None, low_24h=None, high_24h="95", change_24h="-1.5")
        says(spread, bid=None, bid_amount=None, ask="91", ask_amount="2")
        assert not drive.of("trade")
        assert not drive.of("candle")
        assert [level[0] for level in drive.of("delta")[0].bids] == ["90.0"]
        assert len(drive.unread) == 3
    history = VENUES["kraken"].rest.history
    assert history is not None
    rows = [[1795600020 + n * 60, "1", "3", low, "2", "2", "4", 3] for n, low in enumerate(("0.0", "1"))]
    body = json.dumps({"error": [], "result": {"ABCUSD": rows, "last": 1}}).encode()
    found = history.decode_candles(body, drive.find("ABC/USD"), "1m", ts_recv=drive.ts, sim=False)
    assert [candle.low for candle in found if candle.kind == "candle"] == ["1"]


def trade_holes() -> None:
    drive = driven("trade").feed(text(push("trade", trade(10), trade(9), kind="snapshot")))
    drive.feed(text(push("trade", trade(11))), text(push("trade", trade(3, symbol="LMN/USD"))))
    assert "gap" not in drive.said("trade")
    drive.feed(text(push("trade", trade(14))))
    assert drive.reasons("gap", "trade") == ["trades 12 to 13 were not received"]
    drive.close()
    drive.open()
    drive.feed(text(push("trade", trade(16))))
    assert drive.reasons("gap", "trade")[1:] == ["trade 15 was not received"]
    assert [event.seq for event in drive.of("trade")] == [9, 10, 11, 3, 14, 16]


def crossing() -> None:
    asks = [("91", "1")]
    whole = push("book", book([("90", "1")], asks), kind="snapshot")
    crossed = push("book", book([("92", "1")], [], ([("92", "1"), ("90", "1")], asks)))
    healed = push("book", book([("92", "0")], [], ([("90", "1")], asks)))
    crossing_passes(driven("book"), whole, crossed, healed)


def bad_row() -> None:
    for odd in ({"symbol": "XBT/USD.d"}, {"price": "1"}, {"qty": -1}, {"timestamp": "now"}, {"trade_id": 2**63}):
        rows = [trade(n) | (odd if n == 2 else {}) for n in (1, 2, 3)]
        bad_row_costs_itself(driven(), "trade", lambda rows: push("trade", *rows), rows)
    tickers = [TICKER | {"symbol": name} for name in ("ABC/USD", "ABCUSD", "LMN/USD")]
    bad_row_costs_itself(driven(), "ticker", lambda rows: push("ticker", *rows), tickers)
    bars = [BAR | {"volume": volume} for volume in (1, "x", 2)]
    bad_row_costs_itself(driven(), "candle", lambda rows: push("ohlc", *rows), bars)
    books = [book([("90", "1")], []) | {"symbol": name} for name in ("ABC/USD", "ABCUSD", "LMN/USD")]
    bad_row_costs_itself(driven(), "delta", lambda rows: push("book", *rows), books)
    old = [["91.5", str(n), "1795600000.1", side, "l", ""] for n, side in ((1, "s"), (2, "x"), (3, "b"))]
    bad_row_costs_itself(driven(), "trade", lambda rows: [1, list(rows), "trade", "ABC/USD"], old)
    twice = [["91.5", "1", "1795600000.1", "s", "l", ""]] * 2 + [["91.5", "1", "1795600000.1", "x", "l", ""]]
    bad_row_costs_itself(driven(), "trade", lambda rows: [1, list(rows), "trade", "ABC/USD"], twice)
    update_that_cannot_be_read()
    pairs = {name: {"wsname": name, "status": "online"} for name in ("ABC/USD", "ABC/USD.d", "LMN/USD")}
    body = json.dumps({"error": [], "result": {**pairs, "odd": 5}}).encode()
    found, _ = VENUES["kraken"].rest.decode_instruments("spot", body)
    assert [getattr(item, "symbol", None) for item in found] == ["ABC/USD", None, "LMN/USD", None]


def update_that_cannot_be_read() -> None:
    """It is left out as a whole, and the checksum of the next one shows that it is missing."""
    bids, asks = [("90", "1")], [("91", "1")]
    drive = driven("book").feed(text(push("book", book(bids, asks), kind="snapshot")))
    odd = book([("89", "1"), ("88", "1")], [])
    odd["bids"][1]["qty"] = "x"
    drive.feed(text(push("book", odd)))
    assert len(drive.of("delta")) == 1
    after = ([("90", "1"), ("89", "1"), ("88", "1"), ("87", "1")], asks)
    drive.feed(text(push("book", book([("87", "1")], [], after))))
    assert "gap" in drive.said("book")
    assert drive.resyncs == ["ABC/USD"]


def omitted_field() -> None:
    none = dict.fromkeys(("bid", "bid_qty", "last", "volume", "low", "high", "change_pct"))
    bare = {"symbol": "ABC/USD", "ask": 91, "ask_qty": 2}
    drive = driven().feed(text(push("ticker", TICKER | none)), text(push("ticker", bare)), text(push("ticker")))
    for ticker in drive.of("ticker"):
        says(ticker, bid=None, last=None, volume_24h=None, low_24h=None, change_24h=None, ask="91")
    assert drive.of("ticker")[1].ts_event is None
    row = book([("90", "1")], [])
    del row["timestamp"], row["checksum"]
    drive.feed(text(push("book", row, kind="snapshot")))
    assert drive.of("delta")[0].ts_event is None
    assert drive.unread == []


def control_message() -> None:
    is_quiet(
        driven(),
        text(push("status", {"system": "online"})),
        '{"channel":"heartbeat"}',
        '{"channel":"announcement","type":"update"}',
        '{"method":"pong","req_id":1}',
        '{"method":"somethingNew","success":true}',
        '{"event":"systemStatus","status":"online"}',
        '{"event":"somethingNew"}',
        '{"Error":"Exceeded msg rate"}',
    )
    assert driven().feed(text(push("tea", {"symbol": "ABC/USD"}))).unread == ["unknown channel 'tea'"]


def unknown_name() -> None:
    odd = ("XBT/USD.d", "XBTUSD", "XXBTZUSD", "PF_XBTUSD", "ABC/", "/USD", "ABC/USD:USD", "ABC-USD", "ABC/USD/EUR")
    is_refused("kraken", [("spot", name) for name in odd])
    assert VENUES["kraken"].guess("spot", "AAPLx/USD").symbol == "AAPLx/USD"


def shared_id() -> None:
    drive = driven()
    frames = [
        *(text(push("trade", trade(number))) for number in (1, 2)),
        *(text(push("ticker", TICKER | {"last": last})) for last in (91, 92)),
        *(text(push("ohlc", BAR | {"high": high})) for high in (3, 4)),
        *(text(push("book", book([("90", qty)], []))) for qty in ("1", "2")),
        text(push("ticker", TICKER, TICKER | {"last": 93})),
    ]
    first = list(drive.feed(*frames).events)
    assert len({event.id for event in first}) == len(first) == len(frames) + 1
    again = drive.feed(*frames).events[len(first) :]
    assert [event.id for event in again] == [event.id for event in first]


def subscription_limit() -> None:
    venue = VENUES["kraken"]
    many = [make_instrument("kraken", f"C{n}/USD", f"C{n}/USD") for n in range(1000)]
    sockets = venue.plan(venue.ws_url, many, CHANNELS)
    assert sum(len(socket.subscriptions) for socket in sockets) == 3 * len(many)
    assert len(sockets) <= 150, "connections in ten minutes"
    assert venue.policy.connect_pace >= 1.0


KINDS: Final[dict[str, Any]] = {
    "lagging_snapshot": "a book begins with a snapshot that is pushed on the socket of its updates; none is asked for",
    "zero_price": zero_price,
    "trade_holes": trade_holes,
    "crossing": crossing,
    "bad_row": bad_row,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": "Kraken spot has no liquidations; those of its futures are another venue",
    "subscription_limit": subscription_limit,
}
