"""`/api/alerts`, and alerts on the streams, with the alerts consumer behind them: an owner sees its own only."""

from __future__ import annotations

import asyncio
import json
import os
import re
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from api.alerts.schemas import AlertOut
from api.app import ROUTERS
from api.http.app import make_app
from consumers.alerts.handlers import AlertsPlan
from contracts import codec, streams
from contracts.services import access
from contracts.services.access import KeyEntry, SecretEntry
from contracts.streams import ACCESS
from runtime.clock import now_ns
from runtime.servers.embedded import NatsServer
from tests.answer_models import check_answer
from tests.api.world import ADMIN_KEY, PEPPER, READ_KEY, Api, Start, Store, message_of
from tests.consumers.alerts.conftest import consolidated, making
from tests.consumers.alerts.conftest import plan as plan  # noqa: PLC0414 - a fixture
from tests.consumers.alerts.test_explaining import whale

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
APP = make_app(ROUTERS)
OWNERS = {"alice": ("a" * 16, "A" * 43), "bob": ("b" * 16, "B" * 43)}
NEW: dict[str, Any] = {"symbol": "BTC/USDT", "condition": "above", "value": 65000.5, "note": "take profit"}


@pytest_asyncio.fixture
async def api(api_nats: NatsServer, store: Store, start: Start, plan: AlertsPlan) -> AsyncGenerator[Api]:
    """The API and the alerts consumer, with a key of the store for each owner."""
    await store.put_ticker("coinbase", "BTC/USD", "64000")
    for stream in (streams.MARKET, streams.SIGNALS, streams.OWN_ALERTS):
        await store.bus.jetstream().purge_stream(stream)
    mark = access.pepper_mark(PEPPER)
    for owner, (key_id, secret) in OWNERS.items():
        secrets = [SecretEntry(mac=access.key_mac(PEPPER, secret))]
        scopes = ("market:read", "alerts:write")
        entry = KeyEntry(name=owner, owner=owner, scopes=scopes, secrets=secrets, pepper=mark)
        await store.put(key_id, entry.model_dump_json().encode(), ACCESS)
    async with making(api_nats.url, plan):
        served = await start()
        await ask(served, "GET", "/api/alerts")
        yield served


def key(owner: str) -> str:
    return ".".join(OWNERS[owner])


async def ask(
    api: Api, method: str, path: str, body: Any = None, owner: str = "alice", **headers: str
) -> httpx.Response:
    """A request of an owner, once its key is known to the process."""
    async with asyncio.timeout(30):
        while True:
            bearer = {"Authorization": f"Bearer {key(owner)}", **headers}
            answer = await api.client.request(method, path, json=body, headers=bearer)
            if answer.status_code != 401:
                check(answer)
                return answer
            await asyncio.sleep(0.05)


def check(answer: httpx.Response) -> None:
    """Hold an answer to the model of its route."""
    path = answer.request.url.path
    context = next(
        context
        for context in iter_route_contexts(APP.routes)
        if answer.request.method in (context.methods or ()) and context.path_regex.fullmatch(path)
    )
    if answer.status_code == 201:
        AlertOut.model_validate_json(answer.content, extra="forbid")
    else:
        check_answer(context, answer, APP.openapi())


async def put(store: Store, *events: tuple[str, Any]) -> None:
    for subject, event in events:
        await store.bus.jetstream().publish(subject, codec.encode(event))


async def until(api: Api, path: str, total: int, said: str = "id") -> dict[str, Any]:
    """Return a page once it has so many entries that say this."""
    async with asyncio.timeout(20):
        while True:
            page = (await ask(api, "GET", path)).json()
            if len(page["items"]) >= total and all(item[said] for item in page["items"]):
                return page
            await asyncio.sleep(0.05)


async def test_an_alert_from_its_making_to_its_end(api: Api, store: Store) -> None:
    made = await ask(api, "POST", "/api/alerts", NEW)
    assert made.status_code == 201, made.text
    alert = made.json()
    path = f"/api/alerts/{alert['id']}"
    assert b'"value":65000.5,' in made.content
    assert (alert["state"], alert["deliver"]) == ("active", {"telegram": None, "webhooks": False})
    assert (await ask(api, "GET", path)).json() == alert
    page = (await ask(api, "GET", "/api/alerts?symbol=btc&state=active&page_size=1")).json()
    assert page == {"items": [alert], "total": 1, "page": 1, "page_size": 1, "pages": 1}
    now = now_ns()
    await put(store, consolidated(now, "64999.90"), consolidated(now + 1, "65000.5"))
    (fired,) = (await until(api, "/api/alerts/fired?kind=price_alert", 1, "published_at"))["items"]
    assert (fired["price"], fired["previous_price"], fired["threshold"], fired["rule_id"]) == (
        65000.5,
        64999.9,
        65000.5,
        alert["id"],
    )
    assert fired["published_at"].endswith("Z")
    for explained in (alert["id"], fired["id"]):
        why = (await ask(api, "GET", f"/api/alerts/{explained}/why")).json()
        assert (why["decision"], why["same"], why["rule"]) == ("fired", True, "price/1"), why
        first = why["comparisons"][0]
        assert (first["value"], first["operator"], first["limit"], first["holds"]) == ("65000.5", ">=", "65000.5", True)
        assert why["events"][-1]["sequence"] > 0
    changed = await ask(api, "PATCH", path, {"value": 66000, "note": None, "expires_at": "2035-01-01T00:00:00Z"})
    assert (changed.json()["value"], changed.json()["note"], changed.json()["state"]) == (66000, None, "active")
    silent = await ask(api, "POST", f"{path}/snooze", {"seconds": 60})
    assert silent.json()["state"] == "snoozed"
    at = datetime.now(UTC) + timedelta(seconds=1)
    await put(store, consolidated(now_ns(), "65990"))
    why_not = (await ask(api, "GET", f"/api/alerts/why-not?rule={alert['id']}&at={at:%Y-%m-%dT%H:%M:%S}Z")).json()
    assert why_not["decision"] in {"not_met", "fired"}, why_not
    tried = {"symbol": "BTC/USDT", "condition": "above", "value": "65000"}
    dry = (await ask(api, "POST", "/api/alerts/dry-run", tried)).json()
    assert (dry["count"], dry["fired"][0]["says"]) == (1, "above 65000 at 65000.5, stands for 1")
    gone = await ask(api, "DELETE", path)
    assert gone.json() == {"success": True, "message": f"Price alert {alert['id']} is deleted"}
    assert (await ask(api, "GET", path)).status_code == 404


async def test_another_owner_finds_nothing(api: Api, store: Store) -> None:
    alert = (await ask(api, "POST", "/api/alerts", NEW)).json()
    path = f"/api/alerts/{alert['id']}"
    await put(store, consolidated(now_ns(), "66000"))
    (fired,) = (await until(api, "/api/alerts/fired", 1))["items"]
    for method, where, body in (
        ("GET", path, None),
        ("PATCH", path, {"note": "x"}),
        ("DELETE", path, None),
        ("POST", f"{path}/snooze", {"seconds": 1}),
        ("GET", f"{path}/why", None),
        ("GET", f"/api/alerts/{fired['id']}/why", None),
        ("GET", f"/api/alerts/why-not?rule={alert['id']}&at=2026-01-01", None),
    ):
        refused = await ask(api, method, where, body, owner="bob")
        assert (refused.status_code, refused.json()["error"]) == (404, "NOT_FOUND"), where
    assert (await ask(api, "GET", "/api/alerts", owner="bob")).json()["total"] == 0
    assert (await ask(api, "GET", "/api/alerts/fired", owner="bob")).json()["total"] == 0
    assert (await ask(api, "GET", path)).json()["note"] == "take profit"


async def test_what_does_not_fit_is_refused_with_its_field(api: Api) -> None:
    for body, status, field in (
        ({**NEW, "colour": "red"}, 400, "colour"),
        ({**NEW, "condition": "sideways"}, 400, "condition"),
        ({**NEW, "value": -1}, 400, "value"),
        ({"symbol": "BTC", "condition": "change", "value": 1}, 400, "condition"),
        ({**NEW, "expires_at": "2020-01-01T00:00:00Z"}, 400, "expires_at"),
        ({**NEW, "symbol": "NOPE"}, 404, None),
    ):
        refused = await ask(api, "POST", "/api/alerts", body)
        shown = refused.json()
        assert (refused.status_code, sorted(shown)[:2]) == (status, ["detail", "error"]), shown
        assert shown["timestamp"].endswith("Z")
        assert field is None or list(shown["fields"]) == [field], shown
    assert (await api.client.get("/api/alerts")).json()["error"] == "UNAUTHORIZED"
    assert (await api.get("/api/alerts", key=READ_KEY)).json()["error"] == "FORBIDDEN"


async def test_the_same_request_makes_one_alert(api: Api) -> None:
    answers = [await ask(api, "POST", "/api/alerts", NEW, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotent-replayed"] == "true"
    other = await ask(api, "POST", "/api/alerts", {**NEW, "value": 1}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["error"]) == (409, "CONFLICT")


async def test_stream_clients_get_everybodys_alerts_and_their_own(api: Api, store: Store) -> None:
    for owner in OWNERS:
        await ask(api, "GET", "/api/alerts", owner=owner)
    async with api.stream(key("alice")) as alice, api.stream(key("bob")) as bob, api.stream(ADMIN_KEY) as admin:
        for client, named in ((alice, {"symbol": "BTC"}), (bob, {}), (admin, {})):
            await client.send(json.dumps({"type": "subscribe", "channel": "alerts", **named}))
            await message_of(client, "subscribed")
        alert = (await ask(api, "POST", "/api/alerts", NEW)).json()
        await put(store, consolidated(now_ns(), "66000"))
        own = await message_of(alice, "alert")
        assert (own["kind"], own["rule_id"], own["price"], own["base"]) == ("price_alert", alert["id"], 66000, "BTC")
        await put(store, whale(1, now_ns()))
        for client in (alice, bob, admin):
            reported = await message_of(client, "alert")
            assert (reported["kind"], reported["side"], reported["stands_for"]) == ("whale", "buy", 1)


async def test_server_sent_events_resume_an_owners_alerts(api: Api, store: Store) -> None:
    async def read(owner: str, last: str | None, count: int) -> list[dict[str, str]]:
        headers = {"Authorization": f"Bearer {key(owner)}"} | ({"Last-Event-ID": last} if last else {})
        found: list[dict[str, str]] = []
        async with asyncio.timeout(15), api.client.stream("GET", "/events?channels=alerts", headers=headers) as answer:
            entry: dict[str, str] = {}
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if line:
                    entry[name] = value
                elif entry.get("event"):
                    found.append(entry)
                    entry = {}
                if len(found) == count:
                    break
        return found

    for owner in OWNERS:
        await ask(api, "GET", "/api/alerts", owner=owner)
    places = {owner: (await read(owner, None, 1))[0]["id"] for owner in OWNERS}
    await ask(api, "POST", "/api/alerts", NEW)
    await put(store, consolidated(now_ns(), "66000"))
    await until(api, "/api/alerts/fired?kind=price_alert", 1)
    await put(store, whale(2, now_ns()))
    await until(api, "/api/alerts/fired", 2)
    alices = await read("alice", places["alice"], 3)
    assert [json.loads(one["data"]).get("kind") for one in alices] == [None, "price_alert", "whale"]
    bobs = await read("bob", places["bob"], 2)
    assert [json.loads(one["data"]).get("kind") for one in bobs] == [None, "whale"]


@pytest.mark.docs
async def test_the_examples_of_the_page_work(api: Api, store: Store) -> None:
    page = (Path(__file__).parents[2] / "docs" / "ALERTS.md").read_text()
    blocks = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 4
    environment = {**os.environ, "API": api.url, "KEY": key("alice")}
    out = b""
    for block in blocks:
        child = await asyncio.create_subprocess_exec(
            "bash", "-euo", "pipefail", "-c", block, env=environment, stdout=PIPE
        )
        out, _ = await asyncio.wait_for(child.communicate(), 60)
        assert child.returncode == 0, (block, out)
        await put(store, consolidated(now_ns(), "64000"), consolidated(now_ns() + 1, "65001"))
    assert b'"message":"Price alert' in out
    assert (await ask(api, "GET", "/api/alerts")).json()["total"] == 0
