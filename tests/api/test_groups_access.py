"""Managed groups over HTTP: who may, what others see, what is refused and how, repeats, and answers of their models."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from fastapi.routing import iter_route_contexts

from api.app import ROUTERS
from api.http.app import make_app
from api.http.routing import declared_scope
from runtime.servers.embedded import NatsServer
from tests.answer_models import check_answer
from tests.api.groups_world import GROUP, GROUPS, ONE, Owner, groups_api
from tests.api.world import Start, Store

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
RULE = {"name": "w", "kind": "words", "params": {"words": ["spam"]}, "penalty": {"kind": "mute"}}
FEW = {"moderation": {"flood": {"messages": 1}}}
BODIES: dict[str, Any] = {
    "createGroup": {"group_id": GROUP, "name": "x"}, "createRole": {"name": "x", "permissions": []}, "createRule": RULE,
    "createAction": {"kind": "ban", "user_id": 1, "moderator_id": 7}, "createActions": {"actions": [{}]},
    "undoActions": {"ids": ["0" * 16 + ".0"], "moderator_id": 7},
}  # fmt: skip


@pytest_asyncio.fixture
async def owners(
    store: Store, start: Start, api_nats: NatsServer, documents_url: str
) -> AsyncGenerator[tuple[Owner, Owner]]:
    """Alice and Bob, over an API with the community service."""
    async with groups_api(store, start, api_nats, documents_url) as both:
        yield both


def routes() -> list[Any]:
    return [one for one in iter_route_contexts(make_app(ROUTERS).routes) if (one.path or "").startswith("/api/v2")]


def test_every_route_needs_the_scope_of_groups() -> None:
    assert len(routes()) >= 30
    assert {declared_scope(one) for one in routes()} == {"groups:admin"}


async def test_nothing_of_an_owner_is_seen_or_changed_by_another(owners: tuple[Owner, Owner]) -> None:
    alice, bob = owners
    await alice.add_group()
    rule = (await alice.good("POST", f"{ONE}/rules", RULE, 201))["rule_id"]
    await alice.good("POST", f"{ONE}/roles", {"name": "mod", "permissions": []}, 201)
    await alice.good("PUT", "/api/v2/users/42", {"note": "secret"})
    ids = await alice.add_actions(2)
    before = [await alice.good("GET", f"{ONE}{path}") for path in ("", "/roles", "/rules", "/settings", "/actions")]
    leaks: list[str] = []
    for context in routes():
        path = str(context.path_format)
        filled = path.format(group_id=GROUP, name="mod", rule_id=rule, user_id=42)
        (method,) = context.methods
        if "{group_id}" in path:
            answer = await bob.send(method, filled, BODIES.get(context.operation_id, {}))
            if answer.status_code != 404:
                leaks.append(f"{method} {path}: {answer.status_code} {answer.text}")
    assert leaks == []
    assert (await bob.good("GET", GROUPS))["items"] == []
    assert await bob.refused("GET", "/api/v2/users/42") == (404, "NOT_FOUND")
    assert await bob.refused("POST", GROUPS, {"group_id": GROUP, "name": "x"}) == (409, "ALREADY_EXISTS")
    await bob.add_group(-5)
    undo = {"ids": ids, "moderator_id": 7}
    assert (await bob.good("POST", f"{GROUPS}/-5/actions/undo", undo))["undone"] == 0
    after = [await alice.good("GET", f"{ONE}{path}") for path in ("", "/roles", "/rules", "/settings", "/actions")]
    assert after == before


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "field"),
    [
        ("POST", GROUPS, {"group_id": 5, "name": "x"}, "INVALID_BODY", "group_id"),
        ("POST", GROUPS, {"group_id": GROUP, "name": ""}, "INVALID_BODY", "name"),
        ("POST", GROUPS, {"group_id": GROUP, "name": "x", "more": 1}, "INVALID_BODY", "more"),
        ("GET", f"{GROUPS}?page_size=101", None, "INVALID_PARAMETER", "page_size"),
        ("GET", f"{GROUPS}?page=0", None, "INVALID_PARAMETER", "page"),
        ("GET", f"{GROUPS}?nothing=1", None, "INVALID_PARAMETER", "nothing"),
        ("GET", f"{GROUPS}/abc", None, "INVALID_PARAMETER", "group_id"),
        ("GET", f"{ONE}/stats?days=31", None, "INVALID_PARAMETER", "days"),
        ("GET", f"{ONE}/actions?kind=burn", None, "INVALID_PARAMETER", "kind"),
        ("GET", f"{ONE}/actions?since=yesterday", None, "INVALID_PARAMETER", "since"),
        ("POST", f"{ONE}/roles", {"name": "a b", "permissions": []}, "INVALID_BODY", "name"),
        ("POST", f"{ONE}/roles", {"name": "a", "permissions": ["fly"]}, "INVALID_BODY", "permissions.0"),
        ("PUT", f"{ONE}/settings", FEW, "INVALID_BODY", "moderation.flood.messages"),
    ],
)  # fmt: skip
async def test_what_is_refused_says_which_field(
    owners: tuple[Owner, Owner], method: str, path: str, body: Any, code: str, field: str
) -> None:
    answer = await owners[0].send(method, path, body)
    found = answer.json()
    assert (answer.status_code, found["error"], list(found["fields"])) == (400, code, [field]), found
    assert found.keys() == {"error", "detail", "timestamp", "fields"}


async def test_a_repeated_request_gives_the_first_answer_again(owners: tuple[Owner, Owner]) -> None:
    alice, _ = owners
    body = {"group_id": GROUP, "name": "Test"}
    first, again = [await alice.send("POST", GROUPS, body, Idempotency_Key="k1") for _ in range(2)]
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = await alice.send("POST", GROUPS, {**body, "name": "Other"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["error"]) == (409, "CONFLICT")
    for path, given in ((f"{ONE}/rules", RULE), (f"{ONE}/actions/bulk", {"actions": [BODIES["createAction"]] * 3})):
        made = [await alice.send("POST", path, given, Idempotency_Key="k2") for _ in range(2)]
        assert made[0].content == made[1].content
    assert (await alice.good("GET", f"{ONE}/rules"))["total"] == 1
    assert (await alice.good("GET", f"{ONE}/actions"))["total"] == 3


async def test_every_read_is_what_its_model_says_and_no_more(owners: tuple[Owner, Owner]) -> None:
    alice, _ = owners
    await alice.add_group()
    rule = (await alice.good("POST", f"{ONE}/rules", RULE, 201))["rule_id"]
    await alice.good("POST", f"{ONE}/roles", {"name": "mod", "permissions": ["ban_members"]}, 201)
    await alice.good("POST", f"{ONE}/roles/mod/members/42")
    await alice.add_actions(3, rule_id=rule, user_id=42)
    document = (await alice.api.get("/openapi.json", key=None)).json()
    read = 0
    for context in routes():
        if context.methods == {"GET"}:
            path = str(context.path_format).format(group_id=GROUP, name="mod", rule_id=rule, user_id=42)
            operation = document["paths"][context.path_format]["get"]
            has_query = any(one["in"] == "query" for one in operation["parameters"])
            for wanted, target in ((200, path), (400 if has_query else 200, f"{path}?unknown=1")):
                answer = await alice.send("GET", target)
                assert answer.status_code == wanted, answer.text
                check_answer(context, answer, document)
            read += 1
    assert read >= 13


async def test_without_the_service_the_routes_are_not_ready(store: Store, start: Start) -> None:
    from tests.api.world import ADMIN_KEY  # noqa: PLC0415

    answer = await Owner(await start(), ADMIN_KEY).send("GET", GROUPS)
    assert (answer.status_code, answer.json()["error"]) == (503, "NOT_READY")
