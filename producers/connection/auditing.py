"""Audits of a connection's live books: by turns each is compared with a fresh snapshot of the venue, joined by number.

It opens no socket and reads no clock: the feed fetches the snapshots, and a recording replays them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.instrument import Instrument
from contracts.market import MOST_IDS
from producers.venue import Venue
from runtime.book.audit import BookAudit, Verdict
from runtime.book.books import Books

EVERY_SECONDS: Final = 40.0  # each book
SHORTEST: Final = 0.5  # seconds between two audits of a venue
SHARE: Final = 0.25  # of a venue's REST budget, at most
PATIENCE_NS: Final = 10_000_000_000  # for which one may wait for the deltas that its snapshot joins
SAID_EVERY_NS: Final = 10_000_000_000
Say = Callable[[list[str]], None]


@dataclass(slots=True)
class AuditTurns:
    """When a connection's books are audited; seconds of one monotonic clock."""

    spacing: float
    every: float = EVERY_SECONDS
    next_at: float = 0.0

    @classmethod
    def of(cls, venue: Venue, books: Sequence[Instrument], all_books: int, *, every: float) -> AuditTurns:
        """Return the turns of a connection's books, within their part of the budget that all of the venue's share."""
        call, budget = venue.rest.audit_call, venue.rest.budget
        if call is None or not books:
            return cls(every, every)
        least = max(SHORTEST, call(books[0]).weight * budget.seconds / (SHARE * budget.weight))
        return cls(max(every / len(books), least * all_books / len(books)), every)

    def take(self, *, now: float) -> bool:
        """Whether it is time for the next one; it counts as taken."""
        if now < self.next_at:
            return False
        self.next_at = now + self.spacing
        return True


class Auditor:
    """The audits of one connection. `counts` are outcomes: right, wrong, open; `say(found)` names books that are right.

    Times `ts` are ns UTC of the session's inputs.
    """

    def __init__(self, books: Books[Any], say: Say) -> None:
        self.counts: Counter[str] = Counter()
        self.under_way: dict[str, tuple[BookAudit, int]] = {}
        self.proven: dict[str, int] = {}  # when (ns UTC) each book was found right last
        self._books = books
        self._say = say
        self._turns: dict[str, float] = {}  # when each book was audited last
        self._suspected: dict[str, set[str]] = {}  # what differed the last time, with the amounts
        self._found: dict[str, None] = {}  # right, and not said yet
        self._said_ts = 0

    def choose(self, every: float, *, now: float) -> str | None:
        """Return the live book that has waited longest for its turn, at least `every` seconds; None for none."""
        live = [symbol for symbol in self._books.held if self._books.is_renewed(symbol)]
        symbol = min(live, key=lambda one: self._turns.get(one, -every), default=None)
        if symbol is None or symbol in self.under_way or now - self._turns.get(symbol, -every) < every:
            return None
        self._turns[symbol] = now
        return symbol

    def start(self, symbol: str, *, ts: int) -> None:
        """Take the changes of a book from now on."""
        if self._books.is_renewed(symbol):
            self.under_way[symbol] = (BookAudit(self._books.rule), ts)

    def on_delta(self, symbol: str, delta: Any, *, ts: int, now: float) -> None:
        """Take one change that the live book has taken."""
        found = self.under_way.get(symbol)
        if found is not None:
            found[0].on_delta(delta)
            self._judge(symbol, *found, ts=ts, now=now)

    def on_snapshot(self, symbol: str, snapshot: Any | None, *, ts: int, now: float) -> None:
        """Take the snapshot of a book; None where it could not be had."""
        found = self.under_way.get(symbol)
        if found is not None:
            found[0].on_snapshot(snapshot)
            self._judge(symbol, *found, ts=ts, now=now)

    def tick(self, *, ts: int, live: bool) -> bool:
        """Give up what waits for too long, and say what was found right; returns whether anything was said.

        `live`: the channel is, as what is said goes with its state.
        """
        for symbol, (_, began) in list(self.under_way.items()):
            if ts - began > PATIENCE_NS:
                self._end(symbol, Verdict.OPEN)
        if not live or not self._found or ts - self._said_ts < SAID_EVERY_NS:
            return False
        self._said_ts = ts
        found, self._found = self._found, {}
        self._say(list(found)[:MOST_IDS])
        return True

    def close(self) -> None:
        """The connection is gone: nothing can be said of what was under way, or of books that are live no more."""
        self._found.clear()
        for symbol in list(self.under_way):
            self._end(symbol, Verdict.OPEN)

    def _judge(self, symbol: str, audit: BookAudit, began: int, *, ts: int, now: float) -> None:
        book = self._books.held.get(symbol)
        verdict = Verdict.OPEN if book is None or ts - began > PATIENCE_NS else audit.judge(book.keeper)
        if verdict is Verdict.WAITING:
            return
        self._end(symbol, verdict)
        if verdict is Verdict.RIGHT:
            self._suspected.pop(symbol, None)
            self._found[symbol] = None
            self.proven[symbol] = ts
        elif verdict is Verdict.WRONG:
            self._on_difference(symbol, audit.differing, now)

    def _on_difference(self, symbol: str, differing: dict[tuple[str, float], str], now: float) -> None:
        """Give a book up where the same differs for the second time; after the first it is looked at again.

        What is wrong stays as it is until the venue names that level again, which puts it right.
        """
        again = self._suspected.pop(symbol, set()) & set(differing.values())
        if again:
            self.counts["wrong"] += 1
            self._books.on_gap(symbol, min(again), now=now)
        else:
            self._suspected[symbol] = set(differing.values())
            self._turns.pop(symbol, None)

    def _end(self, symbol: str, verdict: Verdict) -> None:
        del self.under_way[symbol]
        if verdict is not Verdict.WRONG:
            self.counts[verdict.value] += 1
