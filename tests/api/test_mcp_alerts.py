"""MCP for a key that may write alerts: why one came, and price alerts by a preview and a deed that takes its token."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_asyncio

from api.alerts.schemas import NewAlert
from api.mcp.alerts import AlertTools
from api.mcp.steps import TOKEN_NS
from contracts.errors import InvalidParameterError
from runtime import clock
from runtime.clients.command_client import CommandClient
from tests.api.test_alerts import api as api  # noqa: PLC0414 - a fixture
from tests.api.test_alerts import ask, key
from tests.api.test_mcp import call
from tests.api.world import READ_KEY, Api, Store
from tests.consumers.alerts.conftest import plan as plan  # noqa: PLC0414 - a fixture

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
NEW: dict[str, Any] = {"symbol": "BTC/USD", "condition": "above", "value": "65000.5", "note": "take profit"}
OWN = ["explain_alert", "preview_price_alert", "create_price_alert"]


@pytest_asyncio.fixture
async def mcp(api: Api) -> Api:
    """The API, whose process knows alice's key and bob's."""
    await ask(api, "GET", "/api/alerts", owner="bob")
    return api


async def use(api: Api, name: str, arguments: dict[str, Any], owner: str = "alice") -> tuple[bool, dict[str, Any]]:
    """Whether a tool was refused, and its result."""
    answer = await call(api, "tools/call", key(owner), name=name, arguments=arguments)
    result = json.loads(answer.text)["result"]
    return bool(result.get("isError")), result["structuredContent"]


async def good(api: Api, name: str, arguments: dict[str, Any], owner: str = "alice") -> dict[str, Any]:
    refused, result = await use(api, name, arguments, owner)
    assert not refused, result
    assert result["quality"] in {"live", "stale"}
    assert result["age"] >= 0
    assert result["timestamp"].endswith("Z")
    return result


async def code(api: Api, name: str, arguments: dict[str, Any], owner: str = "alice") -> str:
    refused, result = await use(api, name, arguments, owner)
    assert refused, result
    return result["error"]["code"]


async def test_only_a_key_with_the_scope_sees_and_uses_what_writes(mcp: Api) -> None:
    listed = (await call(mcp, "tools/list", key("alice"))).json()["result"]["tools"]
    assert [one["name"] for one in listed][-3:] == OWN
    hints = {one["name"]: one["annotations"]["readOnlyHint"] for one in listed}
    assert [name for name, reads in hints.items() if not reads] == ["create_price_alert"]
    assert all(one["inputSchema"]["additionalProperties"] is False for one in listed)
    plain = (await call(mcp, "tools/list", READ_KEY)).json()["result"]["tools"]
    assert not {one["name"] for one in plain} & set(OWN)
    for name in OWN:
        answer = await call(mcp, "tools/call", READ_KEY, name=name, arguments={"id": "1", "token": "x"})
        assert answer.json()["result"]["structuredContent"]["error"]["code"] == "FORBIDDEN"


async def test_a_preview_makes_nothing_and_its_token_makes_one_alert(mcp: Api) -> None:
    preview = await good(mcp, "preview_price_alert", NEW)
    assert (preview["symbol"], preview["price"]) == ("BTC/USD", 64000)
    assert preview["alert"] == NEW
    assert (await ask(mcp, "GET", "/api/alerts")).json()["total"] == 0
    made = await good(mcp, "create_price_alert", {"token": preview["token"]})
    assert (made["condition"], made["value"], made["note"]) == ("above", 65000.5, "take profit")
    again = await good(mcp, "create_price_alert", {"token": preview["token"]})
    assert again["id"] == made["id"]
    page = (await ask(mcp, "GET", "/api/alerts")).json()
    assert [one["id"] for one in page["items"]] == [made["id"]]
    assert (await ask(mcp, "GET", "/api/alerts", owner="bob")).json()["total"] == 0


async def test_what_is_wrong_is_refused_with_its_code(mcp: Api) -> None:
    token = (await good(mcp, "preview_price_alert", NEW))["token"]
    for name, arguments, wanted in (
        ("preview_price_alert", {**NEW, "symbol": "NOPE"}, "INVALID_SYMBOL"),
        ("preview_price_alert", {**NEW, "value": None}, "INVALID_PARAMETER"),
        ("preview_price_alert", {**NEW, "more": 1}, "INVALID_PARAMETER"),
        ("create_price_alert", NEW, "INVALID_PARAMETER"),
        ("create_price_alert", {"token": token[:-1] + ("0" if token[-1] != "0" else "1")}, "INVALID_PARAMETER"),
        ("create_price_alert", {"token": "x"}, "INVALID_PARAMETER"),
        ("create_price_alert", {"token": "é.ü"}, "INVALID_PARAMETER"),
        ("explain_alert", {"id": "0" * 16}, "NOT_FOUND"),
    ):
        assert await code(mcp, name, arguments) == wanted, (name, arguments)
    assert await code(mcp, "create_price_alert", {"token": token}, owner="bob") == "INVALID_PARAMETER"
    assert (await ask(mcp, "GET", "/api/alerts")).json()["total"] == 0


async def test_why_is_what_the_route_answers(mcp: Api) -> None:
    made = (await ask(mcp, "POST", "/api/alerts", {**NEW, "value": 65000.5})).json()
    route = await ask(mcp, "GET", f"/api/alerts/{made['id']}/why")
    refused, result = await use(mcp, "explain_alert", {"id": made["id"]})
    if route.status_code == 200:
        assert {name: result[name] for name in route.json()} == route.json()
    else:
        assert (refused, result["error"]["code"]) == (True, route.json()["error"])


async def test_a_token_holds_for_five_minutes(store: Store) -> None:
    found = AlertTools(CommandClient(store.bus), b"secret")
    token = found.tokens.seal("alice", NewAlert.model_validate(NEW))["token"]
    assert found.tokens.open(token, "alice", NewAlert, clock.now_ns()) == NewAlert.model_validate(NEW)
    with pytest.raises(InvalidParameterError, match="too old"):
        found.tokens.open(token, "alice", NewAlert, clock.now_ns() + TOKEN_NS)
    with pytest.raises(InvalidParameterError, match="no token"):
        AlertTools(CommandClient(store.bus), b"another").tokens.open(token, "alice", NewAlert, clock.now_ns())
