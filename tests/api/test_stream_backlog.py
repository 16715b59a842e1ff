"""A client's backlog: bounded, conflated, and honest about what it left out."""

from __future__ import annotations

import json

import pytest

from api.stream.backlog import CONTROL, CONTROLS_KEPT, Backlog, Message, QueueFullError, text_frame


def taken(backlog: Backlog, most_bytes: int = 64 * 1024) -> list[dict[str, object]]:
    return [json.loads(payload) for _, payload in backlog.take(most_bytes)]


def test_state_is_conflated_to_its_newest_with_a_count() -> None:
    backlog = Backlog()
    for price in (1, 2, 3):
        backlog.put(Message(b'{"price":%d}' % price, "BTC"))
    backlog.put(Message(b'{"price":9}', "ETH"))
    assert taken(backlog) == [{"price": 3, "conflated": 2}, {"price": 9}]
    assert backlog.conflated == 2
    backlog.put(Message(b'{"price":4}', "BTC"))
    assert taken(backlog) == [{"price": 4}]
    assert not backlog


def test_the_oldest_events_are_dropped_and_counted() -> None:
    backlog = Backlog(events_kept=2)
    for number in range(5):
        backlog.put(Message(b'{"id":%d}' % number))
    assert taken(backlog) == [{"id": 3, "dropped": 3}, {"id": 4}]
    assert backlog.dropped == 3


def test_a_whole_backlog_drops_no_event() -> None:
    backlog = Backlog(events_kept=2, whole=True)
    for number in range(2):
        backlog.put(Message(b'{"id":%d}' % number))
    with pytest.raises(QueueFullError):
        backlog.put(Message(b'{"id":2}'))
    assert taken(backlog) == [{"id": 0}, {"id": 1}]


def test_answers_come_first_and_are_never_dropped() -> None:
    backlog = Backlog()
    backlog.put(Message(b'{"id":1}'))
    for _ in range(CONTROLS_KEPT):
        backlog.put(Message(b'{"type":"pong"}', CONTROL))
    assert taken(backlog)[0] == {"type": "pong"}
    for _ in range(CONTROLS_KEPT):
        backlog.put(Message(b"{}", CONTROL))
    with pytest.raises(QueueFullError):
        backlog.put(Message(b"{}", CONTROL))


def test_about_so_many_bytes_are_taken() -> None:
    backlog = Backlog()
    for _ in range(10):
        backlog.put(Message(b"{%s}" % (b" " * 100)))
    assert len(taken(backlog, 250)) == 3
    assert len(taken(backlog)) == 7


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65_535, 4), (65_536, 10)])
def test_a_frame_has_its_length(size: int, head: int) -> None:
    frame = text_frame(b"x" * size)
    assert len(frame) == head + size
    assert frame[0] == 0x81
