"""What is refused is said at once: with its subject in the log, and to whoever waits for an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from nats.errors import Error as NatsError
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from contracts import streams, subjects
from contracts.subjects import HEADER_MESSAGE_ID
from runtime import retry
from runtime.app.application import make_broker
from runtime.nats.bus import Bus, BusOptions, NoAnswerError
from runtime.nats.refusals import NotAllowedError, Refused, read_refusal
from runtime.servers.embedded import NatsServer, nats_server
from tests.serving import serve

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]
KILL = f"{subjects.TRADING_COMMAND}kill"
LONG = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    async with nats_server(tmp_path_factory.mktemp("refusals")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def whales(server: NatsServer) -> AsyncGenerator[Bus]:
    bus = await Bus(BusOptions(servers=(server.url_of("whales"),), name="test")).connect()
    yield bus
    await bus.close()


async def test_a_command_that_is_refused_does_not_wait_for_its_time_limit(whales: Bus) -> None:
    began = time.monotonic()
    with capture_logs() as logs, pytest.raises(NotAllowedError, match=f"{KILL}: .* whales") as caught:
        await whales.request(KILL, b"{}", LONG)
    assert time.monotonic() - began < LONG / 2
    assert isinstance(caught.value, NoAnswerError)
    assert [(one["event"], one["action"], one["subject"], one["user"]) for one in logs] == [
        ("bus.not_allowed", "publish", KILL, "whales")
    ]


async def test_several_that_wait_are_all_refused_and_others_go_on(server: NatsServer, whales: Bus) -> None:
    admin = await Bus(BusOptions(servers=(server.url,), name="admin")).connect()

    async def reply(body: bytes) -> bytes:
        await asyncio.sleep(0.2)
        return body

    await serve(admin, "$JS.FC.MARKET.x", reply)  # a subject that whales may publish
    await admin.client.flush()
    answers = await asyncio.gather(
        *(whales.request(KILL, b"{}", LONG) for _ in range(3)),
        whales.request("$JS.FC.MARKET.x", b"yes", LONG),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers[:3]] == [NotAllowedError] * 3
    assert answers[3] == b"yes"
    await admin.close()


async def test_an_acknowledged_publish_is_not_tried_again_where_it_is_refused(whales: Bus) -> None:
    began, policy = time.monotonic(), retry.Policy(timeout=LONG)
    with pytest.raises(NatsError, match=r"order\.v1\.x\.y"):
        await whales.publish_acked(
            "order.v1.x.y", b"{}", headers={HEADER_MESSAGE_ID: "a"}, stream=streams.TRADING, policy=policy, timeout=LONG
        )
    assert time.monotonic() - began < LONG / 2


async def test_nobody_there_is_no_refusal(whales: Bus) -> None:
    with pytest.raises(NoAnswerError, match="nobody serves it") as caught:
        await whales.request("$JS.FC.MARKET.nobody", b"", LONG)
    assert not isinstance(caught.value, NotAllowedError)


async def test_bus_and_broker_say_which_subscription_was_refused(server: NatsServer, whales: Bus) -> None:
    broker = make_broker(whales, "test", CollectorRegistry())
    await broker.start()
    client = await broker.connect()
    with capture_logs() as logs:
        await whales.client.subscribe("order.v1.a.>")
        await whales.client.subscribe("order.v1.a.b")  # of the class that was said just now
        await client.subscribe("telegram.v1.result.>")
        await client.publish("job.v1.telegram.1.low", b"")
        for connection in (whales.client, client):  # a pong comes behind what was refused
            await connection.flush(int(LONG))
    await broker.stop()
    assert {(one["action"], one["subject"]) for one in logs if one["event"] == "bus.not_allowed"} == {
        ("subscription", "order.v1.a.>"),
        ("subscription", "telegram.v1.result.>"),
        ("publish", "job.v1.telegram.1.low"),
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('nats: permissions violation for publish to "a.b"', Refused("publish", "a.b")),
        ('nats: permissions violation for subscription to "a.>" using queue "q"', Refused("subscription", "a.>")),
        ("nats: maximum payload violation", None),
    ],
)
async def test_errors_are_read(text: str, found: Refused | None) -> None:
    assert read_refusal(NatsError(text)) == found
