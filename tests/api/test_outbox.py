"""A client's queue: bounded, conflated, and honest about what it left out."""

from __future__ import annotations

import json

import pytest

from api.stream.outbox import CONTROLS_KEPT, FullError, Outbox, make_message, text_frame


def payloads(frames: list[bytes]) -> list[dict[str, object]]:
    return [json.loads(frame[frame.index(b"{") :]) for frame in frames]


def test_state_is_conflated_to_its_newest_with_a_count() -> None:
    outbox = Outbox()
    for price in (1, 2, 3):
        outbox.put_state("BTC", make_message(b'{"price":%d}' % price))
    outbox.put_state("ETH", make_message(b'{"price":9}'))
    assert payloads(outbox.take()) == [{"price": 3, "conflated": 2}, {"price": 9}]
    assert outbox.conflated == 2
    outbox.put_state("BTC", make_message(b'{"price":4}'))
    assert payloads(outbox.take()) == [{"price": 4}]


def test_the_oldest_events_are_dropped_and_counted() -> None:
    outbox = Outbox(events_kept=2)
    for number in range(5):
        outbox.put_event(make_message(b'{"id":%d}' % number))
    assert payloads(outbox.take()) == [{"id": 3, "dropped": 3}, {"id": 4}]
    assert outbox.dropped == 3


def test_answers_come_first_and_are_never_dropped() -> None:
    outbox = Outbox()
    outbox.put_event(make_message(b'{"id":1}'))
    for _ in range(CONTROLS_KEPT):
        outbox.put_control(make_message(b'{"type":"pong"}'))
    assert payloads(outbox.take())[0] == {"type": "pong"}
    for _ in range(CONTROLS_KEPT):
        outbox.put_control(make_message(b"{}"))
    with pytest.raises(FullError):
        outbox.put_control(make_message(b"{}"))


def test_a_turn_takes_about_so_many_bytes() -> None:
    outbox = Outbox()
    for _ in range(10):
        outbox.put_event(make_message(b"{%s}" % (b" " * 100)))
    assert len(outbox.take(most_bytes=250)) == 3
    assert len(outbox.take()) == 7


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_a_frame_tells_its_length(size: int, head: int) -> None:
    frame = text_frame(b"x" * size)
    assert len(frame) == head + size
    assert frame[0] == 0x81
