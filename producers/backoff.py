"""Reconnect delays: exponential with full jitter, begun anew after a connection that lasted."""

from __future__ import annotations

import random


class Backoff:
    """Gives the seconds to wait before the next try."""

    def __init__(self, *, first: float = 0.5, most: float = 30.0, lasted: float = 20.0) -> None:
        self._first = first
        self._most = most
        self._lasted = lasted
        self._tries = 0

    def after(self, seconds_held: float) -> float:
        """Delay after a connection that was held for so long (0: it could not even be opened)."""
        self._tries = 1 if seconds_held >= self._lasted else self._tries + 1
        return random.uniform(0.5, 1.0) * min(self._most, self._first * 2 ** (self._tries - 1))
