"""The ledger at its bounds: what is written when, how far back is believed, and what a full or lost bucket costs."""

from __future__ import annotations

from consumers.coverage import core
from consumers.coverage.core import Ledger, VenueBook
from contracts.services.coverage import HOUR_NS, KEPT_HOURS
from runtime.coverage.interruptions import ALL
from tests.consumers.coverage.ledger import (
    MINUTE,
    SECOND,
    START,
    SYMBOLS,
    VENUE,
    Connection,
    Kept,
    book_of,
    lost,
    status,
)

BTC, ETH, _ = SYMBOLS
HOUR = START // HOUR_NS
BEGIN = HOUR * HOUR_NS
TRADE = ("trade", BTC, None)


def test_bounds_are_as_documented() -> None:
    assert (core.VENUES, core.MARKS, core.MOMENTS) == (256, 3000, 1000)
    assert (core.REACH, core.BEHIND, core.NEAR) == (24 * HOUR_NS, HOUR_NS, 2 * SECOND)


# ---- one venue
def test_a_venue_begins_with_nothing() -> None:
    book = VenueBook(VENUE)
    assert (book.venue, book.since, book.begun, book.ended, book.sampled) == (VENUE, {}, {}, {}, frozenset())
    assert (book.hours, book.changed, book.is_changed) == ({}, set(), False)


def test_a_channel_is_of_the_ledger_since_its_first_status() -> None:
    book = book_of(status("live", START + 1, "trade"), status("down", START + 5, "trade"), status("live", START))
    assert book.since == {"trade": START + 1}


def test_only_what_changes_what_is_interrupted_is_a_change() -> None:
    book = book_of()
    book.save()
    assert book.is_changed is False
    for item, is_change in (
        (status("live", START, "trade"), False),
        (status("down", START + 1, "trade"), True),
        (status("down", START + 2, "trade"), False),
        (status("live", START + 3, "trade", BTC, filled=[(START, START + 1)]), False),
        (status("live", START + 4, "trade"), True),
    ):
        book.on_status(item)
        assert book.is_changed is is_change, item
        book.save()
    book.on_status(status("live", START + 5, "trade"), counts=False)
    assert book.is_changed is True


def test_before_the_ledger_begins_nothing_is_counted_but_what_lasts() -> None:
    missing = status("live", START + SECOND, "trade", BTC, missing=[(START, START + 5)])
    book = book_of(status("gap", START, "trade", BTC), status("live", START + 9, "trade", BTC), missing, counts=False)
    assert (book.hours, book.states.lasting) == ({}, {})
    book.on_status(status("down", START + 10, "trade"), counts=False)
    book.begin(START + MINUTE)
    assert (book.since, book.states.lasting) == ({"trade": START + MINUTE}, {("trade", None, None): START + MINUTE})
    book.on_status(status("live", START + 2 * MINUTE, "trade"))
    assert lost(book) == [(MINUTE, 2 * MINUTE)]


def test_an_instrument_that_is_not_followed_is_of_no_interest() -> None:
    book = book_of(status("down", START, None, "X/Y"), status("down", START, None, BTC))
    assert set(book.states.lasting) == {(None, BTC, None)}
    other = book_of(status("gap", START, "trade", "X/Y"))
    assert set(other.states.lasting) == {("trade", "X/Y", None)}


def test_ranges_are_of_trades_of_an_instrument() -> None:
    for channel, symbol, is_kept in (("trade", BTC, True), ("book", BTC, False), ("trade", None, False)):
        book = book_of(status("live", START + SECOND, channel, symbol, missing=[(START, START + 4)]))
        assert (lost(book) == [(0, 5)]) is is_kept


def test_what_is_followed_begins_and_ends_with_the_listing() -> None:
    book = VenueBook(VENUE)
    book.on_listing([BTC, ETH], START)
    assert (book.begun, book.ended, book.is_changed) == ({BTC: START, ETH: START}, {}, True)
    book.save()
    book.on_listing([BTC, ETH], START + 1)
    assert book.is_changed is False
    book.on_listing([BTC], START + 2)
    assert (book.ended, book.is_changed) == ({ETH: START + 2}, True)
    book.save()
    book.on_listing([BTC], START + 3)
    assert (book.ended, book.is_changed) == ({ETH: START + 2}, False)
    book.on_listing([BTC, ETH], START + 5)
    assert (book.begun, book.ended, book.is_changed) == ({BTC: START, ETH: START}, {}, True)
    assert (lost(book, ETH), lost(book)) == ([(2, 5)], [])


def test_what_is_sampled_is_a_change_where_it_is_another() -> None:
    book = VenueBook(VENUE)
    book.on_sampled(frozenset())
    assert book.is_changed is False
    book.on_sampled(frozenset({"book", "liquidation"}))
    assert book.is_changed is True
    book.on_sampled(frozenset({"book", "liquidation"}))
    assert (book.is_changed, book.save().sampled) == (True, ["book", "liquidation"])


def test_what_is_saved_is_what_comes_back() -> None:
    one = Connection("public.0", (BTC,))
    book = book_of(*one.say("down", START, listing=True), status("down", START + 1, "book"))
    book.on_listing([BTC], START + 3)
    book.on_sampled(frozenset({"book"}))
    saved = book.save()
    assert saved.lasting == [("book", None, START + 1)]
    assert saved.connections == [(channel, None, one.id, START) for channel in one.channels]
    assert (list(saved.serves), set(saved.ended)) == ([one.id], {*SYMBOLS[1:]})
    again = VenueBook(VENUE)
    again.restore(saved)
    assert again.save() == saved
    assert again.states.lasting == book.states.lasting


# ---- all venues
def test_a_ledger_begins_at_once_and_with_nothing() -> None:
    ledger = Ledger()
    assert (ledger.begun, ledger.newest, list(ledger.books.values())) == (True, 0, [])
    assert ledger.find(VENUE) is ledger.find(VENUE)


def test_a_status_that_claims_to_be_old_counts_as_of_an_hour_before_the_newest() -> None:
    for behind, at in ((HOUR_NS, -HOUR_NS), (HOUR_NS + 1, -HOUR_NS), (9 * HOUR_NS, -HOUR_NS), (5, -5)):
        kept = Kept()
        kept.say(status("down", START - behind, "trade"))
        assert kept.ledger.newest == START
        assert kept.ledger.find(VENUE).states.lasting["trade", None, None] == START + at


def test_each_hour_every_venue_is_written_and_else_what_changed() -> None:
    kept = Kept()
    venues, hours = kept.ledger.drain(HOUR)
    assert (set(venues), hours) == ({VENUE}, {})
    assert kept.ledger.drain(HOUR) == ({}, {})
    kept.ledger.find(VENUE).add_lost(ALL, START, START + 5)
    venues, hours = kept.ledger.drain(HOUR)
    assert (venues, set(hours)) == ({}, {(VENUE, HOUR)})
    assert kept.ledger.drain(HOUR) == ({}, {})
    assert set(kept.ledger.drain(HOUR + 1)[0]) == {VENUE}


def test_hours_are_kept_for_a_month() -> None:
    kept = Kept()
    book = kept.ledger.find(VENUE)
    for hour in (HOUR - KEPT_HOURS - 1, HOUR - KEPT_HOURS, HOUR):
        book.add_lost(ALL, hour * HOUR_NS, hour * HOUR_NS + 5)
        kept.ledger.on_saved(VENUE, hour, 10)
    _, hours = kept.ledger.drain(HOUR)
    assert (len(hours), set(book.hours)) == (3, {HOUR - KEPT_HOURS, HOUR})
    assert set(kept.ledger._sizes) == {(VENUE, HOUR - KEPT_HOURS), (VENUE, HOUR)}
    book.add_lost(ALL, (HOUR - KEPT_HOURS - 1) * HOUR_NS, (HOUR - KEPT_HOURS - 1) * HOUR_NS + 5)
    book.drop_old(HOUR)
    assert book.changed == set()


def test_a_full_bucket_is_trimmed_by_whole_hours_to_just_the_limit() -> None:
    kept = Kept()
    for venue in (VENUE, "okx"):
        for hour in (HOUR, HOUR + 1):
            kept.ledger.find(venue).add_lost(ALL, hour * HOUR_NS, hour * HOUR_NS + 5)
            kept.ledger.on_saved(venue, hour, 10)
    kept.ledger.drain(HOUR)
    kept.ledger.find(VENUE).add_lost(TRADE, BEGIN, BEGIN + 5)
    kept.ledger.drain(HOUR)
    kept.ledger.find(VENUE).add_lost(TRADE, BEGIN + 9, BEGIN + 10)
    assert kept.ledger.trim(40) == []
    assert kept.ledger.trim(39) == [(VENUE, HOUR), ("okx", HOUR)]
    book = kept.ledger.find(VENUE)
    assert (set(book.hours), book.changed, book.is_changed) == ({HOUR + 1}, set(), True)
    assert book.since == {"trade": (HOUR + 1) * HOUR_NS, "book": (HOUR + 1) * HOUR_NS}
    late = VenueBook(VENUE)
    late.on_status(status("live", BEGIN + 5 * HOUR_NS, "trade"))
    late.forget_before(HOUR)
    assert late.since == {"trade": BEGIN + 5 * HOUR_NS}
    assert kept.ledger.trim(0) == [(VENUE, HOUR + 1), ("okx", HOUR + 1)]


def test_the_size_of_an_hour_that_was_taken_back_counts() -> None:
    kept = Kept()
    kept.ledger.find(VENUE).add_lost(ALL, START, START + 5)
    _, hours = kept.ledger.drain(HOUR)
    again = Ledger()
    again.restore_hour(VENUE, HOUR, hours[VENUE, HOUR], 10)
    again.restore_hour("okx", HOUR, hours[VENUE, HOUR])
    assert again.find(VENUE).hours[HOUR].lost_of("trade", BTC) == [(START, START + 5)]
    assert again.drain(HOUR)[1] == {}, "it is in the bucket"
    assert again.trim(10) == []
    assert again.trim(9) == [(VENUE, HOUR), ("okx", HOUR)]


def test_what_was_saved_is_saved_again_where_it_is_lost() -> None:
    kept = Kept()
    kept.ledger.find(VENUE).add_lost(ALL, START, START + 5)
    first = kept.ledger.drain(HOUR)
    kept.ledger.save_again()
    assert kept.ledger.drain(HOUR) == first
    kept.ledger.find("okx")
    kept.ledger.on_lost(START + 7, START + 9)
    assert set(kept.ledger.drain(HOUR)[1]) == {(VENUE, HOUR), ("okx", HOUR)}
    assert lost(kept.ledger.find("okx")) == [(7, 9)]


def test_the_ledger_of_all_that_is_known_by_then_begins() -> None:
    ledger = Ledger()
    ledger.begun = False
    ledger.on_status(status("down", START, "trade"))
    ledger.begin(START + MINUTE)
    assert (ledger.begun, ledger.find(VENUE).since) == (True, {"trade": START + MINUTE})
    assert ledger.find(VENUE).is_changed is True
