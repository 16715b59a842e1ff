"""What one unit of a coin is worth in US dollars, by the bus's own spot prices. Pure: prices go in, rates come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from contracts.arithmetic.dated import DatedDecimals
from contracts.arithmetic.exact import EXACT, HIGHEST_RATE, LOWEST_RATE, rate_of
from contracts.instrument import escape_token
from contracts.recent import Recent
from contracts.signals import UsdRateSource

USD: Final = "USD"
DOLLAR_STABLES: Final = frozenset({"USDT", "USDC", "FDUSD", "TUSD", "DAI", "BUSD"})
HOUR_NS: Final = 3_600_000_000_000
SECOND_NS: Final = 1_000_000_000
MOST_PAIRS: Final = 4000
CELL: Final = 10 * SECOND_NS  # of dated prices: the first one of each cell is kept
LAG: Final = 5 * SECOND_NS  # a price counts so long after its receipt: whoever reads it has it by then
_CELLS: Final = 370  # an hour, and a little
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


class Rates(Protocol):
    """What gives the rate of a coin at a time."""

    def find(self, coin: str, at: int) -> UsdRate | None:
        """Return the rate of a coin at a time (ns UTC); None where no price leads to dollars."""
        ...


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
        return _find(coin, at, self._price)

    def _price(self, base: str, quote: str, at: int) -> Decimal | None:
        held = self._prices.get((base, quote))
        if held is None or at - held[0] > self._max_age:
            return None
        return _plausible(Decimal(held[1]))


class DatedRates:
    """Spot prices of the last hour against dollars, one in ten seconds.

    The rate at a time is the same for every reader, whatever the order in which two streams are read: a price counts
    from `LAG` after its receipt on, and until a newer one does; after an hour it does not.
    """

    __slots__ = ("_prices",)

    def __init__(self, limit: int = MOST_PAIRS) -> None:
        self._prices: Recent[tuple[str, str], DatedDecimals] = Recent(limit)

    def size(self) -> int:
        """Return the bytes that it takes, its prices with it."""
        return sum(prices.size() for prices in self._prices.values())

    def on_price(self, base: str, quote: str, price: str, ts: int) -> None:
        """Take a spot price of `base` in `quote`, received at `ts` (ns UTC), where it is the first of its cell."""
        held = self._prices.get((base, quote)) or self._prices.put((base, quote), DatedDecimals())
        newest = held.newest()
        if newest is None or ts // CELL > newest // CELL:
            held.append(ts, Decimal(price))
            held.drop(len(held) - _CELLS)

    def find(self, coin: str, at: int) -> UsdRate | None:
        """Return the rate of a coin at a time (ns UTC), None where the bus has no price that leads to dollars."""
        return _find(coin, at, self._price)

    def _price(self, base: str, quote: str, at: int) -> Decimal | None:
        held = self._prices.get((base, quote))
        found = None if held is None else held.find(at - LAG)
        return None if found is None or at - found[0] > HOUR_NS else _plausible(found[1])


def price_tails(quote: str) -> tuple[str, ...]:
    """Return the tails (`<venue>.<BASE>.<QUOTE>.<contract>`) of the spot pairs that lead from a quote to dollars."""
    if quote == USD:
        return ()
    token, stables = escape_token(quote), sorted(DOLLAR_STABLES)
    direct = (f"*.{token}.USD.spot",)
    if quote in DOLLAR_STABLES:
        return direct
    crossed = [tail for stable in stables for tail in (f"*.{token}.{stable}.spot", f"*.{stable}.{token}.spot")]
    return (*direct, *crossed, *(f"*.{stable}.USD.spot" for stable in stables))


def _find(coin: str, at: int, price_of: Callable[[str, str, int], Decimal | None]) -> UsdRate | None:
    if coin == USD:
        return _USD
    direct = price_of(coin, USD, at)
    if direct is not None:
        return _rate(direct, "bus")
    if coin in DOLLAR_STABLES:
        return _PEG
    for stable in sorted(DOLLAR_STABLES):
        price = price_of(coin, stable, at)
        if price is not None:
            return _over(price, price_of(stable, USD, at))
        price = price_of(stable, coin, at)
        if price is not None:
            inverse = rate_of(_ONE, price)
            return None if inverse is None else _over(inverse, price_of(stable, USD, at))
    return None


def _over(price: Decimal, dollars: Decimal | None) -> UsdRate | None:
    """Return the rate over a dollar coin that is worth `dollars`; one without a price is taken as 1."""
    return _rate(price, "peg") if dollars is None else _rate(EXACT.multiply(price, dollars), "bus")


def _plausible(price: Decimal) -> Decimal | None:
    return price if LOWEST_RATE <= price <= HIGHEST_RATE else None


def _rate(rate: Decimal, source: UsdRateSource) -> UsdRate | None:
    """A rate within what a coin can be worth; None beyond."""
    kept = rate_of(rate)
    return None if kept is None else UsdRate(kept, source)
