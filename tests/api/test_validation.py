"""Parameters are the contracts' own; what is wrong with them, or with a body, is answered with a code of the list."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from api.app import ROUTERS as EVERY_ROUTER
from api.http.app import make_app
from api.http.errors import CODES
from api.http.openapi import parameters_of
from api.market.answers import MarketAnswers, MarketRequest
from api.market.formats import bare
from api.market.routes import ROUTERS
from contracts.services.replies.commands import COMMANDS
from runtime.clients.market_client import MarketClient
from tests.api.test_market_client import Core, good

VERBS = {
    "/gpt/raw": "raw",
    "/gpt/whale": "whale",
    "/gpt/liq": "liq",
    "/gpt/liqmap": "liqmap",
    "/gpt/orderbook": "orderbook",
    "/api/market/price": "price",
    "/api/market/ohlc": "ohlc",
    "/api/market/coverage": "coverage",
    "/multi/ticker/{symbol}": "ticker",
    "/multi/orderbook/{symbol}": "multi_orderbook",
    "/multi/trades/{symbol}": "trades",
    "/multi/symbols": "symbols",
    "/multi/health": "health",
}
BOUNDS = ("type", "minimum", "maximum", "minLength", "maxLength", "pattern", "enum", "default", "anyOf", "items")


class Order(BaseModel):
    name: str
    amount: int = Field(ge=1)


async def post(body: Any) -> httpx.Response:
    router = APIRouter()

    @router.post("/orders")
    async def make(order: Order) -> Order:
        return order

    async with httpx.AsyncClient(transport=httpx.ASGITransport(make_app([router])), base_url="http://test") as client:
        return await client.post("/orders", json=body)


def test_parameters_in_openapi_are_those_of_the_contract() -> None:
    requests = {command.verb: command.request for command in COMMANDS}
    paths = make_app(ROUTERS).openapi()["paths"]
    assert set(paths) == set(VERBS)
    for path, verb in VERBS.items():
        schema = requests[verb].model_json_schema()
        shown = {item["name"]: item for item in paths[path]["get"]["parameters"]}
        assert list(shown) == list(schema.get("properties", {})), path
        for name, item in shown.items():
            own = schema["properties"][name]
            assert all(item["schema"].get(key) == own.get(key) for key in BOUNDS), (path, name)
            assert item["required"] == (name in schema.get("required", ())), (path, name)
            assert item.get("description") == own.get("description"), (path, name)


async def test_a_body_that_is_wrong_names_each_field() -> None:
    answer = await post({"amount": 0})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_BODY")
    assert [fault["field"] for fault in error["details"]["faults"]] == ["name", "amount"]
    assert (await post({"name": "a", "amount": 1})).json() == {"name": "a", "amount": 1}


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"'])
async def test_a_body_that_is_no_object_is_refused_with_the_same_code(body: str) -> None:
    answer = await post(body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_BODY")


def test_a_code_has_one_status() -> None:
    codes = [code for codes in CODES.values() for code in codes]
    assert len(codes) == len(set(codes))


def test_what_is_remembered_is_bounded_and_a_long_query_is_not() -> None:
    answers = MarketAnswers(MarketClient(Core(good)), most=2)
    request = MarketRequest("raw", b"{}", bare)
    for name in (b"a", b"b", b"c", b"x" * 513):
        answers.remember("/gpt/raw", name, request)
    assert len(answers) == 2
    assert answers.find("/gpt/raw", b"a", 0) is None
    assert answers.find("/gpt/raw", b"x" * 513, 0) is None


def test_bounds_of_a_refusal_are_those_of_the_document():
    app = make_app(EVERY_ROUTER)
    paths = app.openapi()["paths"]
    checked = 0
    for route in app.routes:
        if not isinstance(route, APIRoute):
            continue
        for method in {name.lower() for name in route.methods or ()} & set(paths.get(route.path_format, ())):
            written = {item["name"]: item["schema"] for item in paths[route.path_format][method]["parameters"]}
            assert parameters_of(app, route, method) == written, route.path_format
            checked += bool(written)
    assert checked > 50
