"""One book from many venues, level by level."""

from __future__ import annotations

from typing import Any

from consumers.market.consolidated import MergedBook, Offered, merge_books
from tests.consumers.market.exactly.quoted import book


def merged(*offered: Offered, depth: int = 9, kind: tuple[str, str] | None = None) -> MergedBook:
    found = merge_books(offered, depth, kind)
    assert found is not None
    return found


def shown(side: Any) -> list[tuple[str, str, str]]:
    return [
        (str(one.price), str(one.amount), " ".join(f"{venue}={size}" for venue, size in one.by_venue)) for one in side
    ]


def test_levels_of_one_price_are_one_with_a_part_of_each_venue_best_first() -> None:
    found = merged(
        book("a", "99x1 98x2", "101x1 103x1"), book("b", "99.0x0.5 97x1", "102x1 103x2", ts_recv=8, sim=True)
    )
    assert shown(found.bids) == [("99", "1.5", "a=1 b=0.5"), ("98", "2", "a=2"), ("97", "1", "b=1")]
    assert shown(found.asks) == [("101", "1", "a=1"), ("102", "1", "b=1"), ("103", "3", "a=1 b=2")]
    assert (found.whole_bids, found.whole_asks) == (98, 103)
    assert (found.spread, found.crossed, found.sim, found.ts_recv) == (2, False, True, 8)
    assert (found.market, found.quote, found.quality, found.stale, found.in_contracts) == (
        "spot",
        "USDT",
        "live",
        (),
        (),
    )


def test_a_book_is_as_deep_as_asked_on_each_side_and_at_each_venue() -> None:
    found = merged(book("a", "99x1 98x2", "101x1 102x1"), book("b", "97x1 96x1", "103x1"), depth=2)
    assert [str(one.price) for one in found.bids] == ["99", "98"]
    assert [str(one.price) for one in found.asks] == ["101", "102"]
    (only,) = merged(book("a", "99x1 98x2", ""), depth=1).bids
    assert only.price == 99


def test_books_of_two_venues_may_be_crossed_or_empty() -> None:
    found = merged(book("a", "101x1", "105x1"), book("b", "90x1", "100x1"))
    assert (found.crossed, found.spread) == (True, -1)
    touching = merged(book("a", "100x1", "105x1"), book("b", "90x1", "100x1"))
    assert (touching.crossed, touching.spread) == (False, 0)
    half = merged(book("a", "101x1", ""))
    assert (half.crossed, half.spread, half.whole_asks, half.asks) == (False, None, None, ())
    other = merged(book("a", "", "101x1"))
    assert (other.crossed, other.spread, other.whole_bids, other.whole_asks) == (False, None, None, 101)


def test_only_books_of_one_kind_are_merged_spot_first_then_that_of_most() -> None:
    perps = [book(name, "99x1", "101x1", "BTC/USDT:USDT") for name in ("p", "q", "r")]
    usdc, usdt = book("c", "99x1", "101x1", "BTC/USDC"), [book(name, "99x1", "101x1") for name in ("a", "b")]
    assert [one.item.venue for one in merged(*perps, usdc, *usdt).used] == ["a", "b"]
    assert [one.item.venue for one in merged(*perps, usdc, *usdt, kind=("spot", "USDC")).used] == ["c"]
    assert merged(*perps, kind=("spot", "USDC")).market == "perp"


def test_stale_books_and_those_in_contracts_are_named_and_the_newest_stale_one_is_shown_alone() -> None:
    stale = [book(name, "9x1", "10x1", own="stale", ts_recv=at) for name, at in (("s", 3), ("t", 4))]
    counted = [book("k", "9x1", "10x1", unit="contracts"), book("l", "9x1", "10x1", "BTC/USDC", unit="contracts")]
    other = book("o", "9x1", "10x1", "BTC/USDC", own="stale")
    found = merged(book("a", "9x1", "10x1", own="gap"), *stale, *counted, other)
    assert (found.stale, found.in_contracts, found.quality) == (("s", "t"), ("k",), "gap")
    alone = merged(*stale)
    assert ([one.item.venue for one in alone.used], alone.quality, alone.ts_recv) == (["t"], "stale", 4)
    assert merge_books(counted, 9, None) is None
    assert merge_books([], 9, None) is None
