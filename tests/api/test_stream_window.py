"""Who reads, by the ends of its window: numbers as Linux gave them for clients that did and did not."""

from __future__ import annotations

import pytest

from api.stream.events.window import LOOKS, SENT_EACH, ReadingWatch


def looks(ends: list[int]) -> list[bool]:
    watch = ReadingWatch()
    return [watch.is_reading(end) for end in ends]


@pytest.mark.parametrize("each", [SENT_EACH, 100_000])
def test_a_client_that_reads_moves_the_end_of_its_window_by_what_it_is_sent(each: int) -> None:
    assert all(looks([70_000 + number * each for number in range(50)]))


def test_a_client_that_does_not_read_is_seen_after_some_looks_though_its_buffer_grows() -> None:
    windows = [91_136, 90_112, 89_088, 87_040, 86_016, 83_968, 82_944, 81_920]
    ends = [2548 + number * SENT_EACH + window for number, window in enumerate(windows)]
    assert looks(ends).index(False) == LOOKS


def test_a_client_that_reads_again_stays() -> None:
    watch, end = ReadingWatch(), 70_000
    for _ in range(3 * LOOKS):
        for moved in (0, 0, 0, 4 * SENT_EACH):
            end += moved
            assert watch.is_reading(end)


def test_a_connection_that_acknowledges_nothing_is_seen() -> None:
    assert looks([70_000] * (LOOKS + 1)) == [*[True] * LOOKS, False]


def test_where_the_system_does_not_say_nobody_is_judged() -> None:
    watch = ReadingWatch()
    assert all(watch.is_reading(None) for _ in range(3 * LOOKS))
