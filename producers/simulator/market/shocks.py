"""When whales and liquidation cascades happen: pure schedules drawn from the market's own random numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from producers.simulator.market.instruments import BASES, MAJORS
from producers.simulator.market.listing import Listing

MAJOR_SHARE = 0.62
LONG_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Whale:
    """One aggressor of `usd` value."""

    listing: Listing
    taker_buys: bool
    usd: float


@dataclass(frozen=True, slots=True)
class ForcedOrder:
    """One liquidation of a cascade, due at `at_us` of market time."""

    listing: Listing
    is_long: bool
    usd: float
    at_us: int


@dataclass(slots=True)
class Shocks:
    """Draws whales (majors and others by separate clocks) and cascades; intervals are seconds at rate 1."""

    rng: random.Random
    listings: list[Listing]
    rate: float
    whale_every_s: tuple[float, float]
    cascade_every_s: tuple[float, float]
    next_major_us: int = 0
    next_minor_us: int = 0
    next_cascade_us: int = 0

    def begin(self, now_us: int) -> None:
        """Sets the first due times after `now_us`."""
        self.next_major_us = now_us + self._wait(self.whale_every_s)
        self.next_minor_us = now_us + self._wait(self.whale_every_s)
        self.next_cascade_us = now_us + self._wait(self.cascade_every_s)

    def list_whales(self, now_us: int) -> list[Whale]:
        """The whales due by `now_us`."""
        found: list[Whale] = []
        while now_us >= self.next_major_us:
            self.next_major_us += self._wait(self.whale_every_s)
            found.extend(self._whale(majors=True))
        while now_us >= self.next_minor_us:
            self.next_minor_us += self._wait(self.whale_every_s)
            found.extend(self._whale(majors=False))
        return found

    def list_cascade(self, now_us: int) -> list[ForcedOrder]:
        """The forced orders of a cascade that starts by `now_us`, spread over 3 to 8 seconds; mostly empty."""
        if now_us < self.next_cascade_us:
            return []
        self.next_cascade_us += self._wait(self.cascade_every_s)
        rng = self.rng
        perps = [item for item in self.listings if item.instrument.market == "linear"]
        if not perps:
            return []
        majors = [item for item in perps if item.instrument.base in MAJORS]
        base = rng.choice(majors if majors and rng.random() < MAJOR_SHARE else perps).instrument.base
        struck = [item for item in perps if item.instrument.base == base]
        total = rng.uniform(4e6, 10e6) if base in MAJORS else rng.uniform(6e5, 2e6)
        count = max(len(struck), rng.randint(5, 20))
        weights = [0.3 + rng.random() for _ in range(count)]
        is_long = rng.random() < LONG_SHARE
        lasts_us = rng.uniform(3e6, 8e6) / self.rate
        return [
            ForcedOrder(
                struck[i % len(struck)], is_long, total * weight / sum(weights), now_us + int(lasts_us * i / count)
            )
            for i, weight in enumerate(weights)
        ]

    def _whale(self, *, majors: bool) -> list[Whale]:
        fitting = [item for item in self.listings if (item.instrument.base in MAJORS) == majors]
        if not fitting:
            return []
        listing = self.rng.choice(fitting)
        usd = BASES[listing.instrument.base].whale_usd * (1.05 + 1.4 * self.rng.random() ** 2)
        return [Whale(listing, bool(self.rng.getrandbits(1)), usd)]

    def _wait(self, every_s: tuple[float, float]) -> int:
        return max(1, int(self.rng.uniform(*every_s) * 1e6 / self.rate))
