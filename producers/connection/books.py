"""The books of one connection: folds their deltas, requests seeds, and publishes conflated, verified snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Raw

from contracts.instrument import Instrument
from contracts.market import FeedState
from producers.connection.book import BookKeeper, Change, Outcome
from producers.connection.sides import snapshot
from producers.normalize.events import Maker, Makers
from producers.venue import BookChecksum, BookRule, Decoded, Proof

SEED_DEADLINE: Final = 5.0
REFILL_PAUSE: Final = 1.0
TOO_OLD_PAUSES: Final = (0.3, 0.6, 1.2, 2.4, 3.0, 3.0, 3.0, 3.0, 3.0, 5.0, 5.0, 10.0)  # the last one again and again
FAILED_PAUSES: Final = (1.0, 1.0, 2.0, 4.0, 8.0, 10.0)
CROSSED_NS: Final = 3_000_000_000  # for so long a book with unbroken numbers may be crossed
OnState = Callable[[str, FeedState, str | None], None]  # (unified symbol, state, reason)
OnResync = Callable[[str], None]  # (unified symbol): its book is pushed, and needs a fresh snapshot


@dataclass(frozen=True, slots=True)
class BookPace:
    """How often (seconds) and how deep (levels a side) snapshots of a changed book are published."""

    interval: float = 0.25
    depth: int = 100


class _Book:
    """One instrument's book, and what is known of its seed."""

    __slots__ = (
        "announced",
        "attempts",
        "crossed_ts",
        "dirty",
        "fetching",
        "instrument",
        "keeper",
        "make",
        "published",
        "request_at",
        "resubscribed_at",
        "seeded_at",
        "venue_checksum",
    )

    def __init__(self, instrument: Instrument, rule: BookRule) -> None:
        self.instrument = instrument
        self.keeper = BookKeeper(rule)
        self.announced = False  # its state `live` was published
        self.attempts = 0  # snapshots in a row that were requested in vain
        self.crossed_ts: int | None = None  # since when (our clock, ns) it is crossed
        self.dirty = False
        self.fetching = False
        self.make: Maker
        self.published: dict[str, Any] | None = None  # the fields of the last one
        self.venue_checksum: int | None = None
        self.request_at: float | None = None
        self.seeded_at = 0.0  # when the last requested snapshot was received
        self.resubscribed_at: float | None = None


class Books:
    """Folds `delta` and `book` events. Pure but for the callbacks: `publish(event)`, `on_state(...)`, `on_resync(...)`.

    `proven` counts the checksums of the venue that our books agreed with.
    """

    def __init__(
        self,
        rule: BookRule,
        pace: BookPace,
        publish: Callable[[Decoded], None],
        on_state: OnState,
        *,
        on_resync: OnResync = lambda _symbol: None,
    ) -> None:
        self._rule = rule
        self._pace = pace
        self._publish = publish
        self._on_state = on_state
        self._on_resync = on_resync
        self._books: dict[str, _Book] = {}
        self._next = 0.0
        self.simulated = False
        self.proven = 0

    @property
    def all_live(self) -> bool:
        """Whether every book's continuity is proven."""
        return all(book.announced for book in self._books.values())

    def open(self, instruments: Iterable[Instrument], *, now: float) -> None:
        """Start a connection: every book is empty and waits for its seed."""
        for instrument in instruments:
            book = self._books.get(instrument.symbol)
            if book is None or book.instrument != instrument:
                book = self._books[instrument.symbol] = _Book(instrument, self._rule)
            book.make = Makers(sim=self.simulated, written=True).maker("book", instrument)
            book.keeper.reset()
            book.fetching = book.announced = False
            book.attempts = 0
            book.venue_checksum = book.resubscribed_at = book.crossed_ts = None
            book.request_at = self._seed_time(now, first=True)

    def on_delta(self, symbol: str, delta: Decoded, *, now: float) -> None:
        """Fold one change of the stream; a pushed book that lost its continuity is given to `on_resync`."""
        book = self._books.get(symbol)
        if book is None:
            return
        outcome = book.keeper.on_delta(delta)
        if outcome.change is Change.APPLIED:
            self._on_applied(book, now)
        else:
            self._after(book, outcome, now=now)

    def on_whole(self, symbol: str, snapshot: Decoded, *, now: float) -> None:
        """Fold a book that was asked for on the socket."""
        book = self._books.get(symbol)
        if book is not None:
            self._after(book, book.keeper.on_snapshot(snapshot), now=now)

    def on_proof(self, proof: Proof, method: BookChecksum, *, now: float) -> None:
        """Verify a live book against the venue's checksum; a difference is a gap."""
        book = self._books.get(proof.instrument.symbol)
        if book is None or not book.keeper.live:
            return
        keeper = book.keeper
        computed = method.compute(keeper.bids.top(method.depth), keeper.asks.top(method.depth))
        outcome = keeper.on_proof(proof.checksum, computed)
        if outcome.change is Change.GAP:
            self._after(book, outcome, now=now)
            return
        book.venue_checksum = proof.checksum
        self.proven += 1

    def on_gap(self, symbol: str | None, reason: str, *, now: float) -> None:
        """Resync the live book of which something was lost; None: it is not known of which, so every one."""
        for book in self._books.values():
            if book.keeper.live and symbol in {None, book.instrument.symbol}:
                self._after(book, book.keeper.lose(reason), now=now)

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

    def take_due(self, *, now: float, subscribed: Callable[[Instrument], bool] = lambda _: True) -> list[Instrument]:
        """Return the instruments whose snapshot is to be requested now; they count as being fetched.

        The wait for a seed begins when the book's changes are `subscribed`: a snapshot from before would miss some.
        """
        for book in self._books.values():
            if book.request_at is not None and not book.keeper.live and not subscribed(book.instrument):
                book.request_at = self._seed_time(now, first=True)
        due = [book for book in self._books.values() if self._is_due(book, now)]
        for book in due:
            book.fetching = True
        return [book.instrument for book in due]

    def on_snapshot(self, instrument: Instrument, snapshot: Decoded | None, *, now: float) -> None:
        """Fold a fetched REST snapshot; None: it could not be fetched, and is requested again."""
        book = self._books[instrument.symbol]
        book.fetching, book.seeded_at = False, now
        if snapshot is not None:
            self._after(book, book.keeper.on_snapshot(snapshot), now=now)
            return
        self._wait(book, FAILED_PAUSES, "the snapshot could not be fetched, and is requested again", now=now)

    def tick(self, *, ts: int, now: float, force: bool = False) -> bool:
        """Publish a snapshot of each changed book, at most once an interval; with `force` of every live one, at once.

        A crossed book is not published, and is a gap where it stays crossed (`ts`, our clock in ns, judges that).
        Returns whether anything was published.
        """
        if now < self._next and not force:
            return False
        self._next = now + self._pace.interval
        acted = False
        for book in self._books.values():
            if book.crossed_ts is not None and ts - book.crossed_ts > CROSSED_NS:
                self._after(book, book.keeper.lose(f"crossed for {CROSSED_NS // 10**9} s"), now=now)
                acted = True
            elif book.announced and book.crossed_ts is None and (book.dirty or force):
                book.dirty, acted = False, True
                self._publish_book(book)
        return acted

    def _is_due(self, book: _Book, now: float) -> bool:
        needed = not book.keeper.live or book.keeper.refilling
        return needed and not book.fetching and book.request_at is not None and now >= book.request_at

    def _seed_time(self, now: float, *, first: bool) -> float | None:
        """Return when to request a seed by REST: never where the venue pushes it, after a wait where it may."""
        if self._rule.seed == "ws":
            return None
        if self._rule.seed == "either" and first:
            return now + self._rule.wait
        return now + (0.5 if first else 0.0)

    def _after(self, book: _Book, outcome: Outcome, *, now: float) -> None:
        if outcome.change is Change.APPLIED:
            self._on_applied(book, now)
        elif outcome.change is Change.GAP:
            self._on_gap(book, outcome.reason, now)
        elif outcome.change is Change.TOO_OLD:
            self._wait(book, TOO_OLD_PAUSES, outcome.reason, now=now)

    def _on_applied(self, book: _Book, now: float) -> None:
        keeper = book.keeper
        book.dirty = True
        book.resubscribed_at = None
        if keeper.crossed:
            book.crossed_ts = book.crossed_ts or keeper.ts_recv
            return
        book.crossed_ts = None
        if not book.announced:
            book.announced, book.attempts = True, 0
            self._on_state(book.instrument.symbol, "live", None)
        if keeper.limited and keeper.thin:
            keeper.refill()
            book.attempts, book.request_at = 0, max(now, book.seeded_at + REFILL_PAUSE)

    def _on_gap(self, book: _Book, reason: str | None, now: float) -> None:
        symbol = book.instrument.symbol
        self._on_state(symbol, "gap", reason)
        self._downgrade(book, "gap")
        book.announced, book.attempts = False, 0
        book.venue_checksum = book.crossed_ts = None
        book.request_at = self._seed_time(now, first=False)
        self._on_state(symbol, "resync", reason)
        if book.request_at is None:
            self._on_resync(symbol)

    def _wait(self, book: _Book, pauses: tuple[float, ...], reason: str | None, *, now: float) -> None:
        """Request again after a growing pause; the first time, unless the book is live, publish what is waited for."""
        book.request_at = now + pauses[min(book.attempts, len(pauses) - 1)]
        book.attempts += 1
        if book.attempts == 1 and not book.keeper.live:
            self._on_state(book.instrument.symbol, "resync", reason)

    def _publish_book(self, book: _Book) -> None:
        keeper, instrument = book.keeper, book.instrument
        bids, asks, proof = snapshot(keeper.bids, keeper.asks, self._pace.depth)
        book.published = {
            "id": f"{instrument.tail}.book.{keeper.seq if keeper.seq is not None else keeper.ts_recv}.{proof:08x}",
            "ts_event": keeper.ts_event,
            "ts_recv": keeper.ts_recv,
            "bids": Raw(bids),
            "asks": Raw(asks),
            "seq": keeper.seq,
            "quality": "sim" if self.simulated else "live",
            "checksum": proof,
            "venue_checksum": book.venue_checksum,
            "unit": keeper.unit,
        }
        self._publish(book.make(**book.published))

    def _downgrade(self, book: _Book, quality: str) -> None:
        """Publish the last snapshot once more, marked, so that nobody reads it as live."""
        held = book.published
        if held is None or held["quality"] == quality:
            return
        book.published = {**held, "quality": quality, "id": f"{held['id']}.{quality}"}
        self._publish(book.make(**book.published))
