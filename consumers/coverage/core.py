"""Folds what happens to feeds into the ledger: of each venue and hour, what was lost and what was filled. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from consumers.coverage.rows import Rows, read_rows
from contracts import codec
from contracts.recent import Recent
from contracts.services.coverage import HOUR_NS, KEPT_HOURS, VenueLedger
from runtime.coverage.connections import KnownConnections, ServedSet
from runtime.coverage.interruptions import (
    ALL,
    FastEvent,
    Interruptions,
    Key,
    ranges_of,
    says_no_state,
    widen_moment,
)
from runtime.coverage.spans import SECOND, Span, cut, join

VENUES: Final = 256
MARKS: Final = 3000  # interruptions of a venue at one time, which one document holds
MOMENTS: Final = 1000  # of a venue: losses that were noticed last, which what is filled explains
REACH: Final = 24 * HOUR_NS  # before it is said that trades of then were filled or are missing
BEHIND: Final = HOUR_NS  # that a status may be older than the newest one: what claims to be older counts as of then
NEAR: Final = 2 * SECOND  # that the clocks of a venue and ours may differ, at the ends of what was filled
_TRADE: Final = "trade"
_VENUE: Final = codec.fast(VenueLedger)


class VenueBook:
    """One venue's part of the ledger. Times are ns UTC."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.since: dict[str, int] = {}
        self.begun: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.sampled: frozenset[str] = frozenset()
        self.states = Interruptions(MARKS)
        self.hours: dict[int, Rows] = {}
        self.changed: set[int] = set()
        self.is_changed = False
        self._moments: deque[tuple[str, int]] = deque(maxlen=MOMENTS)

    def on_status(self, status: FastEvent, *, counts: bool = True) -> None:
        """Fold one FeedStatus; without `counts` it is of before the ledger began: only what is now matters."""
        if status.channel is not None:
            self.since.setdefault(status.channel, status.ts_recv)
        if says_no_state(status):
            if counts and status.symbol is not None and status.channel == _TRADE:
                self._on_ranges(status)
            return
        if status.channel is None and status.symbol is not None and status.symbol not in self.begun:
            return  # one that is not followed, of which nothing is known anyway
        before = dict(self.states.lasting)
        for key, served, start, end in self.states.on_status(status):
            if counts:
                if start == end and key[0] == _TRADE and key[1] is not None:
                    self._moments.append((key[1], start))
                self.add_lost(key, *widen_moment(start, end), served=served)
        self.is_changed = self.is_changed or before != self.states.lasting or not counts

    def on_listing(self, symbols: Iterable[str], now: int) -> None:
        """Note which instruments are followed now; the ledger of one begins, and ends, with that."""
        listed = set(symbols)
        for symbol in listed:
            if symbol not in self.begun:
                self.begun[symbol] = now
            elif symbol in self.ended:
                self.add_lost((None, symbol, None), self.ended.pop(symbol), now)
            else:
                continue
            self.is_changed = True
        for symbol in self.begun.keys() - listed - self.ended.keys():
            self.ended[symbol] = now
            self.is_changed = True

    def on_sampled(self, channels: frozenset[str]) -> None:
        """Note of which channels the venue publishes only a sample."""
        self.is_changed = self.is_changed or channels != self.sampled
        self.sampled = channels

    def add_lost(self, key: Key, start: int, end: int, served: ServedSet | None = None) -> None:
        """Note an interruption; `served` is what its connection served, None where that is not known."""
        for hour, span in _by_hour(start, end):
            self._rows(hour).add_lost(key, span, served)

    def begin(self, now: int) -> None:
        """Let the ledger begin now, whatever was before."""
        self.since = dict.fromkeys(self.since, now)
        self.states.lasting = dict.fromkeys(self.states.lasting, now)
        self.is_changed = True

    def save(self) -> Any:
        """Return the VenueLedger as a struct."""
        self.is_changed = False
        lasting = [(*key, start) for key, start in self.states.lasting.items()]
        return _VENUE(
            since=self.since,
            begun=self.begun,
            ended=self.ended,
            lasting=[(channel, symbol, start) for channel, symbol, of, start in lasting if of is None],
            sampled=sorted(self.sampled),
            connections=[(channel, symbol, of, start) for channel, symbol, of, start in lasting if of is not None],
            serves=self.states.connections.list_known(),
        )

    def restore(self, saved: Any) -> None:
        """Take back what `save` returned."""
        self.since, self.begun, self.ended = dict(saved.since), dict(saved.begun), dict(saved.ended)
        self.sampled = frozenset(saved.sampled)
        self.states.connections = KnownConnections(saved.serves)
        self.states.lasting = {(channel, symbol, None): start for channel, symbol, start in saved.lasting}
        self.states.lasting |= {(channel, symbol, of): start for channel, symbol, of, start in saved.connections}

    def forget_before(self, hour: int) -> None:
        """Forget the hours before this one; the ledger begins with it then."""
        self.since = {channel: max(start, hour * HOUR_NS) for channel, start in self.since.items()}
        for old in [held for held in self.hours if held < hour]:
            del self.hours[old]
            self.changed.discard(old)
        self.is_changed = True

    def drop_old(self, hour: int) -> None:
        """Forget the hours that are older than the ledger goes back."""
        for old in [held for held in self.hours if held < hour - KEPT_HOURS]:
            del self.hours[old]
            self.changed.discard(old)

    def _rows(self, hour: int) -> Rows:
        self.changed.add(hour)
        if hour not in self.hours:
            self.hours[hour] = Rows(hour)
        return self.hours[hour]

    def _on_ranges(self, status: FastEvent) -> None:
        symbol, now = status.symbol, status.ts_recv
        oldest = now - REACH
        for start, end in cut(ranges_of(status.missing), oldest, now + NEAR):
            for hour, span in _by_hour(start, end):
                self._rows(hour).add_missing((_TRADE, symbol, None), span)
        for span in cut(ranges_of(status.filled), oldest, now + NEAR):
            for start, end in self._explain(symbol, span, status.ts_recv):
                for hour, part in _by_hour(start, end):
                    self._rows(hour).add_filled((_TRADE, symbol, None), part)

    def _explain(self, symbol: str, span: Span, until: int) -> list[Span]:
        """Return what a filled span makes known: itself, to the ends of the cut it is of, and losses noticed in it."""
        start, end = span
        near = join(
            lost
            for hour in range((start - NEAR) // HOUR_NS, (end + NEAR) // HOUR_NS + 1)
            if hour in self.hours
            for lost in cut(self.hours[hour].lost_of(_TRADE, symbol), start - NEAR, end + NEAR)
        )
        for one, other in near:
            start, end = (min(start, one), max(end, other)) if one <= end and other >= start else (start, end)
        moments = [
            (at - SECOND, at) for name, at in self._moments if name == symbol and span[0] - SECOND <= at <= until
        ]
        return join([(start, end), *moments])


class Ledger:
    """The books of all venues, by their ids."""

    def __init__(self) -> None:
        self.books: Recent[str, VenueBook] = Recent(VENUES)
        self.begun = True  # False until the past of before the first start was read
        self.newest = 0  # of the statuses, ns UTC
        self._hour = 0
        self._sizes: dict[tuple[str, int], int] = {}  # of the hours' documents, bytes

    def find(self, venue: str) -> VenueBook:
        """Return the book of a venue, an empty one where there was none."""
        return self.books.get(venue) or self.books.put(venue, VenueBook(venue))

    def on_status(self, status: FastEvent) -> None:
        """Fold one FeedStatus."""
        self.newest = max(self.newest, status.ts_recv)
        if status.ts_recv < self.newest - BEHIND:
            status = msgspec.structs.replace(status, ts_recv=self.newest - BEHIND)
        self.find(status.venue).on_status(status, counts=self.begun)

    def on_lost(self, start: int, end: int) -> None:
        """Note that nothing is known of any venue between two times."""
        for book in self.books.values():
            book.add_lost(ALL, start, end)

    def begin(self, now: int) -> None:
        """Begin the ledger of all that is known of by now."""
        self.begun = True
        for book in self.books.values():
            book.begin(now)

    def restore_hour(self, venue: str, hour: int, document: Any, size: int = 0) -> None:
        """Take back an HourLedger of so many bytes."""
        self.find(venue).hours[hour] = read_rows(hour, document)
        self._sizes[venue, hour] = size

    def drain(self, hour: int) -> tuple[dict[str, Any], dict[tuple[str, int], Any]]:
        """Return what changed: VenueLedgers by venue, HourLedgers by (venue, hour); `hour` is the present one.

        Each hour every VenueLedger is among them, so that the bucket does not drop it for its age.
        """
        if hour != self._hour:
            self._hour = hour
            for book in self.books.values():
                book.is_changed = True
        venues = {book.venue: book.save() for book in self.books.values() if book.is_changed}
        hours: dict[tuple[str, int], Any] = {}
        for book in self.books.values():
            hours |= {(book.venue, changed): book.hours[changed].save() for changed in sorted(book.changed)}
            book.changed.clear()
            book.drop_old(hour)
        for key in [key for key in self._sizes if key[1] < hour - KEPT_HOURS]:
            del self._sizes[key]
        return venues, hours

    def on_saved(self, venue: str, hour: int, size: int) -> None:
        """Note how many bytes the document of an hour has."""
        self._sizes[venue, hour] = size

    def trim(self, most: int) -> list[tuple[str, int]]:
        """Forget the oldest hours until the others have `most` bytes; return whose documents are to be taken away.

        A bucket that is full would drop them by itself, and an hour without a document was live.
        """
        dropped: list[tuple[str, int]] = []
        total = sum(self._sizes.values())
        while total > most:
            oldest = min(hour for _, hour in self._sizes)
            for key in [key for key in self._sizes if key[1] == oldest]:
                total -= self._sizes.pop(key)
                dropped.append(key)
            for book in self.books.values():
                book.forget_before(oldest + 1)
        return dropped

    def save_again(self) -> None:
        """Return everything with the next `drain`: what was saved is lost."""
        for book in self.books.values():
            book.is_changed = True
            book.changed = set(book.hours)


def _by_hour(start: int, end: int) -> Iterable[tuple[int, Span]]:
    """Yield the parts of a span that lie in each hour; of one that is longer than the ledger, the newest of it."""
    last = (end - 1) // HOUR_NS
    for hour in range(max(start // HOUR_NS, last - KEPT_HOURS), last + 1):
        yield hour, (max(start, hour * HOUR_NS), min(end, (hour + 1) * HOUR_NS))
