"""Every answer is what its route's model says and no more; each route has a model and documents its statuses."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import unquote, urlencode

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, ValidationError

from api.app import ROUTERS
from api.http.access.keys import MARKET_READ
from api.http.app import make_app
from api.http.routing import RouteTable
from runtime.clock import now_ns
from tests.answer_models import OF_OTHER_CONSUMERS, Route, check_answer, check_route, find_faults, list_routes
from tests.api.world import Start, Store, whale
from tests.consumers.market.recorded import read_golden

pytestmark = pytest.mark.nats
LEVELS = {"bids": [("91000.10", "2.5")], "asks": [("91000.30", "1.0")]}


async def fill(store: Store) -> None:
    for venue, symbol in (("binance", "BTC/USDT"), ("coinbase", "BTC/USD"), ("binance", "ETH/USDT")):
        await store.put_ticker(venue, symbol, "91000.20", volume_24h="3000", bid="91000.1", ask="91000.3")
    await store.put_contract("binanceusdm", "BTC/USDT:USDT")
    await store.put_book("binance", "BTC/USDT", LEVELS)
    await store.put_whales("BTC", [whale("binance", "BTC/USDT", "1137501.25")])
    await store.put_liquidations("BTC", [])
    await store.put_feed("binance")
    await store.put_feed("okx", marks=[("book", "BTC/USDT", "gap")])


async def test_every_answer_is_what_its_model_says_and_no_more(store: Store, start: Start) -> None:
    await fill(store)
    api = await start({"asyncapi": lambda: b'{"asyncapi":"3.0.0"}'})
    document = (await api.get("/openapi.json", key=None)).json()
    statuses: dict[str, set[int]] = {}
    await asyncio.sleep(0.3)
    past = urlencode({"as_of": now_ns() // 1_000_000})
    for route in list_routes():
        answers = [await api.get(path) for path in route.paths]
        if any("as_of" in path for path in route.paths):
            then = await api.get(f"{route.paths[0]}{'&' if '?' in route.paths[0] else '?'}{past}")
            assert (then.status_code, "as_of" in then.json()) == (200, True), then.text
            answers.append(then)
        answers.append(await api.get(route.paths[0], key=None))
        statuses[str(route.context.path_format)] = check_route(route, answers, document)
    reads = {path: item["get"] for path, item in document["paths"].items() if "get" in item}
    asked = {path for path, operation in reads.items() if operation.get("x-scope", MARKET_READ) == MARKET_READ}
    assert asked - {"/events"} - OF_OTHER_CONSUMERS == set(statuses)  # an answer without end is held to its own tests
    without = {path for path, seen in statuses.items() if 200 not in seen}
    assert without == {"/api/market/ohlc"}  # nobody serves candles here


def test_recorded_answers_are_what_their_models_say_and_no_more() -> None:
    app = make_app(ROUTERS)
    document, table = app.openapi(), RouteTable(app.routes)
    contexts = {str(route.context.path_format): route.context for route in list_routes()}
    seen: set[tuple[str, int]] = set()
    for target, (status, body) in read_golden("answers.json.gz").items():
        path = target.removeprefix("cut ").partition("?")[0]
        template = table.find(unquote(path)).template
        answer = httpx.Response(status, text=body, request=httpx.Request("GET", f"http://x{path}"))
        check_answer(contexts[template], answer, document)
        seen.add((template, status))
    of_market = {template for template in contexts if template.startswith(("/gpt", "/multi", "/api/market"))}
    assert {template for template, status in seen if status == 200} == of_market - {"/gpt/openapi.json"}


class Known(BaseModel):
    name: str


def routed(**how: Any) -> Route:
    router = APIRouter()
    router.add_api_route("/x", lambda: {"name": "a", "more": 1}, **how)
    (context,) = [item for item in iter_route_contexts(make_app([router]).routes) if item.path == "/x"]
    return Route(context, ["/x"])


def test_a_route_without_a_model_and_a_member_that_the_model_lacks_fail() -> None:
    with pytest.raises(AssertionError, match="no model"):
        check_route(routed(response_model=None), [], {})
    answer = httpx.Response(200, json={"name": "a", "more": 1}, request=httpx.Request("GET", "http://x/x"))
    document = {"paths": {"/x": {"get": {"responses": {"200": {}}}}}}
    with pytest.raises(ValidationError):
        check_answer(routed(response_model=Known).context, answer, document)
    with pytest.raises(AssertionError, match="not documented"):
        check_answer(routed(response_model=Known).context, answer, {"paths": {"/x": {"get": {"responses": {}}}}})


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({"name": "a"}, []),
        ({"name": "a", "more": 1}, ["$: more is not in the schema"]),
        ({}, ["$: name is missing"]),
        ({"name": 1}, ["$.name: 1 is no string"]),
        ([], ["$: [] is no object"]),
    ],
)
def test_a_fault_against_the_schema_is_found(value: Any, faults: list[str]) -> None:
    document = {"components": {"schemas": {"Known": Known.model_json_schema()}}}
    assert list(find_faults({"$ref": "#/components/schemas/Known"}, value, document)) == faults


def test_models_have_names_that_clients_can_be_generated_with() -> None:
    document = make_app(ROUTERS).openapi()
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name)] == []
    assert set(re.findall(r"#/components/schemas/([^\"]*)", json.dumps(document))) <= set(schemas)
    answers = [
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        for path in ("/gpt/raw", "/gpt/whale", "/gpt/liq", "/gpt/orderbook")
    ]
    names = ["RawSnapshot", "WhaleSnapshot", "LiqSnapshot", "OrderbookSnapshot"]
    assert answers == [f"#/components/schemas/{name}" for name in names]
