"""How many requests may be made of an exchange, counted here before it does. Pure: the time comes in.

Times are seconds on a clock that never goes back.
"""

from __future__ import annotations

from collections import deque


class Pace:
    """At most so many requests within any so many seconds, and none while the venue blocks them."""

    def __init__(self, most: int, seconds: float = 1.0) -> None:
        self._turns: deque[float] = deque(maxlen=most)
        self._most, self._span, self._blocked = most, seconds, 0.0

    def take(self, now: float, longest: float) -> float | None:
        """Take a turn; return after how many seconds it comes, None where that is longer than `longest`: none taken."""
        free = self._turns[0] + self._span if len(self._turns) == self._most else now
        turn = max(now, free, self._blocked)
        if turn - now > longest:
            return None
        self._turns.append(turn)
        return turn - now

    def block(self, now: float, seconds: float) -> None:
        """Allow none for so long."""
        self._blocked = max(self._blocked, now + seconds)
