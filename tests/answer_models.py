"""Every route's answers held against its models, with nothing that they do not name, and against `/openapi.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import TypeAdapter

from api.app import ROUTERS
from api.http.access.keys import ADMIN, MARKET_READ, OPEN
from api.http.app import make_app
from api.http.routing import declaration

TEXTS: dict[Any, str] = {HTMLResponse: "text/html", PlainTextResponse: "text/plain"}
OF_OTHER_CONSUMERS = {"/.well-known/webhook-keys.json", "/health/webhooks"}  # though anybody may ask
PAGE = "text/html; charset=utf-8"
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}
OPTIONS = {  # what each parameter is tried with, beside nothing
    "symbol": ["BTC", "ETH/USDT"],
    "exchange": ["binance"],
    "venue": ["binance"],
    "channel": ["liquidation"],
    "step": ["1h", "1d"],
    "limit": ["1", "100"],
    "depth": ["100"],
    "min_usd": ["1"],
    "side": ["buy", "sell"],
    "window": ["1h", "30d"],
    "min_spread": ["0"],
    "variables": ["{}", "{"],
    "operationName": ["Named"],
    "convert": ["true"],
    "listed": ["true"],
    "timeframe": ["1m", "1d"],
    "indicators": ["rsi,macd,ema,bollinger,sma,atr,stochastic,vwap,obv"],
    "from": ["2026-01-01"],
    "as_of": ["2026-01-01"],
    "to": ["2100-01-01T00:00:00Z"],
    "owner": ["alice"],
    "page": ["1", "2"],
    "page_size": ["100"],
    "actor": ["alice"],
    "action": ["create"],
    "since": ["2026-01-01T00:00:00Z"],
    "period_hours": ["1"],
    "format": ["json", "csv"],
    "consumer": ["cache"],
}


@dataclass(frozen=True)
class Route:
    """A GET route with the requests that are made of it, the first ones being those that are refused."""

    context: RouteContext
    paths: list[str]


def is_read_here(context: RouteContext) -> bool:
    """Whether a route is documented, ends, and needs the market core alone; others are requested by their own tests."""
    documented = isinstance(context.original_route, APIRoute) and context.original_route.include_in_schema
    declared = declaration(context)
    others = declared.scope not in {OPEN, MARKET_READ} or str(context.path_format) in OF_OTHER_CONSUMERS
    return documented and context.methods == {"GET"} and declared.timed and not others


def is_for_admins(context: RouteContext) -> bool:
    """Whether a route needs the scope `admin`, and lists something: what it asks is not in its path."""
    documented = isinstance(context.original_route, APIRoute) and context.original_route.include_in_schema
    lists = documented and context.methods == {"GET"} and "{" not in str(context.path_format)
    return lists and declaration(context).scope == ADMIN


def list_routes(chosen: Callable[[RouteContext], bool] = is_read_here) -> list[Route]:
    """Every GET route of the API that ends, each of its parameters alone and all of them together."""
    app = make_app(ROUTERS)
    found: list[Route] = []
    for context in iter_route_contexts(app.routes):
        if chosen(context):
            operation = app.openapi()["paths"][context.path_format]["get"]
            found.append(Route(context, list(dict.fromkeys(_paths(str(context.path_format), operation["parameters"])))))
    return found


def _paths(template: str, parameters: list[dict[str, Any]]) -> Iterator[str]:
    in_path = [item["name"] for item in parameters if item["in"] == "path"]
    needed = [item["name"] for item in parameters if item["required"] and item["in"] == "query"]
    optional = [item["name"] for item in parameters if not item["required"]]
    variations: list[dict[str, str]] = [{}, *({name: value} for name in optional for value in OPTIONS[name])]
    variations.append({name: OPTIONS[name][0] for name in optional if name not in {"symbol", "as_of"}})
    for symbol in OPTIONS["symbol"] if "symbol" in [*in_path, *needed] else [""]:
        for variation in variations if symbol in {"", OPTIONS["symbol"][0]} else [{}]:
            query = {**dict.fromkeys(needed, symbol), **variation}
            yield f"{template.replace('{symbol}', symbol)}?{urlencode(query)}".removesuffix("?")
    if parameters:
        yield f"{template.replace('{symbol}', 'NOPE')}?{urlencode(dict.fromkeys(needed, 'NOPE'))}"
        yield f"{template.replace('{symbol}', 'BTC')}?unknown=1"


def check_route(route: Route, answers: Iterable[httpx.Response], document: Mapping[str, Any]) -> set[int]:
    """Hold the answers of a route against its models; returns the statuses that were seen."""
    context = route.context
    kind: Any = context.response_class
    text = next((media for response, media in TEXTS.items() if response is kind), None)
    assert text or context.response_model is not None, f"{context.path} has no model"
    statuses: set[int] = set()
    for answer in answers:
        statuses.add(answer.status_code)
        if answer.status_code == 200 and answer.headers["content-type"] == PAGE:
            assert "text/html" in document["paths"][context.path_format]["get"]["responses"]["200"]["content"]
        elif text and answer.status_code == 200:
            assert answer.headers["content-type"].startswith(text), answer.request.url
        else:
            check_answer(context, answer, document)
    return statuses


def check_answer(context: RouteContext, answer: httpx.Response, document: Mapping[str, Any]) -> None:
    """Hold one JSON answer against the model of its status, and against the schema that OpenAPI has of it."""
    status = answer.status_code
    where = f"{answer.request.url} {status}"
    (method,) = context.methods or ("GET",)
    documented = document["paths"][context.path_format][method.lower()]["responses"]
    assert str(status) in documented, f"{where} is not documented"
    model = context.response_model if status == 200 else context.responses[status]["model"]
    TypeAdapter(model).validate_json(answer.content, extra="forbid")
    schema = documented[str(status)]["content"]["application/json"]["schema"]
    faults = list(find_faults(schema, json.loads(answer.content), document))
    assert not faults, (where, faults[:3])


def find_faults(schema: Mapping[str, Any], value: Any, document: Mapping[str, Any], at: str = "$") -> Iterator[str]:
    """Find where a value is not as its JSON schema says; a member that the schema does not name is a fault."""
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        yield from find_faults(target, value, document, at)
    elif "anyOf" in schema:
        tried = [list(find_faults(one, value, document, at)) for one in schema["anyOf"]]
        if all(tried):
            yield from min(tried, key=len)
    elif not _is_of_type(schema.get("type"), value):
        yield f"{at}: {value!r:.60} is no {schema['type']}"
    else:
        yield from _value_faults(schema, value, at)
        if isinstance(value, dict):
            yield from _member_faults(schema, value, document, at)
        for number, item in enumerate(value if isinstance(value, list) else ()):
            yield from find_faults(schema.get("items", {}), item, document, f"{at}[{number}]")


def _is_of_type(kind: str | None, value: Any) -> bool:
    if isinstance(value, bool):
        return kind in {None, "boolean"}
    return kind is None or isinstance(value, TYPES[kind])


def _value_faults(schema: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r:.60} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r:.60} is not {schema['const']!r}"
    if schema.get("format") == "date-time":
        datetime.fromisoformat(value)


def _member_faults(
    schema: Mapping[str, Any], value: dict[str, Any], document: Mapping[str, Any], at: str
) -> Iterator[str]:
    properties: Mapping[str, Any] = schema.get("properties", {})
    others = schema.get("additionalProperties", not properties)
    yield from (f"{at}: {name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, item in value.items():
        if name in properties:
            yield from find_faults(properties[name], item, document, f"{at}.{name}")
        elif isinstance(others, dict):
            yield from find_faults(others, item, document, f"{at}.{name}")
        elif not others:
            yield f"{at}: {name} is not in the schema"
