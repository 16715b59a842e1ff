"""Deribit: frames as its pages describe them (https://docs.deribit.com/subscriptions/market-data)."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InvalidParameterError
from producers.limits import fitting
from producers.registry import VENUES
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

NAME = "ABC_USDC-PERPETUAL"
TRADE = {
    "trade_seq": 10,
    "trade_id": "t10",
    "timestamp": MS,
    "price": 91.5,
    "instrument_name": NAME,
    "direction": "sell",
    "amount": 2.0,
    "tick_direction": 0,
    "index_price": 91.0,
    "mark_price": 91.1,
}
FIGURES = {
    "timestamp": MS,
    "instrument_name": NAME,
    "best_bid_price": 90.0,
    "best_bid_amount": 1.0,
    "state": "open",
    "best_ask_price": 92.0,
    "best_ask_amount": 2.0,
    "last_price": 91.0,
    "mark_price": 91.1,
    "index_price": 91.2,
    "open_interest": 5.0,
    "current_funding": 0.0,
    "stats": {"high": 95.0, "low": 80.0, "volume": 3.0},
}


def connection(*channels: str) -> Driven:
    return Driven("deribit", [NAME], channels)


def push(channel: str, data: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": channel, "data": data}}


def trades(*rows: Any) -> dict[str, Any]:
    return push(f"trades.{NAME}.100ms", rows)


def ticker(**figures: Any) -> str:
    return text(push(f"ticker.{NAME}.100ms", figures))


def book(prev: int | None, seq: int, bids: list[list[Any]], asks: list[list[Any]]) -> dict[str, Any]:
    row = {"type": "snapshot" if prev is None else "change", "timestamp": MS, "change_id": seq, "bids": bids}
    return push(f"book.{NAME}.100ms", row | {"asks": asks} | ({} if prev is None else {"prev_change_id": prev}))


def numbered(seq: int) -> str:
    return text(trades(TRADE | {"trade_seq": seq, "trade_id": f"t{seq}"}))


def zero_price() -> None:
    driven = connection("ticker", "trade", "book")
    zeros = {"best_bid_price": 0.0, "best_ask_price": 0, "last_price": 0.0, "mark_price": 0.0, "stats": {"low": 0.0}}
    driven.feed(ticker(**FIGURES | zeros))
    says(driven.of("ticker")[0], last=None, bid=None, bid_amount=None, ask=None, ask_amount=None, low_24h=None)
    says(driven.of("funding")[0], mark_price=None, index_price="91.2")
    driven.feed(text(push(f"quote.{NAME}", FIGURES | zeros)))
    says(driven.of("ticker")[1], bid=None, bid_amount=None)
    candle = {"tick": MS, "open": 1.0, "high": 2.0, "low": 0.0, "close": 1.0, "volume": 1.0, "cost": 1.0}
    driven.feed(text(trades(TRADE | {"price": 0.0})), text(push(f"chart.trades.{NAME}.1", candle)))
    assert len(driven.unread) == 2, driven.unread
    driven.feed(text(book(None, 1, [["new", 90.0, 1.0], ["new", 0.0, 5.0]], [["new", 91.0, 1.0]])))
    assert driven.of("book")[-1].bids == [("90.0", "1.0")]


def trade_holes() -> None:
    driven = connection("trade").feed(numbered(10), numbered(11))
    driven.close()
    driven.open()
    assert "gap" not in driven.said("trade")
    driven.feed(numbered(14), numbered(14), numbered(15))
    assert driven.reasons("gap", "trade") == ["trades 12 to 13 were not received"]


def crossing() -> None:
    crossing_passes(
        connection("book"),
        book(None, 7, [["new", 90.0, 1.0]], [["new", 91.0, 1.0]]),
        book(7, 8, [["new", 92.0, 1.0]], []),
        book(8, 9, [], [["delete", 91.0, 0.0], ["new", 93.0, 1.0]]),
    )


def bad_row() -> None:
    driven = connection("trade")
    rows = [
        TRADE,
        TRADE | {"trade_seq": 11, "trade_id": "t11", "price": "9"},
        TRADE | {"trade_seq": 12, "trade_id": "t12"},
    ]
    bad_row_costs_itself(driven, "trade", lambda data: trades(*data), rows)
    assert driven.reasons("gap", "trade") == ["trade 11 was not received"]
    later = TRADE | {"trade_seq": 13, "trade_id": "t13"}
    named = [later | {"instrument_name": name} for name in ("ABC_USDC-PERPETUAL", "ABC-TEA", "LMN_USDC-PERPETUAL")]
    bad_row_costs_itself(driven, "trade", lambda data: push("trades.future.any.100ms", data), named)
    driven = connection("book")
    driven.feed(text(book(None, 7, [["new", 90.0, 1.0]], [])), text(book(7, 8, [["new", "x", 1.0]], [])))
    driven.feed(text(book(8, 9, [["new", 89.0, 1.0]], [])))
    assert "gap" in driven.said("book"), "a change that could not be read is a hole in the sequence"
    row = {"type": "change", "timestamp": MS, "change_id": 12, "bids": [["new", 1.0, 1.0]], "asks": []}
    driven.feed(text(book(None, 11, [["new", 90.0, 1.0]], [])), text(push(f"book.{NAME}.100ms", row)))
    assert driven.of("book")[-1].quality == "gap", "a change that continues nothing is no whole book"


def omitted_field() -> None:
    driven = connection("ticker", "trade")
    driven.feed(ticker(timestamp=MS, instrument_name=NAME, state="locked", stats=None))
    says(driven.of("ticker")[0], last=None, bid=None, ask=None, high_24h=None, volume_24h=None)
    nulls = {"last_price": None, "best_bid_price": None, "best_bid_amount": 0.0, "open_interest": None, "stats": {}}
    driven.feed(ticker(**FIGURES | nulls | {"current_funding": None, "mark_price": None}))
    says(driven.of("ticker")[1], last=None, bid=None, bid_amount=None, ask="92.0")
    driven.feed(text(trades()))
    assert not driven.unread, driven.unread


def control_message() -> None:
    is_quiet(
        connection("trade"),
        text({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "heartbeat"}}),
        text({"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "tea"}}),
        text({"jsonrpc": "2.0", "method": "maintenance", "params": {"type": "soon"}}),
        text({"jsonrpc": "2.0", "id": 3, "result": "ok", "usIn": 1, "usOut": 2, "usDiff": 1, "testnet": False}),
    )


def unknown_name() -> None:
    names = ["BTC", "ABC_USDC-PERPETUAL-X", "BTC-27FOO26", "BTC-31FEB26", "BTC-FS-27MAR26_PERP", "btc_usdc", "BTC-TEA"]
    is_refused("deribit", [("public", name) for name in names])
    driven = connection("trade").feed(text(push("trades.ABC-TEA.100ms", [TRADE])))
    assert not driven.events
    assert "ABC-TEA" in driven.unread[0]


def shared_id() -> None:
    driven = connection("ticker", "trade")
    driven.feed(ticker(**FIGURES), ticker(**FIGURES | {"last_price": 91.5}))
    ids_differ(driven.of("ticker"))
    row = TRADE | {"liquidation": "MT"}
    driven.feed(text(trades(row)), text(push("trades.ABC-PERPETUAL.100ms", [row])))
    ids_differ(driven.of("trade"))
    ids_differ(driven.of("liquidation"))


def price_kind() -> None:
    driven = connection("trade").feed(text(trades(TRADE | {"liquidation": "M"})))
    says(driven.of("liquidation")[0], price="91.5", price_kind="fill", position_side="short", order_side="buy")


def subscription_limit() -> None:
    venue = VENUES["deribit"]
    many = [venue.guess("public", f"C{number}_USDC") for number in range(4000)]
    channels = ("trade", "book", "ticker")
    with pytest.raises(InvalidParameterError, match="32 connections"):
        venue.plan("ws://x", many, channels)
    assert len(venue.plan("ws://x", fitting(venue.limit, many, channels).instruments, channels)) <= 30


KINDS = {
    "lagging_snapshot": "The first push of a book channel is its snapshot (page: subscriptions/orderbook), so that no "
    "REST answer is joined to the stream.",
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
