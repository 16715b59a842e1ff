"""Which groups of fills are whales, and what is counted of those that make none. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from contracts.arithmetic.tiers import Tiers
from contracts.signals import Tier

MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Take the quantile of an instrument's own trade sizes of the last 24 h as its limit, never below `floor_usd`.

    `share` is (numerator, denominator), for example (999, 1000); below `samples` sizes the tier's limit holds.
    """

    share: tuple[int, int] = (999, 1000)
    samples: int = 1000
    floor_usd: Decimal = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class WhaleRules:
    """USD limits by tier; `hold` in ns."""

    tiers: Tiers
    limits: Mapping[Tier, Decimal]
    hold: int = 200 * MILLISECOND
    adaptive: Adaptive | None = None

    @property
    def name(self) -> str:
        """The rule and its version, as signals carry it."""
        return "whale/1" if self.adaptive is None else "whale/1 adaptive {}/{}".format(*self.adaptive.share)


@dataclass(slots=True)
class WhaleCounts:
    """What was folded and what could not be decided, with its reason; `unvalued` and `emitted` count groups."""

    folded: int = 0
    duplicates: int = 0
    sideless: int = 0
    unsized: int = 0
    unvalued: int = 0
    emitted: int = 0
    old: int = 0  # printed more than a day ago
    cut: int = 0  # groups of more fills than a signal can name: published as several
    unsaved: int = 0  # open groups that a saved document had no room for
