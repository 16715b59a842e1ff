"""Which feeds were interrupted around a moment, by their own events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

from contracts.subjects import BUS
from runtime.coverage.connections import KnownConnections
from runtime.nats.streams.api import rfc3339

FastEvent = Any  # a struct of `contracts.codec.fast`
_LOSING: Final = frozenset({"connecting", "down", "gap", "resync"})
_Key = tuple[str, str | None, str | None, str | None]  # venue, channel, symbol, connection; None stands for all
_Since = tuple[int, FastEvent]


class Interruptions:
    """What was interrupted within a span (ns UTC), for a rule that lives of some channels of some instruments."""

    def __init__(self, span: tuple[int, int], channels: frozenset[str], concerns: Callable[[str], bool]) -> None:
        self._span, self._channels, self._concerns = span, channels, concerns
        self._open: dict[_Key, _Since] = {}
        self._connections: defaultdict[str, KnownConnections] = defaultdict(KnownConnections)
        self._found: list[str] = []
        self.known = False  # whether any feed said anything

    def fold_all(self, statuses: Iterable[FastEvent]) -> list[str]:
        """Fold every FeedStatus, oldest first, and return the interruptions in words."""
        for status in statuses:
            self._connections[status.venue].note(status)
            if status.venue == BUS:
                self._on_bus(status)
            elif status.channel is None or status.channel in self._channels:
                self._on_status(status)
        for key in list(self._open):
            self._close(key, None)
        return self._found

    def _on_bus(self, status: FastEvent) -> None:
        if self._span[0] <= status.ts_recv <= self._span[1]:
            self._found.append(f"{status.channel}: {status.reason} ({rfc3339(status.ts_recv)})")

    def _on_status(self, status: FastEvent) -> None:
        if status.symbol is not None and not self._concerns(status.symbol):
            return
        self.known = True
        key: _Key = (status.venue, status.channel, status.symbol, status.connection or None)
        if status.state in _LOSING or (status.state == "stale" and status.symbol is None):
            if self._is_of_others(status) or (status.connections and status.state == "connecting"):
                return  # of several connections each says it of itself
            self._open.setdefault(key, (status.since or status.ts_recv, status))
        elif status.state == "live":
            whole = status.channel is None and status.symbol is None
            for other in [other for other in self._open if other == key or (whole and other[0] == status.venue)]:
                self._close(other, status.ts_recv)

    def _is_of_others(self, status: FastEvent) -> bool:
        """Return whether a status is of a connection of which it is known that it serves nothing of concern."""
        served = self._connections[status.venue].find(status.connection)
        return served is not None and not served.concerns(self._concerns)

    def _close(self, key: _Key, end: int | None) -> None:
        since, status = self._open.pop(key)
        if since > self._span[1] or (end is not None and end < self._span[0]):
            return
        what = " ".join(part for part in key if part is not None)
        until = "" if end is None else f" until {rfc3339(end)}"
        reason = "" if status.reason is None else f": {status.reason}"
        self._found.append(f"{what} was {status.state} from {rfc3339(since)}{until}{reason}")
