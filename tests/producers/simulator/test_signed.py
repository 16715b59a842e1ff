"""Signed requests of simulated exchanges: who they are of, when they were made, what they may do."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Answer, Request
from producers.simulator.market.market import Market, MarketConfig
from producers.simulator.transport.bodies import read_fields
from producers.simulator.venue import Snapshots, Trading

D = Decimal
NOW_US = 1_767_225_600_000_000
NOW_MS = NOW_US // 1000
KEY, SECRET = "key", "secret"


def open_venue(name: str) -> Any:
    market = Market(MarketConfig(3, (name,), ("BTC",), 1.0, (5.0, 10.0), (30.0, 60.0)), NOW_US - 1000)
    config = SimulatorConfig(venues=(name,), bases=("BTC",))
    venue = config.open_venue(name, market.list_of(name), Snapshots())
    assert isinstance(venue, Trading)
    venue.private.exchange.add_account(KEY, SECRET, {"view", "trade"}, {"USDT": D(10_000), "BTC": D(1)})
    return venue


def sign(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def binance(venue: Any, method: str, path: str, query: str = "", **changes: Any) -> Answer:
    text = f"{query}{'&' if query else ''}timestamp={changes.get('at', NOW_MS)}"
    signed = f"{text}&signature={sign(text, changes.get('secret', SECRET))}"
    is_body = method == "POST"
    return venue.answer(
        Request(
            path,
            {} if is_body else dict(parse_qsl(signed)),
            headers={"x-mbx-apikey": changes.get("key", KEY)},
            method=method,
            body=signed if is_body else "",
            query_text="" if is_body else signed,
        ),
        NOW_US,
    )


def bybit(venue: Any, method: str, path: str, text: str = "", **changes: Any) -> Answer:
    at, key = changes.get("at", NOW_MS), changes.get("key", KEY)
    is_body = method == "POST"
    headers = {
        "x-bapi-api-key": key,
        "x-bapi-timestamp": str(at),
        "x-bapi-recv-window": "5000",
        "x-bapi-sign": sign(f"{at}{key}5000{text}", changes.get("secret", SECRET)),
    }
    query = read_fields(text.encode()) if is_body else dict(parse_qsl(text))
    body, line = (text, "") if is_body else ("", text)
    return venue.answer(Request(path, query, headers=headers, method=method, body=body, query_text=line), NOW_US)


def code(answer: Answer) -> int:
    body = json.loads(answer.body)
    return body.get("code", body.get("retCode", 0)) if isinstance(body, dict) else 0


BINANCE_ORDER = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId=c1"
BYBIT_ORDER = json.dumps(
    {"category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000",
     "orderLinkId": "c1"}
)  # fmt: skip
Send = Callable[..., Answer]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, 0), ({"key": "other"}, -2015), ({"secret": "x"}, -1022), ({"at": NOW_MS - 6000}, -1021),
     ({"at": NOW_MS + 2000}, -1021)],
)  # fmt: skip
def test_binance_takes_what_is_signed_in_time(changes: dict[str, Any], expected: int) -> None:
    venue = open_venue("binance")
    assert code(binance(venue, "POST", "/api/v3/order", BINANCE_ORDER, **changes)) == expected
    assert len(venue.private.exchange.orders) == (expected == 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, 0), ({"key": "other"}, 10003), ({"secret": "x"}, 10004), ({"at": NOW_MS - 6000}, 10002),
     ({"at": NOW_MS + 2000}, 10002)],
)  # fmt: skip
def test_bybit_takes_what_is_signed_in_time(changes: dict[str, Any], expected: int) -> None:
    venue = open_venue("bybit")
    assert code(bybit(venue, "POST", "/v5/order/create", BYBIT_ORDER, **changes)) == expected
    assert len(venue.private.exchange.orders) == (expected == 0)


def test_a_key_that_may_only_look_places_nothing() -> None:
    for name, send, path, text, expected in (
        ("binance", binance, "/api/v3/order", BINANCE_ORDER, -2015),
        ("bybit", bybit, "/v5/order/create", BYBIT_ORDER, 10005),
    ):
        venue = open_venue(name)
        venue.private.exchange.add_account(KEY, SECRET, {"view"}, {})
        assert code(send(venue, "POST", path, text)) == expected
        assert not venue.private.exchange.orders


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("quantity=0.01", "quantity=100"), -2010),
        (("quantity=0.01", "quantity=0.000001"), -1013),
        (("price=50000", "price=50000.001"), -1013),
        (("price=50000", "price=1"), -1013),
        (("BTCUSDT", "NONE"), -1121),
        (("&price=50000", ""), -1102),
    ],
)
def test_binance_refuses_in_its_own_codes(change: tuple[str, str], expected: int) -> None:
    venue = open_venue("binance")
    assert code(binance(venue, "POST", "/api/v3/order", BINANCE_ORDER.replace(*change))) == expected
    assert venue.private.exchange.imbalance() == {}


def test_a_client_id_names_one_order() -> None:
    for name, send, path, text, expected in (
        ("binance", binance, "/api/v3/order", BINANCE_ORDER, -2010),
        ("bybit", bybit, "/v5/order/create", BYBIT_ORDER, 170141),
    ):
        venue = open_venue(name)
        assert code(send(venue, "POST", path, text)) == 0
        assert code(send(venue, "POST", path, text)) == expected
        assert len(venue.private.exchange.orders) == 1


def test_an_order_is_asked_for_cancelled_and_in_the_history() -> None:
    venue = open_venue("binance")
    binance(venue, "POST", "/api/v3/order", BINANCE_ORDER)
    named = "symbol=BTCUSDT&origClientOrderId=c1"
    assert json.loads(binance(venue, "GET", "/api/v3/order", named).body)["status"] == "NEW"
    assert json.loads(binance(venue, "DELETE", "/api/v3/order", named).body)["status"] == "CANCELED"
    assert code(binance(venue, "DELETE", "/api/v3/order", named)) == -2011
    assert code(binance(venue, "GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=c2")) == -2013
    assert [
        row["clientOrderId"] for row in json.loads(binance(venue, "GET", "/api/v3/allOrders", "symbol=BTCUSDT").body)
    ] == ["c1"]
    assert json.loads(binance(venue, "GET", "/api/v3/openOrders").body) == []


def test_bybit_lists_open_and_ended_orders_apart() -> None:
    venue = open_venue("bybit")
    bybit(venue, "POST", "/v5/order/create", BYBIT_ORDER)

    def listed(path: str) -> list[str]:
        body = json.loads(bybit(venue, "GET", path, "category=spot&orderLinkId=c1").body)
        return [row["orderStatus"] for row in body["result"]["list"]]

    assert (listed("/v5/order/realtime"), listed("/v5/order/history")) == (["New"], [])
    cancel = json.dumps({"category": "spot", "symbol": "BTCUSDT", "orderLinkId": "c1"})
    assert code(bybit(venue, "POST", "/v5/order/cancel", cancel)) == 0
    assert (listed("/v5/order/realtime"), listed("/v5/order/history")) == ([], ["Cancelled"])
    assert code(bybit(venue, "POST", "/v5/order/cancel", cancel)) == 170213
