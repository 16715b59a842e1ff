"""Keys of the store over HTTP: made, used, rotated and revoked, on real servers and with several API processes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from consumers.access.handlers import AccessPlan
from contracts.streams import ACCESS, IDEMPOTENCY
from runtime.nats.kv.mirror import Mirror
from runtime.servers.embedded import NatsServer
from tests.api.test_connections import api_process
from tests.api.world import ADMIN_KEY, PEPPER, READ_KEY, Api, Start, Store
from tests.consumers.access.conftest import keeping

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
NEW = {"name": "dashboard", "owner": "alice", "scopes": ["market:read"]}


@pytest_asyncio.fixture
async def access(store: Store, api_nats: NatsServer, documents_url: str) -> AsyncGenerator[None]:
    """The access consumer, with documents of the test's own."""
    address, _, options = documents_url.partition("?")
    url = f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"
    async with keeping(api_nats.url, AccessPlan(documents=url, pepper=lambda: PEPPER, lease_seconds=60.0)):
        yield


async def send(
    api: Api, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = ADMIN_KEY, **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    bearer = {"Authorization": f"Bearer {key}"}
    return await api.client.request(method, path, json=body, headers={**bearer, **named})


async def make(api: Api, **fields: Any) -> dict[str, Any]:
    answer = await send(api, "POST", "/admin/keys", {**NEW, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


async def until_status(api: Api, key: str, status: int, path: str = "/multi/health") -> float:
    """Seconds until a key is answered with a status."""
    began = time.monotonic()
    async with asyncio.timeout(20):
        while (await api.get(path, key=key)).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_a_key_is_made_and_used_within_its_scopes(access: None, start: Start) -> None:
    api = await start()
    answer = await send(api, "POST", "/admin/keys", NEW)
    body = answer.json()
    assert (answer.status_code, body["success"], set(body)) == (201, True, {"success", "data", "timestamp"})
    made = body["data"]
    assert {name: made[name] for name in ("name", "owner", "scopes", "state")} == {**NEW, "state": "active"}
    await until_status(api, made["key"], 200)
    refused = await api.get("/admin/keys", key=made["key"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert refused.json()["error"]["details"] == {"required_scope": "admin", "scopes": ["market:read"]}
    admin = await make(api, scopes=["admin"])
    await until_status(api, admin["key"], 200)
    listed = (await api.get("/admin/keys?page_size=1", key=admin["key"])).json()["data"]
    assert (listed["total"], listed["pages"], listed["items"][0]["id"]) == (2, 2, admin["id"])
    for wrong in (made["key"][:-1] + "x", f"{admin['id']}.{made['key'].partition('.')[2]}", made["id"]):
        assert (await api.get("/multi/health", key=wrong)).status_code == 401


async def test_rotation_lets_the_old_secret_live_on_for_the_overlap(access: None, start: Start) -> None:
    api = await start()
    made = await make(api)
    await until_status(api, made["key"], 200)
    began = time.monotonic()
    answer = await send(api, "POST", f"/admin/keys/{made['id']}/rotate", {"overlap_seconds": 3})
    rotated = answer.json()["data"]
    assert (answer.status_code, rotated["id"]) == (200, made["id"])
    await until_status(api, rotated["key"], 200)
    assert (await api.get("/multi/health", key=made["key"])).status_code == 200
    await until_status(api, made["key"], 401)
    lived = time.monotonic() - began
    assert 2.99 <= lived < 8
    assert (await api.get("/multi/health", key=rotated["key"])).status_code == 200
    by_default = (await send(api, "POST", f"/admin/keys/{made['id']}/rotate")).json()["data"]
    assert by_default["previous_ends_at"] > by_default["rotated_at"]
    print(f"\nold secret lived {lived:.2f} s of an overlap of 3 s")


async def test_a_key_expires(access: None, start: Start) -> None:
    api = await start()
    made = await make(api, expires_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4)))
    await until_status(api, made["key"], 200)
    await until_status(api, made["key"], 401)
    late = await send(api, "POST", "/admin/keys", {**NEW, "expires_at": "2020-01-01T00:00:00Z"})
    assert (late.status_code, late.json()["error"]["code"]) == (400, "INVALID_PARAMETER")


async def test_every_change_is_audited_with_who_and_from_where(access: None, start: Start) -> None:
    api = await start()
    made = (await send(api, "POST", "/admin/keys", NEW, X_Request_Id="my-request")).json()["data"]
    await send(api, "POST", f"/admin/keys/{made['id']}/rotate")
    assert (await send(api, "DELETE", f"/admin/keys/{made['id']}")).json()["data"]["state"] == "revoked"
    async with asyncio.timeout(20):
        while True:
            page = (await api.get("/admin/audit", key=ADMIN_KEY)).json()["data"]
            if page["total"] == 3:
                break
            await asyncio.sleep(0.05)
    assert [item["action"] for item in page["items"]] == ["revoke", "rotate", "create"]
    first = page["items"][2]
    assert (first["request_id"], first["address"], first["target"]) == ("my-request", "127.0.0.1", made["id"])
    assert first["actor"].startswith("settings.")
    assert made["key"].partition(".")[2] not in json.dumps(page)
    for query, count in (("action=rotate", 1), (f"actor={first['actor']}", 3), ("actor=x", 0), ("page=2", 0)):
        found = (await api.get(f"/admin/audit?{query}", key=ADMIN_KEY)).json()["data"]
        assert (query, len(found["items"])) == (query, count)
    since = page["items"][0]["timestamp"].replace("+", "%2B")
    assert (await api.get(f"/admin/audit?since={since}", key=ADMIN_KEY)).json()["data"]["total"] == 1


async def test_an_idempotency_key_gives_the_first_answer_again(access: None, store: Store, start: Start) -> None:
    api, other = await start(), await start()
    first = await send(api, "POST", "/admin/keys", NEW, Idempotency_Key="order-1")
    again = await send(other, "POST", "/admin/keys", NEW, Idempotency_Key="order-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    changed = await send(api, "POST", "/admin/keys", {**NEW, "owner": "bob"}, Idempotency_Key="order-1")
    assert (changed.status_code, changed.json()["error"]["code"]) == (409, "CONFLICT")
    at_once = await asyncio.gather(
        *(send(one, "POST", "/admin/keys", NEW, Idempotency_Key="order-2") for one in (api, other) * 4)
    )
    assert {answer.status_code for answer in at_once} <= {201, 409}
    assert len({answer.json()["data"]["id"] for answer in at_once if answer.status_code == 201}) == 1
    assert (await api.get("/admin/keys", key=ADMIN_KEY)).json()["data"]["total"] == 2
    mirror = await Mirror(store.bus, IDEMPOTENCY).open()
    kept = [entry.value.decode() for _, entry in mirror.entries()]
    await mirror.close()
    assert len(kept) == 2
    assert not any(first.json()["data"]["id"] in text or "dashboard" in text for text in kept)
    bad = await send(api, "POST", "/admin/keys", NEW, Idempotency_Key="a b")
    assert (bad.status_code, bad.json()["error"]["code"]) == (400, "INVALID_PARAMETER")
    wrong = await send(api, "POST", "/admin/keys", {**NEW, "expires_at": "2020-01-01T00:00:00Z"}, Idempotency_Key="c")
    right = await send(api, "POST", "/admin/keys", NEW, Idempotency_Key="c")
    assert (wrong.status_code, right.status_code) == (400, 201)  # what was refused is not remembered


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/admin/keys", {**NEW, "scopes": ["root"]}, 400, "INVALID_BODY"),
        ("POST", "/admin/keys", {**NEW, "scopes": []}, 400, "INVALID_BODY"),
        ("POST", "/admin/keys", {**NEW, "more": 1}, 400, "INVALID_BODY"),
        ("POST", "/admin/keys", {"name": "a"}, 400, "INVALID_BODY"),
        ("POST", "/admin/keys/0000000000000000/rotate", None, 404, "NOT_FOUND"),
        ("DELETE", "/admin/keys/0000000000000000", None, 404, "NOT_FOUND"),
        ("DELETE", "/admin/keys/..%2F", None, 404, "NOT_FOUND"),
        ("DELETE", "/admin/keys/xyz", None, 404, "NOT_FOUND"),
        ("PUT", "/admin/keys", None, 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/admin/keys?page=0", None, 400, "INVALID_PARAMETER"),
        ("GET", "/admin/keys?page_size=101", None, 400, "INVALID_PARAMETER"),
        ("GET", "/admin/keys?nothing=1", None, 400, "INVALID_PARAMETER"),
        ("GET", "/admin/audit?since=yesterday", None, 400, "INVALID_PARAMETER"),
    ],
)
async def test_what_is_refused(
    access: None, start: Start, method: str, path: str, body: Any, status: int, code: str
) -> None:
    api = await start()
    answer = await send(api, method, path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.json()["success"] is False


async def test_a_revoked_key_cannot_be_rotated(access: None, start: Start) -> None:
    api = await start()
    made = await make(api)
    revoked = [await send(api, "DELETE", f"/admin/keys/{made['id']}") for _ in range(2)]
    assert [answer.status_code for answer in revoked] == [200, 200]
    answer = await send(api, "POST", f"/admin/keys/{made['id']}/rotate")
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "GONE")


async def test_without_the_access_service_the_routes_are_not_ready(store: Store, start: Start) -> None:
    api = await start()
    answer = await api.get("/admin/keys", key=ADMIN_KEY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "NOT_READY")


async def test_unknown_store_keys_wait_for_the_mirror_and_keys_of_the_settings_do_not(
    store: Store, api_nats: NatsServer, start: Start
) -> None:
    api = await start()
    await store.bus.jetstream().delete_stream(f"KV_{ACCESS}")
    try:
        late = await start()
        key = f"{'0' * 16}.{'a' * 43}"
        answer = await late.get("/multi/health", key=key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "NOT_READY")
        assert (await late.get("/multi/health", key="wrong")).status_code == 401
        assert (await late.get("/multi/health", key=READ_KEY)).status_code == 200
        assert (await late.get("/docs", key=key)).status_code == 200
    finally:
        from runtime import provision  # noqa: PLC0415

        await provision.apply(store.bus, provision.declared(synced=True))
    await until_status(late, key, 401)
    assert (await api.get("/multi/health", key=READ_KEY)).status_code == 200


@pytest.mark.slow
async def test_four_processes_refuse_a_revoked_key_within_a_second(
    access: None, api_nats: NatsServer, start: Start
) -> None:
    settings = {f"GPT_API_RATE_LIMIT_{name}": "1000000" for name in ("REQUESTS", "IP", "ANONYMOUS", "GLOBAL")}
    api = await start(**settings)
    made = await make(api)
    bearer = {"Authorization": f"Bearer {made['key']}"}
    async with AsyncExitStack() as stack:
        processes = [stack.enter_async_context(api_process(api_nats, **settings)) for _ in range(4)]
        ports = [port for port, _ in await asyncio.gather(*processes)]
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=bearer))
            for port in ports
        ]
        for client in clients:
            await status_until(client, "/asyncapi-or-nothing", 404)  # a known key is answered what is not there
        answer = await send(api, "DELETE", f"/admin/keys/{made['id']}")
        assert answer.status_code == 200
        seconds = await asyncio.gather(*(status_until(client, "/asyncapi-or-nothing", 401) for client in clients))
    print(f"\nrefused by 4 processes within {max(seconds):.3f} s of the answer")
    assert max(seconds) < 1


async def status_until(client: httpx.AsyncClient, path: str, status: int) -> float:
    began = time.monotonic()
    async with asyncio.timeout(30):
        while (await client.get(path)).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return time.monotonic() - began
