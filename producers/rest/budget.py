"""A venue's REST budget, pure: how long to wait before a call, and the pause after the venue said stop."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from producers.venue import RestBudget


class Budget:
    """Spends at most the venue's weight within its window. Times are seconds of one monotonic clock."""

    def __init__(self, limit: RestBudget, *, share: float = 0.8) -> None:
        self._weight = max(1.0, limit.weight * share)
        self._seconds = limit.seconds
        self._spent: deque[tuple[float, int]] = deque()
        self._total = 0
        self._paused_until = 0.0

    def wait_for(self, weight: int, *, now: float) -> float:
        """Seconds to wait before a call of this weight; 0 where it may go at once."""
        while self._spent and self._spent[0][0] <= now - self._seconds:
            self._total -= self._spent.popleft()[1]
        wait = max(0.0, self._paused_until - now)
        if self._spent and self._total + weight > self._weight:
            wait = max(wait, self._spent[0][0] + self._seconds - now)
        return wait

    def spend(self, weight: int, *, now: float) -> None:
        """Note a call that is being made."""
        self._spent.append((now, weight))
        self._total += weight

    def pause(self, seconds: float, *, now: float) -> None:
        """Make no call for so long: the venue said so."""
        self._paused_until = max(self._paused_until, now + seconds)
