"""KuCoin spot: pushes as its pages describe them (https://www.kucoin.com/docs-new/3470072w0), each kind of fault."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.errors import InvalidParameterError
from producers.registry import VENUES
from producers.venue import Closing, Unreadable
from tests.producers.kinds import lagging
from tests.producers.kinds.asserting import MS, crossing_passes, ids_differ, is_quiet, is_refused, says, text
from tests.producers.kinds.driving import Driven

NAME = "ABC-USDT"
NS = MS * 1_000_000
MATCH = {"symbol": NAME, "side": "buy", "price": "91.5", "size": "0.01", "time": str(NS), "tradeId": "5e35"}
TICKER = {"bestAsk": "2.2", "bestAskSize": "3", "bestBid": "2.0", "bestBidSize": "1", "price": "2.1", "time": MS}
DAY = {"symbol": NAME, "datetime": MS, "lastTradedPrice": 2.1, "buy": 2.0, "bidSize": 1, "sell": 2.2, "askSize": 3}


def connection(*channels: str) -> Driven:
    return Driven("kucoin", [NAME], channels or ("book",))


def push(topic: str, data: Any, symbol: str = NAME) -> str:
    return text({"type": "message", "topic": f"{topic}:{symbol}", "subject": "x", "data": data})


def match(**other: Any) -> str:
    return push("/market/match", MATCH | other)


def ticker(**other: Any) -> str:
    return push("/market/ticker", TICKER | {"sequence": "15"} | other)


def change(n: int, *bids: list[str], asks: list[list[str]] | None = None) -> str:
    rows = bids or (["1.0", str(n), str(n)],)
    data = {"changes": {"asks": asks or [], "bids": rows}, "sequenceStart": n, "sequenceEnd": n, "time": MS}
    return push("/market/level2", data)


def whole(n: int, bids: Any = (("1.0", "5"),), asks: Any = (("2.0", "1"),)) -> str:
    return text({"code": "200000", "data": {"time": MS, "sequence": str(n), "bids": bids, "asks": asks}})


def lagging_snapshot() -> None:
    lagging.joins("kucoin", NAME, change, whole)


def zero_price() -> None:
    driven = connection("ticker", "trade")
    for zero in ("0", "0.000", "", None):
        driven.feed(ticker(price=zero, bestBid=zero, bestAsk=zero))
        driven.feed(push("/spotMarket/level1", {"asks": [zero or "0", "3"], "bids": ["2.0", "1"], "timestamp": MS}))
        tick, best = driven.of("ticker")[-2:]
        says(tick, last=None, bid=None, bid_amount=None, ask=None, ask_amount=None)
        says(best, bid="2.0", bid_amount="1", ask=None, ask_amount=None)
    figures = dict.fromkeys(("lastTradedPrice", "buy", "sell", "open", "high", "low", "vol"), 0.0)
    driven.feed(push("/market/snapshot", {"data": DAY | figures}))
    says(driven.of("ticker")[-1], last=None, bid=None, ask=None, open_24h=None, high_24h=None, low_24h=None)
    says(driven.of("ticker")[-1], bid_amount=None, ask_amount=None, volume_24h="0.0")
    driven.feed(match(price="0.0"))
    candle = {"symbol": NAME, "candles": ["1795600000", "1", "2", "3", "0", "7", "12"], "time": NS}
    driven.feed(push("/market/candles", candle, f"{NAME}_1min"))
    assert len(driven.unread) == 2, driven.unread
    book = connection()
    book.feed(change(935))
    book.answer(NAME, whole(934, bids=[["0.00", "5"], ["1.0", "5"]], asks=[["2.0", "1"], ["0", "1"]]))
    book.feed(change(936, ["0", "0", "936"]))
    says(book.of("book")[-1], bids=[("1.0", "935")], asks=[("2.0", "1")], seq=936)
    _zero_in_the_past()


def _zero_in_the_past() -> None:
    history, instrument = VENUES["kucoin"].rest.history, VENUES["kucoin"].guess("spot", NAME)
    assert history is not None
    rows = [["1795600020", "1", "2", "3", low, "7", "12"] for low in ("1", "0")]
    body = text({"code": "200000", "data": rows}).encode()
    candle, odd = history.decode_candles(body, instrument, "1m", ts_recv=NS, sim=False)
    assert candle.low == "1"
    assert isinstance(odd, Unreadable)
    for found in (history.decode_candles, history.decode_trades):
        more = ("1m",) if found == history.decode_candles else ()
        assert found(b'{"code":"200000","data":null}', instrument, *more, ts_recv=NS, sim=False) == []


def crossing() -> None:
    driven = connection()
    driven.feed(change(935))
    driven.answer(NAME, whole(934))
    crossing_passes(
        driven,
        json.loads(change(936)),
        json.loads(change(937, ["2.5", "1", "937"])),
        json.loads(change(938, ["2.5", "0", "938"])),
    )


def omitted_field() -> None:
    driven = connection("ticker")
    driven.feed(push("/market/ticker", {"sequence": "5"}), push("/market/ticker", dict.fromkeys(TICKER)))
    driven.feed(push("/spotMarket/level1", {"asks": None, "bids": []}))
    driven.feed(push("/market/snapshot", {"data": {"symbol": NAME, "lastTradedPrice": None, "changeRate": None}}))
    assert not driven.unread, driven.unread
    assert len(driven.of("ticker")) == 4
    for event in driven.of("ticker"):
        says(event, last=None, bid=None, ask=None, bid_amount=None, change_24h=None, ts_event=None)
    book = connection()
    book.feed(change(935))
    book.answer(NAME, text({"code": "200000", "data": {"sequence": "935", "bids": None, "asks": [["2.0", "1"]]}}))
    book.feed(
        text({**json.loads(change(936)), "data": {"changes": {"asks": None}, "sequenceStart": 936, "sequenceEnd": 936}})
    )
    says(book.of("book")[-1], bids=[], asks=[("2.0", "1")], seq=936)


def control_message() -> None:
    is_quiet(
        connection("trade"),
        text({"id": "c1", "type": "welcome"}),
        text({"type": "notice", "topic": None}),
        text({"type": "notice", "topic": "/notice", "data": {"text": "maintenance"}}),
        text({"id": "c1", "type": "command"}),
        text({"id": "c1", "type": "party"}),
        text({"type": "disconnect", "reason": "maintenance"}),
    )
    decoder = connection("trade").session.decoder
    assert decoder is not None
    assert decoder.decode(b'{"type":"disconnect","reason":"maintenance"}', 0) == (Closing("maintenance", 0.0),)
    driven = connection("trade").feed(push("/market/moonPhase", {}))
    assert "moonPhase" in driven.unread[0], "data of an unknown channel is named"


def unknown_name() -> None:
    names = ("BTCUSDT", "XBTUSDTM", "BTC-USDT-240927", "BTC-USDT:USDT", "BTC-USDT.X", "A B-USDT", "-USDT", "BTC-")
    is_refused("kucoin", [("spot", name) for name in names])
    listed = {"symbol": NAME, "baseCurrency": "ABC", "quoteCurrency": "USDT", "enableTrading": True}
    rows = [listed, listed | {"symbol": "ODD", "baseCurrency": "A/B"}, {"symbol": "BLANK"}]
    found, _ = VENUES["kucoin"].rest.decode_instruments("spot", text({"code": "200000", "data": rows}).encode())
    assert [type(item).__name__ for item in found] == ["Instrument", "Unreadable", "Unreadable"]


def shared_id() -> None:
    driven = connection("ticker").feed(ticker(), ticker(price="2.15"), ticker(bestAsk="2.3"))
    best = {"asks": ["2.2", "1"], "bids": ["2.0", "1"], "timestamp": MS}
    driven.feed(push("/spotMarket/level1", best), push("/spotMarket/level1", best | {"bids": ["1.9", "1"]}))
    driven.feed(push("/market/snapshot", {"data": DAY}), push("/market/snapshot", {"data": DAY | {"buy": 1.9}}))
    ids_differ(driven.of("ticker"))
    assert driven.of("ticker")[0].id == connection("ticker").feed(ticker()).of("ticker")[0].id
    depth = {"asks": [["2.2", "1"]], "bids": [["2.0", "1"]], "timestamp": MS}
    driven.feed(push("/spotMarket/level2Depth5", depth), push("/spotMarket/level2Depth5", depth | {"bids": []}))
    ids_differ(driven.of("delta"))


def subscription_limit() -> None:
    venue = VENUES["kucoin"]
    names = [venue.guess("spot", f"C{number}-USDT") for number in range(37_501)]
    plans = venue.plan("ws://x", names[:1000], ("trade", "ticker", "book"))
    assert sum(len(plan.subscriptions) for plan in plans) == 4000
    assert all(len(plan.subscriptions) <= 300 for plan in plans)
    assert all(len(request.keys) <= 100 for plan in plans for request in plan.requests)
    with pytest.raises(InvalidParameterError, match="500 connections of 300"):
        venue.plan("ws://x", names, ("trade", "ticker", "book"))


KINDS = {
    "lagging_snapshot": lagging_snapshot,
    "zero_price": zero_price,
    "trade_holes": "The page of `/market/match` (docs-new/3470072w0) calls `sequence` a sequence number and says not "
    "that it counts trades; in recorded frames it jumps from one trade to the next, as `tradeId` does.",
    "crossing": crossing,
    "bad_row": "Each push carries one object of one symbol (docs-new/3470063w0 to 3470072w0), `/market/ticker:all` "
    "too; the changed levels of a book are one update, which is read whole or not at all.",
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": "KuCoin publishes no liquidations of spot: there is no topic of them.",
    "subscription_limit": subscription_limit,
}
