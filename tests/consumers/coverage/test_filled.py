"""What was filled or is missing of the past: how far back that is believed, to which ends, what it explains."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.coverage import core
from consumers.coverage.core import VenueBook
from contracts.services.coverage import HOUR_NS, KEPT_HOURS
from runtime.coverage.interruptions import ALL
from tests.consumers.coverage.ledger import MINUTE, SECOND, START, SYMBOLS, VENUE, book_of, filled, lost, status

BTC, ETH, _ = SYMBOLS
HOUR = START // HOUR_NS
BEGIN = HOUR * HOUR_NS


# ---- what was filled
@pytest.mark.parametrize(
    ("ranges", "kept"),
    [
        ([(-core.REACH - 9, -core.REACH - 1)], []),
        ([(-core.REACH - 9, -core.REACH + 3)], [(-core.REACH, -core.REACH + 4)]),
        ([(1, 10 * SECOND)], [(1, core.NEAR)]),
        ([(core.NEAR, core.NEAR + 5)], []),
        ([(-9, -7), (-5, -3)], [(-9, -6), (-5, -2)]),
    ],
)
@pytest.mark.parametrize("name", ["filled", "missing"])
def test_what_is_said_of_the_past_reaches_a_day_back(name: str, ranges: Any, kept: Any) -> None:
    ranges = [(START + start, START + end) for start, end in ranges]
    book = book_of(status("live", START, "trade", BTC, **{name: ranges}))
    assert (filled if name == "filled" else lost)(book) == kept
    assert lost(book, ETH) == filled(book, ETH) == []


@pytest.mark.parametrize(
    ("cut", "span", "whole"),
    [
        ((10, 40), (12, 38), (10, 40)),
        ((10, 40), (12.5, 38), (10.5, 40)),
        ((10, 40), (11, 37.5), (10, 39.5)),
        ((10, 40), (40, 43), (38, 43)),
        ((10, 40), (40.5, 43), (40.5, 43)),
        ((10, 40), (5, 10), (5, 12)),
        ((10, 40), (5, 9.5), (5, 9.5)),
    ],
)
def test_what_was_filled_reaches_to_the_ends_of_the_cut_that_it_is_of(cut: Any, span: Any, whole: Any) -> None:
    at = [START + int(second * SECOND) for second in (*cut, *span)]
    book = book_of(status("down", at[0], "trade"), status("live", at[1], "trade"))
    book.on_status(status("live", START + MINUTE, "trade", BTC, filled=[(at[2], at[3] - 1)]))
    (found,) = filled(book)
    assert found == tuple(int(second * SECOND) for second in whole)


def test_a_loss_of_a_moment_is_explained_by_what_was_filled_from_a_second_before_it() -> None:
    def said(at: int, symbol: str = BTC, channel: str = "trade") -> list[Any]:
        return [status(state, START + at, channel, symbol) for state in ("gap", "live")]

    for at, explained in ((9 * SECOND - 1, False), (9 * SECOND, True), (30 * SECOND, True), (30 * SECOND + 1, False)):
        book = book_of(*said(at))
        span = (START + 10 * SECOND, START + 12 * SECOND - 1)
        book.on_status(status("live", START + 30 * SECOND, "trade", BTC, filled=[span]))
        assert ((at - SECOND, at) in filled(book) or filled(book)[0][0] == at - SECOND) is explained, at
        assert filled(book)[-1][1] >= 12 * SECOND
    for other in (said(20 * SECOND, ETH), said(20 * SECOND, channel="book")):
        book = book_of(*other)
        book.on_status(status("live", START + 30 * SECOND, "trade", BTC, filled=[(START, START + SECOND - 1)]))
        assert filled(book) == [(0, SECOND)]


@pytest.mark.parametrize(
    ("cut", "span", "whole"), [((-10, 0), (0, 5), (-2, 5)), ((0, 10), (-5, 0), (-5, 2)), ((-10, 10), (-1, 1), (-3, 3))]
)
def test_a_cut_of_the_hour_before_or_after_is_near_too(cut: Any, span: Any, whole: Any) -> None:
    turn = BEGIN + HOUR_NS
    at = [turn + second * SECOND for second in (*cut, *span)]
    book = book_of(status("down", at[0], "trade"), status("live", at[1], "trade"))
    book.on_status(status("live", turn + MINUTE, "trade", BTC, filled=[(at[2], at[3] - 1)]))
    found = [edge + START - turn for part in filled(book) for edge in part]
    assert (found[0], found[-1]) == tuple(second * SECOND for second in whole)


def test_a_span_over_the_hour_is_of_both_hours() -> None:
    start, end = BEGIN + HOUR_NS - 3 * SECOND, BEGIN + HOUR_NS + 2 * SECOND
    book = book_of(status("down", start, "trade"), status("live", end, "trade"))
    assert book.changed == {HOUR, HOUR + 1}
    rows = {hour: [row.lost for row in held.save().rows] for hour, held in book.hours.items()}
    assert rows == {HOUR: [[(HOUR_NS - 3 * SECOND, HOUR_NS)]], HOUR + 1: [[(0, 2 * SECOND)]]}
    book.on_status(status("live", end + MINUTE, "trade", BTC, filled=[(start, end - 1)]))
    assert filled(book) == [
        (start - START, BEGIN + HOUR_NS - START),
        (BEGIN + HOUR_NS - START, end - START),
    ]
    exact = VenueBook(VENUE)
    exact.add_lost(ALL, BEGIN, BEGIN + HOUR_NS)
    assert set(exact.hours) == {HOUR}
    exact.add_lost(ALL, BEGIN - 9 * KEPT_HOURS * HOUR_NS, BEGIN + 1)
    assert set(exact.hours) == set(range(HOUR - KEPT_HOURS, HOUR + 1))
