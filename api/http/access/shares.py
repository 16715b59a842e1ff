"""One name's part of a limit in this process: what it took from all replicas' counter, spent, and still has. Pure.

Requests are reserved before they are spent, so that replicas together never admit more than the limit. Without the
counter a process keeps to the limit by itself.
"""

from __future__ import annotations

import math
from typing import Final

from api.http.access.limits import Limit, Standing, Use, decide_standing, room

LOOK_AGAIN_SECONDS: Final = 0.5  # a name that is past its limit asks for more as often as that
_SHARE: Final = 20  # a twentieth of the limit at once at most
_OF_LEFT: Final = 8  # and an eighth of what is left


class Share:
    """Counts of one name under one limit; times are seconds UTC, `alone` is for a process without the counter."""

    __slots__ = (
        "_most", "denied_until", "index", "limit", "name", "previous", "spent", "spent_before", "tokens", "total",
        "unshared", "used", "waiting",
    )  # fmt: skip

    def __init__(self, limit: Limit, name: str) -> None:
        self.limit, self.name = limit, name
        self._most = max(1, limit.requests // _SHARE)  # of a chunk, unless more are waited for
        self.index = -1
        self.previous: int | None = None  # of all replicas in the window before; None where it is not known
        self.total = 0  # of all replicas in this window, ours included: spent and reserved
        self.tokens = 0  # reserved and not spent
        self.spent = self.spent_before = 0  # by this process, in this window and the one before
        self.unshared = 0  # spent without a reservation, to be counted with the next one
        self.waiting = 0  # requests that wait for tokens
        self.denied_until = 0.0
        self.used = 0.0

    def roll(self, now: float) -> int:
        """Begin a new window where it is time; returns how many tokens of the old one were not spent."""
        index = int(now // self.limit.window)
        if index == self.index:
            return 0
        left, self.tokens = self.tokens, 0
        self.spent_before = self.spent if index == self.index + 1 else 0
        self.index, self.spent, self.total, self.unshared = index, 0, 0, 0
        self.previous, self.denied_until = None, 0.0
        return left

    def is_empty(self, now: float) -> bool:
        """Whether more has to be reserved before a request can be decided on."""
        return self.tokens <= 0 and now >= self.denied_until

    def is_denied(self, now: float, *, alone: bool) -> bool:
        """Whether there is no room for one more."""
        if alone:
            return room(self.limit, self._own(now)) < 1
        return self.tokens <= 0 and (now < self.denied_until or room(self.limit, self._own(now)) < 1)

    def spend(self, now: float) -> None:
        """Count one request."""
        if self.tokens > 0:
            self.tokens -= 1
        else:
            self.unshared += 1
        self.spent += 1
        self.used = now

    def remaining(self, now: float, *, alone: bool) -> float:
        """Return how many more there are for this name, as far as is known here."""
        if alone:
            return room(self.limit, self._own(now))
        limit = self.limit  # `room` of `_use`, without making it: this is decided for each limit of each request
        weight = 1 - (now - self.index * limit.window) / limit.window
        return limit.requests - (self.previous or 0) * weight - (self.total - self.tokens + self.unshared)

    def standing(self, now: float, *, alone: bool) -> Standing:
        """Return what is answered of this limit; one that denies says so even where it is not known why."""
        found = decide_standing(self.limit, self._use(now, alone=alone))
        if found.retry_after or not self.is_denied(now, alone=alone):
            return found
        return Standing(self.limit, 0, found.reset, 1)

    def chunk(self) -> int:
        """Return how many to reserve next: what is waited for, and more while much is left."""
        limit = self.limit.requests
        left = limit - self.total
        return max(1, self.waiting, min(self._most, left // _OF_LEFT))

    def is_low(self) -> bool:
        """Whether more should be reserved before somebody has to wait for it."""
        if 2 * self.tokens >= max(self._most, self.waiting):
            return False
        return 2 * self.tokens < self.chunk() and self.denied_until == 0.0

    def grant(self, asked: int, value: int, previous: int, now: float) -> int:
        """Take what is ours of `asked` reserved ones that made the counter `value`; returns how many to give back.

        What was spent meanwhile without a reservation is not in the counter yet: it leaves less.
        """
        self.previous = previous
        used = value - asked + self.unshared
        free = math.floor(room(self.limit, Use(previous, used, self._elapsed(now))))
        granted = max(0, min(asked, free))
        self.tokens += granted
        self.total = value - (asked - granted)
        self.denied_until = 0.0 if granted else now + LOOK_AGAIN_SECONDS
        return asked - granted

    def _elapsed(self, now: float) -> float:
        return now - self.index * self.limit.window

    def _own(self, now: float) -> Use:
        return Use(self.spent_before, self.spent, self._elapsed(now))

    def _use(self, now: float, *, alone: bool) -> Use:
        if alone:
            return self._own(now)
        return Use(self.previous or 0, self.total - self.tokens + self.unshared, self._elapsed(now))
