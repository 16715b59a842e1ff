"""Tiers of coins: majors, large caps, and mid caps for every other one; limits are given by tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from contracts.signals import Tier


@dataclass(frozen=True, slots=True)
class Tiers:
    """Which bases are majors and which are large caps."""

    majors: frozenset[str] = frozenset({"BTC", "ETH"})
    large: frozenset[str] = frozenset({"SOL", "XRP", "BNB", "DOGE", "ADA"})

    def find(self, base: str) -> Tier:
        """Give the tier of a base coin."""
        if base in self.majors:
            return "majors"
        return "large" if base in self.large else "mid"


UsdByTier = Mapping[Tier, Decimal]
CountByTier = Mapping[Tier, int]
