"""What is published of one book: its id, its fields, and the mark that it is not live any more."""

from __future__ import annotations

from typing import Any

import pytest

from contracts import market
from contracts.codec import fast
from contracts.instrument import make_instrument
from runtime.book.held import BookPace, HeldBook
from runtime.book.rule import BookRule

BTC = make_instrument("binance", "BTC/USDT", "BTCUSDT")
HEAD = {"id": "x", "venue": "binance", "symbol": "BTC/USDT", "venue_symbol": "BTCUSDT", "sim": False}


def whole(seq: int | None, **more: Any) -> Any:
    levels = {"bids": [("10", "1"), ("9", "1")], "asks": [("11", "2"), ("12", "1")]}
    return fast(market.BookDelta)(
        **HEAD | levels, ts_event=5, ts_recv=6, seq=seq, prev_seq=None, is_snapshot=True, **more
    )


def opened(*, simulated: bool = False, request_at: float | None = None, seed: Any = "ws") -> HeldBook[Any]:
    book = HeldBook(BTC, BookRule(seed=seed, chain="none"), kept=True)
    book.open(dict, simulated=simulated, request_at=request_at)
    return book


def text_of(published: dict[str, Any]) -> dict[str, Any]:
    return published | {side: bytes(published[side]).decode() for side in ("bids", "asks")}


def test_books_are_published_four_times_a_second_with_a_hundred_levels() -> None:
    assert BookPace() == BookPace(interval=0.25, depth=100)


def test_a_book_begins_with_nothing_known_of_it() -> None:
    book = HeldBook(BTC, BookRule(seed="ws", chain="none"), kept=True)
    flags = (book.announced, book.dirty, book.fetching, book.simulated)
    times = (book.asked_at, book.seeded_at, book.attempts)
    assert (flags, times) == ((False,) * 4, (0.0, 0.0, 0))
    assert (book.crossed_ts, book.published, book.venue_checksum, book.request_at, book.resubscribed_at) == (None,) * 5


@pytest.mark.parametrize(
    ("seq", "simulated", "number", "quality"), [(7, False, 7, "live"), (None, False, 6, "live"), (7, True, 7, "sim")]
)
def test_a_snapshot_says_the_best_levels_and_is_named_by_number_and_checksum(
    seq: int | None, simulated: bool, number: int, quality: str
) -> None:
    book = opened(simulated=simulated)
    book.keeper.on_delta(whole(seq, unit="contracts"))
    book.venue_checksum = 42
    assert text_of(book.take(1)) == {
        "id": f"binance.BTC.USDT.spot.book.{number}.25d92f02",
        "ts_event": 5,
        "ts_recv": 6,
        "bids": '[["10","1"]]',
        "asks": '[["11","2"]]',
        "seq": seq,
        "quality": quality,
        "checksum": 0x25D92F02,
        "venue_checksum": 42,
        "unit": "contracts",
    }


def test_what_was_published_last_is_marked_once() -> None:
    book = opened()
    assert book.take_downgraded("gap") is None
    book.keeper.on_delta(whole(7))
    live = book.take(5)
    marked = book.take_downgraded("gap")
    assert marked == live | {"quality": "gap", "id": live["id"] + ".gap"}
    assert book.take_downgraded("gap") is None
    assert book.take_downgraded("stale") == live | {"quality": "stale", "id": live["id"] + ".gap.stale"}


def test_a_new_connection_forgets_what_was_known_of_the_last_one() -> None:
    book = opened(simulated=True, request_at=3.0)
    assert (book.make, book.simulated, book.request_at) == (dict, True, 3.0)
    book.keeper.on_delta(whole(7))
    book.fetching = book.announced = True
    book.attempts, book.venue_checksum, book.resubscribed_at, book.crossed_ts = 3, 4, 5.0, 6
    book.open(list, simulated=False, request_at=None)
    assert (book.make, book.simulated, book.request_at) == (list, False, None)
    assert (book.fetching, book.announced, book.keeper.live) == (False, False, False)
    assert (book.attempts, book.venue_checksum, book.resubscribed_at, book.crossed_ts) == (0, None, None, None)


def test_a_snapshot_is_due_at_its_time_unless_it_is_being_fetched() -> None:
    book = opened(request_at=3.0)
    assert [book.is_due(now) for now in (2.9, 3.0, 3.1)] == [False, True, True]
    book.fetching = True
    assert book.is_due(3.1) is False
    book.fetching, book.request_at = False, None
    assert book.is_due(3.1) is False
    book.request_at = 3.0
    book.keeper.on_delta(whole(7))
    assert book.is_due(3.1) is False
    book.keeper.refill()
    assert book.is_due(3.1) is True
