"""Gate: frames as its pages describe them (https://www.gate.com/docs/developers/apiv4/ws/en/), each kind of fault."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.errors import InvalidParameterError
from producers.registry import VENUES
from producers.venue import Unreadable
from tests.producers.kinds import lagging
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

NAME = "ABC_USDT"
TRADE = {"id": 309, "create_time_ms": f"{MS}.5", "side": "sell", "currency_pair": NAME, "amount": "16", "price": "0.47"}
FILL = {"id": 27, "size": -5, "create_time": MS // 1000, "create_time_ms": MS, "price": "96.4", "contract": NAME}
FORCED = {"contract": NAME, "price": "0.1", "time": MS, "size": "-124.5"}
TICKER = {"currency_pair": NAME, "last": "2.1", "lowest_ask": "2.2", "highest_bid": "2.0", "high_24h": "3"}
CONTRACT = {"contract": NAME, "last": "2.1", "mark_price": "2.1", "index_price": "2.1", "total_size": "7"}
BEST = {"t": MS, "u": 7, "s": NAME, "b": "2.0", "B": "1", "a": "2.2", "A": "3"}
CANDLE = {"t": "1795600020", "v": "12", "c": "2", "h": "3", "l": "1", "o": "1", "n": f"1m_{NAME}", "a": "7", "w": True}


def connection(*channels: str, market: str = "spot") -> Driven:
    return Driven("gate", [NAME], channels or ("book",), market)


def push(channel: str, result: Any, event: str = "update") -> dict[str, Any]:
    return {"time": MS // 1000, "time_ms": MS, "channel": channel, "event": event, "result": result}


def change(n: int, *bids: list[str]) -> dict[str, Any]:
    row = {"t": MS, "s": NAME, "U": n, "u": n, "b": bids or [["1.0", str(n)]], "a": []}
    return push("spot.order_book_update", row)


def whole(n: int, **sides: Any) -> str:
    return text({"id": n, "current": MS, "update": MS, "asks": [["2.0", "1"]], "bids": [["1.0", "5"]], **sides})


def lagging_snapshot() -> None:
    lagging.joins("gate", NAME, lambda n: text(change(n)), whole)


def zero_price() -> None:
    driven, futures = connection("ticker", "trade"), connection("ticker", "trade", "liquidation", market="linear")
    for zero in ("0", "0.000", 0, "", None):
        zeros = dict.fromkeys(("last", "lowest_ask", "high_24h", "low_24h"), zero)
        driven.feed(text(push("spot.tickers", TICKER | zeros)), text(push("spot.book_ticker", BEST | {"b": zero})))
        figures, best = driven.of("ticker")[-2:]
        says(figures, last=None, bid="2.0", ask=None, high_24h=None, low_24h=None)
        says(best, bid=None, bid_amount=None, ask="2.2", ask_amount="3")
        zeros = dict.fromkeys(("last", "lowest_ask", "mark_price", "index_price"), zero)
        futures.feed(text(push("futures.tickers", [CONTRACT | zeros | {"highest_bid": "2.0", "lowest_size": 5}])))
        says(futures.of("ticker")[-1], last=None, bid="2.0", ask=None, ask_amount=None)
        says(futures.of("funding")[-1], mark_price=None, index_price=None)
    driven.feed(text(push("spot.trades", TRADE | {"price": "0.0"})))
    driven.feed(text(push("spot.candlesticks", CANDLE | {"l": "0"})))
    futures.feed(text(push("futures.trades", [FILL | {"price": "0"}])))
    futures.feed(text(push("futures.public_liquidates", FORCED | {"price": 0})))
    assert (len(driven.unread), len(futures.unread)) == (2, 2), (driven.unread, futures.unread)
    book = connection()
    book.feed(text(change(935)))
    book.answer(NAME, whole(934, bids=[["0", "5"], ["1.0", "5"]], asks=[["2.0", "1"], ["0.0", "1"]]))
    book.feed(text(change(936, ["0", "7"])))
    says(book.of("book")[-1], bids=[("1.0", "935")], asks=[("2.0", "1")], seq=936)


def trade_holes() -> None:
    driven = connection("trade")
    driven.feed(*(text(push("spot.trades", TRADE | {"id_market": n, "range": f"{n}-{n}"})) for n in (7, 8)))
    driven.feed(text(push("spot.trades", TRADE | {"id_market": 11, "range": "9-11"})))
    assert "gap" not in driven.said("trade"), driven.states
    driven.feed(text(push("spot.trades", TRADE | {"id_market": 14})))
    assert driven.reasons("gap", "trade") == ["trades 12 to 13 were not received"]
    driven.close()
    driven.open()
    driven.feed(text(push("spot.trades", TRADE | {"id_market": 16})))
    assert driven.reasons("gap", "trade")[1:] == ["trade 15 was not received"], "what a cut hid"
    futures = connection("trade", market="linear").feed(text(push("futures.trades", [FILL, FILL | {"id": 99}])))
    assert "gap" not in futures.said("trade"), "ids of contracts' trades are not said to be without holes"


def crossing() -> None:
    driven = connection()
    driven.feed(text(change(935)))
    driven.answer(NAME, whole(934))
    crossing_passes(driven, change(936), change(937, ["2.5", "1"]), change(938, ["2.5", "0"]))


def bad_row() -> None:
    driven = connection("trade", "liquidation", "ticker", market="linear")
    for odd in ({"price": "1_0"}, {"contract": "ABC_USDT-20260916-5000-C"}, {"size": None}):
        rows = [FILL, FILL | {"id": 28} | odd, FILL | {"id": 29}]
        bad_row_costs_itself(driven, "trade", lambda data: push("futures.trades", data), rows)
        rows = [FORCED, FORCED | odd, FORCED]
        bad_row_costs_itself(driven, "liquidation", lambda data: push("futures.public_liquidates", data), rows)
    rows = [CONTRACT, CONTRACT | {"funding_rate": "x"}, CONTRACT | {"contract": "LMN_USDT"}]
    bad_row_costs_itself(driven, "ticker", lambda data: push("futures.tickers", data), rows)
    levels = [{"p": "2.2", "s": -390, "c": NAME, "id": 1}, {"p": "x", "s": 1, "c": NAME, "id": 2}]
    driven.feed(text(push("futures.order_book", [*levels, levels[0] | {"p": "2.3"}])))
    assert not driven.of("delta"), "half of an update was published"
    history, perpetual = VENUES["gate"].rest.history, VENUES["gate"].guess("linear", NAME)
    assert history is not None
    body = text([FILL, FILL | {"price": 0}, FILL | {"size": "x"}, FILL]).encode()
    found = history.decode_trades(body, perpetual, ts_recv=MS * 1_000_000, sim=False)
    assert [isinstance(item, Unreadable) for item in found] == [False, True, True, False]


def omitted_field() -> None:
    driven = connection("ticker").feed(text(push("spot.tickers", {"currency_pair": NAME})))
    driven.feed(text(push("spot.tickers", dict.fromkeys(TICKER) | {"currency_pair": NAME})))
    driven.feed(text(push("spot.book_ticker", {"s": NAME})))
    assert len(driven.of("ticker")) == 3, driven.unread
    for event in driven.of("ticker"):
        says(event, last=None, bid=None, ask=None, ask_amount=None, change_24h=None)
    futures = connection("ticker", "trade", market="linear")
    futures.feed(text(push("futures.tickers", [dict.fromkeys(CONTRACT) | {"contract": NAME}])))
    says(futures.of("ticker")[0], last=None, bid=None, volume_24h=None)
    says(futures.of("funding")[0], rate=None, next_ts=None, mark_price=None)
    futures.feed(text(push("futures.trades", None)), text(push("futures.tickers", [])))
    futures.feed(text(push("futures.public_liquidates", None)), text(push("futures.candlesticks", None)))
    assert not futures.unread, futures.unread


def control_message() -> None:
    is_quiet(
        connection("trade"),
        text({"time": 1, "channel": "spot.pong", "event": "", "error": None, "result": None}),
        text({"time": 1, "channel": "spot.system", "event": "notice", "result": {"type": "tea", "msg": "at noon"}}),
        text({"time": 1, "channel": "spot.tea", "event": "notice", "result": None}),
        text({"time": 1, "channel": "spot.trades", "event": "unsubscribe", "result": {"status": "success"}}),
    )
    driven = connection("trade").feed(text(push("spot.moonPhase", {})))
    assert "spot.moonPhase" in driven.unread[0], "data of an unknown channel is named"


def unknown_name() -> None:
    names = ("ABCUSDT", "ABC_USDT_X", "ABC_USDT-20260916-5000-C", "ABC-USDT", "_USDT", "ABC_", "ABC USDT", "ABC_usdt")
    is_refused("gate", [(market, name) for market in ("spot", "linear") for name in names])
    is_refused("gate", [("spot", "ABC_USDT_20260327"), ("linear", "ABC_USDT_20260231"), ("linear", "ABC_ETH")])
    for market, symbol in (("spot", "ABC/USDT:USDT"), ("linear", "ABC/USDT:USDT")):
        driven = connection("trade", market=market).feed(text(push("futures.trades", [FILL])))
        says(driven.of("trade")[0], symbol=symbol, contracts="5", amount=None)
    driven = connection("trade", market="linear").feed(text(push("spot.trades", TRADE)))
    says(driven.of("trade")[0], symbol="ABC/USDT", contracts=None, amount="16")
    listed = {"name": NAME, "type": "direct", "quanto_multiplier": "0.1", "status": "trading"}
    rows = [listed, listed | {"quanto_multiplier": "1_0"}, listed | {"quanto_multiplier": "0"}, {"name": "BLANK"}]
    found, _ = VENUES["gate"].rest.decode_instruments("linear", text(rows).encode())
    assert [type(item).__name__ for item in found] == ["Instrument", "Unreadable", "Unreadable", "Unreadable"]
    pair = {"id": NAME, "base": "ABC", "quote": "USDT", "trade_status": "tradable"}
    found, _ = VENUES["gate"].rest.decode_instruments("spot", text([pair, pair | {"base": "A/B"}]).encode())
    assert [type(item).__name__ for item in found] == ["Instrument", "Unreadable"]


def shared_id() -> None:
    driven = connection("ticker", "liquidation", market="linear")
    for row in (CONTRACT, CONTRACT | {"low_24h": "1"}, CONTRACT | {"total_size": "8"}):
        driven.feed(text(push("futures.tickers", [row])))
    driven.feed(*(text(push("futures.book_ticker", BEST | more)) for more in ({}, {"b": "1.9"})))
    driven.feed(text(push("futures.public_liquidates", [FORCED, FORCED, FORCED | {"size": "-1"}])))
    for kind in ("ticker", "interest", "liquidation"):
        ids_differ(driven.of(kind))
    spot = connection("ticker").feed(*(text(push("spot.tickers", TICKER | {"high_24h": high})) for high in "345"))
    spot.feed(*(text(push("spot.candlesticks", CANDLE | more)) for more in ({}, {"w": False}, {"v": "13"})))
    for kind in ("ticker", "candle"):
        ids_differ(spot.of(kind))


def price_kind() -> None:
    driven = connection("liquidation", market="linear").feed(text(push("futures.public_liquidates", FORCED)))
    says(driven.of("liquidation")[0], price="0.1", price_kind="limit", position_side=None, order_side=None)


def subscription_limit() -> None:
    venue = VENUES["gate"]
    names = [venue.guess("spot", f"C{number}_USDT") for number in range(15_001)]
    plans = venue.plan("ws://x", names[:1000], ("trade", "ticker", "book"))
    assert sum(len(plan.subscriptions) for plan in plans) == 4000
    assert all(len(plan.subscriptions) <= 200 for plan in plans)
    with pytest.raises(InvalidParameterError, match="an address may hold 300"):
        venue.plan("ws://x", names, ("trade", "ticker", "book"))


KINDS = {
    "lagging_snapshot": lagging_snapshot,
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
