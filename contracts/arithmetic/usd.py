"""What one unit of a coin is worth in US dollars, by the bus's own spot prices. Pure: prices go in, rates come out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from contracts.arithmetic.exact import EXACT, HIGHEST_RATE, LOWEST_RATE, rate_of
from contracts.recent import Recent
from contracts.signals import UsdRateSource

USD: Final = "USD"
DOLLAR_STABLES: Final = frozenset({"USDT", "USDC", "FDUSD", "TUSD", "DAI", "BUSD"})
HOUR_NS: Final = 3_600_000_000_000
MOST_PAIRS: Final = 4000
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class UsdRate:
    """USD for one unit, and where that comes from: the quote is USD, the bus's price, or a dollar coin taken as 1."""

    rate: Decimal
    source: UsdRateSource


_USD: Final = UsdRate(_ONE, "usd")
_PEG: Final = UsdRate(_ONE, "peg")


def tells_usd(base: str, quote: str) -> bool:
    """Tell whether a spot price of this pair says something about dollars."""
    return quote == USD or quote in DOLLAR_STABLES or base in DOLLAR_STABLES


class UsdRates:
    """The newest spot price of each pair against dollars; prices older than `max_age` ns are not used.

    The `limit` pairs that were priced last are kept, at most twice as many.
    """

    __slots__ = ("_max_age", "_prices")

    def __init__(self, max_age: int = HOUR_NS, limit: int = MOST_PAIRS) -> None:
        self._max_age = max_age
        self._prices: Recent[tuple[str, str], tuple[int, str]] = Recent(limit)

    def on_price(self, base: str, quote: str, price: str, ts: int) -> None:
        """Take a spot price of `base` in `quote`; `ts` in ns UTC. An older one than is held changes nothing."""
        held = self._prices.get((base, quote))
        if held is None or ts >= held[0]:
            self._prices.put((base, quote), (ts, price))

    def list_prices(self) -> list[tuple[str, str, str, int]]:
        """List what is kept as (base, quote, price, ts), the less recently priced first."""
        return [(base, quote, price, ts) for (base, quote), (ts, price) in self._prices.items()]

    def find(self, coin: str, at: int) -> UsdRate | None:
        """Give the rate of a coin at a time (ns UTC), None where the bus has no price that leads to dollars.

        A rate over another dollar coin carries that coin's source: one pegged leg makes it `peg`.
        """
        if coin == USD:
            return _USD
        direct = self._price(coin, USD, at)
        if direct is not None:
            return _rate(direct, "bus")
        if coin in DOLLAR_STABLES:
            return _PEG
        for stable in sorted(DOLLAR_STABLES):
            price = self._price(coin, stable, at)
            if price is not None:
                return self._over(stable, price, at)
            price = self._price(stable, coin, at)
            if price is not None:
                inverse = rate_of(_ONE, price)
                return None if inverse is None else self._over(stable, inverse, at)
        return None

    def _over(self, stable: str, price: Decimal, at: int) -> UsdRate | None:
        direct = self._price(stable, USD, at)
        return _rate(price, "peg") if direct is None else _rate(EXACT.multiply(price, direct), "bus")

    def _price(self, base: str, quote: str, at: int) -> Decimal | None:
        held = self._prices.get((base, quote))
        if held is None or at - held[0] > self._max_age:
            return None
        price = Decimal(held[1])
        return price if LOWEST_RATE <= price <= HIGHEST_RATE else None


def _rate(rate: Decimal, source: UsdRateSource) -> UsdRate | None:
    """A rate within what a coin can be worth; None beyond."""
    kept = rate_of(rate)
    return None if kept is None else UsdRate(kept, source)
