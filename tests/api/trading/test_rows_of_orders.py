"""One test a row of `/api/trading` about orders, as somebody reads of it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.api.trading.conftest import Trader

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
MARKET = {"account": "paper", "symbol": "BTC/USDT", "side": "buy", "type": "market", "amount": 4}


async def test_a_preview_has_price_fee_and_total_and_places_nothing(ann: Trader) -> None:
    found = await ann.ask("POST", "/preview", MARKET)
    exact = json.loads(found.content, parse_float=Decimal)
    assert exact == {"amount": 4, "price": Decimal("101.25"), "fee": Decimal("1.215"), "fee_currency": "USDT",
                     "total": Decimal("406.215")}  # fmt: skip
    assert (await ann.good("GET", "/orders"))["total"] == 0
    assert [one["name"] for one in (await ann.good("GET", "/accounts"))["items"]] == ["paper"]


async def test_an_order_without_any_account_linked_is_on_paper(ann: Trader) -> None:
    made = await ann.ask("POST", "/orders", {**MARKET, "client_id": "c-1"})
    assert made.status_code == 201
    order = json.loads(made.content, parse_float=Decimal)
    assert order.keys() >= {"id", "client_id", "account", "symbol", "side", "type", "status", "amount", "filled"}
    assert order.keys() >= {"price", "average_price", "fee", "created_at"}
    assert (order["status"], order["filled"], order["average_price"]) == ("filled", 4, Decimal("101.25"))
    assert order["created_at"].endswith("Z")
    assert (await ann.order(type="market", price=None, amount=4, client_id="c-1"))["id"] == order["id"]
    other = await ann.ask("POST", "/orders", {**MARKET, "amount": 5, "client_id": "c-1"})
    assert (other.status_code, other.json()["error"]) == (409, "CONFLICT")


async def test_an_idempotency_key_makes_one_order(ann: Trader) -> None:
    first = await ann.ask("POST", "/orders", MARKET, Idempotency_Key="k-1")
    again = await ann.ask("POST", "/orders", MARKET, Idempotency_Key="k-1")
    assert (first.content, again.headers["Idempotent-Replayed"]) == (again.content, "true")
    assert (await ann.good("GET", "/orders"))["total"] == 1
    other = await ann.ask("POST", "/orders", {**MARKET, "amount": 1}, Idempotency_Key="k-1")
    assert (other.status_code, other.json()["error"]) == (409, "CONFLICT")


async def test_orders_are_listed_found_and_cancelled_by_their_owner_alone(ann: Trader, bob: Trader) -> None:
    resting = await ann.order(amount="1.5", post_only=True)
    done = await ann.order(type="market", price=None, amount=1)
    assert [one["id"] for one in (await ann.good("GET", "/orders"))["items"]] == [done["id"], resting["id"]]
    page = await ann.good("GET", "/orders?account=paper&status=open&page=1&page_size=1")
    assert page == {"items": [resting], "total": 1, "page": 1, "page_size": 1, "pages": 1}
    assert await ann.good("GET", f"/orders/{resting['id']}") == resting
    for method in ("GET", "DELETE"):
        assert (await bob.ask(method, f"/orders/{resting['id']}")).status_code == 404
        assert (await ann.ask(method, "/orders/nonsense")).status_code == 404
    assert (await bob.good("GET", "/orders"))["items"] == []
    assert (await ann.good("DELETE", f"/orders/{resting['id']}"))["status"] == "cancelled"
    assert (await ann.ask("GET", "/orders?account=other")).status_code == 404


async def test_fills_are_what_orders_executed(ann: Trader, bob: Trader) -> None:
    order = await ann.order(type="market", price=None, amount=4)
    page = await ann.good("GET", "/fills?account=paper")
    assert {(one["price"], one["amount"], one["order_id"]) for one in page["items"]} == {
        (101, 3, order["id"]),
        (102, 1, order["id"]),
    }
    assert (await bob.good("GET", "/fills"))["items"] == []


async def test_what_cannot_be_an_order_is_refused_with_the_field(ann: Trader) -> None:
    cases: tuple[tuple[dict[str, object], str], ...] = (
        ({"type": "limit"}, "price"),
        ({"price": 100}, "price"),
        ({"post_only": True}, "post_only"),
        ({"reduce_only": True}, "reduce_only"),
        ({"amount": 0}, "amount"),
        ({"amount": "much"}, "amount"),
        ({"amount": 0.000000001}, "amount"),
        ({"side": "hold"}, "side"),
        ({"symbol": "BTC/USDT:USDT"}, "symbol"),
        ({"client_id": "a b"}, "client_id"),
    )
    for fields, at_fault in cases:
        refused = await ann.ask("POST", "/orders", {**MARKET, **fields})
        assert refused.status_code == 400
        assert list(refused.json()["fields"]) == [at_fault], refused.text


async def test_what_is_taken_and_cannot_be_sent_names_the_field_and_the_rule(ann: Trader) -> None:
    await ann.good("POST", "/accounts", {"limits": {"order_value": {"USDT": 150}}}, 201)
    refused = await ann.order()
    assert (refused["status"], refused["reason"]) == (
        "rejected",
        "the order is worth 200 USDT; this account's limit is 150",
    )
    assert refused["error"] == {
        "code": "ORDER_VALUE_LIMIT",
        "message": "the order is worth 200 USDT; this account's limit is 150",
        "parameter": "amount",
        "rule": "limits.order_value",
        "figures": {"value": "200", "limit": "150", "currency": "USDT"},
    }
    poor = await ann.order(side="sell", amount=1)
    assert poor["reason"] == "it needs 1 BTC; 0 BTC are free"
    assert (poor["error"]["code"], poor["error"]["rule"]) == ("INSUFFICIENT_BALANCE", "balance")
    assert (await ann.good("GET", f"/orders/{poor['id']}"))["error"] == poor["error"]
    assert (await ann.order(price=90, amount=1))["error"] is None


async def test_another_account_than_paper_is_not_made_by_an_order(ann: Trader) -> None:
    missing = await ann.ask("POST", "/orders", {**MARKET, "account": "main"})
    assert (missing.status_code, missing.json()["error"]) == (404, "NOT_FOUND")
    no_book = await ann.ask("POST", "/orders", {**MARKET, "symbol": "ETH/USDT"})
    assert (no_book.status_code, no_book.json()["error"]) == (404, "NO_DATA")
