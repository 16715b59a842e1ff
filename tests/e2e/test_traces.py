"""One trace from an exchange's frame to the post of a webhook and the message in a chat, through real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from secrets import token_hex
from time import monotonic

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import SecretStr

from bot.simulator.web.app import serving as serving_telegram
from bot.simulator.world import Options
from consumers.alerts.handlers import AlertsPlan
from consumers.alerts.handlers import run as run_alerts
from consumers.chats.handlers import ChatsPlan
from consumers.chats.handlers import make_consumer as make_chats
from consumers.telegram.handlers import TelegramPlan
from consumers.telegram.handlers import run as run_telegram
from consumers.telegram.sending import Ticking
from consumers.webhooks.handlers import run as run_webhooks
from consumers.whales.handlers import WhalePlan
from consumers.whales.handlers import run as run_whales
from consumers.whales.rules import WhaleRules
from contracts import subjects
from contracts.arithmetic.tiers import Tiers
from contracts.errors import NotReadyError
from contracts.services.access import Caller
from contracts.services.chats import AlertFilter, SaveSubscription, Subscription
from contracts.services.webhooks.endpoints import EndpointShown, RegisterEndpoint
from producers.connection.socket import OPENERS
from producers.producer import Producer, ProducerPlan
from producers.registry import VENUES
from producers.simulator.config import SimulatorConfig
from producers.simulator.server import Simulator
from producers.standby import GatedLane, Unit
from producers.traced_lane import TracedLane
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.config.settings import TraceSettings
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.lanes.publisher import LanePublisher
from runtime.nats.leases.lease import Lease
from runtime.servers.embedded import NatsServer
from runtime.tracing.exporting import make_tracing
from tests.api.conftest import api_nats
from tests.bot.world import ANN, TOKEN, Person
from tests.consumers.alerts.conftest import RULES
from tests.consumers.webhooks.conftest import PEPPER, make_plan
from tests.consumers.webhooks.receiver import Receiver, receiving
from tests.running import running

__all__ = ["api_nats"]
pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
PATIENCE_SECONDS = 30.0
TOKEN_OF_COLLECTOR = "collector-token-that-is-secret"
WAY = (
    "frame binance",
    "publish md.v1.trade",
    "publish signal.v1.whale",
    "match webhook",
    "POST webhook",
    "publish alert.v1.whale",
    "send sendMessage",
)


@dataclass(frozen=True)
class Exported:
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    service: str
    begin: int


def spans_of(receiver: Receiver) -> list[Exported]:
    """What the receiver of OTLP has got so far."""
    found: list[Exported] = []
    for request in list(receiver.requests):
        for group in ExportTraceServiceRequest.FromString(request.body).resource_spans:
            named = {one.key: one.value.string_value for one in group.resource.attributes}
            found += [
                Exported(
                    span.name,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    named["service.name"],
                    span.start_time_unix_nano,
                )
                for scope in group.scope_spans
                for span in scope.spans
            ]
    return found


def whole_way(receiver: Receiver) -> list[Exported]:
    """The spans of a trace that goes all the way; empty while there is none."""
    traces: dict[str, list[Exported]] = {}
    for span in spans_of(receiver):
        traces.setdefault(span.trace_id, []).append(span)
    return next((spans for spans in traces.values() if set(WAY) <= {span.name for span in spans}), [])


def describe(receiver: Receiver) -> str:
    """The names of each trace that has a message or a post, for who reads why a test failed."""
    traces: dict[str, set[str]] = {}
    for span in spans_of(receiver):
        traces.setdefault(span.trace_id, set()).add(span.name)
    return "\n".join(str(sorted(names)) for names in traces.values() if not names <= {*WAY[:3]})


def settings_of(collector: Receiver, ratio: str) -> TraceSettings:
    return TraceSettings.model_validate(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{TOKEN_OF_COLLECTOR}",
            "HYDROPHONE_TRACE_RATIO": ratio,
        }
    )


@asynccontextmanager
async def producing(bus: Bus, sim: Simulator) -> AsyncGenerator[None]:
    """A venue's producer, as its process puts it together."""
    venue = VENUES["binance"]
    plan = ProducerPlan(
        venue=venue,
        symbols=("BTC",),
        ws_url=sim.ws_url("binance"),
        rest_url=sim.rest_url("binance"),
        policy=replace(venue.policy, connect_pace=0.0, pace=0.02),
    )
    lane = LanePublisher(bus, on_gap=lambda _lost: None)
    gate = GatedLane(TracedLane(lane, bus.tracing))

    async def save(_unit: str, _body: bytes) -> None:
        return None

    unit = Unit(plan.name, Producer(plan, gate, OPENERS["picows"], save), gate)
    key = f"producers.traces-{token_hex(4)}"
    task = asyncio.create_task(unit.run(lambda on_lost: Lease(bus, key, on_lost=on_lost, ttl=5.0)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def subscribe(bus: Bus, person: Person, hook: str) -> None:
    """A chat gets alerts of whales, and a webhook whales."""
    commands = CommandClient(bus)
    await person.do("message", text="hello")
    wanted = AlertFilter.model_validate({"kinds": ["whale"]})
    caller = Caller(actor="ann", address=None, request_id=None).model_dump()
    fields = {"owner": f"telegram:{ANN}", "url": hook, "events": ["whale"], "caller": caller}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                chat = SaveSubscription(chat_id=ANN, user_id=ANN, filter=wanted)
                await commands.request("chats.subscription_save", chat, Subscription)
                asked = RegisterEndpoint.model_validate(fields, strict=False)
                await commands.request("webhooks.register", asked, EndpointShown)
                return
            except NotReadyError:  # nobody has the lease yet
                await asyncio.sleep(0.05)


async def test_a_frame_its_signal_its_post_and_its_message_are_one_trace(
    api_nats: NatsServer, documents_url: str
) -> None:
    address, _, options = documents_url.partition("?")
    documents = f"{address.rstrip('/')}/test_{token_hex(4)}?authSource=admin&{options}"
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        collector, hook = await enter(receiving()), await enter(receiving())
        _, telegram_url = await enter(serving_telegram(Options(token=TOKEN, limits=False), speed=20.0))
        sim = await enter(Simulator(SimulatorConfig(seed=4, venues=("binance",), bases=("BTC",))))
        telegram = TelegramPlan(url=telegram_url, token=SecretStr(TOKEN), ticking=Ticking(20.0))
        rules = WhaleRules(tiers=Tiers(), limits=dict.fromkeys(("majors", "large", "mid"), Decimal(1000)))
        consumers = {
            "whales": partial(run_whales, plan=WhalePlan(rules=rules)),
            "alerts": partial(run_alerts, plan=AlertsPlan(documents=documents, rules=RULES, tick_seconds=0.02)),
            "chats": make_chats(ChatsPlan(documents)).run,
            "telegram": partial(run_telegram, plan=telegram),
            "webhooks": partial(run_webhooks, plan=make_plan(documents_url)),
        }
        buses: dict[str, Bus] = {}
        for name in (*consumers, "producers"):
            tracing = make_tracing(settings_of(collector, "1"), name)
            buses[name] = await Bus(BusOptions(servers=(api_nats.url,), name=name), tracing=tracing).connect()
            stack.push_async_callback(buses[name].close)
        for name, run in consumers.items():
            await enter(running(buses[name], name, run))
        client = await enter(httpx.AsyncClient(base_url=telegram_url, timeout=20))
        await subscribe(buses["producers"], Person(client, ANN, ANN), hook.url + "?token=hook-secret")
        await enter(producing(buses["producers"], sim))
        deadline = monotonic() + PATIENCE_SECONDS
        while not (spans := whole_way(collector)):
            assert monotonic() < deadline, describe(collector)
            await asyncio.sleep(0.2)
            for bus in buses.values():  # what waits for its batch
                provider = bus.tracing.provider
                assert provider is not None
                await asyncio.to_thread(provider.force_flush)  # pyright: ignore[reportAttributeAccessIssue]
    assert_is_one_way(spans)
    posted = [one.headers.get(subjects.HEADER_TRACE, "") for one in hook.requests]
    posts = {span.span_id for span in spans if span.name == "POST webhook"}
    assert any(text.split("-")[1] == spans[0].trace_id and text.split("-")[2] in posts for text in posted if text)
    assert all(one.headers["authorization"] == f"Bearer {TOKEN_OF_COLLECTOR}" for one in collector.requests)
    exported = b"".join(one.body for one in collector.requests)
    for secret in (TOKEN_OF_COLLECTOR, TOKEN, PEPPER.decode(), "hook-secret", "whsec_", documents_url):
        assert secret.encode() not in exported


def assert_is_one_way(spans: list[Exported]) -> None:
    """Each span is under the one that it follows from, in the process that made it, and begins no earlier."""
    by_id = {span.span_id: span for span in spans}
    ways: list[tuple[str, str, str]] = [
        ("publish md.v1.trade", "frame binance", "producers"),
        ("publish signal.v1.whale", "publish md.v1.trade", "whales"),
        ("match webhook", "publish signal.v1.whale", "webhooks"),
        ("POST webhook", "match webhook", "webhooks"),
        ("publish alert.v1.whale", "publish signal.v1.whale", "alerts"),
    ]
    for name, before, part in ways:
        span = next(one for one in spans if one.name == name)
        parent = by_id[span.parent_id]
        assert (parent.name, span.service) == (before, f"hydrophone-{part}")
        assert span.begin >= parent.begin
    assert next(one for one in spans if one.name == "frame binance").parent_id == ""
    sent = next(one for one in spans if one.name == "send sendMessage")
    names = [sent.name]
    while sent.parent_id:
        sent = by_id[sent.parent_id]
        names.append(sent.name)
    assert "publish alert.v1.whale" in names
    assert names[-1] == "frame binance"
    assert max(span.begin for span in spans) <= clock.now_ns()
