"""Messages with headers and without: whoever reads events from the bus gets the same of both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.stream.feed import StreamFeed
from contracts import codec, subjects
from contracts.codec import EVENTS
from deploy.view_state import Message, State, fold
from runtime.app.contract_decoder import decode_by_contract
from runtime.clock import now_ns
from runtime.nats.bus import Bus
from runtime.nats.lanes.reader import LaneReader, Watchers, read_event
from runtime.nats.streams.past import read_past
from runtime.nats.streams.reader import ALL
from tests.consumers.odd_events import golden

Eventually = Callable[..., Awaitable[None]]
Seen = list[tuple[str, bytes]]
BARE = ("ticker", "book", "delta", "consolidated_ticker", "consolidated_book")
pytestmark = pytest.mark.nats


def headers_of(kind: str, body: dict[str, Any]) -> dict[str, str]:
    """Give the headers that every event had, and that those of some kinds still have."""
    return {
        subjects.HEADER_SCHEMA: codec.schema_of(EVENTS[kind]),
        "Hydrophone-Published": str(now_ns()),
        subjects.HEADER_MESSAGE_ID: body["id"],
    }


def good(kind: str) -> tuple[str, bytes, dict[str, str]]:
    """Give a good message of a kind under a replay's subject, so that no other test's reader has it."""
    subject, body = golden(EVENTS[kind], now_ns())
    return subject, json.dumps(body).encode(), headers_of(kind, body)


async def read_lane(bus: Bus, seen: Seen, eventually: Eventually) -> Callable[[], Awaitable[None]]:
    reader = LaneReader(bus, Watchers(lambda *letter: pytest.fail(repr(letter)), lambda _: None))
    await reader.subscribe("f.>", read_own, seen.extend)
    await bus.client.flush()
    return reader.close


def read_own(subject: str, body: bytes) -> bytes:
    return codec.encode(read_event(subject.removeprefix("f."), body))


async def read_stream(bus: Bus, seen: Seen, eventually: Eventually) -> Callable[[], Awaitable[None]]:
    reader = LaneReader(bus, Watchers(lambda *letter: pytest.fail(repr(letter)), lambda _: None))
    await reader.stream("FORMS", ["f.>"], read_own, lambda batch, _last: seen.extend(batch), start=ALL)
    return reader.close


READERS = {"core": read_lane, "stream": read_stream}


@pytest.mark.parametrize("reader", READERS)
async def test_lanes_and_streams_give_the_same_of_both_forms(reader: str, bus: Bus, eventually: Eventually) -> None:
    await bus.jetstream().add_stream(name="FORMS", subjects=["f.>"])
    seen: Seen = []
    close = await READERS[reader](bus, seen, eventually)
    sent: list[str] = []
    for kind in EVENTS:
        subject, body, headers = good(kind)
        await bus.client.publish("f." + subject, body)
        await bus.client.publish("f." + subject, body, headers=headers)
        sent.append("f." + subject)
    await eventually(lambda: len(seen) == 2 * len(EVENTS))
    assert [subject for subject, _ in seen] == [subject for subject in sent for _ in range(2)]
    assert seen[::2] == seen[1::2]
    await close()
    async with asyncio.timeout(30):  # a stream stores after subscribers have it
        while (await bus.jetstream().stream_info("FORMS")).state.messages < 2 * len(EVENTS):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    rows = await read_past(bus, "FORMS", ["f.>"], ALL)
    assert [(row.subject, row.payload) for row in rows[::2]] == [(row.subject, row.payload) for row in rows[1::2]]
    await bus.jetstream().delete_stream("FORMS")


@pytest.mark.parametrize("kind", [kind for kind in EVENTS if kind in BARE or kind in {"trade", "feed"}])
async def test_the_api_s_stream_gives_the_same_of_both_forms(kind: str, bus: Bus, eventually: Eventually) -> None:
    events: list[tuple[str, bytes]] = []
    feed = StreamFeed(bus, lambda subject, event: events.append((subject, codec.encode(event))))
    running = asyncio.create_task(feed.run())
    subject, body, headers = good(kind)
    feed.acquire(subject)
    await eventually(lambda: subject in feed._held)
    await bus.client.publish(subject, body)
    await bus.client.publish(subject, body, headers=headers)
    await eventually(lambda: len(events) == 2)
    assert events[0] == events[1]
    assert codec.kind_of(events[0][0]) == kind
    running.cancel()


@pytest.mark.parametrize("kind", EVENTS)
async def test_handlers_of_durables_take_the_same_model_of_both_forms(kind: str) -> None:
    class Raw:
        subject, data = good(kind)[:2]

    class Received:
        raw_message = Raw
        body = Raw.data
        headers: dict[str, str] | None = None

    async def never(_message: Any) -> Any:
        raise AssertionError("the contract knows this subject")

    bare = await decode_by_contract(Received(), never)  # pyright: ignore[reportArgumentType]
    Received.headers = headers_of(kind, json.loads(Raw.data))
    assert await decode_by_contract(Received(), never) == bare  # pyright: ignore[reportArgumentType]


def test_the_view_reads_no_header() -> None:
    assert Message._fields == ("subject", "body", "at")
    state = State()
    fold(state, [Message(*good(kind)[:2], now_ns()) for kind in EVENTS])
    assert not state.unreadable
