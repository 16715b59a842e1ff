"""OKX: frames as its v5 pages describe them (https://www.okx.com/docs-v5/en/#order-book-trading-market-data)."""

from __future__ import annotations

import json
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

NAME, SWAP = "ABC-USDT", "ABC-USDT-SWAP"
TRADE = {"instId": NAME, "tradeId": "10", "px": "91.5", "sz": "2", "side": "buy", "ts": str(MS), "count": "1"}
FORCED = {"bkLoss": "0", "bkPx": "91.5", "ccy": "", "posSide": "net", "side": "sell", "sz": "13", "ts": str(MS)}
FIGURES = {
    "last": "91",
    "bidPx": "90",
    "bidSz": "1",
    "askPx": "92",
    "askSz": "2",
    "open24h": "80",
    "high24h": "95",
    "low24h": "79",
    "vol24h": "5",
    "volCcy24h": "450",
    "ts": str(MS),
}
BAR = [str(MS), "1", "3", "0.5", "2", "7", "14", "14", "0"]
LAGS = (3, 5, 20)


def connection(*channels: str, name: str = NAME) -> Driven:
    return Driven("okx", [name], channels)


def push(channel: str, name: str, *rows: Any, **more: Any) -> dict[str, Any]:
    return {"arg": {"channel": channel, "instId": name}, **more, "data": list(rows)}


def trade(last: int, count: int = 1, **more: Any) -> str:
    return text(push("trades", NAME, TRADE | {"tradeId": str(last), "count": str(count)} | more))


def book(prev: int, seq: int, bids: list[list[str]], asks: list[list[str]], action: str = "update") -> dict[str, Any]:
    sides = {"bids": [[*level, "0", "1"] for level in bids], "asks": [[*level, "0", "1"] for level in asks]}
    row = sides | {"ts": str(MS), "checksum": 0, "seqId": seq, "prevSeqId": prev}
    return push("books", NAME, row, action=action)


def liquidations(rows: Any) -> dict[str, Any]:
    return {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": rows}


def lagging_snapshot() -> None:
    """Ten changes a second; the answer to a question comes after 0.2 s and is `lag` seconds old."""
    for lag in LAGS:
        driven, seq, asked, due = connection("book"), 1000, 0, None
        while driven.now < lag + 5 and "live" not in driven.said("book"):
            seq += 1
            driven.feed(text(book(seq - 1, seq, [["1", str(seq)]], [])))
            if driven.wanted():
                asked, due = asked + 1, (driven.now + 0.2, max(1000 + round((driven.now - lag) * 10), 1))
            if due is not None and driven.now >= due[0]:
                row = {"bids": [["1", "1", "0", "1"]], "asks": [["2", "1", "0", "1"]], "ts": str(MS), "seqId": due[1]}
                driven.answer(NAME, json.dumps({"code": "0", "data": [row]}))
                due = None
        assert "live" in driven.said("book"), f"{lag} s behind: not live after {driven.now} s and {asked} questions"
        assert asked <= 15
        assert asked < 2 or any("ends before" in why for why in driven.reasons("resync", "book"))


def zero_price() -> None:
    driven = connection("ticker", "trade", "book")
    zeros = dict.fromkeys(("last", "bidPx", "askPx", "open24h", "high24h", "low24h"), "0.0")
    driven.feed(text(push("tickers", NAME, FIGURES | zeros)))
    says(driven.of("ticker")[0], last=None, bid=None, bid_amount=None, ask=None, open_24h=None, low_24h=None)
    best = {"bids": [["0", "5", "0", "1"]], "asks": [["25", "1", "0", "1"]], "ts": str(MS), "seqId": 5}
    driven.feed(text(push("bbo-tbt", NAME, best)))
    says(driven.of("ticker")[1], bid=None, bid_amount=None, ask="25")
    driven.feed(trade(1, px="0"), text(push("candle1m", NAME, ["1", "0", *BAR[2:]])))
    driven.feed(text(liquidations([{"instId": SWAP, "details": [FORCED | {"bkPx": "0"}]}])))
    assert len(driven.unread) == 3, driven.unread
    driven.feed(text(push("mark-price", SWAP, {"markPx": "0", "ts": str(MS)})))
    says(driven.of("funding")[0], mark_price=None)
    driven.feed(text(book(-1, 1, [["90", "1"], ["0", "5"]], [["91", "1"]], "snapshot")))
    assert driven.of("book")[-1].bids == [("90", "1")]


def trade_holes() -> None:
    driven = connection("trade").feed(trade(10), trade(13, 3), trade(13, 3), trade(14))
    assert "gap" not in driven.said("trade"), driven.states
    driven.feed(trade(20, 2))
    assert driven.reasons("gap", "trade") == ["trades 15 to 18 were not received"]


def crossing() -> None:
    crossing_passes(
        connection("book"),
        book(-1, 7, [["90", "1"]], [["91", "1"]], "snapshot"),
        book(7, 8, [["92", "1"]], []),
        book(8, 9, [], [["91", "0"], ["93", "1"]]),
    )


def bad_row() -> None:
    driven = connection("trade")
    rows = [TRADE, TRADE | {"tradeId": "11", "sz": "x"}, TRADE | {"tradeId": "12"}]
    bad_row_costs_itself(driven, "trade", lambda data: push("trades", NAME, *data), rows)
    assert driven.reasons("gap", "trade") == ["trade 11 was not received"]
    named = [{"instId": name, "details": [FORCED]} for name in (SWAP, f"{SWAP}-X", "LMN-USDT-SWAP")]
    bad_row_costs_itself(driven, "liquidation", liquidations, named)
    details = [FORCED, FORCED | {"sz": "-1"}, FORCED | {"sz": "7"}]
    bad_row_costs_itself(driven, "liquidation", lambda rows: liquidations([{"instId": SWAP, "details": rows}]), details)
    bars = [BAR, [str(MS + 60_000), "x", *BAR[2:]], [str(MS + 120_000), *BAR[1:]]]
    bad_row_costs_itself(driven, "candle", lambda data: push("candle1m", NAME, *data), bars)
    driven = connection("book")
    driven.feed(text(book(-1, 7, [["90", "1"]], [], "snapshot")), text(book(7, 8, [["89", "1"], ["x", "1"]], [])))
    driven.feed(text(book(8, 9, [["88", "1"]], [])))
    assert "gap" in driven.said("book"), "an update that could not be read is a hole in the sequence"


def omitted_field() -> None:
    driven = connection("ticker", "funding", name=SWAP)
    empty: dict[str, Any] = dict.fromkeys(FIGURES, "") | {"askPx": "25", "askSz": "3", "low24h": None, "ts": str(MS)}
    driven.feed(text(push("tickers", SWAP, empty)), text(push("tickers", SWAP, {"ts": str(MS)})))
    says(driven.of("ticker")[0], last=None, open_24h=None, bid=None, bid_amount=None, ask="25", volume_24h=None)
    driven.feed(text(push("funding-rate", SWAP, {"instId": SWAP, "fundingRate": "", "fundingTime": ""})))
    driven.feed(text(push("open-interest", SWAP, {"oi": "5", "oiCcy": "", "oiUsd": None, "ts": str(MS)})))
    driven.feed(text(push("trades", SWAP)), text(liquidations([])))
    assert not driven.unread, driven.unread


def control_message() -> None:
    is_quiet(
        connection("trade"),
        "pong",
        text({"event": "channel-conn-count", "channel": "trades", "connCount": "2", "connId": "a"}),
        text({"event": "notice", "code": "64000", "msg": "maintenance at noon"}),
        text({"event": "tea", "msg": "served"}),
        text({"id": "1", "op": "tea", "code": "0", "msg": ""}),
    )


def unknown_name() -> None:
    names = ["BTC-USD-260626-90000-C", "ABC-USDT-SWAP-X", "ABC-USDT-X", "BTC-USD-261325", "BTC", "abc-usdt", "A-B_YES"]
    is_refused("okx", [("public", name) for name in names])


def shared_id() -> None:
    driven = connection("ticker")
    frames = [push("tickers", NAME, FIGURES | changed) for changed in ({}, {"bidSz": "5"}, {"vol24h": "6"})]
    driven.feed(*map(text, frames))
    ids_differ(driven.of("ticker"))
    driven.feed(text(liquidations([{"instId": SWAP, "details": [FORCED, FORCED]}])))
    ids_differ(driven.of("liquidation"))


def price_kind() -> None:
    driven = connection("liquidation").feed(text(liquidations([{"instId": SWAP, "details": [FORCED]}])))
    says(driven.of("liquidation")[0], price="91.5", price_kind="bankruptcy", position_side="long", sampled=True)


def subscription_limit() -> None:
    venue = VENUES["okx"]
    plans = venue.plan("ws://x", [venue.guess("public", f"C{n}-USDT-SWAP") for n in range(400)], ("trade", "book"))
    assert sum(len(plan.subscriptions) for plan in plans) == 800
    for plan in plans:
        assert len(plan.requests) < 480, "requests of an hour and connection"
        assert all(len(request.frame.encode()) <= 64 * 1024 for request in plan.requests)


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
