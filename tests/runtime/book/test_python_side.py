"""The Python side of a book by itself: what it holds, in which order and writing, and what it leaves out."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import pytest

from runtime.book import sides
from runtime.book.book_side import ZERO, BookSide, are_levels, checksum, read_levels, snapshot
from tests.runtime.book.book_sides import compiled


def side_of(sign: int, *levels: tuple[str, str], depth: int | None = None) -> BookSide:
    side = BookSide(sign)
    side.replace(levels, depth)
    return side


def test_a_side_begins_empty() -> None:
    side = BookSide(1)
    assert (len(side), side.best(), side.worst(), side.top(), side.columns(5)) == (0, None, None, [], ([], []))


def test_the_best_bid_is_the_highest_and_the_best_ask_the_lowest() -> None:
    levels = [("9", "a"), ("10", "b"), ("8", "c"), ("11", "d")]
    bids, asks = side_of(1, *levels), side_of(-1, *levels)
    assert (bids.best(), bids.worst(), asks.best(), asks.worst()) == (11, 8, 8, 11)
    assert bids.top() == [("11", "d"), ("10", "b"), ("9", "a"), ("8", "c")]
    assert asks.top() == [("8", "c"), ("9", "a"), ("10", "b"), ("11", "d")]
    assert [bids.top(depth) for depth in (0, 1, 2, 4, 9)] == [bids.top()[:depth] for depth in (0, 1, 2, 4, 9)]
    assert bids.columns(2) == (["11", "10"], ["d", "b"])
    assert bids.columns(None)[0] == ["11", "10", "9", "8"]


@pytest.mark.parametrize(
    "levels",
    [
        [("9", "1"), ("8", "0"), ("10", "2")],
        b'[["9","1"],["8","0"],["10","2"]]',
        '[["9","1"],["8","0"],["10","2"]]',
        msgspec.Raw(b'[["9","1"],["8","0"],["10","2"]]'),
    ],
    ids=["tuples", "bytes", "text", "raw"],
)
def test_levels_come_as_pairs_or_as_their_json(levels: Any) -> None:
    whole, changed = BookSide(1), side_of(1, ("8", "5"))
    whole.replace(levels)
    changed.apply(levels)
    assert whole.top() == changed.top() == [("10", "2"), ("9", "1")]


def test_a_snapshot_replaces_what_was_held_and_is_cut_to_the_best() -> None:
    side = side_of(1, ("1", "1"), ("2", "1"))
    side.replace([("9", "1"), ("7", "1"), ("8", "1"), ("6", ZERO)], 2)
    assert side.top() == [("9", "1"), ("8", "1")]
    side.apply([("7", ZERO)])
    side.replace([("9", "1"), ("7", "1")], 2)
    assert side.top() == [("9", "1"), ("7", "1")]
    side.replace([("5", "1"), ("5.0", "2"), ("nan", "1")])
    assert (side.top(), len(side)) == ([("5.0", "2")], 1)


def test_levels_are_set_removed_and_written_as_they_came_last() -> None:
    side = side_of(1, ("9", "1"), ("10", "2"), ("8", "3"))
    side.apply([("9", "7"), ("10.0", "4"), ("8", ZERO), ("1", ZERO), ("9.5", "6")])
    assert side.top() == [("10.0", "4"), ("9.5", "6"), ("9", "7")]
    side.apply([("10", ZERO)])
    assert side.top() == [("9.5", "6"), ("9", "7")]
    side.apply([("10.0", "1")])
    assert side.top(1) == [("10.0", "1")]


@pytest.mark.parametrize(("sign", "taken"), [(1, ["12", "11", "10"]), (-1, ["9", "9.5", "10"])])
def test_what_is_worse_than_the_edge_is_left_alone(sign: int, taken: list[str]) -> None:
    side = BookSide(sign)
    side.apply([(price, "1") for price in ("9", "9.5", "10", "11", "12")], 10.0)
    assert [price for price, _ in side.top()] == taken
    side.apply([("10", ZERO)], 10.0)
    assert len(side) == 2
    side.apply([("1", "1")])
    assert len(side) == 3


def test_the_worst_falls_out_as_soon_as_there_are_too_many() -> None:
    side = side_of(-1, ("10", "1"), ("11", "1"))
    side.apply([("9", "1"), ("9", ZERO), ("12", "1")], depth=2)
    assert side.top() == [("10", "1"), ("12", "1")]
    side.apply([("13", "1")], depth=2)
    side.apply([("11", "5")], depth=2)
    assert side.top() == [("10", "1"), ("11", "5")]


def test_a_snapshot_is_written_with_its_checksum() -> None:
    bids, asks = side_of(1, ("10", "1"), ("9.5", "2"), ("9", "3")), side_of(-1, ("11", "4"))
    text = b"10:1|9.5:2|11:4"
    assert snapshot(bids, asks, 2) == ('[["10","1"],["9.5","2"]]', '[["11","4"]]', zlib.crc32(text))
    assert snapshot(bids, asks, None)[0] == '[["10","1"],["9.5","2"],["9","3"]]'
    assert snapshot(BookSide(1), asks, 2) == ("[]", '[["11","4"]]', zlib.crc32(b"11:4"))
    assert snapshot(BookSide(1), BookSide(-1), 2) == ("[]", "[]", 0)
    assert checksum(bids.top(2), asks.top()) == zlib.crc32(text)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (b"[]", True),
        (b'[["1","0"]]', True),
        (b'[["0.10","1.50"],["12","3"]]', True),
        (b'[["123456789012345678901234","0.123456789012345678901234567890123456"]]', True),
        (b'[["1234567890123456789012345","1"]]', False),
        (b'[["0.1234567890123456789012345678901234567","1"]]', False),
        (b'[["0","1"]]', False),
        (b'[["0.00","1"]]', False),
        (b'[["1","0.0"]]', False),
        (b'[["01","1"]]', False),
        (b'[["1","1"]', False),
        (b'[["1","1"] ]', False),
        (b'[["1","1"],]', False),
        (b'[["1","1"]]x', False),
        (b'[["1.","1"]]', False),
    ],
)
def test_levels_that_can_be_published_as_they_are(text: bytes, good: bool) -> None:
    assert are_levels(text) is good
    assert are_levels(msgspec.Raw(text)) is good


def test_what_is_no_text_of_levels_is_refused() -> None:
    assert read_levels(b'[["1","2"]]') == [("1", "2")]
    for text in (b'[["1"]]', b"{}", b"["):
        with pytest.raises(msgspec.MsgspecError):
            read_levels(text)


def test_the_compiled_side_is_used_where_it_was_built() -> None:
    assert sides.COMPILED is (compiled is not None)
    assert sides.COMPILED is (sides.BookSide is not BookSide)


def test_a_side_that_another_process_keeps_holds_nothing() -> None:
    side: Any = sides.NoSide(1)
    side.replace([("1", "1")])
    side.apply([("1", "1")], edge=None, depth=3)
    assert (len(side), side.top(), side.best()) == (0, [], None)
    assert {"BookSide", "NoSide", "are_levels", "snapshot", "COMPILED"} == set(sides.__all__)
