"""The books of one connection: folds their deltas, asks for seeds, and publishes conflated, verified snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from contracts.codec import fast
from contracts.instrument import Instrument
from contracts.market import BookSnapshot, FeedState
from producers.connection.book import BookKeeper, Change, Outcome, checksum
from producers.venue import BookChecksum, BookRule, Decoded, Proof

FastBook: Final = fast(BookSnapshot)
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


class _Page:
    """One instrument's book on the desk."""

    __slots__ = (
        "announced",
        "attempts",
        "crossed_ts",
        "dirty",
        "fetching",
        "instrument",
        "keeper",
        "published",
        "resubscribed_at",
        "seeded_at",
        "venue_checksum",
        "wanted_at",
    )

    def __init__(self, instrument: Instrument, rule: BookRule) -> None:
        self.instrument = instrument
        self.keeper = BookKeeper(rule)
        self.announced = False  # its state was said to be live
        self.attempts = 0  # snapshots in a row that were asked for in vain
        self.crossed_ts: int | None = None  # since when (our clock, ns) it is crossed
        self.dirty = False
        self.fetching = False
        self.published: Any = None
        self.venue_checksum: int | None = None
        self.wanted_at: float | None = None
        self.seeded_at = 0.0  # when the last asked snapshot came
        self.resubscribed_at: float | None = None


class BookDesk:
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
        self._pages: dict[str, _Page] = {}
        self._next = 0.0
        self.simulated = False
        self.proven = 0

    @property
    def all_live(self) -> bool:
        """Whether every book's continuity is proven."""
        return all(page.announced for page in self._pages.values())

    def open(self, instruments: Iterable[Instrument], *, now: float) -> None:
        """Begin a connection: every book is empty and waits for its seed."""
        for instrument in instruments:
            page = self._pages.get(instrument.symbol)
            if page is None or page.instrument != instrument:
                page = self._pages[instrument.symbol] = _Page(instrument, self._rule)
            page.keeper.reset()
            page.fetching = page.announced = False
            page.attempts = 0
            page.venue_checksum = page.resubscribed_at = page.crossed_ts = None
            page.wanted_at = self._seed_time(now, first=True)

    def on_event(self, event: Decoded, *, now: float) -> None:
        """Fold one event of the stream; a pushed book that lost its continuity is asked for by `on_resync`."""
        page = self._pages.get(event.symbol)
        if page is None:
            return
        outcome = page.keeper.on_delta(event) if event.kind == "delta" else page.keeper.on_snapshot(event)
        self._after(page, outcome, now=now)

    def on_proof(self, proof: Proof, method: BookChecksum, *, now: float) -> None:
        """Verify a live book against the venue's checksum; a difference is a gap."""
        page = self._pages.get(proof.instrument.symbol)
        if page is None or not page.keeper.live:
            return
        keeper = page.keeper
        computed = method.compute(keeper.bids.top(method.depth), keeper.asks.top(method.depth))
        outcome = keeper.on_proof(proof.checksum, computed)
        if outcome.change is Change.GAP:
            self._after(page, outcome, now=now)
            return
        page.venue_checksum = proof.checksum
        self.proven += 1

    def on_gap(self, symbol: str | None, reason: str, *, now: float) -> None:
        """Seed a live book anew of which something was lost; None: it is not known of which, so every one."""
        for page in self._pages.values():
            if page.keeper.live and symbol in {None, page.instrument.symbol}:
                self._after(page, page.keeper.lose(reason), now=now)

    def on_asked(self, symbol: str, *, now: float) -> None:
        """A snapshot was asked for on the socket itself: ask again unless it comes."""
        page = self._pages[symbol]
        page.fetching = False
        page.wanted_at = now + SEED_DEADLINE

    def overdue(self, *, now: float) -> str | None:
        """Give the symbol of a book whose fresh subscription brought no snapshot in time."""
        for symbol, page in self._pages.items():
            if page.resubscribed_at is not None and not page.keeper.live and now - page.resubscribed_at > SEED_DEADLINE:
                return symbol
        return None

    def on_resubscribed(self, symbol: str, *, now: float) -> None:
        """The book's channel is being subscribed anew."""
        page = self._pages[symbol]
        page.resubscribed_at, page.wanted_at, page.fetching = now, None, False

    def on_silence(self, symbol: str) -> None:
        """The channel is silent: what was published last is not live any more."""
        page = self._pages.get(symbol)
        if page is not None:
            self._downgrade(page, "stale")

    def lost(self) -> None:
        """The connection is gone: no book is live."""
        for page in self._pages.values():
            page.keeper.reset()
            page.announced = False
            page.wanted_at = page.crossed_ts = None
            self._downgrade(page, "gap")

    def wanted(self, *, now: float, heard: Callable[[Instrument], bool] = lambda _: True) -> list[Instrument]:
        """Give the instruments whose REST snapshot is due, and count them as being fetched.

        The wait for a seed begins when the book's changes are `heard`: a snapshot from before would miss some.
        """
        for page in self._pages.values():
            if page.wanted_at is not None and not page.keeper.live and not heard(page.instrument):
                page.wanted_at = self._seed_time(now, first=True)
        due = [page for page in self._pages.values() if self._is_due(page, now)]
        for page in due:
            page.fetching = True
        return [page.instrument for page in due]

    def on_snapshot(self, instrument: Instrument, snapshot: Decoded | None, *, now: float) -> None:
        """Fold a fetched REST snapshot; None means that it could not be had and is to be asked for again."""
        page = self._pages[instrument.symbol]
        page.fetching, page.seeded_at = False, now
        if snapshot is not None:
            self._after(page, page.keeper.on_snapshot(snapshot), now=now)
            return
        self._wait(page, FAILED_PAUSES, "the snapshot could not be had, and is asked for again", now=now)

    def tick(self, *, ts: int, now: float, force: bool = False) -> bool:
        """Publish a snapshot of each changed book, at most once an interval; with `force` of every live one, at once.

        A crossed book is not published, and is a gap where it stays crossed (`ts`, our clock in ns, judges that).
        Returns whether anything was published.
        """
        if now < self._next and not force:
            return False
        self._next = now + self._pace.interval
        acted = False
        for page in self._pages.values():
            if page.crossed_ts is not None and ts - page.crossed_ts > CROSSED_NS:
                self._after(page, page.keeper.lose(f"crossed for {CROSSED_NS // 10**9} s"), now=now)
                acted = True
            elif page.announced and page.crossed_ts is None and (page.dirty or force):
                page.dirty, acted = False, True
                self._publish_page(page)
        return acted

    def _is_due(self, page: _Page, now: float) -> bool:
        needed = not page.keeper.live or page.keeper.refilling
        return needed and not page.fetching and page.wanted_at is not None and now >= page.wanted_at

    def _seed_time(self, now: float, *, first: bool) -> float | None:
        """Tell when to ask REST for a seed: never where the venue pushes it, after a while where it may."""
        if self._rule.seed == "ws":
            return None
        if self._rule.seed == "either" and first:
            return now + self._rule.wait
        return now + (0.5 if first else 0.0)

    def _after(self, page: _Page, outcome: Outcome, *, now: float) -> None:
        if outcome.change is Change.APPLIED:
            self._on_applied(page, now)
        elif outcome.change is Change.GAP:
            self._on_gap(page, outcome.reason, now)
        elif outcome.change is Change.TOO_OLD:
            self._wait(page, TOO_OLD_PAUSES, outcome.reason, now=now)

    def _on_applied(self, page: _Page, now: float) -> None:
        keeper = page.keeper
        page.dirty = True
        page.resubscribed_at = None
        if keeper.crossed:
            page.crossed_ts = page.crossed_ts or keeper.ts_recv
            return
        page.crossed_ts = None
        if not page.announced:
            page.announced, page.attempts = True, 0
            self._on_state(page.instrument.symbol, "live", None)
        if keeper.thin:
            keeper.refill()
            page.attempts, page.wanted_at = 0, max(now, page.seeded_at + REFILL_PAUSE)

    def _on_gap(self, page: _Page, reason: str | None, now: float) -> None:
        symbol = page.instrument.symbol
        self._on_state(symbol, "gap", reason)
        self._downgrade(page, "gap")
        page.announced, page.attempts = False, 0
        page.venue_checksum = page.crossed_ts = None
        page.wanted_at = self._seed_time(now, first=False)
        self._on_state(symbol, "resync", reason)
        if page.wanted_at is None:
            self._on_resync(symbol)

    def _wait(self, page: _Page, pauses: tuple[float, ...], reason: str | None, *, now: float) -> None:
        """Ask again after a pause that grows; the first time, unless the book is live, say what is waited for."""
        page.wanted_at = now + pauses[min(page.attempts, len(pauses) - 1)]
        page.attempts += 1
        if page.attempts == 1 and not page.keeper.live:
            self._on_state(page.instrument.symbol, "resync", reason)

    def _publish_page(self, page: _Page) -> None:
        keeper, instrument = page.keeper, page.instrument
        bids, asks = keeper.bids.top(self._pace.depth), keeper.asks.top(self._pace.depth)
        proof = checksum(bids, asks)
        event = FastBook(
            id=f"{instrument.tail}.book.{keeper.seq if keeper.seq is not None else keeper.ts_recv}.{proof:08x}",
            venue=instrument.venue,
            symbol=instrument.symbol,
            venue_symbol=instrument.venue_symbol,
            ts_event=keeper.ts_event,
            ts_recv=keeper.ts_recv,
            sim=self.simulated,
            bids=bids,
            asks=asks,
            seq=keeper.seq,
            quality="sim" if self.simulated else "live",
            checksum=proof,
            venue_checksum=page.venue_checksum,
            unit=keeper.unit,
        )
        page.published = event
        self._publish(event)

    def _downgrade(self, page: _Page, quality: str) -> None:
        """Publish the last snapshot once more, marked: nobody shall read it as live."""
        held = page.published
        if held is None or held.quality == quality:
            return
        fields = {name: getattr(held, name) for name in held.__struct_fields__}
        page.published = FastBook(**{**fields, "quality": quality, "id": f"{held.id}.{quality}"})
        self._publish(page.published)
