"""How often: sliding-window counts for each key, each address and everybody, and what the RateLimit headers say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

OVERFLOW: Final = "(others)"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `requests` in any `window` seconds for each name of this `rule`."""

    rule: str
    requests: int
    window: int


@dataclass(frozen=True, slots=True)
class Use:
    """What a name has used: `current` since the window began, `previous` in the one before, `elapsed` in seconds."""

    previous: int
    current: int
    elapsed: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a name stands with a limit: how many are left, seconds until the window ends, seconds to wait if none."""

    limit: Limit
    remaining: int
    reset: int
    retry_after: int


class LocalCounters:
    """Counts of this process: two windows a rule, at most `max_names` names each; more share one count."""

    def __init__(self, max_names: int = 50_000) -> None:
        self._max_names = max_names
        self._windows: dict[str, tuple[int, dict[str, int], dict[str, int]]] = {}

    def use(self, limit: Limit, name: str, now: float) -> Use:
        """Return what `name` has used in the window that `now` (seconds UTC) falls in, and in the one before."""
        index, previous, current = self._window(limit, now)
        return Use(self._get(previous, name), self._get(current, name), now - index * limit.window)

    def add(self, limit: Limit, name: str, now: float) -> None:
        """Count one request."""
        _, _, current = self._window(limit, now)
        if name not in current and len(current) >= self._max_names:
            name = OVERFLOW
        current[name] = current.get(name, 0) + 1

    def _get(self, window: dict[str, int], name: str) -> int:
        found = window.get(name)
        if found is None:
            return window.get(OVERFLOW, 0) if len(window) >= self._max_names else 0
        return found

    def _window(self, limit: Limit, now: float) -> tuple[int, dict[str, int], dict[str, int]]:
        index = int(now // limit.window)
        held = self._windows.get(limit.rule)
        if held is None or index != held[0]:
            previous = held[2] if held is not None and index == held[0] + 1 else {}
            current: dict[str, int] = {}
            held = (index, previous, current)
            self._windows[limit.rule] = held
        return held


def decide_standing(limit: Limit, use: Use) -> Standing:
    """Weigh the window before by how much of it is still within reach; pure."""
    left = 1 - use.elapsed / limit.window
    used = use.previous * left + use.current
    return Standing(
        limit=limit,
        remaining=max(0, math.floor(limit.requests - used)),
        reset=max(1, math.ceil(limit.window - use.elapsed)),
        retry_after=_wait(limit, use) if used + 1 > limit.requests else 0,
    )


def _wait(limit: Limit, use: Use) -> int:
    """Seconds, at least one, until the weighed use leaves room for one more."""
    room = limit.requests - 1 - use.current
    if room >= 0 and use.previous:
        wait = limit.window * (1 - room / use.previous) - use.elapsed
    else:
        rest = 1 - (limit.requests - 1) / use.current if use.current else 0.0
        wait = limit.window - use.elapsed + limit.window * rest
    return max(1, math.ceil(wait))


def limit_headers(standing: Standing) -> tuple[tuple[bytes, bytes], ...]:
    """The RateLimit headers of an answer: the limit that is nearest to its end."""
    limit = standing.limit
    return (
        (b"ratelimit-limit", b"%d" % limit.requests),
        (b"ratelimit-remaining", b"%d" % standing.remaining),
        (b"ratelimit-reset", b"%d" % standing.reset),
        (b"ratelimit-policy", b"%d;w=%d" % (limit.requests, limit.window)),
    )
