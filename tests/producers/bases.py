"""Coins for simulated exchanges of many instruments: the known ones, and invented ones of their kind."""

from __future__ import annotations

from typing import Final

from producers.simulator.market.instruments import BASES, Base
from producers.simulator.registry import list_instruments

KNOWN: Final = tuple(BASES)
LIKE: Final = tuple(BASES[name] for name in ("ADA", "SOL", "LTC", "DOGE"))
LETTERS: Final = 26
ORDERS_PER_S: Final = 10.0


def list_bases(count: int) -> tuple[str, ...]:
    """Return the names of so many coins; those that are invented are made known."""
    for number in range(count - len(KNOWN)):
        name = f"Q{chr(65 + number // LETTERS)}{chr(65 + number % LETTERS)}"
        like = LIKE[number % len(LIKE)]
        coin = Base(name, like.price, like.trades_per_s, ORDERS_PER_S, like.level_usd, like.whale_usd)
        BASES.setdefault(name, coin)
    return tuple(BASES)[:count]


def bases_for(venue: str, instruments: int) -> tuple[str, ...]:
    """Return enough coins for so many instruments of a venue."""
    names = list_bases(max(instruments, len(KNOWN)))
    counts = ((most, len(list_instruments(venue, names[:most]))) for most in range(1, len(names) + 1))
    return next(names[:most] for most, count in counts if count >= instruments)
