"""Audits of a connection's live books: by turns each is compared with a fresh snapshot of the venue.

It opens no socket and reads no clock: the feed fetches the snapshots, and a recording replays them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Final

from contracts.instrument import Instrument
from contracts.market import MOST_IDS
from producers.venue import Venue
from runtime.book.audit import Audit, Verdict, begin_audit, lead_of
from runtime.book.books import Books

EVERY_SECONDS: Final = 30.0  # each book
SHORTEST: Final = 0.5  # seconds between two audits of a venue
SHARE: Final = 0.25  # of a venue's REST budget, at most
MOST_LOOKS: Final = 6  # at a book at once, before it has to wait for its turn again
SAID_EVERY_NS: Final = 10_000_000_000
Say = Callable[[list[str]], None]


@dataclass(slots=True)
class AuditTurns:
    """When a connection's books are audited; seconds of one monotonic clock.

    `spacing` is between two audits, so that all books have had theirs after `every`; `least` before one that is due at
    once.
    """

    spacing: float
    every: float = EVERY_SECONDS
    least: float = SHORTEST
    last_at: float = -inf

    @classmethod
    def of(cls, venue: Venue, books: Sequence[Instrument], all_books: int, *, every: float) -> AuditTurns:
        """Return the turns of a connection's books, within their part of the budget that all of the venue's share."""
        call, budget = venue.rest.audit_call, venue.rest.budget
        if call is None or not books:
            return cls(every, every, every)
        least = max(SHORTEST, call(books[0]).weight * budget.seconds / (SHARE * budget.weight))
        least *= all_books / len(books)
        return cls(max(every / len(books), least), every, least)

    def is_time(self, *, now: float, at_once: bool) -> bool:
        """Whether it is time for the next one."""
        return now >= self.last_at + (self.least if at_once else self.spacing)

    def take(self, *, now: float) -> None:
        """Note that one begins."""
        self.last_at = now


@dataclass(frozen=True, slots=True)
class _Suspicion:
    """What differs, with the amounts: in how many audits in a row; and what the last of `looks` snapshots held."""

    found: Counter[str] = field(default_factory=Counter[str])
    shown: Any | None = None
    looks: int = 0


class Auditor:
    """The audits of one connection. `counts` are outcomes: right, wrong, open; `say(found)` names books that are right.

    Times `ts` are ns UTC of the session's inputs.
    """

    def __init__(self, books: Books[Any], say: Say) -> None:
        self.counts: Counter[str] = Counter()
        self.proven: dict[str, int] = {}  # when (ns UTC) each book was found right last
        self.lead = lead_of(books.rule)  # seconds from the beginning of an audit to the call for its snapshot
        self.under_way: dict[str, tuple[Audit, int]] = {}
        self._books = books
        self._say = say
        self._turns: dict[str, float] = {}  # when each book was audited last
        self._suspected: dict[str, _Suspicion] = {}
        self._found: dict[str, None] = {}  # right, and not said yet
        self._said_ts = 0

    @property
    def is_suspecting(self) -> bool:
        """Whether a book is to be looked at again at once."""
        return any(symbol not in self._turns for symbol in self._suspected)

    def choose(self, turns: AuditTurns, *, now: float) -> str | None:
        """Return the live book whose turn it is, None for none; it counts as begun.

        That is one that is suspected, or the one that has waited longest, at least `every` seconds.
        """
        if not turns.is_time(now=now, at_once=self.is_suspecting):
            return None
        every = turns.every
        live = [symbol for symbol in self._books.held if self._books.is_renewed(symbol)]
        symbol = min(live, key=lambda one: self._turns.get(one, -every), default=None)
        if symbol is None or symbol in self.under_way or now - self._turns.get(symbol, -every) < every:
            return None
        self._turns[symbol] = now
        turns.take(now=now)
        return symbol

    def start(self, symbol: str, *, ts: int) -> None:
        """Take the changes of a book from now on."""
        if self._books.is_renewed(symbol):
            self.under_way[symbol] = (begin_audit(self._books.held[symbol].keeper), ts)

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

    def tick(self, *, ts: int, now: float, live: bool) -> bool:
        """Judge what it is time for, give up what waits for too long, and say what was found right.

        `live`: the channel is, as what is said goes with its state. Returns whether anything came of it.
        """
        waiting = len(self.under_way)
        for symbol, (audit, began) in list(self.under_way.items()):
            self._judge(symbol, audit, began, ts=ts, now=now)
        acted = len(self.under_way) < waiting
        if not live or not self._found or ts - self._said_ts < SAID_EVERY_NS:
            return acted
        self._said_ts = ts
        found, self._found = self._found, {}
        self._say(list(found)[:MOST_IDS])
        return True

    def close(self) -> None:
        """The connection is gone: nothing can be said of what was under way, or of books that are live no more."""
        self._found.clear()
        for symbol in list(self.under_way):
            self._end(symbol, Verdict.OPEN)

    def _judge(self, symbol: str, audit: Audit, began: int, *, ts: int, now: float) -> None:
        book = self._books.held.get(symbol)
        late = ts - began > audit.patience_ns
        verdict = Verdict.OPEN if book is None or late else audit.judge(book.keeper, ts=ts)
        if verdict is Verdict.WAITING:
            return
        self._end(symbol, verdict)
        if verdict is Verdict.RIGHT:
            self._suspected.pop(symbol, None)
            self._found[symbol] = None
            self.proven[symbol] = ts
        elif verdict is Verdict.WRONG:
            self._on_difference(symbol, audit, now)
        elif symbol in self._suspected:
            self._look_again(symbol)

    def _on_difference(self, symbol: str, audit: Audit, now: float) -> None:
        """Give a book up where audits in a row found the same to differ; until then it is looked at again.

        What is wrong stays as it is until the venue names that level again, which puts it right.
        """
        before = self._suspected.pop(symbol, _Suspicion())
        found = Counter({text: before.found[text] + 1 for text in audit.differing.values()})
        if before.shown is not None and before.shown == audit.shown:  # the snapshot is one from a cache
            found = before.found
        sure = [text for text, count in found.items() if count >= audit.agreeing]
        if sure:
            self.counts["wrong"] += 1
            self._books.on_gap(symbol, min(sure), now=now)
            return
        self.counts["open"] += 1
        if before.looks < MOST_LOOKS:
            self._suspected[symbol] = _Suspicion(found, audit.shown, before.looks + 1)
            self._turns.pop(symbol, None)

    def _look_again(self, symbol: str) -> None:
        """Look at a suspected book again at once where a look said nothing, as its snapshot could not be had.

        After as many as may be it waits for its turn, with what was found until then.
        """
        before = self._suspected[symbol]
        at_once = before.looks < MOST_LOOKS
        self._suspected[symbol] = replace(before, looks=before.looks + 1 if at_once else 0)
        if at_once:
            self._turns.pop(symbol, None)

    def _end(self, symbol: str, verdict: Verdict) -> None:
        del self.under_way[symbol]
        if verdict is not Verdict.WRONG:
            self.counts[verdict.value] += 1
