"""Bitfinex: frames as its pages describe them (https://docs.bitfinex.com/docs/ws-public), each kind of fault."""

from __future__ import annotations

from typing import Any

from contracts.codec import EVENTS
from producers.normalize.events import Makers
from producers.registry import VENUES
from producers.venue import Unreadable
from tests.producers.kinds.asserting import (
    MS,
    bad_row_costs_itself,
    crossing_passes,
    ids_differ,
    is_quiet,
    is_refused,
    says,
    text,
)
from tests.producers.kinds.driving import Driven

NAME, PERPETUAL = "tABCUSD", "tABCF0:USTF0"
TICKER = [91000, 60.5, 91001, 48.25, -1292, -0.0209, 91000.5, 901.25, 92000, 90000]
CANDLE = [MS, 1, 2, 3, 0.5, 2.5]
NUMBERS = {17: "book", 18: "trades", 19: "ticker"}


def connection(*channels: str, name: str = NAME) -> Driven:
    """Subscribe to book, trades and ticker (channels 17 to 19), liquidations (20), candles (21) and a status (22)."""
    driven = Driven("bitfinex", [name], channels or ("book",))
    for number, channel in NUMBERS.items():
        driven.feed(text({"event": "subscribed", "channel": channel, "chanId": number, "symbol": name, "prec": "P0"}))
    keys = {20: ("status", "liq:global"), 21: ("candles", f"trade:1m:{name}"), 22: ("status", f"deriv:{PERPETUAL}")}
    for number, (channel, key) in keys.items():
        driven.feed(text({"event": "subscribed", "channel": channel, "chanId": number, "key": key}))
    assert not driven.unread, driven.unread
    return driven


def forced(
    position: int, price: Any = 44000, is_match: int = 0, *, name: str = PERPETUAL, amount: Any = 0.5
) -> list[Any]:
    return ["pos", position, MS, None, name, amount, 45000, None, is_match, 0, None, price]


def status(rate: Any, mark: Any, spot: Any, interest: Any) -> list[Any]:
    return [MS, None, 1, spot, None, 1, None, MS, 0, 0, None, rate, None, None, mark, None, None, interest]


def zero_price() -> None:
    driven = connection("ticker", "trade", "funding")
    for zero in (0, 0.0, None):
        driven.feed(text([19, [zero, 1, 91001, 1, 0, 0, zero, 7, zero, zero]]))
        says(driven.of("ticker")[-1], bid=None, ask="91001", last=None, high_24h=None, low_24h=None, volume_24h="7")
        driven.feed(text([22, status(0.0001, zero, zero, zero)]))
        says(driven.of("funding")[-1], rate="0.0001", mark_price=None, index_price=None)
    driven.feed(text([18, "te", [1, MS, 1, 0]]), text([21, [MS, 1, 2, 3, 0, 2.5]]))
    assert len(driven.unread) == 2, driven.unread
    assert not driven.of("trade")
    book = connection().feed(text([17, [[91000, 1, 1], [0, 1, 5], [91001, 1, -1]], 1]), text([17, [0.0, 1, 5], 2]))
    book.feed(text([17, [90000, 1, 2], 3]))
    says(book.of("book")[-1], bids=[("91000", "1"), ("90000", "2")], asks=[("91001", "1")], seq=3)


def trade_holes() -> None:
    driven = connection("trade")
    driven.feed(text([18, "te", [11, MS, 1, 91000], 1]), text([18, "te", [19, MS, 1, 91000], 2]))
    assert "gap" not in driven.said("trade"), "ids count the trades of all pairs"
    driven.feed(text([18, "te", [20, MS, 1, 91000], 5]))
    assert "gap" in driven.said("trade")
    assert driven.reasons("gap", "trade") == ["frames 3 to 4 of the connection were not received"]


def crossing() -> None:
    seed = [17, [[264.51, 2, 27.9], [265.09, 2, -9.32]], 1]
    crossing_passes(connection(), seed, [17, [265.34, 1, 0.581], 2], [17, [265.34, 0, 1], 3])


def bad_row() -> None:
    driven = connection("trade", "liquidation", "candle")
    for odd in (forced(2, name="tABCEUTF0:X"), forced(2, amount="x"), ["pos"], forced(2, price=[])):
        first = 10 * (len(driven.of("liquidation")) + 1)
        rows = [forced(first), odd, forced(first + 1)]
        bad_row_costs_itself(driven, "liquidation", lambda data: [20, data], rows)
    prints = [[11, MS, 1, 91000], [12, MS, "x", 91000], [13, MS, 1, 91000]]
    history = Driven("bitfinex", [NAME], ("trade",))
    decoder = VENUES["bitfinex"].decoder("public", history.find, makers=Makers(sim=False))
    decoder.decode(text({"event": "subscribed", "channel": "trades", "chanId": 18, "symbol": NAME}).encode(), 0)
    assert [item.kind for item in decoder.decode(text([18, prints]).encode(), 0)] == ["trade", "unreadable", "trade"]
    rows = [CANDLE, [MS, 1, 2], [MS - 60_000, *CANDLE[1:]]]
    bad_row_costs_itself(driven, "candle", lambda data: [21, data], rows)
    book = connection()
    book.feed(text([17, [[91000, 1, 1], ["x", 1, 1], [91001, 1, -1]], 1]), text([17, [90999, 1, "x"], 2]))
    assert book.of("book")[-1].bids == [("91000", "1")]
    book.feed(text([17, [90998, 1, 1], 3]))
    assert "gap" in book.said("book"), "a change that could not be read is a hole"
    rest = VENUES["bitfinex"].rest
    assert rest.history is not None
    body = text(prints).encode()
    found = rest.history.decode_trades(body, history.find(NAME), ts_recv=MS, sim=False)
    assert [isinstance(item, Unreadable) for item in found] == [False, True, False]


def omitted_field() -> None:
    driven = connection("ticker", "funding", "liquidation").feed(text([19, [None] * 10]), text([19, TICKER[:4]]))
    says(driven.of("ticker")[0], bid=None, ask=None, last=None, change_24h=None, volume_24h=None)
    says(driven.of("ticker")[1], bid="91000", ask="91001", last=None)
    driven.feed(text([22, [MS, None, None]]), text([22, status(None, None, None, None)]))
    for event in driven.of("funding"):
        says(event, rate=None, mark_price=None, index_price=None)
    driven.feed(text([20, []]), text([18, []]), text([20, [forced(1)[:6]]]))
    assert not driven.unread, driven.unread


def control_message() -> None:
    is_quiet(
        connection("trade"),
        text({"event": "info", "version": 2, "serverId": "a", "platform": {"status": 1}}),
        text({"event": "info", "code": 20060, "msg": "Entering maintenance"}),
        text({"event": "tea", "msg": "at noon"}),
        text({"event": "pong", "ts": MS, "cid": 1}),
        text([18, "hb", 1, MS]),
        text([99, "hb"]),
    )
    driven = connection("trade").feed(text([99, "te", [1, MS, 1, 1]]), text([18, "zz", [1, MS, 1, 1]]))
    assert [name in why for name, why in zip(("channel 99", "zz"), driven.unread, strict=True)] == [True, True]


def unknown_name() -> None:
    names = ("tABCF0:UST", "tABC:USTF0", "tF0:F0", "tABCEUTF0:X", "ABCUSD", "fUSD", "tABCD", "tabcusd", "tABC:U/D")
    is_refused("bitfinex", [("public", name) for name in names])
    found, _ = VENUES["bitfinex"].rest.decode_instruments("public", b'[["ABCUSD","ABCD",7,"ABCF0:USTF0"]]')
    assert [type(item).__name__ for item in found] == ["Instrument", "Unreadable", "Unreadable", "Instrument"]


def shared_id() -> None:
    driven = connection("ticker", "candle", "funding", "liquidation")
    driven.feed(text([19, TICKER]), text([19, [90000, *TICKER[1:]]]))
    driven.feed(text([21, CANDLE]), text([21, [MS, 1, 2, 4, 0.5, 2.5]]))
    driven.feed(*(text([22, status(0.0001, mark, 1, 1)]) for mark in (1, 2)))
    driven.feed(text([20, [forced(1), forced(2), forced(1)]]))
    for kind in ("ticker", "candle", "funding", "interest", "liquidation"):
        assert kind in EVENTS
        ids_differ(driven.of(kind))


def price_kind() -> None:
    driven = connection("liquidation").feed(text([20, [forced(142, None, amount=0.0392)]]))
    assert not driven.of("liquidation"), "the entry price is none of the liquidation"
    driven.feed(text([20, [forced(142, 42735, 1, amount=0.0392)]]), text([20, [forced(142, 42735, 1, amount=0.02)]]))
    (event,) = driven.of("liquidation")
    says(event, price="42735", price_kind="fill", amount="0.0392", position_side="long", order_side="sell")


def subscription_limit() -> None:
    venue = VENUES["bitfinex"]
    names = [venue.guess("public", f"tC{number}:USD") for number in range(300)]
    plans = venue.plan("ws://x", names, ("trade", "ticker", "book"))
    assert sum(len(plan.subscriptions) for plan in plans) == 900
    assert all(len(plan.subscriptions) <= 25 for plan in plans)
    assert venue.policy.connect_pace * 20 >= 60, "an address may open 20 connections a minute"


KINDS = {
    "lagging_snapshot": "A book's channel begins with its snapshot (reference/ws-public-books), so that no REST answer "
    "is joined to the stream.",
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
