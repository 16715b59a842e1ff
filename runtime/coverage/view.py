"""What the ledger of coverage says of an instrument's span, read from the documents of its bucket. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any, Final

import msgspec

from contracts import codec
from contracts.instrument import escape_token
from contracts.services.coverage import (
    HOUR_NS,
    KEPT_HOURS,
    KEY_HOUR,
    KEY_SEEN,
    KEY_VENUE,
    HourLedger,
    SeenLedger,
    VenueLedger,
)
from runtime.coverage.connections import KnownConnections, ServedSet
from runtime.coverage.interruptions import is_about
from runtime.coverage.spans import SECOND, Span, cut, join, measure, snap, subtract

GRACE: Final = 3 * SECOND  # a sign of life is looked for every half second, and is on its way
MOST_DECODED: Final = 50_000
_NOTHING: Final[tuple[dict[str | None, list[Any]], dict[str | None, ServedSet]]] = ({}, {})
_PERCENT_PLACES: Final = Decimal("0.0001")
_venue: Final = msgspec.json.Decoder(codec.trusted(VenueLedger)).decode
_hour: Final = msgspec.json.Decoder(codec.trusted(HourLedger)).decode
_seen: Final = msgspec.json.Decoder(codec.trusted(SeenLedger)).decode


@dataclass(frozen=True, slots=True)
class Followed:
    """One channel of one instrument: CCXT's id of the venue, the unified symbol."""

    venue: str
    symbol: str
    channel: str


@dataclass(frozen=True, slots=True)
class Covered:
    """What is known of a span: when the ledger begins (None: there is none), and what of it was lost, ns UTC.

    Of that, `filled` came later, and `unknown` did not.
    """

    since: int | None
    sampled: bool
    unknown: tuple[Span, ...]
    filled: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Sums:
    """Whole seconds by what they were."""

    live: int = 0
    sampled: int = 0
    filled: int = 0
    unknown: int = 0

    @property
    def length(self) -> int:
        """All of them."""
        return self.live + self.sampled + self.filled + self.unknown

    @property
    def percent(self) -> Decimal:
        """How much of it is known, never more than that; 100 of nothing."""
        if not self.unknown:
            return Decimal(100)
        known = Decimal(100 * (self.length - self.unknown)) / Decimal(self.length)
        return known.quantize(_PERCENT_PLACES, ROUND_FLOOR)


class LedgerView:
    """The bucket as it is in memory: `get(key)` gives a document, the same object while it is the same document."""

    def __init__(self, get: Callable[[str], bytes | None]) -> None:
        self._get = get
        self._decoded: dict[str, tuple[bytes, Any]] = {}

    def find(self, about: Followed, span: Span, now: int) -> Covered:
        """Return what is known of a channel of an instrument; msgspec.MsgspecError where a document is none."""
        book, (start, end) = self._find_book(about), span
        if book is None:
            return Covered(None, sampled=False, unknown=(span,), filled=())
        since = max(book.since[about.channel], book.begun[about.symbol], now - KEPT_HOURS * HOUR_NS)
        lost = list(self._lost(book, about, now))
        filled: list[Span] = []
        for row in self._rows(about, (max(start, since), end)):
            lost += row[0]
            filled += row[1]
        if start < since:
            lost.append((start, min(end, since)))
        interrupted = join(cut(lost, start, end))
        unknown = subtract(interrupted, join(filled))
        return Covered(since, about.channel in book.sampled, tuple(unknown), tuple(subtract(interrupted, unknown)))

    def find_newest(self) -> int | None:
        """Return when (ns UTC) any producer was last known to live, by which it is known how old the ledger is."""
        seen: Any = self._read(KEY_SEEN, _seen)
        return None if seen is None else max(seen.venues.values(), default=None)

    def _find_book(self, about: Followed) -> Any:
        book: Any = self._read(KEY_VENUE + escape_token(about.venue), _venue)
        return None if book is None or about.channel not in book.since or about.symbol not in book.begun else book

    def _lost(self, book: Any, about: Followed, now: int) -> Iterator[Span]:
        """Yield what lasts: interruptions, and the time since the last sign of life."""
        lasting = [*((channel, symbol, None, start) for channel, symbol, start in book.lasting), *book.connections]
        known = KnownConnections({of: book.serves[of] for _, _, of, _ in book.connections if of in book.serves})
        for channel, symbol, of, start in lasting:
            if is_about((channel, symbol, of), about.channel, about.symbol, known.find(of)):
                yield (start, max(now, start + 1))
        if about.symbol in book.ended:
            yield (book.ended[about.symbol], max(now, book.ended[about.symbol] + 1))
        seen: Any = self._read(KEY_SEEN, _seen)
        at = 0 if seen is None else seen.venues.get(escape_token(about.venue), 0)
        if now - at > GRACE:
            yield (at, now)

    def _rows(self, about: Followed, span: Span) -> Iterable[tuple[list[Span], list[Span]]]:
        token = escape_token(about.venue)
        for hour in range(span[0] // HOUR_NS, (span[1] - 1) // HOUR_NS + 1):  # of none where it ends before it begins
            by_symbol, served = self._read(f"{KEY_HOUR}{token}.{hour}", _read_hour) or _NOTHING
            for row in (*by_symbol.get(None, ()), *by_symbol.get(about.symbol, ())):
                key = (row.channel, row.symbol, row.connection or None)
                if is_about(key, about.channel, about.symbol, served.get(key[2])):
                    begin = hour * HOUR_NS
                    yield (
                        [(begin + one, begin + other) for one, other in row.lost],
                        [(begin + one, begin + other) for one, other in row.filled],
                    )

    def _read(self, key: str, decode: Callable[[bytes], Any]) -> Any:
        body = self._get(key)
        if body is None:
            return None
        held = self._decoded.get(key)
        if held is not None and held[0] is body:
            return held[1]
        if len(self._decoded) >= MOST_DECODED:
            self._decoded.clear()
        document = decode(body)
        self._decoded[key] = (body, document)
        return document


def _read_hour(body: bytes) -> tuple[dict[str | None, list[Any]], dict[str | None, ServedSet]]:
    """Return the rows of an HourLedger by symbol, and what connections served."""
    document: Any = _hour(body)
    by_symbol: dict[str | None, list[Any]] = {}
    for row in document.rows:
        by_symbol.setdefault(row.symbol, []).append(row)
    return by_symbol, {connection: ServedSet(listed) for connection, listed in document.serves.items()}


def count(covered: Covered, edges: Sequence[int]) -> list[Sums]:
    """Return what the seconds between each edge and the next one were; edges are ns UTC, whole seconds."""
    unknown = snap(covered.unknown)
    filled = subtract(snap(covered.filled), unknown)
    lost, later = measure(unknown, edges), measure(filled, edges)
    found: list[Sums] = []
    for index, length in enumerate(other - one for one, other in pairwise(edges)):
        rest = (length - lost[index] - later[index]) // SECOND
        live, sampled = (0, rest) if covered.sampled else (rest, 0)
        found.append(Sums(live, sampled, later[index] // SECOND, lost[index] // SECOND))
    return found


def add_up(sums: Iterable[Sums]) -> Sums:
    """Return all of them together."""
    held = list(sums)
    return Sums(
        sum(item.live for item in held),
        sum(item.sampled for item in held),
        sum(item.filled for item in held),
        sum(item.unknown for item in held),
    )
