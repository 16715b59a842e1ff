"""When trades were not listened to, as the feeds' own events tell it: candles of such times may lack some. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any, Final

FastEvent = Any  # a struct of `contracts.codec.fast`
KEPT: Final = 1000  # of each venue, the newest; what is older than them is not known whole
_LOSING: Final = frozenset({"connecting", "down", "gap", "resync"})
_CHANNELS: Final = frozenset({None, "trade"})
_Key = tuple[str | None, str | None]  # channel, symbol; None stands for all of them
Span = tuple[int, int]
"""From and to, ns UTC by our clock."""


class Gaps:
    """The interruptions of every venue's trades."""

    def __init__(self, keep: int = KEPT) -> None:
        self._open: dict[str, dict[_Key, int]] = defaultdict(dict)
        self._closed: dict[str, deque[tuple[str | None, int, int]]] = defaultdict(lambda: deque(maxlen=keep))
        self._everywhere: deque[Span] = deque(maxlen=keep)

    def on_status(self, status: FastEvent) -> None:
        """Fold one FeedStatus; a quiet instrument (`stale`, with a symbol) lost nothing by that."""
        if status.channel not in _CHANNELS:
            return
        held, key, at = self._open[status.venue], (status.channel, status.symbol), status.ts_recv
        if status.state in _LOSING or (status.state == "stale" and status.symbol is None):
            if key == (None, None) and status.state in {"connecting", "down"}:
                for other in [other for other in held if other != key]:
                    self._close(status.venue, other, at)  # what is wrong afterwards is told afterwards
            held.setdefault(key, at)
        elif status.state == "live":
            self._close(status.venue, key, at)

    def on_lost(self, start: int, end: int) -> None:
        """Take note that trades of any venue may have been lost on the way here between two times."""
        self._everywhere.append((start, end))

    def list_spans(self, venue: str, symbol: str, now: int) -> list[Span]:
        """List when an instrument's trades were interrupted, oldest first, disjoint; what lasts ends `now` (ns UTC)."""
        closed = [(start, end) for about, start, end in self._closed[venue] if about in {None, symbol}]
        lasting = [(start, now) for (_, about), start in self._open[venue].items() if about in {None, symbol}]
        return _join(sorted([*closed, *lasting, *self._everywhere]))

    def _close(self, venue: str, key: _Key, at: int) -> None:
        start = self._open[venue].pop(key, None)
        if start is not None:
            self._closed[venue].append((key[1], start, at))


def _join(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
