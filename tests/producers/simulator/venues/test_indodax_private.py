"""Indodax's private side as a client sees it: who is let in, what orders look like, what is refused in which shape."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncGenerator
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio

from producers.simulator.config import SimulatorConfig
from producers.simulator.hub import Request
from producers.simulator.server import Simulator
from producers.simulator.venues.indodax.tapi import Tapi

pytestmark = pytest.mark.asyncio(loop_scope="module")
D = Decimal
KEYS = count(1)


class Customer:
    """One account with a key of its own, over HTTP."""

    def __init__(self, simulator: Simulator, http: httpx.AsyncClient, permissions: str = "view,trade") -> None:
        self.simulator, self.http = simulator, http
        self.key, self.secret = f"key-{next(KEYS)}", "secret"
        self.account = simulator.private("indodax").exchange.add_account(
            self.key,
            self.secret,
            permissions.split(","),  # type: ignore[arg-type]
            {"IDR": D(1_000_000_000), "BTC": D(1)},
        )
        bids, asks = (simulator.book("indodax", "spot", "btcidr")[side] for side in ("bids", "asks"))
        self.bid, self.ask = int(bids[0][0]), int(asks[0][0])

    def sign(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha512).hexdigest()

    async def post(self, text: str, sign: str | None = None, path: str = "/tapi") -> httpx.Response:
        headers = {"Key": self.key, "Sign": self.sign(text) if sign is None else sign}
        headers = {name: value for name, value in headers.items() if value}
        return await self.http.post(self.simulator.rest_url("indodax") + path, content=text, headers=headers)

    async def call(self, method: str, **fields: Any) -> Any:
        fresh = {} if "nonce" in fields or "timestamp" in fields else {"timestamp": time.time_ns() // 1_000_000}
        answer = await self.post(urlencode({"method": method, **fields, **fresh}))
        assert answer.status_code == 200
        return answer.json()

    async def done(self, method: str, **fields: Any) -> Any:
        answer = await self.call(method, **fields)
        assert answer["success"] == 1
        return answer["return"]

    async def trade(self, **fields: Any) -> Any:
        return await self.call("trade", pair="btc_idr", **fields)

    async def history(self, path: str, sign: str | None = None, **fields: Any) -> httpx.Response:
        query = urlencode({"symbol": "btcidr", **fields, "timestamp": time.time_ns() // 1_000_000})
        headers = {"X-APIKEY": self.key, "Sign": self.sign(query) if sign is None else sign}
        return await self.http.get(f"{self.simulator.rest_url('indodax')}{path}?{query}", headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncGenerator[tuple[Simulator, httpx.AsyncClient]]:
    config = SimulatorConfig(venues=("indodax",), bases=("BTC", "ETH"), seed=3)
    async with Simulator(config) as simulator, httpx.AsyncClient() as http:
        simulator.pause()
        yield simulator, http


@pytest.fixture
def customer(running: tuple[Simulator, httpx.AsyncClient]) -> Customer:
    return Customer(*running)


async def test_who_is_not_who_they_say_is_not_let_in(customer: Customer) -> None:
    text = urlencode({"method": "getInfo", "timestamp": time.time_ns() // 1_000_000})
    assert (await customer.post(text)).json()["success"] == 1
    assert (await customer.post(text, customer.sign(text).upper())).json()["success"] == 1
    wrong = {"": "sign_not_found", customer.sign(text + " "): "bad_sign", "00": "bad_sign"}
    for sign, code in wrong.items():
        answer = await customer.post(text, sign)
        assert (answer.status_code, answer.json()["success"], answer.json()["error_code"]) == (200, 0, code)
    customer.key = "nobody's"
    assert (await customer.call("getInfo"))["error_code"] == "invalid_credentials"
    customer.key = ""
    assert (await customer.call("getInfo"))["error_code"] == "key_not_found"


async def test_nonces_rise_and_timestamps_are_fresh(customer: Customer) -> None:
    assert (await customer.call("getInfo", nonce=5))["success"] == 1
    for nonce in (5, 4):
        assert "nonce" in (await customer.call("getInfo", nonce=nonce))["error"]
    assert (await customer.call("getInfo", nonce=6))["success"] == 1
    now = time.time_ns() // 1_000_000
    assert (await customer.call("getInfo", timestamp=now - 4000))["success"] == 1
    for timestamp, window in ((now - 6000, 5000), (now + 3000, 5000), (now - 500, 100)):
        assert "timestamp" in (await customer.call("getInfo", timestamp=timestamp, recvWindow=window))["error"]
    assert (await customer.call("getInfo", timestamp=now, nonce=9))["success"] == 0  # one of both


async def test_a_key_does_what_it_may(running: tuple[Simulator, httpx.AsyncClient]) -> None:
    looker, trader, owner = (Customer(*running, rights) for rights in ("view", "view,trade", "view,trade,withdraw"))
    assert (await looker.trade(type="buy", price=1, btc=1))["error"] == "No permission"
    assert (await trader.call("withdrawFee", currency="btc"))["error"] == "No permission"
    assert (await owner.call("withdrawFee", currency="btc"))["success"] == 1


async def test_an_order_rests_is_shown_in_each_shape_and_is_cancelled(customer: Customer) -> None:
    assert await customer.done("openOrders") == {"orders": None}
    assert await customer.done("openOrders", pair="btc_idr") == {"orders": None}
    terms = {"type": "buy", "price": customer.bid - 1000, "btc": "0.01", "order_type": "limit"}
    placed = (await customer.trade(**terms, client_order_id="c-1"))["return"]
    assert placed["client_order_id"] == "c-1"
    assert placed["receive_btc"] == "0.00000000"
    listed = (await customer.done("openOrders", pair="btc_idr"))["orders"]
    assert (listed[0]["order_id"], listed[0]["remain_btc"]) == (str(placed["order_id"]), "0.01000000")
    assert (await customer.done("openOrders"))["orders"] == {"btc_idr": listed}
    order = (await customer.done("getOrderByClientOrderId", client_order_id="c-1"))["order"]
    assert order == (await customer.done("getOrder", pair="btc_idr", order_id=placed["order_id"]))["order"]
    assert order["status"] == "open"
    info = await customer.done("getInfo")
    assert int(D(info["balance_hold"]["idr"])) >= (customer.bid - 1000) // 100
    assert (await customer.trade(**terms, client_order_id="c-1"))["error"] == "client order id c-1 already exists"
    assert (await customer.call("cancelOrder", pair="btc_idr", order_id=placed["order_id"]))["success"] == 0  # no type
    cancelled = await customer.done("cancelByClientOrderId", client_order_id="c-1")
    assert cancelled["balance"]["frozen_idr"] == "0"
    assert (await customer.call("cancelByClientOrderId", client_order_id="c-1"))["error"] == "invalid order."
    ended = (await customer.history("/api/v2/order/histories")).json()["data"]
    assert [(row["clientOrderId"], row["status"], row["executedQty"]) for row in ended] == [("c-1", "CANCELLED", "0")]


async def test_orders_fill_and_their_executions_are_listed(customer: Customer) -> None:
    await customer.trade(type="buy", order_type="market", idr=14_000_000, client_order_id="m-1")
    order = (await customer.done("getOrderByClientOrderId", client_order_id="m-1"))["order"]
    assert (order["status"], order["order_rp"]) == ("filled", "14000000")
    assert D("0.0099") < D(order["receive_btc"]) < D("0.01")
    await customer.trade(type="sell", order_type="market", btc=order["receive_btc"], client_order_id="m-2")
    trades = (await customer.history("/api/v2/myTrades", clientOrderId="m-1")).json()["data"]
    assert sum(D(row["qty"]) for row in trades) == D(order["receive_btc"])
    assert {(row["commissionAsset"], row["isBuyer"], row["isMaker"]) for row in trades} == {("idr", True, False)}
    everything = (await customer.history("/api/v2/myTrades", sort="asc", limit=10)).json()["data"]
    assert [row["tradeId"] for row in everything] == sorted(row["tradeId"] for row in everything)
    assert customer.simulator.private("indodax").exchange.imbalance() == {}


async def test_what_is_refused_is_said_with_success_0(customer: Customer) -> None:
    limit = {"type": "buy", "price": customer.bid, "order_type": "limit"}
    refused = {
        "Insufficient balance.": {**limit, "btc": "5"},
        "Order cancelled because it’s not maker.": {  # noqa: RUF001 - the venue's own text
            **limit,
            "price": customer.ask,
            "btc": "0.01",
            "time_in_force": "MOC",
        },
        "Minimum order": {**limit, "btc": "0.00001"},
        "Minimum price": {**limit, "price": customer.bid + 1, "btc": "0.01"},
        "Invalid amount": {**limit, "idr": 1_000_000},
        "Invalid client order id": {**limit, "btc": "0.01", "client_order_id": "x" * 37},
    }
    for text, fields in refused.items():
        answer = await customer.trade(**fields)
        assert answer["success"] == 0
        assert answer["error"].startswith(text)
    assert (await customer.call("trade", pair="xyz_idr", **limit, btc=1))["error"] == "Invalid pair"
    assert customer.simulator.private("indodax").exchange.list_orders(customer.account) == []


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        ("/api/v2/myTrades", {"symbol": "xyzidr"}, 400, 1110),
        ("/api/v2/myTrades", {"symbol": ""}, 400, 1108),
        ("/api/v2/myTrades", {"limit": 5}, 400, 1109),
        ("/api/v2/order/histories", {"startTime": 0}, 400, 1109),
        ("/api/v2/nothing", {}, 404, 1113),
    ],
)
async def test_histories_refuse_with_a_code_and_a_status(
    customer: Customer, path: str, fields: dict[str, Any], status: int, code: int
) -> None:
    answer = await customer.history(path, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_histories_let_nobody_else_in(customer: Customer) -> None:
    answer = await customer.history("/api/v2/myTrades", sign="00")
    assert (answer.status_code, answer.json()["code"]) == (401, 1001)
    assert (await customer.history("/api/v2/myTrades", sign="")).json()["code"] == 1101


async def test_too_many_orders_of_a_pair_block_it_for_five_seconds(customer: Customer) -> None:
    second = 1_000_000
    begin = customer.simulator.now_us

    def trade(pair: str, after_us: int) -> int:
        now = begin + after_us
        fields = {"method": "trade", "pair": pair, "type": "buy", "price": 1000, pair[:3]: "1", "order_type": "limit"}
        text = urlencode({**fields, "timestamp": now // 1000})
        headers = {"key": customer.key, "sign": customer.sign(text)}
        return tapi.answer(Request("/tapi", {}, headers=headers, method="POST", body=text), now).status

    tapi = Tapi(customer.simulator.private("indodax").exchange, enforce_limits=True)
    assert [trade("btc_idr", number) for number in range(21)] == [200] * 20 + [429]
    assert trade("btc_idr", 3 * second) == 429
    assert trade("eth_idr", 3 * second) == 200
    assert trade("btc_idr", 6 * second) == 200
    assert customer.account.memory["too_many"] == 2


async def test_a_countdown_cancels_what_is_open(customer: Customer) -> None:
    await customer.trade(type="buy", price=customer.bid - 1000, btc="0.01", order_type="limit", client_order_id="d-1")
    text = urlencode({"pair": "btc_idr", "countdownTime": 50, "timestamp": time.time_ns() // 1_000_000})
    assert (await customer.post(text, path="/tapi/countdownCancelAll")).json() == {"success": 1}
    deadline = time.monotonic() + 5
    while (await customer.done("getOrderByClientOrderId", client_order_id="d-1"))["order"]["status"] == "open":
        assert time.monotonic() < deadline
    bad = urlencode({"pair": "xyz_idr", "countdownTime": 50, "timestamp": time.time_ns() // 1_000_000})
    assert (await customer.post(bad, path="/tapi/countdownCancelAll")).json()["error"] == "Invalid pair"


async def test_other_processes_open_accounts_and_order_faults(customer: Customer) -> None:
    base = customer.simulator.rest_url("indodax").removesuffix("/indodax") + "/_control/"

    async def order(path: str) -> httpx.Response:
        return await customer.http.get(base + path)

    made = await order("account?venue=indodax&key=made&secret=there&balance=IDR:5000,BTC:1.5&permissions=view")
    assert made.json()["balance"] == {"IDR": "5000", "BTC": "1.5"}
    customer.key, customer.secret = "made", "there"
    assert (await customer.done("getInfo"))["balance"]["idr"] == 5000
    assert (await order("private?venue=indodax&kind=lost_after&method=getInfo")).status_code == 200
    with pytest.raises(httpx.RemoteProtocolError):
        await customer.call("getInfo")
    assert (await customer.call("getInfo"))["success"] == 1
    for bad, name in {
        "account?venue=indodax": "key",
        "account?venue=indodax&key=a&secret=b&permissions=fly": "permissions",
        "account?venue=indodax&key=a&secret=b&balance=IDR:x": "balance",
        "private?venue=indodax&kind=earthquake": "kind",
        "private?venue=okx&kind=late": "venue",
    }.items():
        answer = await order(bad)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(name)
