"""When trades were not received, by the feeds' own events: candles of such times may lack some. Pure.

What was filled in time, before the candles that it belongs to could not be amended any more, is no gap.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from consumers.candles.rules import CandleRules
from contracts.recent import Recent
from runtime.coverage.interruptions import Ended, Interruptions, Key, is_about, ranges_of
from runtime.coverage.spans import SECOND, Span, join, subtract

FastEvent = Any  # a struct of `contracts.codec.fast`
KEPT: Final = 1000  # of each venue, the newest; what is older than them is not known whole
VENUES: Final = 256
MARKS: Final = 20_000
TRADE: Final = "trade"
_CHANNELS: Final = frozenset({None, TRADE})


class _Venue:
    """What is interrupted on a venue since when, what was, and what of it was filled: (symbol, from, to, by when).

    What was has beside it what its connection served.
    """

    __slots__ = ("closed", "filled", "states")

    def __init__(self, keep: int) -> None:
        self.states = Interruptions(MARKS)
        self.closed: deque[Ended] = deque(maxlen=keep)
        self.filled: deque[tuple[str, int, int, int]] = deque(maxlen=keep)

    def unfill(self, symbol: str, missing: list[Span]) -> None:
        """Take back that these spans of a symbol were filled."""
        kept = [
            (name, start, end, until)
            for name, first, last, until in self.filled
            for start, end in (subtract([(first, last)], missing) if name == symbol else [(first, last)])
        ]
        self.filled = deque(kept, self.filled.maxlen)

    def is_explained(self, symbol: str, at: int) -> bool:
        """Return whether a loss that was noticed at a moment is one that was filled."""
        return any(name == symbol and start - SECOND <= at <= until for name, start, _, until in self.filled)


class Gaps:
    """The interruptions of every venue's trades; of the venues whose states changed last, and so many of each."""

    def __init__(self, keep: int = KEPT, late: int = CandleRules().retention) -> None:
        self._keep, self._late = keep, late
        self._venues: Recent[str, _Venue] = Recent(VENUES)
        self._everywhere: deque[Span] = deque(maxlen=keep)

    def on_status(self, status: FastEvent) -> None:
        """Fold one FeedStatus; a quiet instrument (`stale`, with a symbol) lost nothing by that."""
        if status.channel not in _CHANNELS and not status.serves:
            return
        venue = self._venues.get(status.venue) or self._venues.put(status.venue, _Venue(self._keep))
        if status.channel not in _CHANNELS:
            venue.states.connections.note(status)
            return
        if status.symbol is not None and (status.filled or status.missing):
            self._on_ranges(venue, status)
        venue.closed.extend(venue.states.on_status(status))

    def on_lost(self, start: int, end: int) -> None:
        """Note that trades of any venue may have been lost on the way here between two times."""
        self._everywhere.append((start, end))

    def list_spans(self, venue: str, symbol: str, now: int) -> list[Span]:
        """List when an instrument's trades were interrupted, oldest first, disjoint; what lasts ends `now` (ns UTC)."""
        held = self._venues.get(venue) or _Venue(self._keep)
        lost = [(start, end) for key, served, start, end in held.closed if is_about(key, TRADE, symbol, served)]
        moments = [(start, end) for start, end in lost if start == end and not held.is_explained(symbol, start)]
        lasting = [
            (start, now) for key, start in held.states.lasting.items() if held.states.concerns(key, TRADE, symbol)
        ]
        filled = join((start, end) for name, start, end, _ in held.filled if name == symbol)
        left = subtract(join([*(span for span in lost if span[0] < span[1]), *lasting]), filled)
        return join([*left, *moments, *self._everywhere])

    def _on_ranges(self, venue: _Venue, status: FastEvent) -> None:
        missing = join(ranges_of(status.missing))
        if missing:
            venue.unfill(status.symbol, missing)
            key: Key = (TRADE, status.symbol, None)
            venue.closed.extend((key, None, start, end) for start, end in missing)
        for start, end in ranges_of(status.filled):
            if status.ts_recv - start <= self._late:
                venue.filled.append((status.symbol, start, end, status.ts_recv))
