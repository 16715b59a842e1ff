"""Every route x every kind of caller x REQUIRE_AUTH, made from the app's own routes and held to the API's table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi.routing import iter_route_contexts

from api.app import ROUTERS
from api.http.access.keys import ADMIN, ADMIN_SCOPES, MARKET_READ, OPEN
from api.http.app import make_app
from contracts.services import access
from contracts.services.access import KeyEntry, SecretEntry
from contracts.streams import ACCESS
from tests.api.world import PEPPER, Api, Start, Store

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Row:
    """What paths that begin so need: the scope, and whether anonymous callers may with REQUIRE_AUTH=false."""

    prefix: str
    scope: str
    anonymous: bool = False


TABLE = (  # the first that fits counts
    Row("/gpt/openapi.json", OPEN),
    Row("/gpt/", MARKET_READ, anonymous=True),
    Row("/multi/", MARKET_READ, anonymous=True),
    Row("/api/market/", MARKET_READ, anonymous=True),
    Row("/api/sentiment/", MARKET_READ, anonymous=True),
    Row("/ws", MARKET_READ, anonymous=True),
    Row("/events", MARKET_READ, anonymous=True),
    Row("/graphql", MARKET_READ, anonymous=True),
    Row("/mcp", MARKET_READ),
    Row("/api/alerts", "alerts:write"),
    Row("/webhooks", "webhooks:write"),
    Row("/.well-known/", OPEN),
    Row("/api/v2", "groups:admin"),
    Row("/api/trading", "trade"),
    Row("/api/auth/admin/revoke", OPEN),  # with a secret of its own
    Row("/admin/analytics/", ADMIN),
    Row("/admin/analytics", OPEN),  # the page, which says nothing without a key
    Row("/admin/", ADMIN),
    Row("/health", OPEN),
    Row("/metrics", OPEN),
    Row("/docs", OPEN),
    Row("/assets/", OPEN),
    Row("/openapi.json", OPEN),
    Row("/asyncapi", OPEN),
)
CALLERS = ("no key", "wrong key", "key without the scope", "another owner's key", "right key")


def row_of(path: str) -> Row:
    if path == "/":
        return Row("/", OPEN)
    found = next((row for row in TABLE if path.startswith(row.prefix)), None)
    assert found is not None, f"{path} is in no row of the table: which scope does it need, and is it open?"
    return found


def routes() -> Iterator[tuple[str, str]]:
    for context in iter_route_contexts(make_app(ROUTERS).routes):
        for method in sorted(context.methods or {"WS"}):
            yield method, (context.path or "").replace(":path}", "}")


def expected(row: Row, caller: str, *, require_auth: bool) -> str:
    if row.scope == OPEN:
        return "allowed"
    if caller == "no key":
        return "allowed" if row.anonymous and not require_auth else "401"
    return {"wrong key": "401", "key without the scope": "403"}.get(caller, "allowed")


async def put_key(store: Store, number: int, owner: str, scopes: tuple[access.Scope, ...]) -> str:
    key_id, secret = f"{number:016x}", f"{number:043d}"
    entry = KeyEntry(
        name=f"key {number}",
        owner=owner,
        scopes=scopes,
        secrets=[SecretEntry(mac=access.key_mac(PEPPER, secret))],
        pepper=access.pepper_mark(PEPPER),
    )
    await store.put(key_id, entry.model_dump_json().encode(), ACCESS)
    return f"{key_id}.{secret}"


async def keys_of(store: Store) -> dict[tuple[str, str], str | None]:
    """The key of each kind of caller, by caller and scope."""
    found: dict[tuple[str, str], str | None] = {}
    for number, scope in enumerate(sorted(ADMIN_SCOPES)):
        other: access.Scope = "trade" if scope == MARKET_READ else MARKET_READ
        found["no key", scope] = None
        found["wrong key", scope] = f"{number:016x}.{'x' * 43}"
        found["key without the scope", scope] = await put_key(store, 100 + number, "alice", (other,))
        given: access.Scope = scope  # pyright: ignore[reportAssignmentType]
        found["another owner's key", scope] = await put_key(store, 200 + number, "bob", (given,))
        found["right key", scope] = await put_key(store, 300 + number, "alice", (given,))
    for caller in CALLERS:
        found[caller, OPEN] = found[caller, MARKET_READ]
    return found


async def result_of(api: Api, method: str, path: str, key: str | None) -> str:
    if method == "WS":
        async with api.stream(key) as stream:
            first = json.loads(await stream.recv())
        code: str = first.get("code") or ("" if first.get("authenticated") else "UNAUTHORIZED")
        return {"UNAUTHORIZED": "401", "FORBIDDEN": "403"}.get(code, "allowed")
    bearer = {} if key is None else {"Authorization": f"Bearer {key}"}
    filled = path.replace("{symbol}", "BTC").replace("{id}", "0" * 16).replace("{", "").replace("}", "")
    async with api.client.stream(method, filled, headers=bearer) as answer:  # some answers never end
        assert answer.status_code != 429
        return str(answer.status_code) if answer.status_code in {401, 403} else "allowed"


@pytest.mark.parametrize("require_auth", [True, False])
async def test_every_route_for_every_caller(store: Store, start: Start, require_auth: bool) -> None:
    keys = await keys_of(store)
    roomy = {f"GPT_API_RATE_LIMIT_{name}": "1000000" for name in ("REQUESTS", "IP", "ANONYMOUS", "GLOBAL")}
    api = await start(GPT_API_REQUIRE_AUTH=str(require_auth).lower(), **roomy)
    await api.until("/multi/health", lambda answer: answer.status_code == 200)
    last = keys["right key", "webhooks:write"]
    assert last is not None

    async def known() -> bool:
        return (await api.get("/gpt/raw", key=last)).status_code == 403

    while not await known():  # the mirror of the keys is filled
        pass
    surprises: list[str] = []
    counts: Counter[str] = Counter()
    for method, path in routes():
        row = row_of(path)
        for caller in CALLERS:
            wanted = expected(row, caller, require_auth=require_auth)
            result = await result_of(api, method, path, keys[caller, row.scope])
            counts[result] += 1
            if result != wanted:
                surprises.append(f"{method} {path}, {caller}: {result}, expected {wanted}")
    print(f"\nREQUIRE_AUTH={require_auth}: {sum(counts.values())} cases, {dict(counts)}, {len(surprises)} surprises")
    assert not surprises, "\n".join(surprises)


async def test_a_keyed_route_is_never_open(store: Store, start: Start) -> None:
    from fastapi import APIRouter  # noqa: PLC0415

    from api.http.routing import RouteTable, requires  # noqa: PLC0415

    router = APIRouter()
    router.add_api_route("/mcp", list, dependencies=[requires(MARKET_READ, keyed=True)])
    table = RouteTable(make_app([router]).routes)
    assert (table.find("/mcp").scope, table.find("/mcp").keyed) == (MARKET_READ, True)
