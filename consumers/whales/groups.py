"""One aggressor's fills as they come in, and what is known of their instrument. Pure."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any, Final

import msgspec

from contracts import subjects
from contracts.instrument import SPOT, tail_symbol
from contracts.market import Side
from contracts.signals import Tier
from contracts.tiers import Tiers
from contracts.usd import UsdRate, tells_usd
from runtime.bounded import RollingHistogram, SeenIds

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text

EXACT: Final = Context(prec=400)
_HOUR_NS: Final = 3_600_000_000_000
_HOURS: Final = 24
_REMEMBERED: Final = 4096
_POWERS: Final = tuple(10**digits for digits in range(80))


class Group(msgspec.Struct, gc=False):
    """Fills of one aggressor. `bound` is above their value in the quote; the value is computed where it matters."""

    id: str  # of the first fill
    venue: str
    symbol: str
    venue_symbol: str | None
    side: Side
    ts_event: int | None
    ts_recv: int
    touched: int
    sim: bool
    bound: int
    ids: list[str]
    prices: list[str]
    amounts: list[str]


def begin_group(trade: FastEvent, now: int) -> Group:
    """Begin with the first fill."""
    return Group(
        id=trade.trade_id,
        venue=trade.venue,
        symbol=trade.symbol,
        venue_symbol=trade.venue_symbol,
        side=trade.side,
        ts_event=trade.ts_event,
        ts_recv=trade.ts_recv,
        touched=now,
        sim=trade.sim,
        bound=bound_of(trade.price, trade.amount),
        ids=[trade.id],
        prices=[trade.price],
        amounts=[trade.amount],
    )


def add_fill(group: Group, trade: FastEvent, now: int) -> None:
    """Add one more fill."""
    group.ids.append(trade.id)
    group.prices.append(trade.price)
    group.amounts.append(trade.amount)
    group.bound += bound_of(trade.price, trade.amount)
    group.ts_recv = max(group.ts_recv, trade.ts_recv)
    group.touched = now
    group.sim = group.sim or trade.sim


def bound_of(price: str, amount: str) -> int:
    """Give a power of ten above price x amount, from the number of their digits before the point."""
    point, other = price.find("."), amount.find(".")
    return _POWERS[(len(price) if point < 0 else point) + (len(amount) if other < 0 else other)]


def sum_group(group: Group) -> tuple[Decimal, Decimal]:
    """Give (amount in base, value in quote), exact."""
    amount = value = Decimal(0)
    for price, size in zip(group.prices, group.amounts, strict=True):
        filled = Decimal(size)
        amount = EXACT.add(amount, filled)
        value = EXACT.fma(Decimal(price), filled, value)
    return amount, value


def average_price(group: Group, amount: Decimal, value: Decimal) -> Decimal:
    """Give the volume-weighted price, two decimals finer than the finest fill; a single price is given as it is."""
    if len(set(group.prices)) == 1 or amount == 0:
        return Decimal(group.prices[0])
    finest = max(len(price.partition(".")[2]) for price in group.prices)
    return EXACT.quantize(EXACT.divide(value, amount), Decimal(1).scaleb(-(finest + 2)))


class Page:
    """What is known of one subject: its pair, its tier, its rate for a while, and its open group."""

    __slots__ = (
        "base",
        "group",
        "is_ticker",
        "last_price",
        "least",
        "limit",
        "limit_at",
        "priced",
        "quote",
        "rate",
        "seen",
        "sizes",
        "subject",
        "tail",
        "tells_usd",
        "tier",
    )

    def __init__(self, subject: str, tiers: Tiers) -> None:
        self.subject = subject
        self.is_ticker = subject.startswith(subjects.TICKER)
        self.tail = subject.removeprefix(subjects.TICKER).removeprefix(subjects.TRADE)
        symbol = tail_symbol(self.tail)[1]
        self.base, _, rest = symbol.partition("/")
        self.quote = rest.partition(":")[0]
        self.tier: Tier = tiers.find(self.base)
        self.tells_usd = self.tail.endswith(f".{SPOT}") and tells_usd(self.base, self.quote)
        self.group: Group | None = None
        self.seen = SeenIds(_REMEMBERED)
        self.sizes = RollingHistogram(_HOURS, _HOUR_NS)
        self.last_price = ""
        self.priced = 0
        self.rate: UsdRate | None = None
        self.limit = Decimal(0)  # USD
        self.least = 0  # what a group must be worth in the quote at least to reach the limit, rounded down
        self.limit_at: int | None = None
