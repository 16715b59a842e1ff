"""How many requests may be made of an exchange, counted here before it does. Pure: the time comes in, as ns."""

from __future__ import annotations

from collections import deque
from typing import Final

_SECOND: Final = 1_000_000_000


class Pace:
    """At most so many requests within any so many seconds, and none while the venue blocks them."""

    def __init__(self, most: int, seconds: float = 1.0) -> None:
        self._turns: deque[int] = deque(maxlen=most)
        self._most, self._span, self._blocked = most, int(seconds * _SECOND), 0

    def take(self, now_ns: int, longest: float) -> float | None:
        """Take a turn; return after how many seconds it comes, None where that is longer than `longest`: none taken."""
        free = self._turns[0] + self._span if len(self._turns) == self._most else 0
        turn = max(now_ns, free, self._blocked)
        if turn - now_ns > longest * _SECOND:
            return None
        self._turns.append(turn)
        return (turn - now_ns) / _SECOND

    def block(self, now_ns: int, seconds: float) -> None:
        """Allow none for so long."""
        self._blocked = max(self._blocked, now_ns + int(seconds * _SECOND))
