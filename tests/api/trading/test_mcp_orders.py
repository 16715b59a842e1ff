"""MCP for a key that may trade: orders on paper by a preview and a deed that takes its token; never at an exchange."""

from __future__ import annotations

import json
from decimal import Decimal
from secrets import token_hex
from typing import Any

import pytest
import pytest_asyncio

from api.mcp.orders import OrderTools, PaperOrder
from api.mcp.steps import Tokens
from contracts.errors import InvalidParameterError
from runtime import clock
from runtime.clients.command_client import CommandClient
from tests.api.test_mcp import call
from tests.api.test_route_table import put_key
from tests.api.trading.conftest import Trader
from tests.api.world import READ_KEY, Api, Store
from tests.consumers.execution.conftest import User

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
OWN = ["preview_paper_order", "create_paper_order"]
ORDER: dict[str, Any] = {"symbol": "BTC/USDT", "side": "buy", "type": "market", "amount": "4"}


async def reading(api: Api, store: Store, number: int) -> Trader:
    owner = f"owner-{token_hex(4)}"
    key = await put_key(store, number, owner, ("market:read", "trade"))
    return Trader(api, owner, key, User(store.bus, owner))


@pytest_asyncio.fixture
async def ann(trading_api: Api, store: Store) -> Trader:
    """An owner whose key reads the market too, with a book to trade on."""
    found = await reading(trading_api, store, 1)
    await found.market.show([("100", "1")], [("101", "3"), ("102", "5")])
    return found


@pytest_asyncio.fixture
async def bob(trading_api: Api, store: Store) -> Trader:
    """Another one."""
    return await reading(trading_api, store, 2)


async def use(trader: Trader, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    await trader.ask("GET", "/orders")  # its key is known to the process
    answer = await call(trader.api, "tools/call", trader.key, name=name, arguments=arguments)
    return json.loads(answer.text, parse_float=Decimal)["result"]


async def good(trader: Trader, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await use(trader, name, arguments)
    assert not result.get("isError"), result
    found = result["structuredContent"]
    assert found["quality"] in {"live", "stale", "sim"}
    assert found["age"] >= 0
    return found


async def fault(trader: Trader, name: str, arguments: dict[str, Any]) -> tuple[str, Any]:
    result = await use(trader, name, arguments)
    assert result["isError"], result
    error = result["structuredContent"]["error"]
    return error["code"], error["details"].get("parameter")


async def test_only_a_key_that_may_trade_sees_and_uses_them(ann: Trader) -> None:
    await ann.ask("GET", "/orders")
    listed = (await call(ann.api, "tools/list", ann.key)).json()["result"]["tools"]
    assert [one["name"] for one in listed][-2:] == OWN
    assert [one["name"] for one in listed if not one["annotations"]["readOnlyHint"]] == ["create_paper_order"]
    assert listed[-1]["inputSchema"]["additionalProperties"] is False
    plain = (await call(ann.api, "tools/list", READ_KEY)).json()["result"]["tools"]
    assert not {one["name"] for one in plain} & set(OWN)
    for name in OWN:
        answer = await call(ann.api, "tools/call", READ_KEY, name=name, arguments={"token": "x"})
        assert answer.json()["result"]["structuredContent"]["error"]["code"] == "FORBIDDEN"


async def test_a_preview_places_nothing_and_its_token_places_one_order(ann: Trader, bob: Trader, store: Store) -> None:
    await store.put_ticker("binance", "BTC/USDT", "101")
    preview = await good(ann, "preview_paper_order", ORDER)
    assert {name: preview[name] for name in ("amount", "price", "fee", "fee_currency", "total")} == {
        "amount": 4, "price": Decimal("101.25"), "fee": Decimal("1.215"), "fee_currency": "USDT",
        "total": Decimal("406.215"),
    }  # fmt: skip
    assert (await ann.good("GET", "/orders"))["total"] == 0
    made = await good(ann, "create_paper_order", {"token": preview["token"]})
    assert (made["status"], made["filled"], made["account"]) == ("filled", 4, "paper")
    assert (await good(ann, "create_paper_order", {"token": preview["token"]}))["id"] == made["id"]
    assert [one["id"] for one in (await ann.good("GET", "/orders"))["items"]] == [made["id"]]
    assert await fault(bob, "create_paper_order", {"token": preview["token"]}) == ("INVALID_PARAMETER", "token")
    assert (await bob.good("GET", "/orders"))["total"] == 0


async def test_what_is_wrong_is_refused_by_name(ann: Trader, store: Store) -> None:
    await store.put_ticker("binance", "BTC/USDT", "101")
    assert await fault(ann, "preview_paper_order", {**ORDER, "amount": "-1"}) == ("INVALID_PARAMETER", "amount")
    assert await fault(ann, "preview_paper_order", {**ORDER, "more": 1}) == ("INVALID_PARAMETER", "more")
    assert (await fault(ann, "preview_paper_order", {**ORDER, "type": "limit"}))[0] == "INVALID_BODY"
    assert (await fault(ann, "preview_paper_order", {**ORDER, "account": "savings"}))[0] == "NOT_FOUND"
    assert await fault(ann, "create_paper_order", {"token": "x"}) == ("INVALID_PARAMETER", "token")


async def test_a_token_of_one_kind_of_deed_is_none_of_another(ann: Trader) -> None:
    tools = OrderTools(CommandClient(ann.market.bus), b"secret")
    token = Tokens(b"secret", "mcp.price_alert").seal(ann.owner, PaperOrder.model_validate(ORDER))["token"]
    with pytest.raises(InvalidParameterError, match="no token"):
        tools.tokens.open(token, ann.owner, PaperOrder, clock.now_ns())
    own = tools.tokens.seal(ann.owner, PaperOrder.model_validate(ORDER))["token"]
    assert tools.tokens.open(own, ann.owner, PaperOrder, clock.now_ns()) == PaperOrder.model_validate(ORDER)
