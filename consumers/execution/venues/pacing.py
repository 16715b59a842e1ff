"""How many requests may be made of an exchange, counted here before it does. Pure: the time comes in.

Times are seconds on a clock that never goes back.
"""

from __future__ import annotations

from collections import deque


class Pace:
    """At most so many requests within any so many seconds, and none while the venue blocks them."""

    def __init__(self, most: int, seconds: float) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._most, self._seconds, self._blocked = most, seconds, 0.0

    def wait(self, now: float) -> float:
        """Return after how many seconds a request may be made; 0 or less: now."""
        free = self._times[0] + self._seconds if len(self._times) == self._most else 0.0
        return max(free, self._blocked) - now

    def spend(self, now: float) -> None:
        """Count a request."""
        self._times.append(now)

    def block(self, now: float, seconds: float) -> None:
        """Allow none for so long."""
        self._blocked = max(self._blocked, now + seconds)
