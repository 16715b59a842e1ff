"""When a venue's channels were not live, by the feeds' own events. Pure; shared by all that folds them over time."""

from __future__ import annotations

from typing import Any, Final

from runtime.coverage.connections import KnownConnections, ServedSet, unit_of
from runtime.coverage.spans import SECOND, Span

FastEvent = Any  # a struct of `contracts.codec.fast(FeedStatus)`
Key = tuple[str | None, str | None, str | None]  # channel, symbol, connection; None stands for all of them
ALL: Final[Key] = (None, None, None)
LONGEST: Final = 2 * 3600 * SECOND  # that a silence may have lasted before it is noticed
_LOSING: Final = frozenset({"connecting", "down", "gap", "resync"})
_OVER: Final = frozenset({"connecting", "down"})
Ended = tuple[Key, ServedSet | None, int, int]
"""What was interrupted, what its connection serves (None: not known), from when to when, ns UTC.

A mere moment has both the same.
"""


class Interruptions:
    """What is interrupted on one venue since when; what ends is returned. At most `most` are distinguished.

    `connections` is what the venue's connections serve, as far as their statuses list it.
    """

    __slots__ = ("_most", "connections", "lasting")

    def __init__(self, most: int) -> None:
        self.lasting: dict[Key, int] = {}
        self.connections = KnownConnections()
        self._most = most

    def on_status(self, status: FastEvent) -> list[Ended]:
        """Fold one FeedStatus; returns the interruptions that it ends."""
        self.connections.note(status)
        at, ended = status.ts_recv, list[Ended]()
        if says_no_state(status):
            return ended
        if status.connections:
            self._on_connections({one.id: one.state for one in status.connections}, at, ended)
            return ended
        key: Key = (status.channel, status.symbol, status.connection or None)
        if is_losing(status):
            if status.state in _OVER:
                for other in [other for other in self.lasting if _is_within(other, key)]:
                    self._end(other, at, ended)  # what is wrong afterwards is published afterwards
            self._begin(key, max(min(status.since or at, at), at - LONGEST))
        elif status.state == "live":
            self._end(key, at, ended)
        return ended

    def concerns(self, key: Key, channel: str, symbol: str) -> bool:
        """Return whether an interruption concerns a channel of an instrument."""
        return is_about(key, channel, symbol, self.connections.find(key[2]))

    def _on_connections(self, states: dict[str, str], at: int, ended: list[Ended]) -> None:
        """Fold the states of all connections of a unit of the venue: of others that it had nothing lasts."""
        unit = unit_of(next(iter(states)))
        for key in list(self.lasting):
            connection = key[2]
            gone = key[1] is None if connection is None else unit_of(connection) == unit and connection not in states
            if gone:
                self._end(key, at, ended)
        for connection, state in states.items():
            key = (None, None, connection)
            if state == "live":
                self._end(key, at, ended)
            else:
                self._begin(key, at)
        self.connections.keep(unit, {*states, *(key[2] for key in self.lasting if key[2] is not None)})

    def _begin(self, key: Key, at: int) -> None:
        if len(self.lasting) >= self._most and key not in self.lasting:
            key = (key[0], None, key[2])  # too many to tell apart: all of the channel counts as interrupted
        self.lasting[key] = min(at, self.lasting.get(key, at))

    def _end(self, key: Key, at: int, ended: list[Ended]) -> None:
        start = self.lasting.pop(key, None)
        if start is not None:
            ended.append((key, self.connections.find(key[2]), start, max(start, at)))


def says_no_state(status: FastEvent) -> bool:
    """Return whether a FeedStatus says something else than the state of its channel, which is as it was."""
    return bool(status.audited or status.filled or status.missing)


def is_losing(status: FastEvent) -> bool:
    """Return whether events may be lost from now on; of a quiet instrument that is no book nothing is by that."""
    if status.state != "stale":
        return status.state in _LOSING
    return status.symbol is None or status.channel == "book"


def is_about(key: Key, channel: str, symbol: str, served: ServedSet | None) -> bool:
    """Return whether an interruption concerns a channel of an instrument; `served` is None where that is not known."""
    if key[0] not in {None, channel} or key[1] not in {None, symbol}:
        return False
    return key[1] is not None or key[2] is None or served is None or served.has(channel, symbol)


def _is_within(key: Key, other: Key) -> bool:
    """Return whether an interruption is a part of another one: of the whole venue, or a channel of a connection."""
    if other == ALL:
        return key != ALL
    return other[1] is None and other[2] is not None and key[1] is not None and key[0::2] == other[0::2]


def ranges_of(ranges: Any) -> list[Span]:
    """Return the spans of a status's ranges, whose ends are both included; by the venue's clock."""
    return [(item.start_ts, max(item.end_ts, item.start_ts) + 1) for item in ranges or ()]


def widen_moment(start: int, end: int) -> Span:
    """Return an interruption as it is counted: a moment stands for the second before it, in which something went."""
    return (start - SECOND, end) if start == end else (start, end)
