"""When trades were not received, by the feeds' own events: candles of such times may lack some. Pure."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from contracts.recent import Recent

FastEvent = Any  # a struct of `contracts.codec.fast`
KEPT: Final = 1000  # of each venue, the newest; what is older than them is not known whole
VENUES: Final = 256
MARKS: Final = 20_000
_LOSING: Final = frozenset({"connecting", "down", "gap", "resync"})
_CHANNELS: Final = frozenset({None, "trade"})
_Key = tuple[str | None, str | None]  # channel, symbol; None stands for all of them
Span = tuple[int, int]
"""From and to, ns UTC by our clock."""


class _Venue:
    """What is interrupted on a venue since when, and what was from when to when."""

    __slots__ = ("closed", "open")

    def __init__(self, keep: int) -> None:
        self.open: dict[_Key, int] = {}
        self.closed: deque[tuple[str | None, int, int]] = deque(maxlen=keep)

    def close(self, key: _Key, at: int) -> None:
        start = self.open.pop(key, None)
        if start is not None:
            self.closed.append((key[1], start, at))


class Gaps:
    """The interruptions of every venue's trades; of the venues whose states changed last, and so many marks of each."""

    def __init__(self, keep: int = KEPT) -> None:
        self._keep = keep
        self._venues: Recent[str, _Venue] = Recent(VENUES)
        self._everywhere: deque[Span] = deque(maxlen=keep)

    def on_status(self, status: FastEvent) -> None:
        """Fold one FeedStatus; a quiet instrument (`stale`, with a symbol) lost nothing by that."""
        if status.channel not in _CHANNELS:
            return
        venue = self._venues.get(status.venue) or self._venues.put(status.venue, _Venue(self._keep))
        held, key, at = venue.open, (status.channel, status.symbol), status.ts_recv
        if status.state in _LOSING or (status.state == "stale" and status.symbol is None):
            if key == (None, None) and status.state in {"connecting", "down"}:
                for other in [other for other in held if other != key]:
                    venue.close(other, at)  # what is wrong afterwards is published afterwards
            if len(held) >= MARKS and key not in held:
                key = (None, None)  # too many to tell apart: all of the venue's trades count as interrupted
            held.setdefault(key, at)
        elif status.state == "live":
            venue.close(key, at)

    def on_lost(self, start: int, end: int) -> None:
        """Note that trades of any venue may have been lost on the way here between two times."""
        self._everywhere.append((start, end))

    def list_spans(self, venue: str, symbol: str, now: int) -> list[Span]:
        """List when an instrument's trades were interrupted, oldest first, disjoint; what lasts ends `now` (ns UTC)."""
        held = self._venues.get(venue) or _Venue(self._keep)
        closed = [(start, end) for about, start, end in held.closed if about in {None, symbol}]
        lasting = [(start, now) for (_, about), start in held.open.items() if about in {None, symbol}]
        return _join(sorted([*closed, *lasting, *self._everywhere]))


def _join(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
