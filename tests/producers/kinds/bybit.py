"""Bybit: frames as its v5 pages describe them (https://bybit-exchange.github.io/docs/v5/ws/connect)."""

from __future__ import annotations

from typing import Any

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

NAME = "ABCUSDT"
TRADE = {"T": MS, "s": NAME, "S": "Buy", "v": "2", "p": "91.5", "i": "a1", "BT": False, "seq": 7}
FORCED = {"T": MS, "s": NAME, "S": "Sell", "v": "0.5", "p": "90.8"}
CANDLE = {
    "start": MS,
    "end": MS + 1,
    "interval": "1",
    "open": "1",
    "close": "2",
    "high": "3",
    "low": "0.5",
    "volume": "7",
    "turnover": "12",
    "confirm": True,
    "timestamp": MS,
}
FIGURES = {"lastPrice": "2.1", "bid1Price": "2.0", "bid1Size": "1", "ask1Price": "2.2", "ask1Size": "3"}


def connection(*channels: str, market: str = "linear", name: str = NAME) -> Driven:
    return Driven("bybit", [name], channels, market)


def push(topic: str, data: Any, kind: str = "snapshot", **more: Any) -> dict[str, Any]:
    return {"topic": topic, "type": kind, "ts": MS, "data": data, **more}


def ticker(kind: str = "snapshot", name: str = NAME, /, **figures: Any) -> str:
    return text(push(f"tickers.{name}", {"symbol": name, **figures}, kind, cs=1))


def book(kind: str, u: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return push(f"orderbook.200.{NAME}", {"s": NAME, "b": bids, "a": asks, "u": u, "seq": u}, kind)


def zero_price() -> None:
    driven = connection("ticker", "trade", "book", "liquidation")
    zeros = dict.fromkeys(("lastPrice", "bid1Price", "ask1Price", "prevPrice24h", "highPrice24h", "markPrice"), "0.00")
    driven.feed(ticker(**zeros, bid1Size="0", ask1Size="5", fundingRate="0.0001"))
    says(driven.of("ticker")[0], last=None, bid=None, bid_amount=None, ask=None, ask_amount=None, high_24h=None)
    says(driven.of("funding")[0], rate="0.0001", mark_price=None)
    driven.feed(text(push(f"publicTrade.{NAME}", [TRADE | {"p": "0"}])))
    driven.feed(text(push(f"allLiquidation.{NAME}", [FORCED | {"p": "0.0"}])))
    driven.feed(text(push(f"kline.1.{NAME}", [CANDLE | {"low": "0"}])))
    assert len(driven.unread) == 3, driven.unread
    assert not driven.of("trade")
    driven.feed(text(book("snapshot", 1, [["90", "1"], ["0", "5"]], [["91", "1"]])))
    assert driven.of("book")[-1].bids == [("90", "1")]


def crossing() -> None:
    crossing_passes(
        connection("book"),
        book("snapshot", 7, [["90", "1"]], [["91", "1"]]),
        book("delta", 8, [["92", "1"]], []),
        book("delta", 9, [], [["91", "0"], ["93", "1"]]),
    )


def bad_row() -> None:
    driven = connection("trade", "liquidation")
    rows = [TRADE, TRADE | {"i": "a2", "p": "1_0"}, TRADE | {"i": "a3"}]
    bad_row_costs_itself(driven, "trade", lambda data: push(f"publicTrade.{NAME}", data), rows)
    rows = [FORCED, FORCED | {"S": "Both"}, FORCED | {"v": "1"}]
    bad_row_costs_itself(driven, "liquidation", lambda data: push(f"allLiquidation.{NAME}", data), rows)
    rows = [CANDLE, CANDLE | {"open": None}, CANDLE | {"start": MS + 60_000}]
    bad_row_costs_itself(driven, "candle", lambda data: push(f"kline.1.{NAME}", data), rows)
    driven = connection("book")
    driven.feed(text(book("snapshot", 7, [["90", "1"]], [])), text(book("delta", 8, [["89", "1"], ["x", "1"]], [])))
    driven.feed(text(book("delta", 9, [["88", "1"]], [])))
    assert "gap" in driven.said("book"), "a delta that could not be read is a hole in the sequence"
    assert driven.resyncs


def omitted_field() -> None:
    driven = connection("ticker", name="ABCUSDT-05JUN26")
    empty: dict[str, Any] = {
        "ask1Price": "",
        "ask1Size": "",
        "price24hPcnt": None,
        "nextFundingTime": "",
        "fundingRate": "",
    }
    driven.feed(ticker("snapshot", "ABCUSDT-05JUN26", **FIGURES | empty), ticker("delta", "ABCUSDT-05JUN26"))
    assert not driven.unread, driven.unread
    assert not driven.of("funding")
    for event in driven.of("ticker"):
        says(event, last="2.1", bid="2.0", ask=None, ask_amount=None, change_24h=None)
    driven = connection("ticker")
    driven.feed(ticker(), ticker("delta", **FIGURES))
    assert [event.last for event in driven.of("ticker")] == [None, "2.1"]
    driven.feed(text(push(f"publicTrade.{NAME}", [])))
    assert not driven.unread, driven.unread


def control_message() -> None:
    is_quiet(
        connection("trade"),
        text({"success": True, "ret_msg": "", "conn_id": "c", "req_id": "x", "op": "unsubscribe"}),
        text({"op": "pong", "args": ["1"], "conn_id": "c"}),
        text({"success": True, "ret_msg": "", "op": "tea"}),
        text({"op": "status", "ret_msg": "maintenance at noon"}),
        text({"type": "notice", "ret_msg": "maintenance at noon"}),
    )


def unknown_name() -> None:
    names = ["BTC-26DEC25-90000-C", "BTC-26DEC25-90000-C-USDT", "BTC-USDT", "BTCUSDT-X", "BTCUSDT-31FEB26", "btcusdt"]
    is_refused("bybit", [(market, name) for market in ("linear", "inverse", "spot") for name in names])


def shared_id() -> None:
    driven = connection("ticker", "liquidation", "trade")
    driven.feed(ticker(**FIGURES), ticker("delta", lastPrice="2.3"), ticker("delta", lastPrice="2.4", fundingRate="0"))
    ids_differ(driven.of("ticker"))
    driven.feed(text(push(f"allLiquidation.{NAME}", [FORCED, FORCED])))
    ids_differ(driven.of("liquidation"))
    candles = [CANDLE | {"confirm": False}, CANDLE | {"confirm": False, "volume": "8"}, CANDLE | {"volume": "8"}]
    driven.feed(*(text(push(f"kline.1.{NAME}", [row])) for row in candles))
    ids_differ(driven.of("candle"))


def price_kind() -> None:
    driven = connection("liquidation").feed(text(push(f"allLiquidation.{NAME}", [FORCED])))
    says(driven.of("liquidation")[0], price="90.8", price_kind="bankruptcy", position_side="short", order_side="buy")


def subscription_limit() -> None:
    venue = VENUES["bybit"]
    plans = venue.plan("ws://x", [venue.guess("spot", f"C{n}USDT") for n in range(900)], ("trade", "ticker", "book"))
    assert sum(len(plan.subscriptions) for plan in plans) == 3600
    for plan in plans:
        assert sum(len(item.key) + 3 for item in plan.subscriptions) <= 21_000
        assert all(len(request.keys) <= 10 for request in plan.requests)


KINDS = {
    "lagging_snapshot": "The first push of an order book topic is its snapshot (page: websocket/public/orderbook), "
    "so that no REST answer is joined to the stream.",
    "zero_price": zero_price,
    "trade_holes": "Ids of contracts' trades are UUIDs, those of spot count over all symbols, and `seq` is one "
    "sequence of many topics (page: websocket/public/trade): no number counts an instrument's trades.",
    "crossing": crossing,
    "bad_row": bad_row,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": price_kind,
    "subscription_limit": subscription_limit,
}
