"""What filling in may spend of a venue's REST budget, shared by its connections. Pure: the clock is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from producers.rest.budget import Budget
from producers.venue import Venue

SHARE: Final = 0.25  # of a venue's budget, at most


@dataclass(frozen=True, slots=True)
class FillPace:
    """How the feeds of one venue share what filling may spend of its budget; seconds of one monotonic clock."""

    budget: Budget

    @classmethod
    def of(cls, venue: Venue) -> FillPace:
        """Return the pace of a venue."""
        return cls(Budget(venue.rest.budget, share=SHARE))

    def take(self, weight: int, *, now: float) -> float:
        """Return the seconds to wait before a call of this weight; with 0 it counts as made."""
        seconds = self.budget.wait_for(weight, now=now)
        if seconds <= 0:
            self.budget.spend(weight, now=now)
        return seconds
