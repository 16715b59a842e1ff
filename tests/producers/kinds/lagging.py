"""A snapshot that lags the stream by seconds, as from a cache: it joins in the end, and the wait is published."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.producers.kinds.driving import Driven

FIRST: Final = 10_000
ROUND_TRIP: Final = 0.2  # seconds between the request and its answer


def joins(venue: str, name: str, change: Callable[[int], str], whole: Callable[[int], str]) -> None:
    """Drive ten changes a second with snapshots that are 3, 5 and 20 seconds old.

    `change(n)` is the frame of change n, `whole(n)` the book as of it: a REST answer, or a frame where the venue asks
    for it on the socket.
    """
    for lag in (3, 5, 20):
        _joins(Driven(venue, [name]), (change, whole), lag)


def _joins(driven: Driven, frames: tuple[Callable[[int], str], Callable[[int], str]], lag: int) -> None:
    change, whole = frames
    n, asked, due, answer = FIRST, 0, 0.0, ""
    while "live" not in driven.said("book"):
        assert driven.now < lag + 5, f"{lag} s behind: not live after {driven.now} s and {asked} requests"
        n += 1
        driven.feed(change(n))
        if driven.wanted():
            asked += 1
            due, answer = driven.now + ROUND_TRIP, whole(max(FIRST + round((driven.now - lag) * 10), 1))
        if answer and driven.now >= due - 0.001:
            if driven.venue.book_request is None:
                driven.answer(driven.names[0], answer)
            else:
                driven.feed(answer, every=0.0)
            answer = ""
    assert not driven.unread, driven.unread
    assert asked <= 15, f"{lag} s behind: {asked} requests"
    waits = [why for state, channel, _, why in driven.states if channel == "book" and state != "live" and why]
    assert waits or asked == 1, "no FeedStatus says what is waited for"
    driven.wait(0.1)
    last = driven.of("book")[-1]
    assert last.quality == "live"
    assert last.seq == n
