"""Coinbase: which sockets it needs, what products are called, and its REST answers, with invented values."""

from __future__ import annotations

import json

import msgspec
import pytest

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument
from producers.venues.coinbase import VENUE

BTC = VENUE.guess("spot", "BTC-USD")
TIME = "2026-11-21T20:00:00.122581Z"
TIME_NS = 1_795_291_200_122_581_000
RECEIVED = 1_795_291_200_200_000_000


# ---- sockets and names
def instruments(count: int) -> list[Instrument]:
    return [VENUE.guess("spot", f"C{number:03}-USD") for number in range(count)]


def test_everything_is_asked_for_in_one_request_with_heartbeats() -> None:
    (socket,) = VENUE.plan("ws://feed", [BTC], ["trade", "ticker", "book", "liquidation"])
    (request,) = socket.requests
    assert json.loads(request.frame) == {
        "type": "subscribe",
        "product_ids": ["BTC-USD"],
        "channels": ["matches", "ticker", "level2_batch", "heartbeat"],
    }
    assert request.keys == {"matches:BTC-USD", "ticker:BTC-USD", "level2_batch:BTC-USD"}
    assert {(item.key, item.channel) for item in socket.subscriptions} == {
        ("matches:BTC-USD", "trade"),
        ("ticker:BTC-USD", "ticker"),
        ("level2_batch:BTC-USD", "book"),
    }
    assert (socket.url, socket.market) == ("ws://feed", "spot")


def test_products_are_spread_over_sockets() -> None:
    sockets = VENUE.plan("ws://feed", instruments(50), ["trade"])
    assert [len(item.subscriptions) for item in sockets] == [20, 20, 10]
    assert len({item.name for item in sockets}) == 3


def test_nothing_to_follow_needs_no_socket() -> None:
    assert VENUE.plan("ws://feed", [BTC], ["liquidation", "funding"]) == ()
    assert VENUE.plan("ws://feed", [], ["trade"]) == ()


def test_product_is_named_without_metadata() -> None:
    assert (BTC.symbol, BTC.venue_symbol, BTC.tail) == ("BTC/USD", "BTC-USD", "coinbase.BTC.USD.spot")
    with pytest.raises(SymbolSyntaxError, match="BTCUSD"):
        VENUE.guess("spot", "BTCUSD")


# ---- REST
def test_products_that_cannot_be_traded_are_left_out() -> None:
    row = {"id": "BTC-USD", "base_currency": "BTC", "quote_currency": "USD", "status": "online"}
    rows = [row, row | {"id": "OLD-USD", "status": "delisted"}, row | {"id": "OFF-USD", "trading_disabled": True}]
    assert VENUE.rest.decode_instruments("spot", json.dumps(rows).encode()) == ([BTC], None)


def test_depth_becomes_a_book() -> None:
    body = {"bids": [["90999.9", "1.2", 3]], "asks": [["91000.0", "0.8", 1]], "sequence": 50, "time": TIME}
    raw = json.dumps(body | {"auction_mode": False}).encode()
    book = VENUE.rest.decode_depth(raw, BTC, RECEIVED, sim=True)
    assert (book.bids, book.asks) == ([("90999.9", "1.2")], [("91000.0", "0.8")])
    assert (book.seq, book.quality, book.sim, book.ts_event, book.checksum) == (50, "sim", True, TIME_NS, None)
    assert VENUE.rest.decode_depth(raw, BTC, RECEIVED, sim=False).quality == "live"
    call = VENUE.rest.depth_call(BTC)
    assert (call.path, dict(call.params)) == ("/products/BTC-USD/book", {"level": "2"})


def test_depth_without_a_sequence_is_an_error_that_names_it() -> None:
    with pytest.raises(msgspec.ValidationError, match="sequence"):
        VENUE.rest.decode_depth(b'{"bids":[],"asks":[]}', BTC, RECEIVED, sim=False)


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason", "pause"),
    [
        (404, {}, b'{"message":"NotFound"}', "NotFound", None),
        (429, {}, b'{"message":"Public rate limit exceeded"}', "Public rate limit exceeded", 1.0),
        (429, {"retry-after": "7"}, b"", "HTTP 429", 7.0),
        (503, {"retry-after": "30"}, b"<html>", "HTTP 503", 30.0),
        (200, {}, b'{"message":"The exchange is under maintenance"}', "The exchange is under maintenance", None),
    ],
)
def test_failure_says_why_and_how_long_to_wait(
    status: int, headers: dict[str, str], body: bytes, reason: str, pause: float | None
) -> None:
    found = VENUE.rest.failure(status, headers, body)
    assert found is not None
    assert (found.reason, found.retry_after) == (reason, pause)


def test_data_is_no_failure() -> None:
    assert VENUE.rest.failure(200, {}, b"[]") is None
    assert VENUE.rest.failure(200, {}, b'{"bids":[],"asks":[],"sequence":1}') is None
