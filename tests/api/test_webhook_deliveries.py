"""`/webhooks/{id}/attempts|events|replay` over HTTP: what was posted, what waits, and what is posted again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import httpx
import pytest
import pytest_asyncio

from consumers.webhooks.delivery.rules import DeliveryRules, DigestRules
from consumers.webhooks.matching.running import MatchingPlan
from runtime.nats.signals import publish_signal
from runtime.servers.embedded import NatsServer
from tests.api.test_route_table import put_key
from tests.api.test_webhooks import register, send
from tests.api.world import Api, Start, Store
from tests.consumers.webhooks.conftest import make_plan, serving
from tests.consumers.webhooks.events import make_whale
from tests.consumers.webhooks.receiver import OK, Request, receiving

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
OOPS = b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"


@pytest_asyncio.fixture
async def served(store: Store, api_nats: NatsServer, documents_url: str) -> AsyncGenerator[None]:
    """The webhooks' consumer: every event at once, tried again after a twentieth of a second."""
    matching = MatchingPlan(digests=DigestRules(seconds=0))
    delivery = DeliveryRules(retries=(0.05, 3600.0), max_failures=1000)
    async with serving(api_nats.url, make_plan(documents_url, matching=matching, delivery=delivery)):
        yield


async def publish(store: Store, count: int) -> None:
    for _ in range(count):
        whale = make_whale(id=f"binance.BTC.USDT.spot.whale.{token_hex(8)}")
        await publish_signal(store.bus, "signal.v1.whale.binance.BTC.USDT.spot", whale)


async def data(api: Api, path: str, **query: Any) -> dict[str, Any]:
    answer = await send(api, "GET", f"{path}?{httpx.QueryParams(query)}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def until(api: Api, path: str, check: Callable[[dict[str, Any]], bool], **query: Any) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while not check(found := await data(api, path, **query)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found


async def test_get_attempts_shows_time_status_duration_answer_and_error_the_newest_first(
    served: None, store: Store, start: Start
) -> None:
    api, answers = await start(), [OOPS]

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop() if answers else OK)
        await writer.drain()

    async with receiving(behave) as receiver:
        path = f"/webhooks/{(await register(api, url=receiver.url))['id']}/attempts"
        assert (await data(api, path))["attempts"] == []
        await publish(store, 1)
        found = await until(api, path, lambda found: len(found["attempts"]) == 2)
        await publish(store, 3)
        await until(api, path, lambda found: len(found["attempts"]) == 5)
    second, first = found["attempts"]
    assert (first["number"], first["status"], first["answer"], first["error"]) == (1, 500, "oops", "HTTP 500")
    assert (second["number"], second["status"], second["answer"], second["error"]) == (2, 200, "ok", None)
    assert first["event_id"] == second["event_id"] == receiver.requests[0].headers["webhook-id"]
    assert (first["event_type"], first["sequence"]) == ("whale", 1)
    assert first["seconds"] >= 0
    assert datetime.fromisoformat(first["at"]) < datetime.fromisoformat(second["at"]) <= datetime.now(UTC)
    newest = (await data(api, path, limit=2))["attempts"]
    assert [one["sequence"] for one in newest] == [4, 3]
    assert (await data(api, path, before=second["at"]))["attempts"] == [first]


async def test_get_events_after_a_sequence_shows_what_was_sent_or_is_waiting(
    served: None, store: Store, start: Start
) -> None:
    api, fine = await start(), True

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if fine else OOPS)
        await writer.drain()

    async with receiving(behave) as receiver:
        path = f"/webhooks/{(await register(api, url=receiver.url))['id']}/events"
        assert await data(api, path) == {"events": [], "last": 0}
        await publish(store, 2)
        await until(api, path, lambda found: [one["state"] for one in found["events"]] == ["delivered"] * 2)
        fine = False
        await publish(store, 2)
        found = await until(
            api, path, lambda found: [one["attempts"] for one in found["events"]] == [2, 2], after=2, limit=10
        )
        every = await data(api, path)
        one = await data(api, path, after=1, limit=1)
    assert found["last"] == 4
    assert [(row["sequence"], row["state"], row["event_type"]) for row in found["events"]] == [
        (3, "waiting", "whale"),
        (4, "waiting", "whale"),
    ]
    bodies = {request.headers["webhook-id"]: request.body for request in receiver.requests}
    for row in every["events"]:
        assert row["body"]["event_id"] == row["event_id"]
        assert row["body"] == httpx.Response(200, content=bodies[row["event_id"]]).json()
    assert [row["sequence"] for row in every["events"]] == [1, 2, 3, 4]
    assert [row["sequence"] for row in one["events"]] == [2]


async def test_post_replay_posts_what_came_since_once_more_with_the_same_ids(
    served: None, store: Store, start: Start
) -> None:
    api = await start()
    async with receiving() as receiver:
        path = f"/webhooks/{(await register(api, url=receiver.url))['id']}"
        await publish(store, 2)
        await until(api, f"{path}/attempts", lambda found: len(found["attempts"]) == 2)
        since = datetime.now(UTC)
        await publish(store, 3)
        await until(api, f"{path}/attempts", lambda found: len(found["attempts"]) == 5)
        ids = sorted(request.headers["webhook-id"] for request in receiver.requests[2:])
        answer = await send(api, "POST", f"{path}/replay?{httpx.QueryParams({'since': since.isoformat()})}")
        assert answer.json()["data"] == {"first": 3, "events": 3}
        await until(api, f"{path}/attempts", lambda found: len(found["attempts"]) == 8)
        assert sorted(request.headers["webhook-id"] for request in receiver.requests[5:]) == ids
        later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        nothing = await send(api, "POST", f"{path}/replay?{httpx.QueryParams({'since': later})}")
        assert nothing.json()["data"] == {"first": None, "events": 0}


async def test_attempts_events_and_replay_are_the_owners_alone(served: None, store: Store, start: Start) -> None:
    alice = await put_key(store, 1, "alice", ("webhooks:write",))
    bob = await put_key(store, 2, "bob", ("webhooks:write",))
    api = await start()
    await api.until("/health/ready", lambda answer: answer.status_code == 200)
    path = f"/webhooks/{(await register(api, key=alice))['id']}"
    for method, target in (("GET", "attempts"), ("GET", "events"), ("POST", "replay?since=2026-11-26")):
        assert (await send(api, method, f"{path}/{target}", key=alice)).status_code == 200
        refused = await send(api, method, f"{path}/{target}", key=bob)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "target", "named"),
    [
        ("GET", "attempts?limit=0", "limit"),
        ("GET", "attempts?limit=101", "limit"),
        ("GET", "attempts?before=yesterday", "before"),
        ("GET", "events?after=-1", "after"),
        ("GET", "events?from=3", "from"),
        ("POST", "replay", "since"),
        ("POST", "replay?since=soon", "since"),
    ],
)
async def test_a_wrong_parameter_is_named(served: None, start: Start, method: str, target: str, named: str) -> None:
    api = await start()
    path = f"/webhooks/{(await register(api))['id']}"
    answer = await send(api, method, f"{path}/{target}")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["parameter"] == named
