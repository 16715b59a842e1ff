"""Kraken Futures and the kinds of faults of the field."""

from __future__ import annotations

import json
from typing import Any, Final

from contracts.instrument import make_instrument
from producers.registry import VENUES
from producers.venue import CHANNELS
from tests.producers.kinds.asserting import bad_row_costs_itself, crossing_passes, is_quiet, is_refused, says, text
from tests.producers.kinds.driving import START_S, Driven

MS: Final = START_S * 1000
PRODUCT: Final = "PF_ABCUSD"
TICKER: Final = {
    "feed": "ticker",
    "product_id": PRODUCT,
    "time": MS,
    "bid": 90.5,
    "ask": 91.0,
    "bid_size": 1,
    "ask_size": 2,
    "last": 91,
    "volume": 5,
    "volumeQuote": 450,
    "change": -1.5,
    "open": 90,
    "high": 95,
    "low": 80,
    "index": 91,
    "markPrice": 91,
    "openInterest": 7,
    "relative_funding_rate": -1.5e-06,
    "next_funding_rate_time": MS,
}
SNAPSHOT: Final = {
    "feed": "book_snapshot",
    "product_id": PRODUCT,
    "timestamp": MS,
    "seq": 10,
    "bids": [{"price": 90, "qty": 1}],
    "asks": [{"price": 91, "qty": 1}],
}


def driven(*channels: str) -> Driven:
    return Driven("krakenfutures", [PRODUCT, "PF_LMNUSD"], channels or CHANNELS)


def trade(seq: int, **fields: Any) -> dict[str, Any]:
    row = {"feed": "trade", "product_id": PRODUCT, "uid": f"u{seq}", "side": "sell", "type": "fill", "seq": seq}
    return row | {"time": MS, "qty": 1, "price": 91.5} | fields


def change(seq: int, price: float, qty: float, **fields: Any) -> dict[str, Any]:
    row = {"feed": "book", "product_id": PRODUCT, "side": "buy", "seq": seq, "price": price, "qty": qty}
    return row | {"timestamp": MS} | fields


def backlog(*rows: Any) -> dict[str, Any]:
    return {"feed": "trade_snapshot", "product_id": PRODUCT, "trades": list(rows)}


def zero_price() -> None:
    zeros = dict.fromkeys(("bid", "last", "open", "low", "index", "markPrice"), 0.0)
    drive = driven().feed(
        text(TICKER | zeros),
        text(trade(1, price=0)),
        text(trade(2, price=0.0, type="liquidation")),
        text(SNAPSHOT | {"bids": [{"price": 0.0, "qty": 1}, {"price": 90, "qty": 1}]}),
        text(change(11, 0.0, 5)),
        text(change(12, 89, 5)),
    )
    says(drive.of("ticker")[0], bid=None, bid_amount=None, last=None, open_24h=None, low_24h=None, ask="91.0")
    says(drive.of("funding")[0], mark_price=None, index_price=None, rate="-0.0000015")
    assert not drive.of("trade")
    assert not drive.of("liquidation")
    assert [delta.bids for delta in drive.of("delta")] == [[("90", "1")], [], [("89", "5")]]
    assert "gap" not in drive.said("book"), "a level at zero takes its number with it"
    assert len(drive.unread) == 2
    history = VENUES["krakenfutures"].rest.history
    assert history is not None
    bar = {"open": "2", "high": "3", "close": "2", "volume": "1"}
    bars = [{**bar, "time": MS + 20_000 + n * 60_000, "low": low} for n, low in enumerate(("0.0", "1"))]
    body = json.dumps({"candles": bars}).encode()
    found = history.decode_candles(body, drive.find(PRODUCT), "1m", ts_recv=drive.ts, sim=False)
    assert [candle.low for candle in found if candle.kind == "candle"] == ["1"]


def trade_holes() -> None:
    drive = driven("trade").feed(text(backlog(trade(10), trade(9))), text(trade(11)))
    drive.feed(text(trade(12, type="assignment")), text(trade(13, type="termination")), text(trade(14)))
    drive.feed(text(trade(3, product_id="PF_LMNUSD")))
    assert "gap" not in drive.said("trade")
    drive.feed(text(trade(17)))
    assert drive.reasons("gap", "trade") == ["trades 15 to 16 were not received"]
    drive.close()
    drive.open()
    drive.feed(text(backlog(trade(20), trade(19, type="assignment"))))
    assert drive.reasons("gap", "trade")[1:] == ["trade 18 was not received"]


def crossing() -> None:
    crossing_passes(driven("book"), SNAPSHOT, change(11, 92, 1), change(12, 92, 0))


def bad_row() -> None:
    for odd in ({"product_id": "OI_ABCUSD"}, {"price": "1"}, {"qty": -1}, {"time": None}, {"type": "gift"}):
        rows = [trade(n) | (odd if n == 2 else {}) for n in (3, 2, 1)]
        bad_row_costs_itself(driven(), "trade", lambda rows: backlog(*rows), rows)
    drive = driven("book").feed(text(SNAPSHOT), text(change(11, 89, 1) | {"qty": "x"}), text(change(12, 88, 1)))
    assert len(drive.unread) == 1
    assert drive.resyncs == ["ABC/USD:USD"], "the number shows what was not read"
    listed = [{"symbol": name, "tradeable": True} for name in ("PF_ABCUSD", "PF_ABC", "FI_LMNUSD_26", "PF_LMNUSD")]
    body = json.dumps({"instruments": [*listed, {"symbol": 5}, {"symbol": "in_xbtusd", "tradeable": True}]}).encode()
    found, _ = VENUES["krakenfutures"].rest.decode_instruments("futures", body)
    assert [getattr(item, "symbol", None) for item in found] == ["ABC/USD:USD", None, None, "LMN/USD:USD", None]


def omitted_field() -> None:
    lite = {"feed": "ticker_lite", "product_id": PRODUCT, "bid": 90, "ask": None, "openInterest": None}
    none = dict.fromkeys(("bid", "bid_size", "last", "relative_funding_rate", "next_funding_rate_time", "markPrice"))
    drive = driven().feed(text(lite), text(TICKER | none), text(backlog()))
    says(drive.of("ticker")[0], bid="90", bid_amount=None, ask=None, ts_event=None)
    says(drive.of("ticker")[1], bid=None, last=None)
    assert not drive.of("funding")
    drive.feed(text({name: value for name, value in trade(4).items() if name != "uid"}))
    assert drive.of("trade")[0].trade_id == "4"
    assert drive.unread == []


def control_message() -> None:
    is_quiet(
        driven(),
        '{"event":"info","version":1}',
        '{"event":"alert","message":"Already subscribed to feed, re-requesting"}',
        '{"event":"somethingNew","message":"of no product"}',
        '{"feed":"heartbeat","time":1}',
        '{"event":"unsubscribed","feed":"trade","product_ids":["PF_ABCUSD"]}',
    )
    assert driven().feed('{"feed":"tea","product_id":"PF_ABCUSD"}').unread == ["unknown feed 'tea'"]


def unknown_name() -> None:
    odd = (
        "OI_ABCUSD",
        "PF_ABC",
        "PF_USD",
        "FI_ABCUSD",
        "FI_ABCUSD_26",
        "PF_ABC-USD",
        "in_xbtusd",
        "ABCUSD",
        "PF_ABCUSD_X",
    )
    is_refused("krakenfutures", [("futures", name) for name in odd])


def shared_id() -> None:
    drive = driven()
    frames = [
        *(text(trade(number)) for number in (1, 2)),
        *(text(TICKER | {"last": last}) for last in (91, 92)),
        *(text(SNAPSHOT | {"seq": seq}) for seq in (10, 20)),
        *(text(change(seq, 90, 2)) for seq in (21, 22)),
    ]
    first = list(drive.feed(*frames).events)
    names = [event.id for event in first if event.kind != "book"]
    assert len(set(names)) == len(names) == len(frames) + 4
    again = [event.id for event in drive.feed(*frames).events[len(first) :] if event.kind != "book"]
    assert again == names


def price_kind() -> None:
    (event,) = driven().feed(text(trade(5, type="liquidation"))).of("liquidation")
    says(event, price="91.5", price_kind="fill", position_side="long", order_side="sell", sampled=False)


def subscription_limit() -> None:
    venue = VENUES["krakenfutures"]
    many = [make_instrument("krakenfutures", f"C{n}/USD:USD", f"PF_C{n}USD") for n in range(500)]
    sockets = venue.plan(venue.ws_url, many, CHANNELS)
    assert sum(len(socket.requests) for socket in sockets) * venue.policy.pace <= 60, "subscribed within a minute"
    assert venue.policy.pace >= 1 / 100, "requests a second and connection"


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
    "price_kind": price_kind,
    "subscription_limit": subscription_limit,
}
