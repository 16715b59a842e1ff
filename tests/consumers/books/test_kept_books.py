"""Books kept from deltas: what is asked for and when, what counts, and what is published with which words."""

from __future__ import annotations

import msgspec

from consumers.books.core import MOST_WAITING, STARTED
from contracts import subjects
from contracts.services.feed import BookRuleReply
from runtime.book.checksums import sum_kraken
from runtime.nats.lanes.message import split_message
from tests.consumers.books.kept import (
    BTC,
    CLOCK,
    ETH,
    KEY,
    LEVELS,
    RULE,
    TAIL,
    UNCHAINED,
    VENUE,
    Kept,
    delta,
    evidence,
    live,
    status,
)


# ---- how a venue's rule is learned
def test_of_each_venue_one_book_is_asked_for_until_its_rule_is_known() -> None:
    kept = Kept()
    kept.fold(delta(1), delta(1, ETH), delta(1, venue="okx"))
    asked = kept.books.take_asks(now=1.0)
    assert sorted(asked) == [KEY, ("okx", BTC)]
    assert kept.books.counts == {"deltas": 3, "asked": 2}


def test_where_nobody_replies_another_one_is_asked_for_and_pauses_grow() -> None:
    kept = Kept()
    kept.fold(delta(1), now=5.0)
    assert kept.books.take_asks(now=4.9) == []
    found: list[float] = []
    now = 5.0
    while now < 50:
        if kept.books.take_asks(now=now):
            found.append(now)
            kept.books.on_reply(*KEY, None, now=now)
        now = round(now + 0.1, 3)
    assert found == [5.0, 6.0, 7.0, 9.0, 13.0, 21.0, 31.0, 41.0]
    two = Kept()
    two.fold(delta(1), delta(1, ETH))
    assert [two.books.take_asks(now=1.0) for _ in range(3)] == [[KEY], [(VENUE, ETH)], []]


def test_what_came_before_the_rule_is_folded_with_it() -> None:
    kept = Kept()
    kept.fold(delta(6), delta(7, **LEVELS), delta(3, ETH))
    kept.books.on_reply(*KEY, RULE, now=1.0)
    assert kept.published() == [(BTC, "gap", STARTED), (ETH, "gap", STARTED)]
    assert STARTED == "the books process follows it from now on"
    kept.fold(evidence(5, whole=True, requested=True))
    assert kept.published() == [(BTC, "live", None)]
    assert kept.books.count_live() == 1
    assert kept.books.take_asks(now=1.4) == []
    kept.books.take_asks(now=1.5)
    kept.books.tick(ts=CLOCK, now=2.0)
    (book,) = kept.published()
    assert (book["seq"], book["quality"], book["bids"], book["id"][:24]) == (7, "live", [["10", "1"]], f"{TAIL}.book")
    assert (book["venue"], book["symbol"], book["venue_symbol"], book["sim"]) == (VENUE, BTC, "BTCUSD", False)
    assert kept.books.counts["published"] == 1


def test_what_waits_for_a_rule_is_bounded_and_dropped_where_something_was_lost() -> None:
    kept = Kept()
    kept.fold(*(delta(seq) for seq in range(1, 2003)))
    assert MOST_WAITING == 2000
    kept.books.on_reply(*KEY, RULE, now=1.0)
    kept.fold(evidence(1, whole=True, requested=True))
    assert kept.books.count_live() == 0, "it ends before what is kept"
    kept.fold(evidence(2, whole=True, requested=True))
    assert kept.books.count_live() == 1
    lost = Kept()
    lost.fold(delta(6))
    lost.books.on_missed("a message", now=1.0)
    lost.books.on_reply(*KEY, RULE, now=1.0)
    lost.fold(evidence(3, whole=True, requested=True))
    assert lost.books.count_live() == 1, "nothing waits that it would have to reach"


def test_a_rule_that_changes_begins_the_books_anew_and_the_same_one_does_not() -> None:
    kept = live()
    kept.books.on_reply(*KEY, BookRuleReply(chain="exact"), now=2.0)
    assert (kept.published(), kept.books.count_live()) == ([], 1)
    kept.books.on_reply(*KEY, UNCHAINED, now=2.0)
    assert (kept.published(), kept.books.count_live()) == ([(BTC, "gap", STARTED)], 0)
    kept.books.on_reply("okx", BTC, None, now=2.0)
    kept.books.on_reply(VENUE, "X/Y", RULE, now=2.0)


# ---- snapshots
def test_a_book_is_asked_for_again_five_seconds_after_a_request_that_brought_nothing() -> None:
    kept = Kept()
    kept.fold(delta(6))
    kept.books.on_reply(*KEY, RULE, now=1.0)
    assert [kept.books.take_asks(now=now) for now in (5.9, 6.0, 6.1)] == [[], [KEY], []]
    kept.books.on_reply(*KEY, None, now=7.0)
    assert [kept.books.take_asks(now=now) for now in (7.9, 8.0)] == [[], [KEY]]
    kept.books.on_reply(*KEY, RULE, now=8.0)
    assert [kept.books.take_asks(now=now) for now in (12.9, 13.0)] == [[], [KEY]]
    assert kept.books.counts["asked"] == 3


def test_a_pushed_snapshot_that_is_published_again_counts_where_the_book_lacks_it() -> None:
    kept = live()
    kept.fold(evidence(6, whole=True), now=2.0)
    assert kept.books.count_live() == 1
    kept.books.tick(ts=CLOCK, now=3.0)
    assert [book["seq"] for book in kept.published()] == [6]
    kept.fold(evidence(6), evidence(6, whole=True), evidence(None), evidence(3, whole=True))
    kept.books.tick(ts=CLOCK, now=4.0)
    assert kept.published() == [], "none of them is newer"
    kept.fold(evidence(7))
    kept.books.tick(ts=CLOCK, now=5.0)
    assert [book["seq"] for book in kept.published()] == [7]
    unnumbered = live(UNCHAINED)
    unnumbered.fold(evidence(None, whole=True))
    unnumbered.books.tick(ts=CLOCK, now=5.0)
    assert [book["seq"] for book in unnumbered.published()] == [None]


def test_a_checksum_is_compared_by_the_method_that_the_rule_names() -> None:
    proof = sum_kraken([("10", "1")], [("11", "2")])
    for name, given, outcome in (
        ("kraken", proof, []),
        ("kraken", 7, [(BTC, state, f"checksum {proof} is not the venue's 7") for state in ("gap", "resync")]),
        (None, 7, []),
        ("unknown", 7, []),
    ):
        kept = live(BookRuleReply(chain="exact", checksum=name))
        kept.fold(evidence(None, venue_checksum=given))
        assert kept.published() == outcome
        kept.books.tick(ts=CLOCK, now=3.0)
        shown = [book["venue_checksum"] for book in kept.published()]
        assert shown == ([proof] if given == proof else [] if outcome else [None])


# ---- losses
def test_a_loss_of_the_reader_is_of_every_book_and_an_unreadable_delta_of_its_own() -> None:
    kept = live()
    kept.books.on_unreadable(f"{subjects.DELTA}kraken.ETH.USD.spot", "no JSON", now=2.0)
    assert kept.published() == []
    kept.books.on_unreadable(subjects.DELTA + TAIL, "no JSON", now=2.0)
    assert kept.published() == [(BTC, "gap", "no JSON"), (BTC, "resync", "no JSON")]
    assert kept.books.take_asks(now=2.0) == [KEY]
    missed = live()
    missed.books.on_missed("a message", now=2.0)
    assert missed.published() == [(BTC, "gap", "a message"), (BTC, "resync", "a message")]


def test_what_the_producer_says_itself_is_not_said_again() -> None:
    for said, is_lost in (
        (status("gap"), True),
        (status("down"), True),
        (status("gap", channel="book"), False),
        (status("connecting"), False),
        (status("gap", BTC, "book"), True),
        (status("down", BTC, "book"), True),
        (status("gap", BTC), True),
        (status("live", BTC), False),
        (status("gap", ETH, "book"), False),
        (status("gap", BTC, "trade"), False),
        (status("gap", venue="okx"), False),
        (status("gap", id="kraken.feed.books.1.1"), False),
    ):
        kept = live()
        kept.fold(said, now=2.0)
        assert (kept.published(), kept.books.count_live()) == ([], 0 if is_lost else 1), said
        kept.books.on_missed("later", now=3.0)
        assert bool(kept.published()) is not is_lost, "what is found later is said"


def test_a_silent_channel_marks_what_was_published_last() -> None:
    kept = live()
    kept.books.tick(ts=CLOCK, now=2.0)
    kept.books.take_outputs()
    kept.fold(status("stale", ETH, "book"), status("stale", BTC, "trade"))
    assert kept.published() == []
    kept.fold(status("stale", BTC, "book"))
    assert [book["quality"] for book in kept.published()] == ["stale"]
    assert kept.books.count_live() == 1


def test_an_instrument_that_is_not_followed_any_more_has_no_book_and_may_come_again() -> None:
    kept = live()
    kept.books.tick(ts=CLOCK, now=2.0)
    kept.books.take_outputs()
    kept.fold(status("down", ETH), status("down", BTC))
    assert [book["quality"] for book in kept.published()] == ["gap"]
    assert kept.books.count_live() == 0
    kept.books.on_reply(*KEY, RULE, now=2.0)
    kept.fold(delta(9))
    assert kept.published() == [(BTC, "gap", STARTED)]


# ---- what is published
def test_a_simulated_delta_makes_every_book_of_its_venue_simulated() -> None:
    kept = live()
    kept.fold(delta(2, ETH, sim=True))
    assert kept.published() == [(BTC, "gap", STARTED), (ETH, "gap", STARTED)]
    assert kept.books.count_live() == 0
    kept.fold(delta(3, ETH, sim=True))
    assert kept.published() == []
    kept.books.on_reply(*KEY, UNCHAINED, now=2.0)
    kept.fold(delta(4, sim=True))
    assert [one[0] for one in kept.published()] == [BTC, ETH], "it stays simulated"


def test_a_state_is_published_with_its_names_schema_and_id() -> None:
    kept = Kept()
    kept.fold(delta(6), delta(6, ETH))
    kept.books.on_reply(*KEY, RULE, now=1.0)
    first, second = map(split_message, kept.books.take_outputs())
    assert msgspec.json.decode(first.body) == {
        "id": f"kraken.feed.books.{CLOCK}.1",
        "venue": VENUE,
        "symbol": BTC,
        "venue_symbol": None,
        "ts_event": None,
        "ts_recv": CLOCK,
        "sim": False,
        "state": "gap",
        "reason": STARTED,
        "channel": "book",
        **dict.fromkeys(("audited", "filled", "missing", "connection", "serves", "connections", "since")),
    }
    assert first.subject == "feed.v1.kraken"
    assert {"feed/1", f"kraken.feed.books.{CLOCK}.1"} == set(first.headers.values())
    assert msgspec.json.decode(second.body)["id"] == f"kraken.feed.books.{CLOCK}.2"
    assert kept.books.take_outputs() == []


def test_live_books_are_published_again_where_that_is_asked_for() -> None:
    kept = live()
    kept.books.tick(ts=CLOCK, now=2.0)
    (first,) = kept.published()
    kept.books.tick(ts=CLOCK, now=3.0)
    assert kept.published() == []
    for now in (4.0, 5.0):
        kept.books.tick(ts=CLOCK, now=now, again=True)
    assert kept.published() == [first, first]
    assert kept.books.counts["published"] == 3


def test_the_depth_and_the_reach_of_snapshots_are_the_rule_s() -> None:
    kept = Kept()
    kept.fold(delta(6))
    kept.books.on_reply(*KEY, BookRuleReply(chain="none", depth=1, seed_depth=7, proven=True), now=1.0)
    rule = kept.books._venues[VENUE].books.rule
    assert (rule.seed, rule.chain, rule.depth, rule.seed_depth, rule.proven) == ("rest", "none", 1, 7, True)
