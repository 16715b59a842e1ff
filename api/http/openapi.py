"""OpenAPI of an app, made from its routes and models: what FastAPI does not know of them is added here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from api.http.access.keys import OPEN
from api.http.routing import declared_scope

JSON: Final = "application/json"
BEARER: Final = "bearer"
_HOST: Final = re.compile(r"^[A-Za-z0-9.\-_\[\]:]{1,255}$")
_REFERENCE: Final = re.compile(r'(?<="#/components/schemas/)\w+(?=")')
EXAMPLES: Final = {
    "symbol": "BTC",
    "symbols": "BTC,ETH",
    "channels": "whales,liquidations",
    "exchange": "binance",
    "venue": "binance",
    "indicators": ["rsi", "ema"],
    "min_spread": "0.01",
    "min_usd": "1000000",
    "window": "24h",
    "operationName": "Market",
    "query": '{ price(symbol: "BTC") { price } }',
    "side": "buy",
    "variables": '{"symbol": "BTC"}',
    "id": "9f86d081884c7d65",
    "owner": "alice",
    "actor": "alice",
    "action": "key.created",
    "since": "2026-01-01T00:00:00Z",
    "before": "2026-01-02T00:00:00Z",
    "after": 17,
    "limit": 50,
    "from": "2026-01-01",
    "as_of": "2026-01-01T12:00:00Z",
    "to": "2026-01-02",
    "key": "aggregated_data:BTC",
    "pattern": "market_data:BTC:*",
    "start_date": "2026-01-01",
    "end_date": "2026-01-02",
    "format": "csv",
    "consumer": "whales",
    "event_type": "whale",
    "state": "active",
    "method": "fifo",
    "currency": "USDT",
    "X-Internal-Token": "a-secret-of-your-own",
    "webhook-id": "msg-1",
    "webhook-timestamp": "1767268800",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    "kind": "price_alert",
    "rule": "1f0c9a4be1d27c35",
    "at": "2026-01-01T14:05:00Z",
    "group_id": -1001234567890,
    "user_id": 424242,
    "moderator_id": 7,
    "name": "moderator",
    "rule_id": "5b1f0c9a4be1d27c",
    "search": "test",
    "until": "2026-01-02T00:00:00Z",
    "account": "paper",
    "status": "open",
}
ANSWERS: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("examples.json").read_bytes())  # by operation id


def described(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return what makes the app's document once: with scopes, bearer security, summaries, and lists with commas."""
    plain = app.openapi
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(plain())
            for context in iter_route_contexts(app.routes):
                _describe_route(document["paths"].get(context.path_format, {}), context)
            components: dict[str, Any] = document.setdefault("components", {})
            for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, of the 422 that is none here
                components.get("schemas", {}).pop(name, None)
            bearer = {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>"}
            components["securitySchemes"] = {BEARER: bearer}
            schemas = {_name_form(name): schema for name, schema in components["schemas"].items()}
            components["schemas"] = dict(sorted(schemas.items()))
            document.update(json.loads(_REFERENCE.sub(lambda found: _name_form(found[0]), json.dumps(document))))
        return document

    return openapi


def _name_form(name: str) -> str:
    """Name a form of a generic model so that clients can be generated: `Success_KeyInfo_` is `SuccessKeyInfo`."""
    return "".join(word[0].upper() + word[1:] for word in name.split("_") if word)


def parameters_of(app: FastAPI, route: APIRoute, method: str) -> dict[str, dict[str, Any]]:
    """Return the schemas of a route's parameters by name, as in the document; made once, without the other routes."""
    known: dict[tuple[str, str], dict[str, dict[str, Any]]] = app.state.parameters
    found = known.get((route.path_format, method))
    if found is None:
        operations: dict[str, Any] = get_openapi(title="", version="", routes=[route])["paths"][route.path_format]
        described = _describe_parameters(operations[method].get("parameters", []))
        found = known[route.path_format, method] = {item["name"]: item["schema"] for item in described}
    return found


def _describe_route(operations: dict[str, Any], context: RouteContext) -> None:
    scope = declared_scope(context)
    for method in context.methods or ():
        operation = operations.get(method.lower())
        if operation is None:
            continue
        summary, _, description = operation.pop("description", "").partition("\n")
        operation["summary"] = summary.removesuffix(".") or operation["summary"]
        operation["description"] = description.strip()
        operation["security"] = [] if scope == OPEN else [{BEARER: []}]
        if scope != OPEN:
            operation["x-scope"] = scope
        operation["responses"].pop("422", None)  # refused parameters are 400 here
        for status, response in operation["responses"].items():
            if status.startswith("2") and JSON in response.get("content", {}) and operation["operationId"] in ANSWERS:
                response["content"][JSON]["example"] = ANSWERS[operation["operationId"]]
        operation["parameters"] = _describe_parameters(operation.get("parameters", []))


def _describe_parameters(parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parameters with examples; lists have commas, and what the path gives is none of the query."""
    in_path = {item["name"] for item in parameters if item["in"] == "path"}
    described: list[dict[str, Any]] = []
    for item in parameters:
        if item["in"] == "query" and item["name"] in in_path:
            continue
        own = item["schema"].get("examples", ())  # what a kind of parameter says of itself
        example = own[0] if own else EXAMPLES.get(item["name"])
        extra = {} if example is None else {"example": example}
        commas = {"style": "form", "explode": False} if item["schema"].get("type") == "array" else {}
        described.append({**item, **extra, **commas})
    return described


def origin(request: Request) -> str:
    """Return the address that a request was sent to; what is no host name counts as `localhost`."""
    host = request.headers.get("host", "")
    secure = request.headers.get("x-forwarded-proto", "").lower() == "https"
    return f"{'https' if secure else 'http'}://{host if _HOST.fullmatch(host) else 'localhost'}"
