"""An auditor looks again at once at a book that differs, and gives it up where snapshots in a row agree on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from producers.connection.auditing import MOST_LOOKS, Auditor, AuditTurns
from runtime.book.audit import SETTLE_NS
from runtime.book.books import BookPace, Books
from runtime.book.rule import BookRule

SECOND = 1_000_000_000
LEVELS = 120


class Named(NamedTuple):
    symbol: str
    tail: str


@dataclass
class Whole:
    """A snapshot, or a change."""

    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    seq: int | None = None
    prev_seq: int | None = None
    is_snapshot: bool = True
    ts_event: int | None = None
    ts_recv: int = 0
    unit: str = "base"


def whole(best: str = "1") -> Whole:
    """A book whose best bid has an amount of its own."""
    bids = [(str(1000 - at), best if at == 0 else "5") for at in range(LEVELS)]
    return Whole(bids, [(str(1001 + at), "5") for at in range(LEVELS)])


@dataclass
class Followed:
    """Two live books with their auditor; the bid at 990 of A is lost. `now` is in seconds."""

    now: float = 0.0
    gaps: list[tuple[str, str | None]] = field(default_factory=list[Any])
    said: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        rule = BookRule(seed="ws", chain="none", audit="untouched")
        self.books = Books[Named](rule, BookPace(), lambda _event: None, self._on_state, make=lambda _i, _s: dict)
        self.books.open([Named("A", "a"), Named("B", "b")], now=0.0)
        for symbol in ("A", "B"):
            self.books.on_delta(symbol, whole(), now=0.0)
        self.books.held["A"].keeper.bids.apply([("990", "0")])
        self.auditor = Auditor(self.books, self.said.extend)
        self.turns = AuditTurns(spacing=10.0, every=20.0, least=1.0)

    def _on_state(self, symbol: str, state: str, reason: str | None) -> None:
        if state == "gap":
            self.gaps.append((symbol, reason))

    def choose(self, seconds: float) -> str | None:
        self.now += seconds
        return self.auditor.choose(self.turns, now=self.now)

    def fail(self, symbol: str) -> None:
        """Audit a book whose snapshot cannot be had."""
        ts = int(self.now * SECOND)
        self.auditor.start(symbol, ts=ts)
        self.auditor.on_snapshot(symbol, None, ts=ts, now=self.now)
        assert symbol not in self.auditor.under_way

    def audit(self, symbol: str, snapshot: Whole) -> None:
        """Audit a book whose best bid changes meanwhile."""
        ts = int(self.now * SECOND)
        self.auditor.start(symbol, ts=ts)
        change = Whole([("1000", "2")], [], is_snapshot=False)
        self.books.on_delta(symbol, change, now=self.now)
        self.auditor.on_delta(symbol, change, ts=ts, now=self.now)
        self.auditor.on_snapshot(symbol, replace(snapshot, ts_recv=ts), ts=ts, now=self.now)
        assert symbol in self.auditor.under_way, "changes of before the snapshot may still come"
        assert self.auditor.tick(ts=ts + SETTLE_NS, now=self.now, live=True)
        assert symbol not in self.auditor.under_way


def test_turns_are_spaced_and_a_book_that_differs_is_looked_at_at_once() -> None:
    followed = Followed()
    assert followed.choose(0.0) == "A"
    followed.audit("A", whole("1"))
    assert (followed.gaps, followed.auditor.counts) == ([], {"open": 1})
    assert followed.choose(0.5) is None
    assert followed.choose(0.5) == "A", "before B, whose turn is later"
    followed.audit("A", whole("2"))
    assert followed.choose(1.0) == "A"
    followed.audit("A", whole("3"))
    assert followed.gaps == [("A", "the book differs from the venue's: bid 990 has 0, there 5")]
    assert followed.choose(1.0) is None
    assert followed.choose(9.0) == "B"
    followed.audit("B", whole("1"))
    assert (followed.auditor.counts["wrong"], followed.auditor.counts["right"]) == (1, 1)


def test_one_snapshot_from_a_cache_counts_once_however_often_it_comes() -> None:
    followed = Followed()
    for _ in range(5):
        followed.audit("A", whole("1"))
    assert followed.gaps == []
    followed.audit("A", whole("2"))
    followed.audit("A", whole("3"))
    assert [symbol for symbol, _ in followed.gaps] == ["A"]


def test_what_differs_otherwise_each_time_hides_no_other_book() -> None:
    followed = Followed()
    assert followed.choose(0.0) == "A"
    for number in range(MOST_LOOKS):
        followed.audit("A", whole("1"))
        assert followed.choose(1.0) == "A", number
    followed.audit("A", whole("1"))
    assert followed.choose(1.0) is None
    assert followed.choose(10.0) == "B"
    assert followed.gaps == []


def test_a_look_that_says_nothing_costs_a_suspected_book_no_turn() -> None:
    followed = Followed()
    assert followed.choose(0.0) == "A"
    followed.audit("A", whole("1"))
    assert followed.choose(1.0) == "A"
    followed.fail("A")
    assert followed.choose(1.0) == "A"
    followed.audit("A", whole("2"))
    assert followed.choose(1.0) == "A"
    followed.audit("A", whole("3"))
    assert [symbol for symbol, _ in followed.gaps] == ["A"]


def test_looks_that_say_nothing_end_and_what_was_found_before_counts_at_the_next_turn() -> None:
    followed = Followed()
    assert followed.choose(0.0) == "A"
    followed.audit("A", whole("1"))
    for number in range(MOST_LOOKS):
        assert followed.choose(1.0) == "A", number
        followed.fail("A")
    assert followed.choose(1.0) is None
    assert followed.choose(10.0) == "B"
    followed.audit("B", whole("1"))
    assert followed.choose(10.0) == "A"
    followed.audit("A", whole("2"))
    assert followed.choose(1.0) == "A"
    followed.audit("A", whole("3"))
    assert [symbol for symbol, _ in followed.gaps] == ["A"]


def test_a_book_that_is_not_suspected_waits_for_its_turn_where_its_snapshot_cannot_be_had() -> None:
    followed = Followed()
    assert followed.choose(0.0) == "A"
    followed.fail("A")
    assert followed.choose(1.0) is None


def test_a_snapshot_that_never_comes_is_given_up() -> None:
    followed = Followed()
    followed.auditor.start("B", ts=0)
    assert not followed.auditor.tick(ts=20 * SECOND, now=20.0, live=True)
    assert followed.auditor.tick(ts=20 * SECOND + 1, now=20.0, live=True)
    assert followed.auditor.counts == {"open": 1}
