"""The fan-out: one write a tick for each client, of bytes that are made once; the rest waits, bounded."""

from __future__ import annotations

import asyncio
import json
import time

from prometheus_client import CollectorRegistry

from api.stream.backlog import Backlog, Message
from api.stream.fan_out import MEASURED_EVERY, MOST_WAITING, TICK_SECONDS, FanOut, join_frames
from api.stream.hub import Hub, StreamMetrics
from api.stream.topics import Topic
from contracts import codec
from runtime.clients.market_client import MarketClient
from tests.api.streaming import TAIL, trade
from tests.api.test_prices import TickerCore


class Writer:
    """What was written to one client."""

    def __init__(self) -> None:
        self.ready = True
        self.written: list[bytes] = []

    def write_frames(self, frames: bytes) -> None:
        self.written.append(frames)


class Box:
    """A client whose connection is a list."""

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.backlog = Backlog()
        self.writer = Writer()

    def hold(self, messages: list[Message]) -> None:
        for message in messages:
            self.backlog.put(message)

    def end_if_stuck(self, since: float) -> bool:
        return False


def numbered(count: int) -> list[Message]:
    return [Message(b'{"id":%d}' % number) for number in range(count)]


async def ticks(count: int = 1) -> None:
    await asyncio.sleep(count * TICK_SECONDS + 0.02)


async def test_the_first_message_is_written_at_once_and_a_burst_in_one_write() -> None:
    fan_out, box = FanOut(), Box()
    messages = numbered(11)
    fan_out.push(messages[0], [box])
    assert box.writer.written == []
    await asyncio.sleep(0)
    assert box.writer.written == [messages[0].frame]
    for message in messages[1:]:
        fan_out.push(message, [box])
    await asyncio.sleep(0)
    assert len(box.writer.written) == 1, "the tick is not over"
    await ticks()
    assert box.writer.written[1:] == [join_frames(messages[1:])]


async def test_clients_for_whom_the_same_waits_share_the_bytes() -> None:
    fan_out, boxes, other = FanOut(), [Box(), Box(), Box()], Box()
    first, second, third = numbered(3)
    fan_out.push(first, boxes)
    fan_out.push(second, [*boxes, other])
    fan_out.push(third, [other])
    await ticks()
    shared = [box.writer.written[0] for box in boxes]
    assert shared[0] is shared[1] is shared[2]
    assert shared[0] == first.frame + second.frame
    assert other.writer.written == [second.frame + third.frame]


async def test_who_does_not_take_frames_gets_a_backlog_and_the_others_get_theirs() -> None:
    fan_out, good, slow = FanOut(), Box(), Box()
    slow.writer.ready = False
    for message in numbered(3):
        fan_out.push(message, [good, slow])
    await ticks()
    assert good.writer.written == [join_frames(numbered(3))]
    assert slow.writer.written == []
    assert [json.loads(payload)["id"] for _, payload in slow.backlog.take()] == [0, 1, 2]


async def test_a_tick_has_an_end_in_messages_too() -> None:
    fan_out, box = FanOut(), Box()
    for message in numbered(MOST_WAITING):
        fan_out.push(message, [box])
    assert len(box.writer.written) == 1, "without the loop"


async def test_the_time_until_a_write_is_measured_by_samples() -> None:
    took: list[float] = []
    fan_out, box = FanOut(took.append), Box()
    for _ in range(MEASURED_EVERY + 1):
        for message in numbered(2):
            fan_out.push(message, [box])
        time.sleep(0.002)  # noqa: ASYNC251  # the loop is busy: what waits is written later
        fan_out.write()
    assert len(took) == 2
    assert all(0.002 <= seconds < 1 for seconds in took)


async def test_an_event_is_encoded_once_for_all_who_subscribed() -> None:
    hub = Hub(MarketClient(TickerCore()), StreamMetrics(CollectorRegistry()))
    boxes = [Box() for _ in range(3)]
    for box in boxes:
        hub.add(box, Topic("trades", TAIL))
    subject = f"md.v1.trade.{TAIL}"
    hub.on_event(subject, codec.decode(subject, trade(1).model_dump_json().encode()))
    assert boxes[0].waiting[0] is boxes[1].waiting[0] is boxes[2].waiting[0]
    await ticks()
    assert boxes[0].writer.written[0] is boxes[2].writer.written[0]
