"""Webhook mode, and the endpoint for programs beside the bot: who has no secret gets nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from bot.app import Internal, Webhook
from bot.notify import job_id, notify_app
from bot.web import SECRET_HEADER, listening
from contracts.services.telegram.jobs import TelegramJob
from contracts.streams import JOBS
from runtime.metrics import BusMetrics
from runtime.nats.bus import Bus
from runtime.servers.embedded import free_port
from runtime.tracing.tracing import current_parent
from tests.api.world import Store
from tests.bot.world import ANN, Person, StartBot, text_of
from tests.recording import TRACE, ids, recording

pytestmark = [pytest.mark.nats, pytest.mark.timeout(120)]
TOKEN = "internal-token-0123456789"
SECRET = "webhook_secret-0123456789"
MakePerson = Callable[..., Person]


async def test_updates_arrive_by_webhook_and_only_with_the_secret(start_bot: StartBot, person: MakePerson) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/telegram"
    await start_bot(webhook=Webhook(url, SECRET, "127.0.0.1", port))
    ann = person()
    assert "90,9" in text_of(await ann.say("/price BTC"))
    update: dict[str, Any] = {
        "update_id": 999_999,
        "message": {
            "message_id": 5,
            "date": 1,
            "chat": {"id": 77, "type": "private"},
            "from": {"id": 77, "is_bot": False, "first_name": "Eve"},
            "text": "/help",
            "entities": [{"type": "bot_command", "offset": 0, "length": 5}],
        },
    }
    async with httpx.AsyncClient() as client:
        for headers in ({}, {SECRET_HEADER: "wrong"}, {SECRET_HEADER: SECRET + "x"}):
            assert (await client.post(url, json=update, headers=headers)).status_code == 403
        proper = {SECRET_HEADER: SECRET}
        assert (await client.post(url, content=b"{", headers=proper)).status_code == 400
        assert (await client.post(url, content=b"[]", headers=proper)).status_code == 400
        assert (await client.post(url, content=b"1" * 2_000_000, headers=proper)).status_code == 413
    sent = (await ann.client.get("/test/sent", params={"chat_id": 77})).json()
    assert sent == []


@pytest_asyncio.fixture
async def endpoint() -> AsyncGenerator[tuple[httpx.AsyncClient, list[TelegramJob]]]:
    jobs: list[TelegramJob] = []

    async def queue(job: TelegramJob) -> None:
        jobs.append(job)

    registry = CollectorRegistry()
    BusMetrics(registry).connected.set(1)
    async with (
        listening(notify_app(TOKEN, queue, lambda: True, registry), "127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client, jobs


@pytest.mark.parametrize("ratio", [1.0, 0.0])
async def test_a_notification_is_queued_in_the_trace_of_its_caller(ratio: float) -> None:
    (tracing, spans), parents = recording(ratio), list[tuple[int, int] | None]()

    async def queue(_job: TelegramJob) -> None:
        present = current_parent()
        parents.append(None if present is None else (present.trace_id, present.span_id))

    app = notify_app(TOKEN, queue, lambda: True, CollectorRegistry(), tracing=tracing)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
        headers = {"X-Internal-Token": TOKEN, "traceparent": TRACE}
        await client.post("/internal/notify", json={"chat_id": ANN, "text": "hi"}, headers=headers)
    assert parents == ([ids(span) for span in spans.get_finished_spans()] or [None])
    assert [f"{trace:032x}" for trace, _ in filter(None, parents)] == ([TRACE.split("-")[1]] if ratio else [])


async def test_figures_of_the_bot_are_served_beside_its_health(
    endpoint: tuple[httpx.AsyncClient, list[TelegramJob]],
) -> None:
    client, _ = endpoint
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "hydrophone_bus_connected 1.0" in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"chat_id": ANN, "text": "hi"}, 202),
        ({"user_id": ANN, "text": "<b>hi</b>", "parse_mode": "HTML", "priority": "urgent", "id": "a"}, 202),
        ({"text": "hi"}, 400),
        ({"chat_id": ANN}, 400),
        ({"chat_id": ANN, "text": ""}, 400),
        ({"chat_id": ANN, "text": "x" * 4097}, 400),
        ({"chat_id": "42", "text": "hi"}, 400),
        ({"chat_id": ANN, "text": "hi", "priority": "soon"}, 400),
        ({"chat_id": ANN, "text": "hi", "more": 1}, 400),
    ],
)
async def test_what_a_notification_may_be(
    endpoint: tuple[httpx.AsyncClient, list[TelegramJob]], body: dict[str, Any], status: int
) -> None:
    client, jobs = endpoint
    answer = await client.post("/internal/notify", json=body, headers={"X-Internal-Token": TOKEN})
    assert answer.status_code == status, answer.text
    assert len(jobs) == (status == 202)
    if status == 202:
        found = answer.json()
        assert found["queued"] is True
        assert jobs[0].id == job_id(found["id"])
        assert jobs[0].chat_id == ANN
        assert found["id"] == body.get("id", found["id"])


async def test_without_the_token_nothing_is_taken(endpoint: tuple[httpx.AsyncClient, list[TelegramJob]]) -> None:
    client, jobs = endpoint
    for headers in ({}, {"X-Internal-Token": "wrong"}, {"Authorization": f"Bearer {TOKEN}"}):
        body = {"chat_id": ANN, "text": "hi"}
        assert (await client.post("/internal/notify", json=body, headers=headers)).status_code == 401
    assert jobs == []


async def test_the_same_id_is_queued_once(start_bot: StartBot, store: Store) -> None:
    bus: Bus = store.bus
    await bus.jetstream().purge_stream(JOBS)
    port = free_port()
    await start_bot(core=False, internal=Internal(TOKEN, "127.0.0.1", port))
    body = {"chat_id": ANN, "text": "hi", "id": "order 7", "priority": "urgent"}
    async with httpx.AsyncClient() as client:
        async with asyncio.timeout(30):
            while True:
                url, headers = f"http://127.0.0.1:{port}/internal/notify", {"X-Internal-Token": TOKEN}
                answer = await client.post(url, json=body, headers=headers)
                if answer.status_code == 202:  # the bus is connected in the background
                    break
        again = await client.post(url, json=body, headers=headers)
    assert answer.json() == again.json() == {"queued": True, "id": "order 7"}
    info = await bus.jetstream().stream_info(JOBS)
    assert info.state.messages == 1
    stored = await bus.jetstream().get_last_msg(JOBS, f"job.v1.telegram.{ANN}.urgent")
    assert TelegramJob.model_validate_json(stored.data or b"").operation.op == "sendMessage"
