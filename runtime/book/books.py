"""Books of one venue: folds their deltas, requests seeds, and publishes conflated, verified snapshots. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Generic, Literal

from contracts.market import FeedState
from runtime.book.held import BookPace as BookPace  # noqa: PLC0414  # who makes books needs it
from runtime.book.held import HeldBook, I, MakeMaker
from runtime.book.keeper import Change, Outcome
from runtime.book.rule import BookChecksum, BookRule

SEED_DEADLINE: Final = 5.0
REFILL_PAUSE: Final = 1.0
TOO_OLD_PAUSES: Final = (0.3, 0.6, 1.2, 2.4, 3.0, 3.0, 3.0, 3.0, 3.0, 5.0, 5.0, 10.0)  # the last one again and again
FAILED_PAUSES: Final = (1.0, 1.0, 2.0, 4.0, 8.0, 10.0)
CROSSED_NS: Final = 3_000_000_000  # for so long a book with unbroken numbers may be crossed
OnState = Callable[[str, FeedState, str | None], None]  # (unified symbol, state, reason)
ASKED_AGAIN: Final = 30.0  # a snapshot that somebody asked for and that did not come for so long: from the start again
ResyncOutcome = Literal["requested", "pending"]
OnSeed = Callable[[Any, list[Any]], None]
OnResync = Callable[[str], None]  # (unified symbol): its book is pushed, and needs a fresh snapshot


class Books(Generic[I]):
    """Folds `delta` and `book` events. Pure but for the callbacks: `publish(event)`, `on_state(...)`, `on_resync(...)`.

    `proven` counts the checksums of the venue that our books agreed with.

    Where they are not `kept`, another process has the books: only their continuity is judged, nothing is published of
    them, and `on_seed(snapshot, deltas)` is called with each snapshot that was asked for and joins the deltas, and with
    those of these that came before it and are not in it.
    """

    def __init__(
        self,
        rule: BookRule,
        pace: BookPace,
        publish: Callable[[Any], None],
        on_state: OnState,
        *,
        make: MakeMaker[I],
        on_resync: OnResync = lambda _symbol: None,
        on_seed: OnSeed = lambda _snapshot, _deltas: None,
        kept: bool = True,
    ) -> None:
        self.rule = rule
        self._pace = pace
        self._publish = publish
        self._on_state = on_state
        self._make = make
        self._on_resync = on_resync
        self._on_seed = on_seed
        self._kept = kept
        self._books: dict[str, HeldBook[I]] = {}
        self._next = 0.0
        self.simulated = False
        self.proven = 0

    @property
    def all_live(self) -> bool:
        """Whether every book's continuity is proven."""
        return all(book.announced for book in self._books.values())

    def count_live(self) -> int:
        """Return how many books' continuity is proven."""
        return sum(book.announced for book in self._books.values())

    def last_seq(self, symbol: str) -> int | None:
        """Return the number of the last change of a book; None where there is none."""
        book = self._books.get(symbol)
        return None if book is None else book.keeper.seq

    def open(self, instruments: Iterable[I], *, now: float) -> None:
        """Start a connection: every one of these books is empty and waits for its seed."""
        for instrument in instruments:
            book = self._books.get(instrument.symbol)
            if book is None or book.instrument != instrument:
                book = self._books[instrument.symbol] = HeldBook(instrument, self.rule, kept=self._kept)
            make = self._make(instrument, self.simulated)
            book.open(make, simulated=self.simulated, request_at=self._seed_time(now, first=True))

    def close(self, symbol: str) -> None:
        """Follow this book no more; what was published last is not live any more."""
        book = self._books.pop(symbol, None)
        if book is not None:
            self._downgrade(book, "gap")

    def on_delta(self, symbol: str, delta: Any, *, now: float) -> None:
        """Fold one change of the stream; a pushed book that lost its continuity is given to `on_resync`."""
        book = self._books.get(symbol)
        if book is None:
            return
        outcome = book.keeper.on_delta(delta)
        if outcome.change is Change.APPLIED:
            self._on_applied(book, now)
        else:
            self._after(book, outcome, now=now)

    def on_whole(self, symbol: str, snapshot: Any, *, now: float) -> None:
        """Fold a book that was asked for on the socket."""
        book = self._books.get(symbol)
        if book is not None:
            self._on_seeded(book, snapshot, now)

    def on_proof(self, symbol: str, checksum: int, method: BookChecksum, *, now: float) -> None:
        """Verify a live book against the venue's checksum; a difference is a gap."""
        book = self._books.get(symbol)
        if book is None or not book.keeper.live:
            return
        keeper = book.keeper
        computed = method.compute(keeper.bids.top(method.depth), keeper.asks.top(method.depth))
        outcome = keeper.on_proof(checksum, computed)
        if outcome.change is Change.GAP:
            self._after(book, outcome, now=now)
            return
        book.venue_checksum = checksum
        self.proven += 1

    def on_gap(self, symbol: str | None, reason: str, *, now: float) -> None:
        """Resync the live book of which something was lost; None: it is not known of which, so every one."""
        for book in self._books.values() if symbol is None else self._found(symbol):
            if book.keeper.live:
                self._after(book, book.keeper.lose(reason), now=now)

    @property
    def held(self) -> Mapping[str, HeldBook[I]]:
        """The books by unified symbol, to be looked at."""
        return self._books

    def is_renewed(self, symbol: str) -> bool:
        """Whether a book is live, and no snapshot of it is being waited for."""
        book = self._books.get(symbol)
        return book is not None and book.announced and not book.keeper.refilling

    def resync(self, symbol: str, *, now: float) -> ResyncOutcome | None:
        """Get a fresh snapshot, because somebody asks for one; deltas go on meanwhile.

        Returns "requested", "pending" where one is under way, None where the book is not followed. A pushed book is
        given up for it, since that is what brings its snapshot.
        """
        book = self._books.get(symbol)
        if book is None:
            return None
        keeper = book.keeper
        if not keeper.live or (keeper.refilling and now - book.asked_at < ASKED_AGAIN):
            return "pending"
        if self.rule.seed == "ws" or keeper.refilling:
            self._after(book, keeper.lose("a fresh snapshot was asked for"), now=now)
        else:
            keeper.refill()
            book.attempts, book.request_at = 0, now
        book.asked_at = now
        return "requested"

    def on_snapshot_requested(self, symbol: str, *, now: float) -> None:
        """A snapshot was requested on the socket itself: it is requested again unless it comes in time."""
        book = self._books[symbol]
        book.fetching = False
        book.request_at = now + SEED_DEADLINE

    def find_overdue(self, *, now: float) -> str | None:
        """Return the symbol of a book whose new subscription brought no snapshot in time."""
        for symbol, book in self._books.items():
            if book.resubscribed_at is not None and not book.keeper.live and now - book.resubscribed_at > SEED_DEADLINE:
                return symbol
        return None

    def on_resubscribed(self, symbol: str, *, now: float) -> None:
        """The book's channel is being subscribed again."""
        book = self._books[symbol]
        book.resubscribed_at, book.request_at, book.fetching = now, None, False

    def on_silence(self, symbol: str) -> None:
        """The channel is silent: what was published last is not live any more."""
        book = self._books.get(symbol)
        if book is not None:
            self._downgrade(book, "stale")

    def on_disconnect(self) -> None:
        """The connection is gone: no book is live."""
        for book in self._books.values():
            book.keeper.reset()
            book.announced = False
            book.request_at = book.crossed_ts = None
            self._downgrade(book, "gap")

    def list_lost(self) -> list[str]:
        """Return the symbols of the books whose continuity was proven until now, at the end of a connection."""
        return [symbol for symbol, book in self._books.items() if book.announced]

    def take_due(self, *, now: float, subscribed: Callable[[I], bool] = lambda _: True) -> list[I]:
        """Return the instruments whose snapshot is to be requested now; they count as being fetched.

        The wait for a seed begins when the book's changes are `subscribed`: a snapshot from before would miss some.
        """
        for book in self._books.values():
            if book.request_at is not None and not book.keeper.live and not subscribed(book.instrument):
                book.request_at = self._seed_time(now, first=True)
        due = [book for book in self._books.values() if book.is_due(now)]
        for book in due:
            book.fetching = True
        return [book.instrument for book in due]

    def on_snapshot(self, instrument: I, snapshot: Any | None, *, now: float) -> None:
        """Fold a fetched REST snapshot; None: it could not be fetched, and is requested again."""
        book = self._books[instrument.symbol]
        book.fetching, book.seeded_at = False, now
        if snapshot is not None:
            self._on_seeded(book, snapshot, now)
            return
        self._wait(book, FAILED_PAUSES, "the snapshot could not be fetched, and is requested again", now=now)

    def tick(self, *, ts: int, now: float, force: bool = False) -> bool:
        """Publish a snapshot of each changed book, at most once an interval; with `force` of every live one, at once.

        A crossed book is not published, and is a gap where it stays crossed (`ts`, our clock in ns, judges that).
        Returns whether anything was published.
        """
        if not self._kept or (now < self._next and not force):
            return False
        self._next = now + self._pace.interval
        acted = False
        for book in self._books.values():
            if book.crossed_ts is not None and ts - book.crossed_ts > CROSSED_NS:
                self._after(book, book.keeper.lose(f"crossed for {CROSSED_NS // 10**9} s"), now=now)
                acted = True
            elif book.announced and book.crossed_ts is None and (book.dirty or force):
                book.dirty, acted = False, True
                self._publish(book.take(self._pace.depth))
        return acted

    def _seed_time(self, now: float, *, first: bool) -> float | None:
        """Return when to request a seed by REST: never where the venue pushes it, after a wait where it may."""
        if self.rule.seed == "ws":
            return None
        if self.rule.seed == "either" and first:
            return now + self.rule.wait
        return now + (0.5 if first else 0.0)

    def _on_seeded(self, book: HeldBook[I], snapshot: Any, now: float) -> None:
        waiting = [] if self._kept else book.keeper.list_after(snapshot)
        outcome = book.keeper.on_snapshot(snapshot)
        if outcome.change is Change.APPLIED:
            self._on_seed(snapshot, waiting)
        self._after(book, outcome, now=now)

    def _after(self, book: HeldBook[I], outcome: Outcome, *, now: float) -> None:
        if outcome.change is Change.APPLIED:
            self._on_applied(book, now)
        elif outcome.change is Change.GAP:
            self._on_gap(book, outcome.reason, now)
        elif outcome.change is Change.TOO_OLD:
            self._wait(book, TOO_OLD_PAUSES, outcome.reason, now=now)

    def _on_applied(self, book: HeldBook[I], now: float) -> None:
        keeper = book.keeper
        book.dirty = True
        book.resubscribed_at = None
        if keeper.crossed:
            book.crossed_ts = book.crossed_ts or keeper.ts_recv
            return
        book.crossed_ts = None
        if not book.announced:
            book.announced = True
            self._on_state(book.instrument.symbol, "live", None)
        if keeper.limited and keeper.thin:
            keeper.refill()
            book.attempts, book.request_at = 0, max(now, book.seeded_at + REFILL_PAUSE)

    def _on_gap(self, book: HeldBook[I], reason: str | None, now: float) -> None:
        symbol = book.instrument.symbol
        self._on_state(symbol, "gap", reason)
        self._downgrade(book, "gap")
        book.announced, book.attempts = False, 0
        book.venue_checksum = book.crossed_ts = None
        book.request_at = self._seed_time(now, first=False)
        self._on_state(symbol, "resync", reason)
        if book.request_at is None:
            self._on_resync(symbol)

    def _wait(self, book: HeldBook[I], pauses: tuple[float, ...], reason: str | None, *, now: float) -> None:
        """Request again after a growing pause; the first time, unless the book is live, publish what is waited for."""
        book.request_at = now + pauses[min(book.attempts, len(pauses) - 1)]
        book.attempts += 1
        if book.attempts == 1 and not book.keeper.live:
            self._on_state(book.instrument.symbol, "resync", reason)

    def _found(self, symbol: str) -> tuple[HeldBook[I], ...]:
        book = self._books.get(symbol)
        return () if book is None else (book,)

    def _downgrade(self, book: HeldBook[I], quality: str) -> None:
        marked = book.take_downgraded(quality)
        if marked is not None:
            self._publish(marked)
