"""Who may ask what, from where, how often and how much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from api.http.access.addresses import Networks, client_address, find_address
from api.http.access.admission import AccessControl, AccessRules
from api.http.access.counters import Counters
from api.http.access.keys import Keyring
from api.http.access.limits import Limit, default_limits
from api.http.access.shares import Share
from api.http.app import make_app
from api.http.errors import ForbiddenError
from api.http.middleware import HttpMetrics, RequestLimits, RequestMiddleware
from api.http.routing import RouteTable, requires
from tests.api.world import ADMIN_KEY, READ_KEY, Api, Start, Store

OPEN_PATHS = {
    "/health",
    "/health/ready",
    "/health/detailed",
    "/health/cache",
    "/health/exchanges",
    "/health/webhooks",
    "/metrics",
    "/openapi.json",
    "/gpt/openapi.json",
    "/",
    "/docs",
    "/asyncapi",
    "/admin/analytics",
    "/.well-known/webhook-keys.json",
    "/api/auth/admin/revoke",  # asks for the internal secret instead: test_rows_of_auth.py
}
MANY_ANONYMOUS = replace(default_limits(100, 60), address_anonymous=Limit("anonymous-ip", 1000, 60))


async def every_path(api: Api) -> set[str]:
    return set((await api.get("/openapi.json", key=None)).json()["paths"])


async def test_every_route_is_closed_but_for_the_open_ones(store: Store, start: Start) -> None:
    api = await start({"limits": MANY_ANONYMOUS})
    paths = await every_path(api)
    assert paths > OPEN_PATHS
    for path in paths | {"/nothing", "/admin/keys"}:
        for key in (None, "a-wrong-key"):
            answer = await api.get(path, key=key)
            assert (path, answer.status_code == 401) == (path, path not in OPEN_PATHS)
            assert "ratelimit-limit" in answer.headers


def test_a_route_that_declares_no_scope_needs_admin() -> None:
    router = APIRouter(prefix="/x", dependencies=[requires("market:read")])
    router.add_api_route("/declared", list)
    router.add_api_route("/own/{name:path}", list, dependencies=[requires("trade")])
    app = make_app([router, APIRouter()])
    app.add_api_route("/forgotten/{name}", list)
    table = RouteTable(app.routes)
    scopes = {path: table.find(path).scope for path in ("/forgotten/a", "/x/declared", "/x/own/a/b", "/no/route")}
    assert scopes == {"/forgotten/a": "admin", "/x/declared": "market:read", "/x/own/a/b": "trade", "/no/route": "*"}
    assert table.find("/x/own/a/b").template == "/x/own/{name}"


def test_a_path_has_one_scope() -> None:
    app = FastAPI()
    app.add_api_route("/x", list, dependencies=[requires("trade")])
    app.add_api_route("/x", list, dependencies=[requires("admin")], methods=["POST"])
    with pytest.raises(ValueError, match="two scopes"):
        RouteTable(app.routes)


def test_a_key_without_the_scope_is_forbidden() -> None:
    rules = AccessRules(default_limits(100, 60), lambda _path: "admin", Networks(()), Networks(()))
    access = AccessControl(rules, Keyring([READ_KEY], [ADMIN_KEY]), Counters())
    shown = {"path": "/admin/x", "client": ("10.0.0.1", 1)}
    refused = [
        access.admit(shown, {b"authorization": f"Bearer {key}".encode()}, 0.0).refused for key in (READ_KEY, ADMIN_KEY)
    ]
    assert isinstance(refused[0], ForbiddenError)
    assert refused[0].details["required_scope"] == "admin"
    assert refused[1] is None


async def test_both_keys_read_and_wrong_schemes_do_not(store: Store, start: Start) -> None:
    api = await start()
    for key in (READ_KEY, ADMIN_KEY):
        assert (await api.get("/multi/health", key=key)).status_code == 200
    for header in (f"Basic {READ_KEY}", READ_KEY, "Bearer", f"Bearer {READ_KEY}x", "Bearer \xe9"):
        answer = await api.client.get("/multi/health", headers={b"Authorization": header.encode("latin-1")})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (await api.client.get(f"/multi/health?key={READ_KEY}")).status_code == 401


async def test_without_required_auth_market_data_is_open_but_wrong_keys_are_reported(
    store: Store, start: Start
) -> None:
    api = await start({"limits": MANY_ANONYMOUS}, GPT_API_REQUIRE_AUTH="false")
    assert (await api.get("/multi/health", key=None)).status_code == 200
    for path in await every_path(api) - OPEN_PATHS | {"/nothing"}:
        for header in ("Bearer a-wrong-key", f"Bearer {READ_KEY}x", f"Basic {READ_KEY}", READ_KEY, "Bearer"):
            answer = await api.client.get(path, headers={"Authorization": header})
            assert (path, header, answer.status_code) == (path, header, 401)


async def test_addresses_off_the_list_are_forbidden_but_for_probes(store: Store, start: Start) -> None:
    api = await start(GPT_API_IP_ALLOWLIST="10.0.0.0/8,2001:db8::/32")
    answer = await api.get("/multi/health")
    assert (answer.status_code, answer.json()["error"]["details"]["address"]) == (403, "127.0.0.1")
    assert (await api.get("/metrics")).status_code == 403
    assert (await api.get("/health")).status_code == 200


async def test_a_forwarded_address_counts_from_trusted_proxies_only(store: Store, start: Start) -> None:
    spoofed = await start(GPT_API_IP_ALLOWLIST="10.0.0.0/8")
    assert (await spoofed.get("/multi/health", X_Forwarded_For="10.1.2.3")).status_code == 403
    behind = await start(GPT_API_IP_ALLOWLIST="10.0.0.0/8", GPT_API_TRUSTED_PROXIES="127.0.0.1")
    assert (await behind.get("/multi/health", X_Forwarded_For="10.1.2.3")).status_code == 200
    assert (await behind.get("/multi/health", X_Forwarded_For="10.1.2.3, 8.8.8.8")).status_code == 403


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("8.8.8.8", b"1.1.1.1", "8.8.8.8"),
        ("10.0.0.1", b"1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", b"6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
        ("10.0.0.1", b"10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", b"unknown", "10.0.0.1"),
        ("::ffff:10.0.0.1", b"[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", b"1.1.1.1:5555", "1.1.1.1"),
        ("10.0.0.1", None, "10.0.0.1"),
    ],
)
def test_the_client_is_the_first_untrusted_hop_from_the_right(peer: str, forwarded: bytes | None, client: str) -> None:
    assert client_address(peer, forwarded, Networks(["10.0.0.0/8"])) == find_address(client)


async def test_past_the_limit_of_a_key_comes_429_with_when_to_try_again(store: Store, start: Start) -> None:
    api = await start(GPT_API_RATE_LIMIT_REQUESTS=5, GPT_API_RATE_LIMIT_WINDOW=3600)
    answers = [await api.get("/multi/health") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert answers[5].json()["error"]["code"] == "RATE_LIMITED"
    assert answers[5].headers["ratelimit-limit"] == "5"
    assert int(answers[5].headers["retry-after"]) >= 1
    assert (await api.get("/health", key=READ_KEY)).status_code == 200
    assert (await api.get("/multi/health", key=ADMIN_KEY)).status_code == 200


async def test_unknown_keys_wear_out_the_limit_of_an_address(store: Store, start: Start) -> None:
    limits = replace(default_limits(100, 60), address_anonymous=Limit("anonymous-ip", 3, 3600))
    api = await start({"limits": limits})
    statuses = [(await api.get("/multi/health", key=f"guess-{index}")).status_code for index in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert (await api.get("/multi/health")).status_code == 200


@pytest.mark.parametrize("rule", ["address_known", "everybody"])
async def test_an_address_and_everybody_have_limits_too(store: Store, start: Start, rule: str) -> None:
    limits = replace(default_limits(100, 60), **{rule: Limit(rule, 3, 3600)})
    api = await start({"limits": limits})
    used = 3 - int((await api.get("/multi/health")).headers["ratelimit-remaining"])
    statuses = [(await api.get("/multi/health")).status_code for _ in range(4)]
    assert statuses == [200] * (3 - used) + [429] * (1 + used)


def used(counters: Counters, limit: Limit, name: str, times: list[float]) -> Share:
    share = counters.share(limit, name)
    for time in times:
        counters.roll([share], time)
        if not share.is_denied(time, alone=True):
            counters.spend([share], time)
    return share


def test_a_full_window_is_forgotten_bit_by_bit() -> None:
    counters, limit = Counters(), Limit("key", 10, 60)
    share = used(counters, limit, "a", [59.0] * 10)
    counters.roll([share], 61.0)
    full = share.standing(61.0, alone=True)
    assert (full.remaining, full.retry_after) == (0, 5)  # a tenth of the window must pass: at 66 s
    assert share.standing(66.0, alone=True).retry_after == 0
    assert share.standing(90.0, alone=True).remaining == 5
    assert used(counters, limit, "b", []).standing(61.0, alone=True).remaining == 10


def test_more_names_than_are_kept_share_one_count() -> None:
    counters, limit = Counters(max_names=2), Limit("ip", 3, 60)
    for name in ("a", "b", "c", "d", "e"):
        used(counters, limit, name, [1.0])
    assert counters.share(limit, "a").spent == 1
    assert counters.share(limit, "never seen").spent == 3


async def test_a_large_body_is_refused(store: Store, start: Start) -> None:
    api = await start()
    bearer = {"Authorization": f"Bearer {READ_KEY}"}
    answer = await api.client.post("/gpt/raw", content=b"x" * (1024 * 1024 + 1), headers=bearer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.json()["error"]["details"]["limit_bytes"] == 1024 * 1024


async def test_a_body_without_a_length_is_counted_and_a_slow_answer_is_cut() -> None:
    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(30)

    rules = AccessRules(default_limits(100, 60), lambda _path: "", Networks(()), Networks(()))
    access = AccessControl(rules, Keyring([], []), Counters())
    limits = RequestLimits(body_bytes=10, request_seconds=0.1)
    middleware = RequestMiddleware(
        reads,
        access=access,
        routes=RouteTable(()),
        shortcut=lambda _path, _query, _now_ns: None,
        limits=limits,
        metrics=HttpMetrics(CollectorRegistry()),
    )

    async def chunks() -> AsyncGenerator[bytes]:
        for _ in range(3):
            yield b"12345"

    async with httpx.AsyncClient(transport=httpx.ASGITransport(middleware), base_url="http://test") as client:
        large = await client.post("/x", content=chunks())
        slow = await client.post("/x", content=b"1")
    assert (large.status_code, large.json()["error"]["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert (slow.status_code, slow.json()["error"]["code"]) == (504, "TIMEOUT")


async def test_other_origins_stay_out_unless_they_are_named(store: Store, start: Start) -> None:
    closed = await start()
    assert "access-control-allow-origin" not in (await closed.get("/health", Origin="https://a.example")).headers
    opened = await start(GPT_API_CORS_ORIGINS="https://a.example")
    allowed = "access-control-allow-origin"
    assert (await opened.get("/multi/health", Origin="https://a.example")).headers[allowed] == "https://a.example"
    assert (await opened.get("/multi/health", key=None, Origin="https://a.example")).headers[allowed]
    assert allowed not in (await opened.get("/health", Origin="https://b.example")).headers
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    assert (await opened.client.options("/multi/health", headers=asked)).status_code == 200
