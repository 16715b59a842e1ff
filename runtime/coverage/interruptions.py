"""When a venue's channels were not live, by the feeds' own events. Pure; shared by all that folds them over time."""

from __future__ import annotations

from typing import Any, Final

from runtime.coverage.spans import SECOND, Span

FastEvent = Any  # a struct of `contracts.codec.fast(FeedStatus)`
Key = tuple[str | None, str | None]  # channel, symbol; None stands for all of them
ALL: Final[Key] = (None, None)
_LOSING: Final = frozenset({"connecting", "down", "gap", "resync"})
_OVER: Final = frozenset({"connecting", "down"})
Ended = tuple[Key, int, int]
"""What was interrupted, from when to when, ns UTC; a mere moment has both the same."""


class Interruptions:
    """What is interrupted on one venue since when; what ends is returned. At most `most` are distinguished."""

    __slots__ = ("_most", "lasting")

    def __init__(self, most: int) -> None:
        self.lasting: dict[Key, int] = {}
        self._most = most

    def on_status(self, status: FastEvent) -> list[Ended]:
        """Fold one FeedStatus; returns the interruptions that it ends."""
        key, at, ended = (status.channel, status.symbol), status.ts_recv, list[Ended]()
        if says_no_state(status):
            return ended
        if is_losing(status):
            if key == ALL and status.state in _OVER:
                for other in [other for other in self.lasting if other != ALL]:
                    self._end(other, at, ended)  # what is wrong afterwards is published afterwards
            if len(self.lasting) >= self._most and key not in self.lasting:
                key = (key[0], None)  # too many to tell apart: all of the channel counts as interrupted
            self.lasting.setdefault(key, at)
        elif status.state == "live":
            self._end(key, at, ended)
        return ended

    def _end(self, key: Key, at: int, ended: list[Ended]) -> None:
        start = self.lasting.pop(key, None)
        if start is not None:
            ended.append((key, start, max(start, at)))


def says_no_state(status: FastEvent) -> bool:
    """Return whether a FeedStatus says something else than the state of its channel, which is as it was."""
    return bool(status.audited or status.filled or status.missing)


def is_losing(status: FastEvent) -> bool:
    """Return whether events may be lost from now on; of a quiet instrument that is no book nothing is by that."""
    if status.state != "stale":
        return status.state in _LOSING
    return status.symbol is None or status.channel == "book"


def is_about(key: Key, channel: str, symbol: str) -> bool:
    """Return whether an interruption concerns a channel of an instrument."""
    return key[0] in {None, channel} and key[1] in {None, symbol}


def ranges_of(ranges: Any) -> list[Span]:
    """Return the spans of a status's ranges, whose ends are both included; by the venue's clock."""
    return [(item.start_ts, max(item.end_ts, item.start_ts) + 1) for item in ranges or ()]


def widen_moment(start: int, end: int) -> Span:
    """Return an interruption as it is counted: a moment stands for the second before it, in which something went."""
    return (start - SECOND, end) if start == end else (start, end)
