"""HTX: frames as its pages describe them (https://www.htx.com/en-us/opend/newApiPages/), each kind of fault."""

from __future__ import annotations

import gzip
from typing import Any

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

NAME, SWAP = "abcusdt", "ABC-USDT"
TRADE = {"id": 105, "ts": MS, "tradeId": 102, "amount": 0.5, "price": 91.5, "direction": "sell"}
FORCED = {"contract_code": SWAP, "direction": "buy", "offset": "close", "volume": 500, "price": 2.5, "created_at": MS}
RATE = {"contract_code": SWAP, "funding_rate": "0.0001", "settlement_time": str(MS)}
DAY = {"open": 2, "close": 2.1, "high": 3, "low": 1, "amount": 7, "vol": 12, "bid": 2.0, "bidSize": 1, "ask": 2.2}
BEST = {"seqId": 7, "ask": 2.2, "askSize": 3, "bid": 2.0, "bidSize": 1, "quoteTime": MS, "symbol": NAME}
KLINE = {"id": MS // 60_000 * 60, "open": 1, "close": 2, "low": 1, "high": 3, "amount": 7, "vol": 12, "count": 4}


def connection(*channels: str, name: str = NAME) -> Driven:
    return Driven("htx", [name], channels or ("book",))


def push(channel: str, tick: Any, name: str = NAME, **more: Any) -> dict[str, Any]:
    return {"ch": f"market.{name}.{channel}", "ts": MS, "tick": tick, **more}


def notice(channel: str, rows: Any) -> dict[str, Any]:
    return {"op": "notify", "topic": f"public.{SWAP}.{channel}", "ts": MS, "data": rows}


def change(n: int, *bids: list[Any]) -> dict[str, Any]:
    return push("mbp.150", {"seqNum": n, "prevSeqNum": n - 1, "bids": bids or [[1.0, n]], "asks": []})


def whole(n: int, **sides: Any) -> str:
    data = {"seqNum": n, "bids": [[1.0, 5]], "asks": [[2.0, 1]], **sides}
    return text({"id": "book", "rep": f"market.{NAME}.mbp.150", "status": "ok", "ts": MS, "data": data})


def lagging_snapshot() -> None:
    lagging.joins("htx", NAME, lambda n: text(change(n)), whole)


def zero_price() -> None:
    driven, swap = connection("ticker", "trade"), connection("ticker", "liquidation", "funding", name=SWAP)
    for zero in (0, 0.0, "0.000", "", None):
        zeros = dict.fromkeys(("close", "open", "high", "low", "ask"), zero)
        driven.feed(text(push("ticker", DAY | zeros | {"askSize": 5})), text(push("bbo", BEST | {"bid": zero})))
        figures, best = driven.of("ticker")[-2:]
        says(figures, last=None, bid="2.0", ask=None, ask_amount=None, open_24h=None, high_24h=None, low_24h=None)
        says(best, bid=None, bid_amount=None, ask="2.2", ask_amount="3")
        swap.feed(text(push("bbo", {"bid": [zero, 5], "ask": [2.2, 7], "ts": MS, "version": 1}, SWAP)))
        says(swap.of("ticker")[-1], bid=None, bid_amount=None, ask="2.2")
        swap.feed(text(push("detail", DAY | {"bid": [0, 5], "ask": [2.2, 7]}, SWAP)))
        says(swap.of("ticker")[-1], bid=None, bid_amount=None, ask="2.2")
        swap.feed(text(push("basis.1min.open", {"index_price": zero}, SWAP)))
        says(swap.of("funding")[-1], index_price=None)
    driven.feed(text(push("trade.detail", {"data": [TRADE | {"price": 0}]})))
    driven.feed(text(push("kline.1min", KLINE | {"low": 0.0})))
    swap.feed(text(notice("liquidation_orders", [FORCED | {"price": 0}])))
    assert (len(driven.unread), len(swap.unread)) == (2, 1), (driven.unread, swap.unread)
    book = connection()
    book.feed(text(change(935)))
    book.feed(whole(934, bids=[[0, 5], [1.0, 5]], asks=[[2.0, 1], [0.0, 1]]), text(change(936, [0.0, 7])))
    says(book.of("book")[-1], bids=[("1.0", "935")], asks=[("2.0", "1")], seq=936)


def crossing() -> None:
    driven = connection()
    driven.feed(text(change(935)), whole(934))
    crossing_passes(driven, change(936), change(937, [2.5, 1]), change(938, [2.5, 0]))


def bad_row() -> None:
    driven = connection("trade", "liquidation", "funding", name=SWAP)
    for odd in ({"price": "1_0"}, {"direction": "up"}, {"amount": -1}):
        rows = [TRADE, TRADE | {"tradeId": 103} | odd, TRADE | {"tradeId": 104}]
        bad_row_costs_itself(driven, "trade", lambda data: push("trade.detail", {"id": 1, "data": data}), rows)
        rows = [FORCED, FORCED | odd, FORCED]
        bad_row_costs_itself(driven, "liquidation", lambda data: notice("liquidation_orders", data), rows)
    rows = [RATE, RATE | {"contract_code": "ABC-USDT-X"}, RATE | {"contract_code": "LMN-USDT"}]
    bad_row_costs_itself(driven, "funding", lambda data: notice("funding_rate", data), rows)
    packed = connection("trade")
    rows = [TRADE, TRADE | {"price": None}, TRADE | {"tradeId": 104}]
    packed.feed(gzip.compress(text(push("trade.detail", {"data": rows})).encode()))
    assert (len(packed.of("trade")), len(packed.unread)) == (2, 1)
    book = connection()
    book.feed(text(change(935)), whole(934), text(change(936, [1.5, 1], ["x", 1])), text(change(937)))
    assert "gap" in book.said("book"), "an update that could not be read is a hole in the sequence"
    history, find, now = VENUES["htx"].rest.history, VENUES["htx"].guess, MS * 1_000_000
    assert history is not None
    orders = [{"data": [TRADE, TRADE | {"price": 0}]}, {"data": [TRADE]}]
    found = history.decode_trades(text({"data": orders}).encode(), find("spot", NAME), ts_recv=now, sim=False)
    assert [isinstance(item, Unreadable) for item in found] == [False, True, False]
    body = text({"data": [KLINE, KLINE | {"open": 0}, {"id": 0}]}).encode()
    candles = history.decode_candles(body, find("spot", NAME), "1m", ts_recv=now, sim=False)
    assert [isinstance(item, Unreadable) for item in candles] == [False, True, True]


def omitted_field() -> None:
    driven = connection("ticker").feed(text(push("detail", {})), text(push("ticker", dict.fromkeys(DAY))))
    driven.feed(text(push("bbo", dict.fromkeys(BEST) | {"quoteTime": MS})), text(push("bbo", {"symbol": NAME})))
    assert len(driven.of("ticker")) == 3, driven.unread
    for event in driven.of("ticker"):
        says(event, last=None, bid=None, bid_amount=None, ask=None, volume_24h=None)
    swap = connection("ticker", "trade", "funding", name=SWAP)
    swap.feed(
        text(push("bbo", {"bid": None, "ask": [], "ts": MS}, SWAP)), text(push("trade.detail", {"data": None}, SWAP))
    )
    says(swap.of("ticker")[0], bid=None, ask=None, seq=None)
    swap.feed(text(notice("funding_rate", [{"contract_code": SWAP, "funding_rate": None, "settlement_time": ""}])))
    says(swap.of("funding")[0], rate=None, next_ts=None)
    swap.feed(text(notice("liquidation_orders", None)))
    book = connection()
    book.feed(text(change(935)), whole(934, asks=None))
    assert book.said("book")[-1] == "live"
    assert not [*driven.unread, *swap.unread, *book.unread]


def control_message() -> None:
    is_quiet(
        connection("trade"),
        text({"ping": MS}),
        text({"id": "1", "status": "ok", "unsubbed": f"market.{NAME}.bbo", "ts": MS}),
        text({"status": "ok", "ts": MS}),
        text({"action": "notice", "ts": MS}),
        text({"op": "ping", "ts": str(MS)}),
        text({"op": "tea", "ts": MS}),
        text({"op": "close", "ts": MS}),
        text({"op": "notify", "topic": "public.ABC-USDT.contract_info", "data": []}),
    )
    driven = connection("trade").feed(text(push("moonPhase", {})), text(notice("moonPhase", [])))
    assert ["moonPhase" in reason for reason in driven.unread] == [True, True], "data of an unknown channel is named"


def unknown_name() -> None:
    names = (
        "BTC-USDT-210326-C-32000",
        "BTC-USDT-261399",
        "BTC261399",
        "BTC-EUR",
        "BTC_USDT",
        "btc-usdt",
        "btcxyz",
        "usdt",
    )
    is_refused("htx", [(market, name) for market in ("spot", "linear") for name in names])
    pair = {"base-currency": "abc", "quote-currency": "usdt", "symbol": NAME, "state": "online"}
    rows: list[Any] = [pair, pair | {"base-currency": "a/b"}, {"symbol": "blank"}]
    found, _ = VENUES["htx"].rest.decode_instruments("spot", text({"status": "ok", "data": rows}).encode())
    assert [type(item).__name__ for item in found] == ["Instrument", "Unreadable", "Unreadable"]
    row = {"contract_code": SWAP, "contract_size": 0.1, "contract_status": 1}
    rows = [row, row | {"contract_size": 0}, row | {"contract_size": None}, row | {"contract_code": "ABC-USDT-C-1"}]
    found, _ = VENUES["htx"].rest.decode_instruments("linear", text({"status": "ok", "data": rows}).encode())
    assert [type(item).__name__ for item in found] == ["Instrument", "Unreadable", "Unreadable", "Unreadable"]


def shared_id() -> None:
    driven = connection("ticker").feed(*(text(push("detail", DAY | {"high": high})) for high in (3, 4)))
    driven.feed(*(text(push("bbo", BEST | {"bid": bid})) for bid in (2.0, 1.9)))
    driven.feed(*(text(push("kline.1min", KLINE | {"high": high})) for high in (3, 4)))
    driven.feed(*(text(push("mbp.refresh.5", {"seqNum": 1, "bids": [[bid, 1]], "asks": []})) for bid in (2, 3)))
    swap = connection("liquidation", "funding", name=SWAP)
    swap.feed(text(notice("liquidation_orders", [FORCED, FORCED, FORCED | {"volume": 1}])))
    swap.feed(
        text(notice("funding_rate", [RATE])), text(notice("funding_rate", [RATE | {"settlement_time": str(MS + 1)}]))
    )
    for connected, kinds in ((driven, ("ticker", "candle", "delta")), (swap, ("liquidation", "funding"))):
        for kind in kinds:
            ids_differ(connected.of(kind))


def price_kind() -> None:
    driven = connection("liquidation", name=SWAP).feed(text(notice("liquidation_orders", [FORCED])))
    says(driven.of("liquidation")[0], price="2.5", price_kind="bankruptcy", position_side="short", order_side="buy")


def subscription_limit() -> None:
    venue = VENUES["htx"]
    names = [venue.guess("spot", f"c{number}usdt") for number in range(1000)]
    plans = venue.plan("ws://x", names, ("trade", "ticker", "book"))
    assert sum(len(plan.subscriptions) for plan in plans) == 4000
    assert all(len(plan.subscriptions) <= 100 for plan in plans), "ours: the venue's limit is not confirmed"


KINDS = {
    "lagging_snapshot": lagging_snapshot,
    "zero_price": zero_price,
    "trade_holes": "The pages of `trade.detail` call `tradeId` and `id` unique and say not that they count an "
    "instrument's trades; nothing else counts them.",
    "crossing": crossing,
    "bad_row": bad_row,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": price_kind,
    "subscription_limit": subscription_limit,
}
