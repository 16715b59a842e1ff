"""Until when the producers of each venue are known to have lived, by the leases that they hold. Pure.

A process that holds a lease publishes whatever happens to its feeds, and one that loses it, even for a moment, gets
another token. So a lease whose token is still the same when its holder answers was held all the while in between, and
where the token is another one, nothing is known of the time from the last sign of life to when that one was granted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime.coverage.spans import Span

_MILLISECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A unit's last sign of life: the token of its lease then, and when (ns UTC)."""

    token: int
    at: int


class Units:
    """The units by name, `<venue>` or `<venue>.<group>` in tokens of subjects."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}

    def on_alive(self, unit: str, token: int, at: int) -> Span | None:
        """Note that the holder of a lease answered; returns the time that nothing is known of, if any."""
        before = self.seen.get(unit)
        if before is not None and at <= before.at:
            return None
        self.seen[unit] = Seen(token, at)
        if before is None or before.token == token:
            return None
        end = min(max(before.at, token * _MILLISECOND), at)
        return (before.at, end) if end > before.at else None

    def drop_replaced(self, unit: str, granted: dict[str, int]) -> Span | None:
        """Forget a unit whose holder is gone, where another one of its venue was granted after it.

        `granted`: tokens by unit of those that answer. Returns the time that nothing is known of, None where it stays.
        """
        gone, venue = self.seen[unit], unit.partition(".")[0]
        after = [
            token * _MILLISECOND
            for name, token in granted.items()
            if name != unit and name.partition(".")[0] == venue and token * _MILLISECOND >= gone.at
        ]
        if not after:
            return None
        del self.seen[unit]
        return (gone.at, max(gone.at, min(after)))

    def list_venues(self) -> dict[str, int]:
        """Return until when each venue (a token of subjects) is known to have lived: all its units did."""
        venues: dict[str, int] = {}
        for unit, seen in self.seen.items():
            venue = unit.partition(".")[0]
            venues[venue] = min(seen.at, venues.get(venue, seen.at))
        return venues
