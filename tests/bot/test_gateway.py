"""The bot beside Telegram's gateway: what both send stays within the limits that the server counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from bot.simulator.web.app import serving
from bot.simulator.world import Options
from consumers.telegram.handlers import TelegramPlan
from consumers.telegram.handlers import run as run_gateway
from contracts.services.telegram.jobs import TelegramJob
from contracts.services.telegram.operations import SendMessage
from contracts.streams import JOBS, TELEGRAM
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.telegram_jobs import publish_job
from runtime.servers.embedded import NatsServer
from tests.bot.world import ANN, TOKEN, Person, StartBot, text_of
from tests.recording import ids, parent_ids, recording
from tests.running import running

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
MakePerson = Callable[..., Person]


@pytest_asyncio.fixture
async def far_side() -> AsyncGenerator[httpx.AsyncClient]:
    """The test server, which counts Telegram's limits."""
    async with (
        serving(Options(token=TOKEN)) as (_, url),
        httpx.AsyncClient(base_url=url, timeout=20) as client,
    ):
        yield client


async def test_answers_and_alerts_together_break_no_limit(
    start_bot: StartBot, person: MakePerson, far_side: httpx.AsyncClient, api_nats: NatsServer
) -> None:
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="telegram")).connect()
    for stream in (JOBS, TELEGRAM):
        await bus.jetstream().purge_stream(stream)
    plan = TelegramPlan(url=str(far_side.base_url).rstrip("/"), token=SecretStr(TOKEN), lease="telegram_bot_tests")
    async with running(bus, "telegram", partial(run_gateway, plan=plan)):
        await start_bot(speed=1.0)
        ann = person()
        menu = await ann.say("/start")
        for at in range(3):
            operation = SendMessage(text=f"alert {at}")
            await publish_job(bus, TelegramJob(id=f"alert-{at}", chat_id=ANN, operation=operation))
        for label in ("📈 Market", "BTC", "💰 Price"):
            await ann.do("press", message_id=menu["message_id"], text=label)
            menu = await ann.next({"editMessageText"})
        assert "90,9" in text_of(menu)
        async with asyncio.timeout(30):
            while len([one for one in await sent(ann) if text_of(one).startswith("alert")]) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    await bus.close()
    assert (await far_side.get("/test/breaches")).json() == []


@pytest.mark.parametrize("ratio", [1.0, 0.0])
async def test_an_update_what_is_requested_for_it_and_its_answer_are_one_trace(
    start_bot: StartBot, person: MakePerson, far_side: httpx.AsyncClient, api_nats: NatsServer, ratio: float
) -> None:
    (handling, handled), (sending, sent_spans) = recording(ratio, "bot"), recording(0.0, "telegram")
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="telegram"), tracing=sending).connect()
    plan = TelegramPlan(url=str(far_side.base_url).rstrip("/"), token=SecretStr(TOKEN), lease="telegram_bot_traces")
    async with running(bus, "telegram", partial(run_gateway, plan=plan)):
        await start_bot(tracing=handling)
        assert "90,9" in text_of(await person().say("/price BTC"))
        async with asyncio.timeout(20):
            while ratio and not named(sent_spans, "send sendMessage"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await bus.close()
    spans = [*handled.get_finished_spans(), *sent_spans.get_finished_spans()]
    if not ratio:
        assert spans == []
        return
    (update,) = named(handled, "update message")
    assert parent_ids(update) is None
    by_ids = {ids(span): span for span in spans}
    for last, via in (("send sendMessage", "request cmd.v1.telegram.send"), ("request cmd.v1.market.price", None)):
        way, at = list[str](), next(span for span in spans if span.name == last)
        while (before := parent_ids(at)) is not None:
            way.append(at.name)
            at = by_ids[before]
        assert at is update
        assert via is None or via in way
    assert not any("/price" in span.to_json() for span in spans)


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


async def sent(person: Person) -> list[dict[str, Any]]:
    return (await person.client.get("/test/sent", params={"chat_id": person.chat_id})).json()


async def test_without_the_gateway_the_bot_keeps_to_the_limits_itself(
    start_bot: StartBot, person: MakePerson, far_side: httpx.AsyncClient
) -> None:
    await start_bot(speed=1.0)
    ann = person()
    for _ in range(4):
        await ann.do("message", text="/help")
    async with asyncio.timeout(30):
        while len(await sent(ann)) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (await far_side.get("/test/breaches")).json() == []
