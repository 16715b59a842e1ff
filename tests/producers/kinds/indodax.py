"""Indodax: messages as its page describes them (btcid/indodax-official-api-docs, Marketdata-websocket.md)."""

from __future__ import annotations

import json
from typing import Any

from producers.venues.indodax.plan import BOOKS, SUMMARY, TRADES, request_id
from tests.producers.kinds.asserting import MS, bad_row_costs_itself, ids_differ, is_quiet, is_refused, says, text
from tests.producers.kinds.driving import Driven

NAME = "btcidr"
TIME = MS // 1000
TRADE = [NAME, TIME, 10, "buy", 1632000000, "5045000", "0.0031"]
DAY = [NAME, TIME, 1632000000, 1610000000, 1650000000, 1620000000, "138000000000", "85.13"]


def connection(*channels: str) -> Driven:
    return Driven("indodax", [NAME], channels)


def push(channel: str, payload: Any, offset: int | None = None) -> dict[str, Any]:
    data = {"data": payload} | ({} if offset is None else {"offset": offset})
    return {"result": {"channel": channel, "data": data}}


def trades(offset: int, *rows: Any) -> dict[str, Any]:
    return push(TRADES + NAME, rows, offset)


def numbered(number: int) -> list[Any]:
    return [*TRADE[:2], number, *TRADE[3:]]


def book(offset: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> dict[str, Any]:
    sides = [[{"btc_volume": size, "idr_volume": "1", "price": price} for price, size in side] for side in (bids, asks)]
    return push(BOOKS + NAME, {"pair": NAME, "ask": sides[1], "bid": sides[0]}, offset)


def answer(channel: str, **result: Any) -> str:
    return text({"id": request_id(channel), "result": {"recoverable": True, "epoch": "e", **result}})


def zero_price() -> None:
    driven = connection("ticker", "trade", "book")
    driven.feed(text(push(SUMMARY, [[NAME, TIME, 0, "0.0", 0, 0, "0", "0"]], 1)))
    says(driven.of("ticker")[0], last=None, low_24h=None, high_24h=None, open_24h=None, volume_24h="0")
    driven.feed(text(trades(1, [*TRADE[:4], 0, *TRADE[5:]])))
    assert len(driven.unread) == 1, driven.unread
    driven.feed(text(book(1, [("90", "1"), ("0", "5")], [("91", "1")])))
    assert driven.of("book")[-1].bids == [("90", "1")]


def trade_holes() -> None:
    driven = connection("trade").feed(text(trades(5, numbered(1))), text(trades(5, numbered(1))))
    assert "gap" not in driven.said("trade")
    driven.feed(text(trades(8, numbered(4))), text(trades(1, numbered(6))))
    assert driven.reasons("gap", "trade") == [
        "publications 6 to 7 were not received",
        "the stream began again at 1 after 8",
    ]
    assert [event.trade_id for event in driven.of("trade")] == ["1", "4", "6"]


def crossing() -> None:
    driven = connection("book").feed(text(book(1, [("90", "1")], [("91", "1")])))
    published = len(driven.of("book"))
    driven.feed(text(book(2, [("92", "1")], [("91", "1")])))
    assert len(driven.of("book")) == published, "a crossed book was published"
    driven.feed(text(book(3, [("92", "1")], [("93", "1")])))
    assert driven.of("book")[-1].bids == [("92", "1")]
    assert "gap" not in driven.said("book"), driven.states


def bad_row() -> None:
    driven = connection("trade", "ticker", "book")
    bad_row_costs_itself(driven, "trade", lambda rows: trades(1, *rows), [numbered(1), [NAME, "x"], numbered(3)])
    driven.feed(text(trades(2, numbered(4))), text(trades(2, numbered(4))))
    assert [event.trade_id for event in driven.of("trade")] == ["1", "3", "4"]
    assert "gap" not in driven.said("trade"), "what could not be read was received"
    other = ["ethidr", *DAY[1:]]
    bad_row_costs_itself(driven, "ticker", lambda rows: push(SUMMARY, rows, 1), [DAY, ["tea", *DAY[1:]], other])
    lines = [text(trades(3, numbered(5))), text(book(1, [("x", "1")], [])), text(trades(4, numbered(6)))]
    driven.feed("\n".join(lines))
    assert [event.trade_id for event in driven.of("trade")[3:]] == ["5", "6"]
    missed = [{"data": [numbered(7), ["?"], numbered(8)], "offset": 5}, {"data": [numbered(9)], "offset": 6}]
    driven.feed(answer(TRADES + NAME, offset=4), answer(TRADES + NAME, offset=6, recovered=True, publications=missed))
    assert [event.trade_id for event in driven.of("trade")[5:]] == ["7", "8", "9"]
    assert "gap" not in driven.said("trade"), driven.states


def omitted_field() -> None:
    driven = connection("ticker", "trade")
    driven.feed(text(push(SUMMARY, [[NAME, TIME, None, None, "", 0, None, None]])))
    says(driven.of("ticker")[0], last=None, high_24h=None, volume_24h=None)
    driven.feed(text(push(SUMMARY, [], 2)), text(trades(1)), text(push(TRADES + NAME, [TRADE])))
    assert not driven.unread, driven.unread


def control_message() -> None:
    is_quiet(
        connection("trade"),
        json.dumps({"id": 2}),
        "{}",
        text({"result": {"type": 1, "channel": "x", "data": {"info": {}}}}),
        text({"result": {"type": 4, "data": {"data": {}}}}),
        text({"error": {"code": 100, "message": "internal server error"}}),
        text({"id": 9, "result": {}}),
    )


def unknown_name() -> None:
    is_refused("indodax", [("spot", name) for name in ("BTCIDR", "btc_idr", "btcidr-x", "idr", "btcxyz", "#10")])


def shared_id() -> None:
    driven = connection("ticker", "trade", "book")
    changed = [*DAY[:2], 1633000000, *DAY[3:]]
    driven.feed(text(push(SUMMARY, [DAY, changed], 1)), text(push(SUMMARY, [DAY], 2)))
    driven.feed(text(push(SUMMARY, [changed])), text(push(SUMMARY, [DAY])))
    ids_differ(driven.of("ticker"))
    driven.feed(text(book(1, [("90", "1")], [])), text(book(1, [("91", "1")], [])))
    ids_differ(driven.of("delta"))


KINDS = {
    "lagging_snapshot": "Every push is the whole visible book (page: Marketdata-websocket), so that a REST answer is "
    "joined to nothing.",
    "zero_price": zero_price,
    "trade_holes": trade_holes,
    "crossing": crossing,
    "bad_row": bad_row,
    "omitted_field": omitted_field,
    "control_message": control_message,
    "unknown_name": unknown_name,
    "shared_id": shared_id,
    "price_kind": "The venue is spot only: there are no liquidations.",
    "subscription_limit": "The venue documents no limit of subscriptions or connections (page: Marketdata-websocket).",
}
