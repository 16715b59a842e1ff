"""How often: the limits, what is left of each by the use of two windows, and what the RateLimit headers say. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `requests` in any `window` seconds for each name of this `rule`."""

    rule: str
    requests: int
    window: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The four limits, each in requests and seconds."""

    key: Limit
    address_known: Limit
    address_anonymous: Limit
    everybody: Limit


class Use(NamedTuple):
    """What a name has used: `current` since the window began, `previous` in the one before, `elapsed` in seconds."""

    previous: int
    current: int
    elapsed: float


class Standing(NamedTuple):
    """Where a name stands with a limit: how many are left, seconds until the window ends, seconds to wait if none."""

    limit: Limit
    remaining: int
    reset: int
    retry_after: int


def default_limits(
    requests: int, window: int, *, address: int = 1000, anonymous: int = 100, everybody: int = 10_000
) -> Limits:
    """Return the limits of the service: `requests` in `window` seconds a key, the others a minute."""
    return Limits(
        key=Limit("key", requests, window),
        address_known=Limit("ip", address, 60),
        address_anonymous=Limit("anonymous-ip", anonymous, 60),
        everybody=Limit("global", everybody, 60),
    )


def room(limit: Limit, use: Use) -> float:
    """Return how many more may come: the window before weighs by how much of it is still within reach."""
    return limit.requests - use.previous * (1 - use.elapsed / limit.window) - use.current


def decide_standing(limit: Limit, use: Use) -> Standing:
    """Return where a name stands that has used so much."""
    left = room(limit, use)
    return Standing(
        limit=limit,
        remaining=max(0, math.floor(left)),
        reset=max(1, math.ceil(limit.window - use.elapsed)),
        retry_after=_wait(limit, use) if left < 1 else 0,
    )


def _wait(limit: Limit, use: Use) -> int:
    """Seconds, at least one, until the weighed use leaves room for one more."""
    left = limit.requests - 1 - use.current
    if left >= 0 and use.previous:
        wait = limit.window * (1 - left / use.previous) - use.elapsed
    else:
        rest = 1 - (limit.requests - 1) / use.current if use.current else 0.0
        wait = limit.window - use.elapsed + limit.window * rest
    return max(1, math.ceil(wait))


def limit_headers(standing: Standing) -> tuple[tuple[bytes, bytes], ...]:
    """The RateLimit headers of an answer: the limit that is nearest to its end."""
    limit, policy = _fixed_headers(standing.limit)
    remaining, reset = b"%d" % standing.remaining, b"%d" % standing.reset
    return limit, (b"ratelimit-remaining", remaining), (b"ratelimit-reset", reset), policy


@lru_cache(maxsize=64)
def _fixed_headers(limit: Limit) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    policy = b"%d;w=%d" % (limit.requests, limit.window)
    return (b"ratelimit-limit", b"%d" % limit.requests), (b"ratelimit-policy", policy)
