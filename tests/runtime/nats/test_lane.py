"""The fast lane on a real bus: order, headers, bounds, gaps, letters that cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA, HEADER_TRACE
from runtime.nats import wire
from runtime.nats.bus import Bus, BusOptions
from runtime.nats.deadletter import DeadLetters
from runtime.nats.lanes.publisher import LanePublisher
from runtime.nats.lanes.reader import LaneReader, Watchers
from runtime.nats.watchdog import WatchRule
from runtime.servers.embedded import nats_server

Eventually = Callable[..., Awaitable[None]]


class Received:
    """What a reader's callbacks were given."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int]] = []
        self.batches = 0
        self.gaps: list[int] = []
        self.letters: list[tuple[str, bytes, Exception]] = []
        self.watchers = Watchers(lambda *letter: self.letters.append(letter), self.gaps.append)

    def on_batch(self, batch: Sequence[tuple[str, int]]) -> None:
        self.rows += batch
        self.batches += 1

    @property
    def numbers(self) -> list[int]:
        return [number for _, number in self.rows]


def decode(_subject: str, payload: bytes) -> int:
    return int(payload)


def ignore_gap(_messages: int) -> None:
    return


async def test_messages_carry_the_headers_of_an_event(bus: Bus, eventually: Eventually) -> None:
    got: list[Msg] = []

    async def on_message(message: Msg) -> None:
        got.append(message)

    await bus.client.subscribe("lane.headers", cb=on_message)
    lane = LanePublisher(bus, on_gap=ignore_gap)
    lane.publish("lane.headers", b'{"a":1}', schema="trade/1", msg_id="binance:1", traceparent="00-1-2-01")
    lane.publish("lane.headers", "é".encode(), schema="trade/1", msg_id="ид\r\nX: y")
    await eventually(lambda: len(got) == 2)
    first, second = got[0].headers or {}, got[1].headers or {}
    assert got[0].data == b'{"a":1}'
    assert first[HEADER_SCHEMA] == "trade/1"
    assert first[HEADER_MESSAGE_ID] == "binance:1"
    assert first[HEADER_TRACE] == "00-1-2-01"
    assert second[HEADER_MESSAGE_ID] == "%D0%B8%D0%B4%0D%0AX%3A%20y"
    assert "X" not in second


@pytest.mark.parametrize("subject", ["", "a b", "a\r\nPUB x 0", "ключ"])
async def test_subject_that_the_bus_would_misread_is_refused(bus: Bus, subject: str) -> None:
    lane = LanePublisher(bus, on_gap=ignore_gap)
    with pytest.raises(ValueError, match="subject"):
        lane.publish(subject, b"", schema="trade/1")


async def test_reader_gets_everything_in_order_and_in_batches(bus: Bus, eventually: Eventually) -> None:
    received = Received()
    reader = LaneReader(bus, received.watchers)
    await reader.subscribe("lane.order.>", decode, received.on_batch)
    await bus.client.flush()
    lane = LanePublisher(bus, on_gap=ignore_gap, write_at=4096)
    for number in range(20_000):
        lane.publish(f"lane.order.{number % 7}", b"%d" % number, schema="trade/1", msg_id=str(number))
    await eventually(lambda: len(received.rows) >= 20_000)
    assert received.numbers == list(range(20_000))
    assert received.rows[8][0] == "lane.order.1"
    assert received.batches < 5_000
    assert received.gaps == []
    await reader.close()


async def test_plain_messages_requests_and_big_ones_pass_beside_the_lane(bus: Bus, eventually: Eventually) -> None:
    sizes: list[int] = []
    reader = LaneReader(bus, Received().watchers)
    await reader.subscribe(
        "lane.big", lambda _subject, payload: len(payload), lambda rows: sizes.extend(r for _, r in rows)
    )

    async def answer(message: Msg) -> None:
        await message.respond(message.data)

    await bus.client.subscribe("lane.echo", cb=answer)
    for size in (0, 1, 40_000, 900_000):
        await bus.client.publish("lane.big", b"x" * size)
        assert await bus.request("lane.echo", b"y" * size, 5.0) == b"y" * size
    await eventually(lambda: len(sizes) == 4)
    assert sizes == [0, 1, 40_000, 900_000]
    await reader.close()


async def test_queue_group_shares_the_messages(bus: Bus, eventually: Eventually) -> None:
    one, two = Received(), Received()
    readers = [LaneReader(bus, one.watchers), LaneReader(bus, two.watchers)]
    await readers[0].subscribe("lane.shared", decode, one.on_batch, queue="workers")
    await readers[1].subscribe("lane.shared", decode, two.on_batch, queue="workers")
    for number in range(200):
        await bus.client.publish("lane.shared", b"%d" % number)
    await eventually(lambda: len(one.rows) + len(two.rows) == 200)
    assert sorted(one.numbers + two.numbers) == list(range(200))
    assert one.rows
    assert two.rows


async def test_reader_beyond_its_bound_drops_counts_and_tells(bus: Bus, eventually: Eventually) -> None:
    received, dropped = Received(), list[int]()
    bus.listen_drop(lambda _subject, messages: dropped.append(messages))
    reader = LaneReader(bus, received.watchers)
    await reader.subscribe("lane.flood", decode, received.on_batch, max_pending=10)
    lane = LanePublisher(bus, on_gap=ignore_gap)
    for number in range(500):
        lane.publish("lane.flood", b"%d" % number, schema="trade/1")
    await eventually(lambda: len(received.rows) + sum(received.gaps) == 500)
    assert sum(received.gaps) == sum(dropped) > 0
    await reader.close()


async def test_undecodable_message_is_reported_and_does_not_stop_the_reader(bus: Bus, eventually: Eventually) -> None:
    received = Received()
    reader = LaneReader(bus, received.watchers)
    await reader.subscribe("lane.bad", decode, received.on_batch)
    for payload in (b"1", b"one", b"2"):
        await bus.client.publish("lane.bad", payload)
    await eventually(lambda: len(received.rows) == 2)
    assert received.numbers == [1, 2]
    [(subject, payload, error)] = received.letters
    assert (subject, payload) == ("lane.bad", b"one")
    assert isinstance(error, ValueError)
    await reader.close()


async def test_dead_letter_is_kept_once_with_its_error(bus: Bus) -> None:
    await bus.jetstream().add_stream(name="LANE_DLQ", subjects=["dlq.v1.lanetest.>"])
    letters = DeadLetters(bus, "lanetest", stream="LANE_DLQ")
    for _ in range(2):
        letters.keep("md.v1.trade.x", b"{", ValueError("price: missing"))
    await letters.flush()
    state = (await bus.jetstream().stream_info("LANE_DLQ")).state
    assert state.messages == 1
    kept = await bus.jetstream().get_msg("LANE_DLQ", 1)
    assert kept.subject == "dlq.v1.lanetest.md.v1.trade.x"
    assert kept.data == b"{"
    assert "ValueError: price: missing" in (kept.headers or {}).values()
    await bus.jetstream().delete_stream("LANE_DLQ")


async def test_error_in_the_fold_ends_the_reader_and_is_seen(bus: Bus, eventually: Eventually) -> None:
    def on_batch(_rows: Sequence[tuple[str, int]]) -> None:
        raise ZeroDivisionError

    reader = LaneReader(bus, Received().watchers)
    await reader.subscribe("lane.fold", decode, on_batch)
    await bus.client.publish("lane.fold", b"1")
    await eventually(reader.failed.done)
    assert isinstance(reader.failed.exception(), ZeroDivisionError)
    await reader.close()


async def test_what_is_published_while_the_bus_is_away_is_a_counted_gap(tmp_path: Path, eventually: Eventually) -> None:
    async with nats_server(tmp_path) as server:
        bus = await Bus(BusOptions(servers=(server.url,), name="test")).connect()
        gaps, received, dropped = list[int](), Received(), list[tuple[str, int]]()
        bus.listen_drop(lambda event, messages: dropped.append((event, messages)))
        lane = LanePublisher(bus, on_gap=gaps.append)
        reader = LaneReader(bus, received.watchers)
        await reader.subscribe("md.v1.trade.>", decode, received.on_batch)
        lane.publish("md.v1.trade.x", b"1", schema="trade/1")
        await eventually(lambda: received.numbers == [1])
        await server.kill()
        await eventually(lambda: not bus.connected)
        for _ in range(5):
            lane.publish("md.v1.trade.x", b"2", schema="trade/1")
        await eventually(lambda: bool(dropped))
        await server.start()
        await eventually(lambda: bool(gaps) and bool(received.gaps))
        lane.publish("md.v1.trade.x", b"3", schema="trade/1")
        await eventually(lambda: received.numbers == [1, 3])
        assert gaps == [5]
        assert dropped == [("md.v1.trade", 5)]
        assert received.gaps == [0]
        await bus.close()


async def test_frozen_server_makes_a_gap_not_an_endless_buffer(tmp_path: Path, eventually: Eventually) -> None:
    async with nats_server(tmp_path) as server:
        options = BusOptions(
            servers=(server.url,), name="test", watch=WatchRule(interval=0.3, misses=3), connect_timeout=0.5
        )
        bus = await Bus(options).connect()
        gaps: list[int] = []
        lane = LanePublisher(bus, on_gap=gaps.append, max_buffered=256 * 1024)
        await server.freeze()
        highest = 0
        dropped: list[int] = []
        bus.listen_drop(lambda _event, messages: dropped.append(messages))
        while not dropped:
            for _ in range(100):
                lane.publish("md.v1.trade.x", b"x" * 5000, schema="trade/1")
            await asyncio.sleep(0)
            highest = max(highest, wire.buffered(bus.client))
        assert highest < 256 * 1024 + 600_000
        await server.thaw()
        await eventually(lambda: bool(gaps), seconds=15)
        await eventually(lambda: sum(gaps) == sum(dropped))
        await bus.close()


async def test_all_that_is_there_is_read_at_once() -> None:
    reader = asyncio.StreamReader(limit=32_768)
    client: Any = SimpleNamespace(_transport=SimpleNamespace(_io_reader=reader))
    wire.read_whole(client)
    read = client._transport.read
    waiting = asyncio.create_task(read(32_768))
    await asyncio.sleep(0)
    reader.feed_data(b"a")
    assert await waiting == b"a"
    reader.feed_data(b"b" * 100_000)
    reader.feed_data(b"c" * 100_000)
    assert await read(32_768) == b"b" * 100_000 + b"c" * 100_000
    reader.feed_data(b"d")
    reader.feed_eof()
    assert [await read(32_768), await read(32_768)] == [b"d", b""]


async def test_changed_client_internals_are_refused_with_their_name(bus: Bus) -> None:
    client = Client()
    with pytest.raises(wire.UnknownClientError, match="_transport"):
        wire.check(client)
    client._ps = object()  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(wire.UnknownClientError, match="_ps"):
        wire.open_lanes(client)
    wire.check(bus.client)
    assert wire.writable(bus.client)
    assert wire.buffered(bus.client) >= 0
