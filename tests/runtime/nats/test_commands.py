"""Commands on a real bus: whatever a handler does, its asker gets a reply, and no more are worked on than may be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from faststream.nats import NatsRouter
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from pydantic import BaseModel

from contracts import subjects
from contracts.errors import UnknownVenueError
from contracts.services.candles import CandlesQuery, CandlesReply
from runtime.app.application import make_broker
from runtime.app.commands import command
from runtime.app.serving import Serving
from runtime.nats.broker import Broker
from runtime.nats.bus import Bus

# A subject of the session's bus that no other test uses.
ASKED = "cmd.v1.testcommands.ask"


class Question(BaseModel):
    """What these tests ask."""

    number: int


class Asked:
    """Handlers that reply, fail or wait."""

    def __init__(self, bus: Bus, registry: CollectorRegistry, at_once: int, seconds: float) -> None:
        self.entered, self.release = asyncio.Event(), asyncio.Event()
        self.under_way = self.most = 0
        self.broker: Broker = make_broker(bus, "test", registry, seconds=seconds)
        self.router = NatsRouter()
        self.router.subscriber(**command(ASKED, "test", at_once=at_once))(self.on_question)
        self.router.subscriber(**command(subjects.CANDLES_LIST, "test"))(self.on_candles)
        self.serving = Serving(bus, self.broker, self.router)

    async def on_question(self, question: Question) -> Question:
        if question.number == 500:
            raise OSError("secret place")
        if question.number == 404:
            raise UnknownVenueError("no such venue", supported_venues=["okx"])
        if question.number == 0:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.entered.set()
            await self.release.wait()
            self.under_way -= 1
        return question

    async def on_candles(self, query: CandlesQuery) -> CandlesReply:
        return CandlesReply(since_ts=query.start_ts)


@pytest_asyncio.fixture
async def asked(bus: Bus, request: pytest.FixtureRequest) -> AsyncGenerator[Asked]:
    made = Asked(bus, CollectorRegistry(), 2, getattr(request, "param", 5.0))
    await made.broker.start()
    await made.serving.open()
    yield made
    made.release.set()
    await made.serving.close()
    await made.broker.stop()


async def ask(bus: Bus, body: Any, subject: str = ASKED) -> dict[str, Any]:
    return json.loads(await bus.request(subject, body if isinstance(body, bytes) else json.dumps(body).encode(), 5.0))


async def test_a_reply_is_the_model_that_the_handler_returns(bus: Bus, asked: Asked) -> None:
    assert await ask(bus, {"number": 7}) == {"number": 7}
    query = {"venue": "okx", "symbol": "BTC/USDT", "timeframe": "1m", "start_ts": 5}
    reply = await bus.request(subjects.CANDLES_LIST, json.dumps(query).encode(), 5.0)
    assert CandlesReply.model_validate_json(reply).since_ts == 5


@pytest.mark.parametrize(
    ("subject", "body", "code", "details"),
    [
        (ASKED, {"number": 500}, "INTERNAL_ERROR", {}),
        (ASKED, {"number": 404}, "UNKNOWN_VENUE", {"supported_venues": ["okx"]}),
        (ASKED, {"number": "x"}, "INVALID_PARAMETER", {"parameter": "question.number"}),
        (ASKED, b"\xff\x00", "INVALID_PARAMETER", {"parameter": "question"}),
        (subjects.CANDLES_LIST, {"venue": "okx"}, "INVALID_PARAMETER", {"parameter": "symbol"}),
        (subjects.CANDLES_LIST, b"nonsense", "INVALID_PARAMETER", {"parameter": ""}),
        (subjects.CANDLES_LIST, b"", "INVALID_PARAMETER", {"parameter": ""}),
    ],
)
async def test_what_fails_is_replied_to_with_a_failure(
    bus: Bus, asked: Asked, subject: str, body: Any, code: str, details: dict[str, Any]
) -> None:
    error = (await ask(bus, body, subject))["error"]
    assert (error["code"], error["details"]) == (code, details)
    assert "secret" not in str(error)


async def test_no_more_are_worked_on_than_may_be_and_the_next_is_refused_at_once(bus: Bus, asked: Asked) -> None:
    waiting = [asyncio.ensure_future(ask(bus, {"number": 0})) for _ in range(2)]
    async with asyncio.timeout(5):
        while asked.under_way < 2:  # noqa: ASYNC110  # requests come over the bus
            await asyncio.sleep(0.01)
    refused = await asyncio.gather(*(ask(bus, {"number": 0}) for _ in range(20)))
    assert {reply["error"]["code"] for reply in refused} == {"BUSY"}
    asked.release.set()
    assert await asyncio.gather(*waiting) == [{"number": 0}] * 2
    assert asked.most == 2
    assert await ask(bus, {"number": 7}) == {"number": 7}


@pytest.mark.parametrize("asked", [0.05], indirect=True)
async def test_a_handler_that_hangs_is_ended_and_its_asker_replied_to(bus: Bus, asked: Asked) -> None:
    for _ in range(4):  # each leaves its place to the next
        assert (await ask(bus, {"number": 0}))["error"]["code"] == "INTERNAL_ERROR"


async def test_replicas_share_the_requests(bus: Bus, asked: Asked) -> None:
    other = Asked(bus, CollectorRegistry(), 2, 5.0)
    await other.broker.start()
    await other.serving.open()
    waiting = [asyncio.ensure_future(ask(bus, {"number": 0})) for _ in range(40)]
    await asyncio.wait_for(asyncio.gather(asked.entered.wait(), other.entered.wait()), 5)
    for one in (asked, other):
        one.release.set()
    assert len(await asyncio.gather(*waiting)) == 40
    await other.serving.close()
    await other.broker.stop()
    assert await ask(bus, {"number": 7}) == {"number": 7}


async def test_a_router_that_is_closed_takes_no_more_and_may_be_opened_again(bus: Bus, asked: Asked) -> None:
    await asked.serving.close()
    with pytest.raises(Exception, match="nobody serves it"):
        await bus.request(ASKED, b"{}", 2.0)
    asked.serving = Serving(bus, asked.broker, asked.router)
    await asked.serving.open()
    assert await ask(bus, {"number": 7}) == {"number": 7}


async def test_what_is_asked_while_a_router_closes_is_answered_by_it_or_by_another(bus: Bus, asked: Asked) -> None:
    other = Asked(bus, CollectorRegistry(), 2, 5.0)
    await other.broker.start()
    await other.serving.open()

    async def keep_asking(number: int) -> None:
        async with asyncio.timeout(15):
            while not closing.done():
                assert (await ask(bus, {"number": number})).keys() <= {"number", "error"}

    for _ in range(10):
        closing = asyncio.ensure_future(asyncio.sleep(0.05))
        askers = asyncio.gather(*(keep_asking(number) for number in range(1, 9)))
        await other.serving.close()
        await askers
        other.serving = Serving(bus, other.broker, other.router)
        await other.serving.open()
    await other.serving.close()
    await other.broker.stop()


async def test_metrics_count_by_class_of_subject(bus: Bus) -> None:
    registry = CollectorRegistry()
    asked = Asked(bus, registry, 2, 5.0)
    await asked.broker.start()
    await asked.serving.open()
    await ask(bus, {"number": 7})
    await ask(bus, {"number": 500})
    await asked.serving.close()
    await asked.broker.stop()
    text = generate_latest(registry).decode()
    label = 'app_name="test",broker="nats",handler="cmd.v1.testcommands"'
    assert f"hydrophone_faststream_received_messages_total{{{label}}} 2.0" in text
    assert 'status="error"' in text
    assert "_INBOX" not in text


async def test_a_request_is_traced_under_its_senders_trace(bus: Bus) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    asked = Asked(bus, CollectorRegistry(), 2, 5.0)
    await asked.broker.start()
    await asked.serving.open()
    sent = {subjects.HEADER_TRACE: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    await bus.request(ASKED, b'{"number": 7}', 5.0, headers=sent)
    await asked.serving.close()
    await asked.broker.stop()
    finished = spans.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in finished if span.context} == {
        "0af7651916cd43dd8448eb211c80319c"
    }
    assert any(ASKED in span.name for span in finished)
