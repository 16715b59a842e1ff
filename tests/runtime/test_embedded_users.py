"""The users of the embedded bus: what a subscriber may read, and that it can change nothing in any way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import APIError

from contracts import streams, subjects
from contracts.streams import BUCKETS, DURABLES, STREAMS
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.streams.api import call
from runtime.provision import apply, declared
from runtime.servers.bus_users import PUBLIC_COMMANDS, PUBLIC_EVENTS, PUBLIC_STREAMS
from runtime.servers.embedded import NatsConfig, NatsServer, free_port, nats_server, save_nats_config
from tests.serving import serve

pytestmark = [pytest.mark.nats, pytest.mark.asyncio(loop_scope="module")]
FAMILIES = sorted(
    value
    for name, value in vars(subjects).items()
    if name.isupper() and isinstance(value, str) and value.endswith(".") and ".v1." in value
    if f"{value}>" not in PUBLIC_COMMANDS  # requests that a subscriber may send: answered, kept nowhere
)
STORED = [*(spec.name for spec in STREAMS if not spec.optional), *(f"KV_{spec.name}" for spec in BUCKETS)]
TRADE = f"{subjects.TRADE}okx.BTC.USDT.perp"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    async with nats_server(Path(tmp_path_factory.mktemp("users"))) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(server: NatsServer) -> AsyncGenerator[Bus]:
    bus = await Bus(BusOptions(servers=(server.url,), name="parts")).connect()
    await apply(bus, declared(synced=True))
    await bus.jetstream().publish(TRADE, b'{"n":1}')
    await (await bus.jetstream().key_value(streams.STATE)).put("a", b"1")
    yield bus
    await bus.close()


class Subscriber:
    """A plain client with the subscriber's URL, and what the server refused it."""

    def __init__(self) -> None:
        self.client = Client()
        self.refused: list[str] = []

    async def on_error(self, error: Exception) -> None:
        self.refused.append(str(error))

    async def is_refused(self, subject: str, body: bytes = b"{}") -> bool:
        """Publish with a reply of its own, and tell whether the server said no and nobody answered."""
        self.refused.clear()
        inbox = self.client.new_inbox()
        answers = await self.client.subscribe(inbox)
        await self.client.publish(subject, body, reply=inbox)
        await self.client.flush(5)
        await asyncio.sleep(0.02)
        answered = answers.pending_msgs
        await answers.unsubscribe()
        return answered == 0 and any("permissions violation for publish" in text.lower() for text in self.refused)


@pytest_asyncio.fixture(loop_scope="module")
async def subscriber(server: NatsServer, parts: Bus) -> AsyncGenerator[Subscriber]:
    made = Subscriber()
    await made.client.connect(server.subscriber_url, error_cb=made.on_error)
    yield made
    await made.client.close()


async def state_of(bus: Bus) -> dict[str, tuple[int, int, int]]:
    """What every stream and bucket holds."""
    found: dict[str, tuple[int, int, int]] = {}
    for name in STORED:
        state = (await call(bus, f"STREAM.INFO.{name}"))["state"]
        found[name] = (state["messages"], state["last_seq"], state["consumer_count"])
    return found


@pytest.mark.parametrize("family", FAMILIES)
async def test_no_subject_family_takes_a_subscribers_message(family: str, subscriber: Subscriber, parts: Bus) -> None:
    before, received = await state_of(parts), []

    async def on_message(message: Msg) -> None:
        received.append(message.subject)

    watching = await parts.client.subscribe(f"{family}>", cb=on_message)
    replayed = f"{subjects.REPLAY}run.{family}"
    for subject in (
        f"{family}a",
        f"{family}okx.BTC.USDT.perp",
        f"{family}1m.okx.BTC.USDT.perp",
        f"{replayed}okx.B.Q.c",
    ):
        assert await subscriber.is_refused(subject), subject
    await watching.unsubscribe()
    assert received == []
    assert await state_of(parts) == before


@pytest.mark.parametrize("name", STORED)
async def test_nothing_of_a_stream_or_bucket_can_be_changed(name: str, subscriber: Subscriber, parts: Bus) -> None:
    before = await state_of(parts)
    durables = [spec.name for spec in DURABLES if spec.stream == name] or ["any"]
    requests = [
        *(f"STREAM.{verb}.{name}" for verb in ("CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "SNAPSHOT", "INFO")),
        *(f"STREAM.{verb}.{name}" for verb in ("MSG.DELETE", "MSG.GET", "LEADER.STEPDOWN", "PEER.REMOVE")),
        *(f"CONSUMER.{verb}.{name}.{durable}" for durable in durables for verb in ("DELETE", "PAUSE", "INFO", "UNPIN")),
        *(f"CONSUMER.MSG.NEXT.{name}.{durable}" for durable in durables),
        f"CONSUMER.CREATE.{name}",
        f"CONSUMER.CREATE.{name}.mine",
        f"CONSUMER.CREATE.{name}.mine.a.>",
        f"CONSUMER.DURABLE.CREATE.{name}.mine",
    ]
    body = json.dumps({"name": name, "subjects": ["x"], "seq": 1, "config": {"deliver_subject": TRADE}}).encode()
    for request in requests:
        assert await subscriber.is_refused(f"$JS.API.{request}", body), request
    assert await subscriber.is_refused(f"$JS.ACK.{name}.{durables[0]}.1.1.1.1.0", b"+ACK")
    assert await subscriber.is_refused(f"$KV.{name.removeprefix('KV_')}.a", b"2")
    assert await state_of(parts) == before


@pytest.mark.parametrize("name", sorted(set(STORED) - set(PUBLIC_STREAMS)))
async def test_what_is_not_public_cannot_be_read(name: str, subscriber: Subscriber) -> None:
    assert await subscriber.is_refused(f"$JS.API.DIRECT.GET.{name}", b'{"seq":1}')


@pytest.mark.parametrize("subject", [">", "*.v1.>", "order.v1.>", "job.v1.>", "dlq.v1.>", "cmd.v1.>", "$KV.>", "$JS.>"])
async def test_what_is_not_public_cannot_be_listened_to(subject: str, subscriber: Subscriber) -> None:
    await subscriber.client.subscribe(subject)
    await subscriber.client.flush(5)
    await asyncio.sleep(0.02)
    assert any("permissions violation for subscription" in text.lower() for text in subscriber.refused)


async def test_replies_to_the_parts_do_not_reach_a_subscriber(subscriber: Subscriber, parts: Bus) -> None:
    inboxes = await subscriber.client.subscribe("_INBOX.>")
    await subscriber.client.flush(5)
    await call(parts, f"STREAM.INFO.{streams.MARKET}")
    await subscriber.client.flush(5)
    assert inboxes.pending_msgs == 0


async def test_a_reply_subject_of_its_choice_reaches_neither_parts_nor_streams(
    subscriber: Subscriber, parts: Bus
) -> None:
    async def answer(_body: bytes) -> bytes:
        return b'{"candles":[]}'

    served = await serve(parts, subjects.CANDLES_LIST, answer)
    before = await state_of(parts)
    victims = (TRADE, f"$JS.API.STREAM.DELETE.{streams.MARKET}", f"$KV.{streams.STATE}.a", f"{subjects.ORDER}a.b")
    for victim in victims:
        await subscriber.client.publish(subjects.CANDLES_LIST, b"{}", reply=victim)
        await subscriber.client.publish(f"$JS.API.DIRECT.GET.{streams.MARKET}", b'{"seq":1}', reply=victim)
    await subscriber.client.flush(5)
    await asyncio.sleep(0.1)
    assert await state_of(parts) == before
    await served.unsubscribe()


@pytest.mark.parametrize("subject", PUBLIC_EVENTS)
async def test_everything_public_arrives_with_its_headers(subject: str, subscriber: Subscriber, parts: Bus) -> None:
    mine = await subscriber.client.subscribe(subject)
    await subscriber.client.flush(5)
    sent = subject.replace(">", "trade.okx.BTC.USDT.perp")
    message = None
    async with asyncio.timeout(30):  # the server connects the accounts a moment after it has the subscription
        while message is None:
            await parts.client.publish(sent, b"x", headers={subjects.HEADER_MESSAGE_ID: f"id of {subject}"})
            with suppress(NatsTimeoutError):
                message = await mine.next_msg(0.2)
    assert (message.subject, message.data) == (sent, b"x")
    assert (message.headers or {})[subjects.HEADER_MESSAGE_ID] == f"id of {subject}"


@pytest.mark.parametrize("command", PUBLIC_COMMANDS)
async def test_questions_about_the_market_are_answered(command: str, subscriber: Subscriber, parts: Bus) -> None:
    async def answer(body: bytes) -> bytes:
        return b"about " + body

    asked = command.replace(">", "snapshot")
    served = await serve(parts, asked, answer)
    await parts.client.flush()
    answer_message = None
    async with asyncio.timeout(30):  # the server connects the accounts a moment after it has the subscription
        while answer_message is None:
            with suppress(NoRespondersError):
                answer_message = await subscriber.client.request(asked, b"BTC", timeout=5)
    assert answer_message.data == b"about BTC"
    await served.unsubscribe()


async def test_public_streams_are_read_without_a_consumer(subscriber: Subscriber, parts: Bus) -> None:
    acks = [await parts.jetstream().publish(f"{subjects.WHALE}okx.BTC.USDT.perp", b"%d" % n) for n in range(3)]
    js = subscriber.client.jetstream()
    found = await js.get_msg(streams.SIGNALS, seq=acks[0].seq, subject=subjects.ALL_WHALES, direct=True, next=True)
    assert (found.seq, found.data) == (acks[0].seq, b"0")
    last = await js.get_last_msg(streams.SIGNALS, f"{subjects.WHALE}okx.BTC.USDT.perp", direct=True)
    assert last.data == b"2"


async def test_admin_may_do_everything(server: NatsServer, parts: Bus) -> None:
    client = await nats.connect(server.url)
    js = client.jetstream()
    assert (await js.stream_info(streams.MARKET)).config.name == streams.MARKET
    await js.add_stream(name="MINE", subjects=["mine"])
    await js.delete_stream("MINE")
    await client.close()


@pytest.mark.parametrize("url", ["nats://{}", "nats://token@{}", "nats://admin:wrong@{}", "nats://subscriber:x@{}"])
async def test_who_has_no_password_stays_out(url: str, server: NatsServer) -> None:
    host = server.url.rsplit("@", 1)[1]
    with pytest.raises(NatsError, match="Authorization"):
        await nats.connect(url.format(host), allow_reconnect=False)


async def test_streams_of_a_version_without_users_are_taken_over(tmp_path: Path) -> None:
    config = NatsConfig(tmp_path, free_port(), free_port())
    (config.store / "$G" / "streams").mkdir(parents=True)
    save_nats_config(config)
    assert (config.store / "HYDROPHONE" / "streams").is_dir()
    assert not (config.store / "$G").exists()


async def test_unknown_stream_is_refused_like_any_other(subscriber: Subscriber) -> None:
    with pytest.raises((NatsError, APIError)):
        await subscriber.client.jetstream().delete_stream("NOPE")
