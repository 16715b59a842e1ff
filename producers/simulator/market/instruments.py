"""What simulated venues list: the bases with their prices and rates, and an instrument's own precision."""

from __future__ import annotations

import math
from dataclasses import dataclass

DEAR_USD, FINE_USD = 10_000, 1000
MAJORS = ("BTC", "ETH")


@dataclass(frozen=True, slots=True)
class Base:
    """One coin of the simulated market: prices in USD, rates per second at rate 1."""

    name: str
    price: float
    trades_per_s: float
    orders_per_s: float
    level_usd: float
    whale_usd: float

    @property
    def fine(self) -> int:
        """Decimals of a price of about five significant digits, at least two."""
        return max(4 - self._magnitude, 2)

    @property
    def coarse(self) -> int:
        """Decimals of a price as most venues write it: one for what is dear."""
        return 1 if self.price > DEAR_USD else self.fine

    @property
    def lots(self) -> int:
        """Decimals of an amount: the more, the dearer a coin is."""
        return max(0, self._magnitude + 1)

    @property
    def _magnitude(self) -> int:
        return math.floor(math.log10(self.price))


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed instrument.

    Prices and amounts are whole numbers of 10**-price_scale (negative: steps of tens) and 10**-amount_scale;
    `contract` is the base amount of one unit (1 where the venue counts in coins), `quote_rate` how much of the quote a
    dollar buys, `pace` how busy it is beside others of the same base. Amounts of `inverse` ones count the quote, and
    `contract` is what a unit is worth in it. `update_stride` is by how much one book change advances the update id.
    """

    venue: str
    market: str
    symbol: str
    base: str
    quote: str
    price_scale: int
    amount_scale: int
    price_decimals: int
    amount_decimals: int
    stripped: bool
    contract: str = "1"
    bare_zero: bool = False
    quote_rate: float = 1.0
    pace: float = 1.0
    inverse: bool = False
    update_stride: int = 1

    def price_text(self, price: int) -> str:
        """A price as the venue writes it."""
        return number_text(price, self.price_scale, -1 if self.stripped else self.price_decimals)

    def amount_text(self, amount: int) -> str:
        """An amount as the venue writes it."""
        if amount == 0 and self.bare_zero:
            return "0"
        return number_text(amount, self.amount_scale, -1 if self.stripped else self.amount_decimals)

    @property
    def tick(self) -> str:
        """The smallest price step."""
        return number_text(1, self.price_scale, self.price_scale)

    @property
    def lot(self) -> str:
        """The smallest amount step."""
        return number_text(1, self.amount_scale, self.amount_scale)


def number_text(units: int, scale: int, decimals: int) -> str:
    """`units` of 10**-scale as text with `decimals` places, or without trailing zeros when decimals is -1."""
    sign = ""
    if units < 0:
        sign, units = "-", -units
    if scale <= 0:
        units, scale = units * 10**-scale, 0
        whole, fraction = str(units), ""
    else:
        digits = str(units).rjust(scale + 1, "0")
        whole, fraction = digits[:-scale], digits[-scale:]
    fraction = fraction.rstrip("0") if decimals < 0 else fraction.ljust(decimals, "0")[:decimals]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


BASES: dict[str, Base] = {
    base.name: base
    for base in (
        Base("BTC", 84_650.0, 3.0, 40.0, 90_000.0, 1_000_000.0),
        Base("ETH", 2_671.5, 2.2, 34.0, 70_000.0, 1_000_000.0),
        Base("SOL", 148.2, 1.2, 22.0, 40_000.0, 500_000.0),
        Base("XRP", 1.4912, 0.8, 14.0, 22_000.0, 200_000.0),
        Base("DOGE", 0.18745, 0.6, 12.0, 20_000.0, 200_000.0),
        Base("BNB", 862.4, 0.6, 12.0, 20_000.0, 200_000.0),
        Base("ADA", 0.6231, 0.5, 10.0, 18_000.0, 200_000.0),
        Base("LINK", 14.27, 0.5, 10.0, 18_000.0, 200_000.0),
        Base("AVAX", 17.34, 0.5, 10.0, 18_000.0, 200_000.0),
        Base("LTC", 88.12, 0.5, 10.0, 18_000.0, 200_000.0),
        Base("DOT", 3.127, 0.4, 8.0, 15_000.0, 200_000.0),
        Base("TRX", 0.2934, 0.4, 8.0, 15_000.0, 200_000.0),
        Base("UNI", 6.381, 0.4, 8.0, 15_000.0, 200_000.0),
        Base("ATOM", 3.024, 0.3, 7.0, 12_000.0, 200_000.0),
        Base("NEAR", 2.183, 0.3, 7.0, 12_000.0, 200_000.0),
        Base("APT", 3.271, 0.3, 7.0, 12_000.0, 200_000.0),
        Base("ARB", 0.3158, 0.3, 7.0, 12_000.0, 200_000.0),
        Base("FIL", 1.862, 0.3, 7.0, 12_000.0, 200_000.0),
        Base("ETC", 15.93, 0.3, 7.0, 12_000.0, 200_000.0),
        Base("XLM", 0.2671, 0.3, 7.0, 12_000.0, 200_000.0),
    )
}
