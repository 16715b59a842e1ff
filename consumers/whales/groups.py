"""One aggressor's fills as they come in, and what is known of their instrument. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from contracts import subjects
from contracts.arithmetic.exact import EXACT, MOST_AMOUNT, MOST_VALUE, FigureError, read_amount, value_of
from contracts.arithmetic.tiers import Tiers
from contracts.arithmetic.usd import UsdRate, tells_usd
from contracts.instrument import SPOT, tail_symbol
from contracts.market import MOST_IDS, MOST_NAME
from contracts.signals import Tier
from contracts.timeframes import SECOND
from runtime.bounded import RollingHistogram
from runtime.seen.ids import SeenIds

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

MOST_FILLS: Final = MOST_IDS  # of one group, as many as a signal names
MARK: Final = ".whale."  # between an instrument's tail and a trade's id
_FINEST: Final = 36  # digits behind the point that a price of the bus can have
HOUR_NS: Final = 3_600_000_000_000
HOURS: Final = 24
PRICE_EVERY: Final = SECOND // 10  # ns
_REMEMBERED: Final = 4096
_SAFE_VALUE: Final = 0.99 * float(MOST_VALUE)
_SAFE_AMOUNT: Final = 0.99 * float(MOST_AMOUNT)
_ABOVE: Final = 1 + 1e-12  # more than what a thousand sums of floats are off


def sum_fills(fills: list[FastEvent]) -> tuple[Decimal, Decimal]:
    """Give (amount in base, value in quote), exact."""
    amount = value = Decimal(0)
    for fill in fills:
        filled = Decimal(fill.amount)
        amount = EXACT.add(amount, filled)
        value = EXACT.fma(Decimal(fill.price), filled, value)
    return amount, value


def average_price(fills: list[FastEvent], amount: Decimal, value: Decimal) -> Decimal:
    """Give the volume-weighted price, two decimals finer than the finest fill; a single price is given as it is."""
    prices = {fill.price for fill in fills}
    if len(prices) == 1 or amount == 0:
        return Decimal(fills[0].price)
    finest = max(len(price.partition(".")[2]) for price in prices)
    return EXACT.quantize(EXACT.divide(value, amount), Decimal(1).scaleb(-min(finest + 2, _FINEST)))


def check_fill(held: float, price: str, amount: str) -> float:
    """Give a number just above what a group that is below `held` is worth with one more fill.

    FigureError where amount or group cannot be expressed; what is far from that is seen without any exact product.
    """
    quantity = float(amount)
    bound = held + float(price) * quantity * _ABOVE
    if bound < _SAFE_VALUE and quantity < _SAFE_AMOUNT:
        return bound
    value = float(value_of(Decimal(price), read_amount(amount)))
    if held + value >= float(MOST_VALUE):
        raise FigureError(f"a group of fills is worth 10^15 or more with {price} x {amount}")
    return bound


class InstrumentState:
    """What is known of one subject: its pair, its tier, its limit for a while, and the fills of its open group."""

    __slots__ = (
        "base",
        "bound",
        "fills",
        "is_ticker",
        "least",
        "limit",
        "limit_at",
        "limit_since",
        "limit_until",
        "longest_id",
        "priced_since",
        "priced_until",
        "quote",
        "rate",
        "seen",
        "sizes",
        "subject",
        "tail",
        "tells_price",
        "tier",
        "touched",
    )

    def __init__(self, subject: str, tiers: Tiers) -> None:
        self.subject = subject
        self.is_ticker = subject.startswith(subjects.TICKER)
        self.tail = subject.removeprefix(subjects.TICKER).removeprefix(subjects.TRADE)
        symbol = tail_symbol(self.tail)[1]
        self.base, _, rest = symbol.partition("/")
        self.quote = rest.partition(":")[0]
        self.tier: Tier = tiers.find(self.base)
        self.longest_id = MOST_NAME - len(self.tail) - len(MARK)  # of a trade whose id names a whale
        consolidated = subject.startswith(subjects.CONSOLIDATED_TICKER)  # made of what is folded already
        telling = self.tail.endswith(f".{SPOT}") and tells_usd(self.base, self.quote)
        self.tells_price = not consolidated and (self.is_ticker or telling)
        self.fills: list[FastEvent] = []  # of the open group
        self.bound = 0.0  # just above what they are worth in the quote
        self.touched = 0  # when the last one was added, ns UTC
        self.seen = SeenIds(_REMEMBERED)
        self.sizes = RollingHistogram(HOURS, HOUR_NS)
        self.priced_since = self.priced_until = 0  # the tenth of a second whose price is taken, ns UTC
        self.rate: UsdRate | None = None
        self.limit = Decimal(0)  # USD
        self.least = 0  # what a group must be worth in the quote at least to reach the limit, rounded down
        self.limit_at: int | None = None  # the second (since 1970) for which rate and limit were computed
        self.limit_since = self.limit_until = 0  # the same second, ns UTC

    def keep_limit(self, second: int) -> None:
        """Keep rate and limit for this second (since 1970)."""
        self.limit_at = second
        self.limit_since, self.limit_until = second * SECOND, (second + 1) * SECOND

    def keep_price(self, at: int) -> None:
        """Ask for no other price within the tenth of a second of this time (ns UTC)."""
        self.priced_since = at - at % PRICE_EVERY
        self.priced_until = self.priced_since + PRICE_EVERY
