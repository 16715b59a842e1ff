"""KuCoin futures: pushes as its pages describe them (https://www.kucoin.com/docs-new/3470080w0), each kind of fault."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InvalidParameterError
from producers.registry import VENUES
from producers.venue import Closing, Unreadable
from tests.producers.kinds import lagging
from tests.producers.kinds.asserting import MS, ids_differ, is_quiet, is_refused, says, text
from tests.producers.kinds.driving import Driven

NAME = "ABCUSDTM"
NS = MS * 1_000_000
MATCH = {"symbol": NAME, "sequence": 5, "side": "buy", "size": 5, "price": "91.5", "tradeId": "5e35", "ts": NS}
TICKER = {"sequence": 15, "bestBidSize": 1, "bestBidPrice": "2.0", "bestAskPrice": "2.2", "bestAskSize": 3, "ts": NS}


def connection(*channels: str) -> Driven:
    return Driven("kucoinfutures", [NAME], channels or ("book",))


def push(topic: str, data: Any, subject: str = "x", symbol: str = NAME) -> str:
    return text({"topic": f"{topic}:{symbol}", "type": "message", "subject": subject, "sn": 1, "data": data})


def match(**other: Any) -> str:
    return push("/contractMarket/execution", MATCH | other)


def ticker(**other: Any) -> str:
    return push("/contractMarket/tickerV2", TICKER | other)


def change(n: int, changed: str = "") -> str:
    return push("/contractMarket/level2", {"sequence": n, "change": changed or f"1.0,buy,{n}", "timestamp": MS})


def whole(n: int, bids: Any = ((1.0, 5),), asks: Any = ((2.0, 1),)) -> str:
    return text({"code": "200000", "data": {"sequence": n, "symbol": NAME, "bids": bids, "asks": asks, "ts": NS}})


def lagging_snapshot() -> None:
    lagging.joins("kucoinfutures", NAME, change, whole)


def zero_price() -> None:
    driven = connection("ticker", "trade", "funding")
    for zero in ("0", "0.000", "", None):
        driven.feed(ticker(bestBidPrice=zero, bestAskPrice=zero))
        driven.feed(push("/contractMarket/ticker", TICKER | {"price": zero, "bestAskPrice": zero}))
        both, one = driven.of("ticker")[-2:]
        says(both, last=None, bid=None, bid_amount=None, ask=None, ask_amount=None)
        says(one, last=None, bid="2.0", ask=None, ask_amount=None)
    figures = dict.fromkeys(("lastPrice", "highPrice", "lowPrice", "price24HoursBefore", "volume"), 0)
    driven.feed(push("/contractMarket/snapshot", figures | {"ts": NS}))
    says(driven.of("ticker")[-1], last=None, open_24h=None, high_24h=None, low_24h=None, volume_24h="0")
    marks = {"markPrice": 0.0, "indexPrice": 0, "granularity": 1000, "timestamp": MS}
    driven.feed(push("/contract/instrument", marks, "mark.index.price"))
    says(driven.of("funding")[-1], mark_price=None, index_price=None)
    driven.feed(match(price="0.0"))
    assert len(driven.unread) == 1, driven.unread
    book = connection()
    book.feed(change(935))
    book.answer(NAME, whole(934, bids=[[0.0, 5], [1.0, 5]], asks=[[2.0, 1], [0, 1]]))
    book.feed(change(936, "0,sell,5"))
    says(book.of("book")[-1], bids=[("1.0", "935")], asks=[("2.0", "1")], seq=936)


def crossing() -> None:
    driven = connection()
    driven.feed(change(935))
    driven.answer(NAME, whole(934))
    driven.feed(change(936))
    published = len(driven.of("book"))
    driven.feed(change(937, "2.5,buy,1"))
    assert len(driven.of("book")) == published, "a crossed book was published"
    driven.feed(change(938, "2.5,buy,0"))
    assert len(driven.of("book")) == published + 1
    assert "gap" not in driven.said("book"), driven.states


def omitted_field() -> None:
    driven = connection("ticker", "funding")
    driven.feed(push("/contractMarket/tickerV2", {"symbol": NAME}), push("/contractMarket/snapshot", {"ts": None}))
    driven.feed(push("/contractMarket/tickerV2", dict.fromkeys(TICKER)))
    assert len(driven.of("ticker")) == 3, driven.unread
    for event in driven.of("ticker"):
        says(event, last=None, bid=None, ask=None, bid_amount=None, change_24h=None, ts_event=None)
    driven.feed(
        push("/contract/instrument", {"timestamp": MS, "markPrice": None, "indexPrice": 2.0}, "mark.index.price")
    )
    driven.feed(push("/contract/instrument", {"timestamp": MS, "fundingRate": None}, "funding.rate"))
    says(driven.of("funding")[-1], mark_price=None, index_price="2.0", rate=None)
    book = connection()
    book.feed(change(935))
    book.answer(NAME, whole(935, bids=None))
    book.feed(change(936, "3,sell,5"))
    says(book.of("book")[-1], bids=[("1.0", "935")], asks=[("2.0", "1"), ("3", "5")], seq=936)
    assert not driven.unread, driven.unread


def control_message() -> None:
    is_quiet(
        connection("trade"),
        text({"id": "c1", "type": "welcome"}),
        text({"type": "notice", "topic": None}),
        text({"id": "c1", "type": "command", "data": {"do": "something"}}),
        text({"type": "disconnect", "reason": "maintenance"}),
        push("/contract/announcement", {"fundingTime": MS}, "funding.begin"),
    )
    decoder = connection("trade").session.decoder
    assert decoder is not None
    assert decoder.decode(b'{"type":"disconnect"}', 0) == (Closing("the venue closes the connection", 0.0),)
    driven = connection("trade").feed(push("/contractMarket/moonPhase", {}))
    driven.feed(push("/contract/instrument", {"timestamp": MS}, "premium.index"))
    assert [name in reason for name, reason in zip(("moonPhase", "premium.index"), driven.unread, strict=True)]


def unknown_name() -> None:
    names = ("BTC-USDT", "XBTUSDT", "USDTM", ".KXBTUSDTM", "xbtusdtm", "XBTEURM", "XBTMA26", "XBTUSDTPERP", "XBTMZ26C")
    is_refused("kucoinfutures", [("futures", name) for name in names])
    listed = {
        "symbol": NAME,
        "baseCurrency": "ABC",
        "quoteCurrency": "USDT",
        "settleCurrency": "USDT",
        "status": "Open",
    }
    rows: list[Any] = [listed | {"multiplier": 0.1}, listed | {"multiplier": None}, listed | {"multiplier": 0}]
    rows += [{"symbol": "BLANK"}, listed | {"multiplier": 1, "settleCurrency": "EUR"}]
    body = text({"code": "200000", "data": rows}).encode()
    found, _ = VENUES["kucoinfutures"].rest.decode_instruments("futures", body)
    assert [type(item).__name__ for item in found] == ["Instrument", "Unreadable", "Unreadable", "Unreadable"]


def shared_id() -> None:
    driven = connection("ticker").feed(ticker(), ticker(bestBidPrice="1.9"), ticker(bestAskSize=4))
    day = {"ts": NS, "lastPrice": 2.1}
    driven.feed(push("/contractMarket/snapshot", day), push("/contractMarket/snapshot", day | {"volume": 4}))
    ids_differ(driven.of("ticker"))
    assert driven.of("ticker")[0].id == connection("ticker").feed(ticker()).of("ticker")[0].id
    depth = {"asks": [["2.2", 1]], "bids": [["2.0", 1]], "timestamp": MS, "sequence": 1}
    topic = "/contractMarket/level2Depth5"
    driven.feed(push(topic, depth), push(topic, depth | {"bids": []}))
    ids_differ(driven.of("delta"))


def rows_of_the_past() -> None:
    history, find = VENUES["kucoinfutures"].rest.history, VENUES["kucoinfutures"].guess
    assert history is not None
    rows = [{**MATCH, "price": price} for price in ("91.5", "0", "92")]
    found = history.decode_trades(
        text({"code": "200000", "data": rows}).encode(), find("futures", NAME), ts_recv=NS, sim=False
    )
    assert [getattr(item, "price", None) for item in found] == ["91.5", None, "92"]
    assert isinstance(found[1], Unreadable)
    body = b'{"code":"200000","data":null}'
    assert history.decode_candles(body, find("futures", NAME), "1m", ts_recv=NS, sim=False) == []


def subscription_limit() -> None:
    venue = VENUES["kucoinfutures"]
    names = [venue.guess("futures", f"C{number}USDTM") for number in range(30_001)]
    plans = venue.plan("ws://x", names[:1000], ("trade", "ticker", "book", "funding"))
    assert sum(len(plan.subscriptions) for plan in plans) == 5000
    assert all(len(plan.subscriptions) <= 300 for plan in plans)
    assert all(len(request.keys) <= 100 for plan in plans for request in plan.requests)
    with pytest.raises(InvalidParameterError, match="500 connections of 300"):
        venue.plan("ws://x", names, ("trade", "ticker", "book", "funding"))


KINDS = {
    "lagging_snapshot": lagging_snapshot,
    "zero_price": zero_price,
    "trade_holes": "The page of `/contractMarket/execution` (docs-new/3470084w0) calls `sequence` a sequence number "
    "and says not that it counts trades.",
    "crossing": crossing,
    "bad_row": rows_of_the_past,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": "KuCoin publishes no liquidations of futures: every plausible topic is answered with 404.",
    "subscription_limit": subscription_limit,
}
