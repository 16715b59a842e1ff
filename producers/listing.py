"""What a venue lists, beyond one look at it: kept for starts without its REST, and changed while it is followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from contracts.instrument import Instrument
from producers.selection import Followed


class ListingCache(Protocol):
    """Keeps the last listing of each unit, for starts while the venue's REST does not answer."""

    async def save(self, unit: str, listed: Sequence[Instrument], *, sim: bool) -> None:
        """Keep it; `sim`: a simulated exchange gave it."""
        ...

    async def load(self, unit: str) -> list[Instrument] | None:
        """Return what was kept; None where nothing was."""
        ...


class ListingChangedError(Exception):
    """Instruments that are followed were listed, delisted or changed."""

    def __init__(self, listed: list[Instrument], followed: Followed) -> None:
        super().__init__("the listing changed")
        self.listed = listed
        self.followed = followed
