"""A client's queue: bounded, conflated, and honest about what it left out."""

from __future__ import annotations

import json

import pytest

from api.stream.send_queue import CONTROLS_KEPT, QueueFullError, SendQueue, make_message, text_frame


def payloads(frames: list[bytes]) -> list[dict[str, object]]:
    return [json.loads(frame[frame.index(b"{") :]) for frame in frames]


def test_state_is_conflated_to_its_newest_with_a_count() -> None:
    queue = SendQueue()
    for price in (1, 2, 3):
        queue.put_state("BTC", make_message(b'{"price":%d}' % price))
    queue.put_state("ETH", make_message(b'{"price":9}'))
    assert payloads(queue.take()) == [{"price": 3, "conflated": 2}, {"price": 9}]
    assert queue.conflated == 2
    queue.put_state("BTC", make_message(b'{"price":4}'))
    assert payloads(queue.take()) == [{"price": 4}]


def test_the_oldest_events_are_dropped_and_counted() -> None:
    queue = SendQueue(events_kept=2)
    for number in range(5):
        queue.put_event(make_message(b'{"id":%d}' % number))
    assert payloads(queue.take()) == [{"id": 3, "dropped": 3}, {"id": 4}]
    assert queue.dropped == 3


def test_answers_come_first_and_are_never_dropped() -> None:
    queue = SendQueue()
    queue.put_event(make_message(b'{"id":1}'))
    for _ in range(CONTROLS_KEPT):
        queue.put_control(make_message(b'{"type":"pong"}'))
    assert payloads(queue.take())[0] == {"type": "pong"}
    for _ in range(CONTROLS_KEPT):
        queue.put_control(make_message(b"{}"))
    with pytest.raises(QueueFullError):
        queue.put_control(make_message(b"{}"))


def test_a_turn_takes_about_so_many_bytes() -> None:
    queue = SendQueue()
    for _ in range(10):
        queue.put_event(make_message(b"{%s}" % (b" " * 100)))
    assert len(queue.take(most_bytes=250)) == 3
    assert len(queue.take()) == 7


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_a_frame_tells_its_length(size: int, head: int) -> None:
    frame = text_frame(b"x" * size)
    assert len(frame) == head + size
    assert frame[0] == 0x81
