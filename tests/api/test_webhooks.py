"""Webhooks over HTTP: an owner's endpoints, secrets that are shown once, and what may not be registered."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import httpx
import jsonschema
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from contracts.services.webhooks.events import DATA
from runtime.servers.embedded import NatsServer
from tests.api.test_route_table import put_key
from tests.api.world import ADMIN_KEY, READ_KEY, Api, Start, Store
from tests.consumers.webhooks.conftest import make_plan, serving
from tests.consumers.webhooks.receiver import receiving

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
URL = "https://127.0.0.1/hook"
NEW = {"url": URL, "events": ["whale", "liquidation"], "symbols": ["BTC", "ETH"]}


@pytest_asyncio.fixture
async def served(store: Store, api_nats: NatsServer, documents_url: str) -> AsyncGenerator[None]:
    """The webhooks' consumer, with documents of the test's own."""
    async with serving(api_nats.url, make_plan(documents_url, most=5)):
        yield


async def send(
    api: Api, method: str, path: str, body: Any = None, *, key: str = ADMIN_KEY, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    bearer = {"Authorization": f"Bearer {key}"}
    return await api.client.request(method, path, headers={**bearer, **named}, json=body)


async def register(api: Api, key: str = ADMIN_KEY, **fields: Any) -> dict[str, Any]:
    answer = await send(api, "POST", "/webhooks/register", {**NEW, **fields}, key=key)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def test_an_endpoint_over_http(served: None, start: Start) -> None:
    api = await start()
    made = await register(api, min_usd=250000.5, exchanges=["binance"], ordering="symbol", description="bot")
    assert made["secret"].startswith("whsec_")
    answer = await send(api, "GET", f"/webhooks/{made['id']}")
    body = answer.json()
    assert (answer.status_code, body["success"], body["timestamp"][-1]) == (200, True, "Z")
    assert body["data"] == {name: value for name, value in made.items() if name != "secret"}
    assert json.loads(answer.text, parse_float=Decimal)["data"]["min_usd"] == Decimal("250000.5")
    page = (await send(api, "GET", "/webhooks")).json()["data"]
    assert (page["items"], page["total"]) == ([body["data"]], 1)

    path = f"/webhooks/{made['id']}"
    changed = (await send(api, "PATCH", path, {"events": ["storm"], "min_usd": None, "symbols": []})).json()["data"]
    assert (changed["events"], changed["min_usd"], changed["symbols"]) == (["storm"], None, [])
    assert changed["description"] == "bot"
    assert (await send(api, "POST", f"{path}/pause")).json()["data"]["state"] == "paused"
    assert (await send(api, "POST", f"{path}/resume")).json()["data"]["state"] == "active"
    rotated = (await send(api, "POST", f"{path}/rotate-secret")).json()["data"]
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_ends_at"] is not None
    assert (await send(api, "DELETE", path)).status_code == 200
    gone = await send(api, "GET", path)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_owners_are_apart(served: None, store: Store, start: Start) -> None:
    alice = await put_key(store, 1, "alice", ("webhooks:write",))
    bob = await put_key(store, 2, "bob", ("webhooks:write",))
    api = await start()
    await api.until("/health/ready", lambda answer: answer.status_code == 200)
    made = await register(api, key=alice)
    path = f"/webhooks/{made['id']}"
    assert (await send(api, "GET", "/webhooks", key=bob)).json()["data"]["total"] == 0
    for method, target, body in (
        ("GET", path, None),
        ("PATCH", path, {"url": "https://127.0.0.1/mine"}),
        ("DELETE", path, None),
        ("POST", f"{path}/test", None),
        ("POST", f"{path}/rotate-secret", None),
        ("POST", f"{path}/pause", None),
        ("POST", f"{path}/resume", None),
    ):
        answer = await send(api, method, target, body, key=bob)
        assert (target, answer.status_code) == (target, 404)
        assert URL not in answer.text
    assert (await send(api, "GET", path, key=alice)).json()["data"]["url"] == URL
    refused = await send(api, "GET", "/webhooks", key=READ_KEY)
    assert (refused.status_code, refused.json()["error"]["details"]["required_scope"]) == (403, "webhooks:write")


async def test_one_more_than_may_be_is_refused(served: None, start: Start) -> None:
    api = await start()
    for _ in range(5):
        await register(api)
    answer = await send(api, "POST", "/webhooks/register", NEW)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "LIMIT_REACHED")
    assert answer.json()["error"]["details"] == {"maximum": 5}


@pytest.mark.parametrize(
    ("fields", "status", "code", "named"),
    [
        ({"url": "http://8.8.8.8/"}, 400, "INVALID_PARAMETER", "url"),
        ({"url": "https://169.254.169.254/latest"}, 400, "INVALID_PARAMETER", "url"),
        ({"url": ""}, 400, "INVALID_BODY", "url"),
        ({"url": "x" * 2049}, 400, "INVALID_BODY", "url"),
        ({"events": []}, 400, "INVALID_BODY", "events"),
        ({"events": ["whales"]}, 400, "INVALID_BODY", "events"),
        ({"events": ["digest"]}, 400, "INVALID_BODY", "events"),
        ({"secret": "0123456789abcde"}, 400, "INVALID_PARAMETER", "secret"),
        ({"secret": "whsec_not-base64"}, 400, "INVALID_PARAMETER", "secret"),
        ({"min_usd": -1}, 400, "INVALID_BODY", "min_usd"),
        ({"ordering": "strict"}, 400, "INVALID_BODY", "ordering"),
        ({"owner": "bob"}, 400, "INVALID_BODY", "owner"),
        ({"symbols": ["a b"]}, 400, "INVALID_BODY", "symbols"),
    ],
)
async def test_a_wrong_registration_names_the_field(
    served: None, start: Start, fields: dict[str, Any], status: int, code: str, named: str
) -> None:
    api = await start()
    answer = await send(api, "POST", "/webhooks/register", {**NEW, **fields})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert named in json.dumps(error["details"])
    if "secret" in fields:
        assert fields["secret"] not in answer.text


async def test_null_is_for_what_may_be_absent(served: None, start: Start) -> None:
    api = await start()
    made = await register(api, description="bot")
    path = f"/webhooks/{made['id']}"
    assert (await send(api, "PATCH", path, {"url": None})).status_code == 400
    assert (await send(api, "PATCH", path, {"description": None})).json()["data"]["description"] is None


async def test_the_same_request_registers_once(served: None, start: Start) -> None:
    api = await start()
    first, again = [await send(api, "POST", "/webhooks/register", NEW, Idempotency_Key="once-0123") for _ in range(2)]
    assert first.json()["data"] == again.json()["data"]
    assert again.headers["idempotent-replayed"] == "true"
    other = await send(api, "POST", "/webhooks/register", {**NEW, "ordering": "symbol"}, Idempotency_Key="once-0123")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "CONFLICT")


async def test_a_test_is_posted_signed_and_shown(served: None, start: Start) -> None:
    api = await start()
    async with receiving() as receiver:
        made = await register(api, url=receiver.url)
        result = (await send(api, "POST", f"/webhooks/{made['id']}/test")).json()["data"]
        assert (result["delivered"], result["status"], result["answer"]) == (True, 200, "ok")
        request = receiver.requests[0]
        sent = Webhook(made["secret"]).verify(request.body, request.headers)
        assert sent["event_id"] == result["event_id"]
        schema = (await send(api, "GET", "/webhooks/schemas/test")).json()["data"]
        jsonschema.validate(sent, schema)
        published = (await api.get("/.well-known/webhook-keys.json", key=None)).json()["keys"][0]
        key = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(published["x"] + "="))
        _, _, signature = request.headers["webhook-signature"].partition(" v1a,")
        stamp = request.headers["webhook-timestamp"]
        key.verify(base64.b64decode(signature), f"{sent['event_id']}.{stamp}.".encode() + request.body)


async def test_schemas_of_everything_that_is_sent(served: None, start: Start) -> None:
    api = await start()
    every = (await send(api, "GET", "/webhooks/schemas")).json()["data"]
    assert set(every) == set(DATA)
    for event_type, schema in every.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert (await send(api, "GET", f"/webhooks/schemas/{event_type}")).json()["data"] == schema
    assert (await send(api, "GET", "/webhooks/schemas/trade")).status_code == 404


async def test_switched_off_it_says_so(store: Store, start: Start) -> None:
    api = await start({"webhooks": False})
    for method, path in (("GET", "/webhooks"), ("POST", "/webhooks/register"), ("GET", "/webhooks/schemas")):
        answer = await send(api, method, path, NEW if method == "POST" else None)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "DISABLED")
        assert answer.json()["error"]["details"] == {"setting": "GPT_API_WEBHOOKS_ENABLED"}
    assert (await api.get("/.well-known/webhook-keys.json", key=None)).status_code == 503


async def test_without_the_consumer_it_is_not_ready(store: Store, start: Start) -> None:
    api = await start()
    answer = await send(api, "GET", "/webhooks")
    assert (answer.status_code, answer.json()["error"]["details"]) == (503, {"waiting_for": ["webhooks"]})
