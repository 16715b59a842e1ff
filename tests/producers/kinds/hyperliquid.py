"""Hyperliquid: frames as its pages describe them (hyperliquid-docs/for-developers/api/websocket/subscriptions)."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InvalidParameterError
from producers.limits import fitting
from producers.registry import VENUES
from tests.producers.kinds.asserting import MS, bad_row_costs_itself, ids_differ, is_quiet, is_refused, says, text
from tests.producers.kinds.driving import Driven

TRADE = {"coin": "BTC", "side": "B", "px": "91.5", "sz": "2", "time": MS, "hash": "0x0", "tid": 77, "users": ["a", "b"]}
CANDLE = {"t": MS, "T": MS + 59_999, "s": "BTC", "i": "1m", "o": "1", "c": "2", "h": "3", "l": "0.5", "v": "7", "n": 3}
FIGURES = {
    "prevDayPx": "90",
    "dayNtlVlm": "450",
    "dayBaseVlm": "5",
    "markPx": "91.1",
    "oraclePx": "91.2",
    "midPx": "91",
    "funding": "0.0000125",
    "openInterest": "6",
}


def connection(*channels: str) -> Driven:
    return Driven("hyperliquid", ["BTC"], channels)


def push(channel: str, data: Any) -> str:
    return text({"channel": channel, "data": data})


def book(bids: list[tuple[str, str]], asks: list[tuple[str, str]], time: int = MS) -> str:
    sides = [[{"px": price, "sz": size, "n": 1} for price, size in side] for side in (bids, asks)]
    return push("l2Book", {"coin": "BTC", "time": time, "levels": sides})


def figures(**changes: Any) -> str:
    return push("activeAssetCtx", {"coin": "BTC", "ctx": FIGURES | changes})


def best(bid: Any, ask: Any) -> str:
    return push("bbo", {"coin": "BTC", "time": MS, "bbo": [bid, ask]})


def zero_price() -> None:
    driven = connection("ticker", "trade", "book", "funding")
    driven.feed(best({"px": "0.0", "sz": "5", "n": 0}, {"px": "92", "sz": "1", "n": 1}))
    says(driven.of("ticker")[0], bid=None, bid_amount=None, ask="92", ask_amount="1")
    driven.feed(figures(prevDayPx="0.0", markPx="0", oraclePx="0.00"))
    says(driven.of("ticker")[1], open_24h=None)
    says(driven.of("funding")[0], mark_price=None, index_price=None)
    driven.feed(push("trades", [TRADE | {"px": "0"}]), push("candle", CANDLE | {"l": "0.0"}))
    assert len(driven.unread) == 2, driven.unread
    driven.feed(book([("90", "1"), ("0.0", "5")], [("91", "1")]))
    assert driven.of("book")[-1].bids == [("90", "1")]


def crossing() -> None:
    driven = connection("book").feed(book([("90", "1")], [("91", "1")]))
    published = len(driven.of("book"))
    driven.feed(book([("92", "1")], [("91", "1")], MS + 1))
    assert len(driven.of("book")) == published, "a crossed book was published"
    driven.feed(book([("92", "1")], [("93", "1")], MS + 2))
    assert driven.of("book")[-1].bids == [("92", "1")]
    assert "gap" not in driven.said("book"), driven.states


def bad_row() -> None:
    driven = connection("trade")
    rows = [TRADE, TRADE | {"tid": 78, "sz": "x"}, TRADE | {"tid": 79}]
    bad_row_costs_itself(driven, "trade", lambda data: {"channel": "trades", "data": data}, rows)
    rows = [TRADE | {"tid": 80}, TRADE | {"tid": 81, "coin": "#10"}, TRADE | {"tid": 82}]
    bad_row_costs_itself(driven, "trade", lambda data: {"channel": "trades", "data": data}, rows)
    candles = [CANDLE, CANDLE | {"i": "7m"}, CANDLE | {"t": MS + 60_000}]
    bad_row_costs_itself(driven, "candle", lambda data: {"channel": "candle", "data": data}, candles)
    driven.feed(push("trades", [TRADE | {"tid": tid} for tid in (77, 79, 83)]))
    assert [event.trade_id for event in driven.of("trade")] == ["77", "79", "80", "82", "83"], "what was read is known"


def omitted_field() -> None:
    driven = connection("ticker")
    driven.feed(best(None, {"px": "92", "sz": "1", "n": 1}), push("bbo", {"coin": "BTC", "time": MS, "bbo": []}))
    says(driven.of("ticker")[0], bid=None, bid_amount=None, ask="92")
    driven.feed(figures(prevDayPx=None, dayBaseVlm=None, midPx=None, markPx=None, funding=None, openInterest=None))
    says(driven.of("ticker")[2], open_24h=None, volume_24h=None, quote_volume_24h="450")
    driven.feed(push("activeAssetCtx", {"coin": "BTC", "ctx": {}}), push("trades", []), book([], []))
    assert not driven.unread, driven.unread


def control_message() -> None:
    is_quiet(
        connection("trade"),
        "Websocket connection established.",
        text({"channel": "pong"}),
        text({"channel": "tea", "data": None}),
        text({"channel": "maintenance"}),
        push("subscriptionResponse", {"method": "unsubscribe", "subscription": {"type": "trades", "coin": "BTC"}}),
        push("subscriptionResponse", {"method": "tea"}),
    )


def unknown_name() -> None:
    names = ["@107", "#10", "xyz:TSLA", "BTC-PERP", "PURR/USDC/X", "+5"]
    is_refused("hyperliquid", [("public", name) for name in names])
    driven = connection("trade")
    driven.feed(*(push("trades", [TRADE | {"coin": name}]) for name in names))
    assert not driven.events
    assert all(name in error for name, error in zip(names, driven.unread, strict=True)), driven.unread


def shared_id() -> None:
    driven = connection("trade", "ticker")
    driven.feed(push("trades", [TRADE, TRADE | {"time": MS + 1}, TRADE | {"coin": "ETH"}]))
    ids_differ(driven.of("trade"))
    driven.feed(figures(), figures(dayNtlVlm="451"), figures())
    driven.feed(best(None, {"px": "92", "sz": "1", "n": 1}), best(None, {"px": "92", "sz": "2", "n": 1}))
    ids_differ(driven.of("ticker"))
    ids_differ(driven.of("funding"))
    driven.feed(push("candle", CANDLE), push("candle", CANDLE | {"v": "8"}))
    ids_differ(driven.of("candle"))


def subscription_limit() -> None:
    venue = VENUES["hyperliquid"]
    many = [venue.guess("public", f"C{number}") for number in range(300)]
    channels = ("trade", "book", "ticker", "funding", "interest")
    with pytest.raises(InvalidParameterError, match="1000 subscriptions"):
        venue.plan("ws://x", many, channels)
    plans = venue.plan("ws://x", fitting(venue.limit, many, channels).instruments, channels)
    assert sum(len(plan.subscriptions) for plan in plans) == 1000
    assert len(plans) <= 10


KINDS = {
    "lagging_snapshot": "Every push of `l2Book` is the whole book, so that a REST answer is joined to nothing.",
    "zero_price": zero_price,
    "trade_holes": "A `tid` is a hash of the ids of the two orders (page: websocket/subscriptions, WsTrade), and "
    "nothing counts the trades of a coin.",
    "crossing": crossing,
    "bad_row": bad_row,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": "There is no public feed of liquidations (page: websocket/subscriptions), so that no price is one's.",
    "subscription_limit": subscription_limit,
}
