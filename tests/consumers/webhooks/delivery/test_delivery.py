"""An event of the bus reaches each endpoint that wants it, numbered, signed, and tried again where it failed."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import replace
from statistics import median

import pytest
import pytest_asyncio
from standardwebhooks import Webhook, WebhookVerificationError

from consumers.webhooks.delivery.keeping import Keeping
from consumers.webhooks.delivery.outcome import Outcome
from consumers.webhooks.delivery.progress import Progress
from consumers.webhooks.delivery.rules import SECOND_NS, DigestRules
from consumers.webhooks.payloads.body import event_id
from consumers.webhooks.registry.endpoint import EndpointSecret
from consumers.webhooks.store.rows import Row
from contracts import streams
from runtime import clock
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from runtime.servers.embedded import NatsServer
from runtime.store import Store
from tests.consumers.webhooks.delivery.stage import QUICK, Stage, staging, wait_for
from tests.consumers.webhooks.events import SECRET, make_endpoint
from tests.consumers.webhooks.receiver import OK, Request, receiving

Note = Callable[[str, object], None]

pytestmark = pytest.mark.nats
SLOW_SECONDS = 0.8


@pytest_asyncio.fixture
async def stage(server: NatsServer, documents: Store) -> AsyncGenerator[Stage]:
    async with staging(server.url, documents) as one:
        yield one


@pytest_asyncio.fixture
async def patient(server: NatsServer, documents: Store) -> AsyncGenerator[Stage]:
    """No circuit is opened."""
    async with staging(server.url, documents, replace(QUICK, max_failures=1000)) as one:
        yield one


def make_row(sequence: int) -> Row:
    fields = {"event_id": f"evt_{sequence}", "event_type": "whale", "lane": "BTC"}
    return Row(sequence=sequence, body=b"{}", created_ns=clock.now_ns(), **fields)


def sequences(requests: list[Request]) -> list[int]:
    return [json.loads(request.body)["sequence"] for request in requests]


async def test_an_event_is_posted_once_to_each_endpoint_that_wants_it(stage: Stage) -> None:
    async with receiving() as first, receiving() as second:
        one = await stage.register(first.url)
        await stage.register(second.url, symbols=("ETH",))
        for _ in range(3):
            await stage.whale()
        await stage.whale("ETH/USDT")
        await stage.settled(one, 4)
        await wait_for(lambda: len(second.requests) == 1)
    assert sorted(sequences(first.requests)) == [1, 2, 3, 4]
    assert sequences(second.requests) == [1]
    assert {sample[:3] for sample in stage.hops} == {("post", "all", "whale")}
    assert all(0 < seconds < 20 for *_, seconds in stage.hops)
    for request in first.requests + second.requests:
        Webhook(SECRET).verify(request.body, request.headers)
        expected = hmac.new(SECRET.encode(), request.body, "sha256").hexdigest()
        assert request.headers["x-webhook-signature"] == f"sha256={expected}"
        assert request.headers["content-type"] == "application/json"


async def test_a_failed_attempt_is_repeated_with_the_same_id_until_it_succeeds(stage: Stage) -> None:
    answers = [b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops"] * 3 + [OK] * 10

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0))
        await writer.drain()

    async with receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        await stage.whale()
        await stage.settled(endpoint, 1)
    assert len(receiver.requests) == 4
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    kept = await stage.sending.attempts.newest(endpoint.id, 10, clock.now_ns())
    assert [(one.number, one.status) for one in kept] == [(4, 200), (3, 500), (2, 500), (1, 500)]
    assert kept[-1].answer == b"oops"


async def test_an_event_that_always_fails_is_dead_and_says_whose_fault_it_is(patient: Stage) -> None:
    stage = patient

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        bad = json.loads(request.body)["symbol"] == "BTC"
        writer.write(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n" if bad else OK)
        await writer.drain()

    async with receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        source = await stage.whale()
        for _ in range(20):  # that the others succeed keeps the circuit closed
            await stage.whale("ETH/USDT")
            await asyncio.sleep(0.1)
        await stage.settled(endpoint, 21)
    dead = await stage.sending.events.dead_between(endpoint.id, 1, 21)
    assert list(dead) == [1]
    assert dead[1].event_id == event_id(endpoint.id, source)
    assert (dead[1].attempts, dead[1].fault, dead[1].error) == (8, "receiver", "HTTP 400")
    await stage.sending.letters.flush()
    letters = await read_past(stage.bus, streams.DLQ, ("dlq.v1.webhooks.>",), ALL)
    assert json.loads(letters[0].payload)["event_id"] == dead[1].event_id


async def test_a_dead_event_is_posted_again_when_its_letter_is_published_again(patient: Stage) -> None:
    stage = patient
    answers = [b"HTTP/1.1 302 Found\r\nLocation: http://x\r\nContent-Length: 0\r\n\r\n"] * 8

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0) if answers else OK)
        await writer.drain()

    async with receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        await stage.whale()
        await stage.settled(endpoint, 1)
        assert await stage.sending.events.count_dead(endpoint.id) == 1
        await stage.sending.letters.flush()
        letter = (await read_past(stage.bus, streams.DLQ, ("dlq.v1.webhooks.>",), ALL))[0]
        subject = letter.subject.decode().removeprefix("dlq.v1.webhooks.")
        await stage.bus.publish_acked(
            subject, letter.payload, headers={"Nats-Msg-Id": "again"}, stream=streams.REMINDERS
        )
        await wait_for(lambda: len(receiver.requests) == 9)
        await stage.settled(endpoint, 1)
    assert await stage.sending.events.count_dead(endpoint.id) == 0
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1


async def test_a_refused_address_is_dead_at_once(stage: Stage) -> None:
    endpoint = await stage.register("https://10.0.0.1/hook")
    await stage.whale()
    await stage.settled(endpoint, 1)
    dead = await stage.sending.events.dead_between(endpoint.id, 1, 1)
    assert (dead[1].attempts, dead[1].fault) == (1, "receiver")
    assert dead[1].error.startswith("refused: ")


async def test_retry_after_holds_the_endpoint(stage: Stage) -> None:
    answers = [b"HTTP/1.1 429 Slow\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"]
    times: list[float] = []

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        times.append(asyncio.get_running_loop().time())
        writer.write(answers.pop(0) if answers else OK)
        await writer.drain()

    async with receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        await stage.whale()
        await wait_for(lambda: len(times) == 1)
        await stage.whale("ETH/USDT")
        await stage.settled(endpoint, 2)
    assert min(times[1:]) - times[0] >= 1.9


async def test_410_disables_and_what_waits_is_delivered_after_a_resume(stage: Stage) -> None:
    answers = [b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"]

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answers.pop(0) if answers else OK)
        await writer.drain()

    async with receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        await stage.whale()
        await wait_for(lambda: stage.endpoints.known[endpoint.id].state == "disabled")
        for _ in range(5):
            await stage.whale()
        await asyncio.sleep(1.0)
        assert len(receiver.requests) == 1
        stage.move_clock(3600)
        await stage.resume(endpoint)
        await stage.settled(endpoint, 7)  # one of them says that the endpoint was disabled
    assert sorted(sequences(receiver.requests)[1:]) == [1, 2, 3, 4, 5, 6, 7]
    types = [json.loads(request.body)["event_type"] for request in receiver.requests]
    assert types.count("endpoint.disabled") == 1


async def test_an_endpoint_that_was_disabled_for_an_hour_gets_all_of_it_while_more_is_coming(stage: Stage) -> None:
    answers = [b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"]
    accepted: list[int] = []

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        if not answers:
            accepted.append(json.loads(request.body)["sequence"])
        writer.write(answers.pop() if answers else OK)
        await writer.drain()

    async def publish(count: int) -> None:
        for number in range(count):
            await stage.whale(f"C{number % 5}/USDT")

    async with receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        await stage.whale()
        await wait_for(lambda: stage.endpoints.known[endpoint.id].state == "disabled")
        await publish(150)
        stage.move_clock(3600)
        coming = asyncio.create_task(publish(150))
        await stage.resume(endpoint)
        await coming
        await stage.settled(endpoint, 302)  # one of them says that the endpoint was disabled
    assert sorted(accepted) == list(range(1, 303))


async def test_failures_in_a_row_open_the_circuit_and_a_probe_closes_it(stage: Stage) -> None:
    fine = False

    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if fine else b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with receiving(behave) as receiver, receiving() as other:
        endpoint = await stage.register(receiver.url, ordering="symbol")
        await stage.register(other.url, events=("storm",))
        for number in range(40):
            await stage.whale(f"C{number % 10}/USDT")
        await wait_for(lambda: stage.endpoints.known[endpoint.id].state == "open")
        await wait_for(lambda: len(other.requests) == 1)
        await asyncio.sleep(3.0)
        assert len(receiver.requests) < 20  # probes only
        fine = True
        await stage.settled(endpoint, 40)
        await wait_for(lambda: stage.endpoints.known[endpoint.id].state == "active")
    assert json.loads(other.requests[0].body)["event_type"] == "endpoint.disabled"
    assert len(other.requests) == 1
    delivered = sequences(receiver.requests)[-40:]
    for lane in range(10):
        mine = [one for one in delivered if (one - 1) % 10 == lane]
        assert mine == sorted(mine)


async def test_what_is_not_queued_any_more_is_queued_again(stage: Stage) -> None:
    async with receiving() as receiver:
        endpoint = await stage.register(receiver.url, state="paused")
        for _ in range(5):
            await stage.whale()
        await wait_for(lambda: stage.matching.matcher.matched == 5)
        await stage.bus.jetstream().purge_stream(streams.REMINDERS)
        await stage.endpoints.put(replace(endpoint, state="active"))
        await stage.settled(endpoint, 5)
    assert sorted(sequences(receiver.requests)) == [1, 2, 3, 4, 5]


async def test_what_waited_too_long_for_a_resume_is_dead(stage: Stage) -> None:
    async with receiving() as receiver:
        endpoint = await stage.register(receiver.url, state="disabled")
        for _ in range(5):
            await stage.whale()
        await wait_for(lambda: stage.matching.matcher.matched == 5)
        stage.move_clock(8 * 24 * 3600)
        await stage.settled(endpoint, 5)
        assert await stage.sending.events.count_dead(endpoint.id) == 5
    assert receiver.requests == []


async def test_a_replay_posts_again_what_was_delivered_since(stage: Stage) -> None:
    async with receiving() as receiver:
        endpoint = await stage.register(receiver.url)
        for _ in range(3):
            await stage.whale()
        await stage.settled(endpoint, 3)
        since = clock.now_ns()
        for _ in range(4):
            await stage.whale()
        await stage.settled(endpoint, 7)
        first = await stage.sending.events.first_since(endpoint.id, since)
        assert first == 4
        await stage.sending.events.ask(endpoint.id, replay=first)
        await stage.sending.queue.wake(endpoint.id)
        await wait_for(lambda: len(receiver.requests) == 11)
        await stage.settled(endpoint, 7)
    assert sorted(sequences(receiver.requests)[7:]) == [4, 5, 6, 7]


async def test_what_came_of_posts_is_kept_together_unless_it_is_a_failure_or_waited(stage: Stage) -> None:
    endpoint = make_endpoint()

    def keeping(outcome: Outcome, count: int = 1) -> Keeping:
        one = Keeping(stage.sending, endpoint, Progress(endpoint=endpoint.id))
        for sequence in range(1, count + 1):
            one.add(None if count == 1 else make_row(sequence), sequence, outcome, 1, dead=False)
        return one

    delivered, failed = Outcome(kind="delivered", status=200), Outcome(kind="failed", error="HTTP 500")
    one = keeping(delivered)
    assert one.start(at_once=False) is None
    left = one.seconds_left()
    assert left is not None
    assert 0 < left <= 0.025
    await asyncio.sleep(left)
    for due in (one, keeping(failed), keeping(delivered, 100)):
        write = due.start(at_once=False)
        assert write is not None
        write.cancel()
    one = keeping(delivered)
    await one.finish()
    assert one.kept() == [1]
    assert one.seconds_left() is None


async def test_one_endpoint_has_at_most_four_posts_under_way(stage: Stage) -> None:
    async def behave(_request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(OK)
        await writer.drain()

    async with receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        for _ in range(40):
            await stage.whale()
        await stage.settled(endpoint, 40)
    assert receiver.most_at_once == 4


async def test_events_beyond_the_rate_limit_come_as_one_digest(server: NatsServer, documents: Store) -> None:
    async with staging(server.url, documents, digests=DigestRules(seconds=2.0)) as stage, receiving() as receiver:
        endpoint = await stage.register(receiver.url)
        for number in range(11):
            await stage.whale(usd_value=f"{1_000_000 + number}.25")
        await stage.whale("ETH/USDT")
        await stage.settled(endpoint, 13)
        bodies = [json.loads(request.body) for request in receiver.requests]
        rows = [row for page in await stage.sending.events.read_pages(endpoint.id, 1, 100) for row in page.rows]
    assert sorted((body["event_type"], body["symbol"]) for body in bodies) == [
        ("digest", "BTC"),
        ("whale", "BTC"),
        ("whale", "ETH"),
    ]
    digest = next(body for body in bodies if body["event_type"] == "digest")
    assert digest["data"]["count"] == 10
    assert digest["data"]["usd_value"] == sum(1_000_000 + number for number in range(1, 11)) + 2.5
    assert [row.sequence for row in rows] == list(range(1, 14))
    assert [row.event_type for row in rows if row.digest == digest["event_id"]] == ["whale"] * 10


async def delays_beside_slow(stage: Stage) -> tuple[float, float]:
    """The middle delays of one endpoint (seconds), alone and with a slow one beside it, taken by turns."""

    async def slow(_request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(SLOW_SECONDS)
        writer.write(OK)
        await writer.drain()

    arrived: dict[int, float] = {}

    async def fine(request: Request, writer: asyncio.StreamWriter) -> None:
        arrived[json.loads(request.body)["sequence"]] = asyncio.get_running_loop().time()
        writer.write(OK)
        await writer.drain()

    delays: dict[bool, list[float]] = {True: [], False: []}
    async with receiving(slow) as dragging, receiving(fine) as receiver:
        await stage.register(dragging.url, symbols=("ETH",))
        await stage.register(receiver.url, symbols=("BTC",))
        for number in range(60):
            beside = number // 10 % 2 == 1
            if beside and number % 10 == 0:
                for _ in range(8):  # four at once, twice: it is busy for the whole of this turn
                    await stage.whale("ETH/USDT")
            began = asyncio.get_running_loop().time()
            await stage.whale()
            await wait_for(lambda number=number: number + 1 in arrived)
            delays[beside].append(arrived[number + 1] - began)
    return median(delays[False]), median(delays[True])


async def test_a_slow_endpoint_holds_nobody_else_up(stage: Stage) -> None:
    _, beside = await delays_beside_slow(stage)
    assert beside < SLOW_SECONDS / 2  # none waited for its answer


@pytest.mark.long
async def test_a_slow_endpoint_delays_nobody_else(stage: Stage, record_property: Note) -> None:
    alone, beside = await delays_beside_slow(stage)
    record_property("figure", f"beside a slow endpoint {beside * 1e3:.1f} ms, alone {alone * 1e3:.1f} ms")
    assert beside < 1.1 * alone + 0.005


async def test_a_rotation_under_load_fails_no_verification(stage: Stage, record_property: Note) -> None:
    second = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    failed: list[str] = []

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        for known in secrets:
            with suppress(WebhookVerificationError):
                Webhook(known).verify(request.body, request.headers)
                break
        else:
            failed.append(request.headers["webhook-id"])
        writer.write(OK)
        await writer.drain()

    secrets = [SECRET]  # the receiver changes over in the middle of the overlap, when nothing old is under way
    async with receiving(behave) as receiver:
        endpoint = await stage.register(receiver.url)
        for number in range(120):
            await stage.whale(f"C{number % 7}/USDT")
            if number == 40:
                later = clock.now_ns() + 3600 * SECOND_NS
                rotated = replace(endpoint, secrets=(EndpointSecret(second), EndpointSecret(SECRET, later)), version=2)
                await stage.endpoints.put(rotated)
            if number == 80:
                await stage.settled(endpoint, 81)
                secrets[:] = [second]
        await stage.settled(endpoint, 120)
    record_property("figure", f"120 posts over a rotation: {len(failed)} not verified")
    assert failed == []
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 120
