"""One price from many venues: volume-weighted over the fresh ones of one quote and one kind of market. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Final

from consumers.market.documents import Ticker
from consumers.market.quality import STALE, worst
from contracts.arithmetic.exact import EXACT, FINE

SPOT: Final = "spot"
OUTLIER: Final = Decimal("0.05")  # a venue further than this from the middle of three or more is left out
_ENOUGH_FOR_A_MIDDLE: Final = 3
_PERCENT_PLACES: Final = Decimal("0.0001")
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rate:
    """How a venue's figures were brought into another quote: multiplied by `rate`, `source` says where that is from."""

    quote: str
    rate: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """What one venue says: `market` is `spot` or the contract's kind, `quote` the coin that the price is in.

    `converted` is set where the figures are not the venue's own but computed from another quote's.
    """

    ticker: Ticker
    quality: str
    market: str
    quote: str
    converted: Rate | None = None

    @property
    def price(self) -> Decimal | None:
        """The last price."""
        return None if self.ticker.last is None else Decimal(self.ticker.last)

    @property
    def volume(self) -> Decimal:
        """Traded in 24 hours, base coin; zero where the venue does not say."""
        return _ZERO if self.ticker.volume_24h is None else Decimal(self.ticker.volume_24h)


@dataclass(frozen=True, slots=True)
class Best:
    """The best bid or offer of all venues that were used, and whose it is."""

    price: Decimal
    exchange: str


@dataclass(frozen=True, slots=True)
class Consolidated:
    """The price of a symbol: from which venues (`used`), in which quote, and who was left out for what.

    `bid` and `ask` are those of one venue, a market in which one can trade both ways; `best_bid` and `best_ask` are the
    best of all and may be of two venues, and crossed.
    """

    price: Decimal
    quote: str
    market: str
    quality: str
    sim: bool
    ts_recv: int
    used: tuple[Quoted, ...]
    stale: tuple[str, ...]
    outliers: tuple[str, ...]
    change_24h: Decimal | None
    volume_24h: Decimal | None
    high: Decimal | None
    low: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    bid_ask_exchange: str | None
    best_bid: Best | None
    best_ask: Best | None

    @property
    def spread(self) -> Decimal | None:
        """Ask less bid of the venue that both are from."""
        return None if self.bid is None or self.ask is None else EXACT.subtract(self.ask, self.bid)

    @property
    def best_spread(self) -> Decimal | None:
        """Best ask less best bid of all venues, below zero where they cross."""
        if self.best_bid is None or self.best_ask is None:
            return None
        return EXACT.subtract(self.best_ask.price, self.best_bid.price)

    @property
    def source(self) -> str:
        """The venue where there is one only, else `aggregated`."""
        return self.used[0].ticker.venue if len(self.used) == 1 else "aggregated"


def decide_price(quoted: Iterable[Quoted]) -> Consolidated | None:
    """Choose the main group (spot before contracts, then most volume) and weigh its fresh venues.

    Without any fresh venue the freshest stale one is given, as stale. None where no venue has a price.
    """
    priced = [item for item in quoted if item.price is not None]
    if not priced:
        return None
    fresh = [item for item in priced if item.quality != STALE]
    group = _main_group(fresh or priced)
    if not fresh:
        group = [max(group, key=lambda item: item.ticker.ts_recv)]
    used = _without_outliers(group)
    main = used[0]
    stale = tuple(item.ticker.venue for item in priced if item.quality == STALE and kind_of(item) == kind_of(main))
    outliers = tuple(item.ticker.venue for item in group if item not in used)
    return _consolidate(used, stale, outliers)


def find_kind(quoted: Iterable[Quoted]) -> tuple[str, str] | None:
    """Return which (market, quote) `decide_price` would choose; None where no venue has a price."""
    priced = [item for item in quoted if item.price is not None]
    fresh = [item for item in priced if item.quality != STALE]
    return kind_of(_main_group(fresh or priced)[0]) if priced else None


def kind_of(item: Quoted) -> tuple[str, str]:
    """The market and the quote: only what has both in common is ever added up."""
    return item.market, item.quote


def _main_group(quoted: Sequence[Quoted]) -> list[Quoted]:
    groups: dict[tuple[str, str], list[Quoted]] = defaultdict(list)
    for item in quoted:
        groups[kind_of(item)].append(item)
    return max(
        groups.values(), key=lambda group: (group[0].market == SPOT, sum((item.volume for item in group), _ZERO))
    )


def _without_outliers(group: Sequence[Quoted]) -> tuple[Quoted, ...]:
    if len(group) < _ENOUGH_FOR_A_MIDDLE:
        return tuple(group)
    middle = median([item.price for item in group if item.price is not None])
    near = tuple(item for item in group if item.price is not None and abs(item.price - middle) <= middle * OUTLIER)
    return near or tuple(group)


def _consolidate(used: tuple[Quoted, ...], stale: tuple[str, ...], outliers: tuple[str, ...]) -> Consolidated:
    main = max(used, key=lambda item: (item.ticker.bid is not None and item.ticker.ask is not None, item.volume))
    bid, ask = main.ticker.bid, main.ticker.ask
    both = bid is not None and ask is not None
    volumes = [item.ticker.volume_24h for item in used if item.ticker.volume_24h is not None]
    highs = [Decimal(item.ticker.high_24h) for item in used if item.ticker.high_24h is not None]
    lows = [Decimal(item.ticker.low_24h) for item in used if item.ticker.low_24h is not None]
    return Consolidated(
        price=_weighted([(item.price, item.volume) for item in used if item.price is not None], None),
        quote=main.quote,
        market=main.market,
        quality=worst(item.quality for item in used),
        sim=any(item.ticker.sim for item in used),
        ts_recv=max(item.ticker.ts_recv for item in used),
        used=used,
        stale=stale,
        outliers=outliers,
        change_24h=_change(used),
        volume_24h=_total(volumes),
        high=max(highs, default=None),
        low=min(lows, default=None),
        bid=Decimal(bid) if bid is not None and both else None,
        ask=Decimal(ask) if ask is not None and both else None,
        bid_ask_exchange=main.ticker.venue if both else None,
        best_bid=_best([(item.ticker.bid, item.ticker.venue) for item in used], highest=True),
        best_ask=_best([(item.ticker.ask, item.ticker.venue) for item in used], highest=False),
    )


def _best(offers: Iterable[tuple[str | None, str]], *, highest: bool) -> Best | None:
    best = [Best(Decimal(price), venue) for price, venue in offers if price is not None]
    if not best:
        return None
    return max(best, key=lambda item: item.price) if highest else min(best, key=lambda item: item.price)


def _change(used: Iterable[Quoted]) -> Decimal | None:
    changes = [(Decimal(item.ticker.change_24h), item.volume) for item in used if item.ticker.change_24h is not None]
    return _weighted(changes, _PERCENT_PLACES) if changes else None


def _total(texts: Sequence[str]) -> Decimal | None:
    total = _ZERO
    for text in texts:
        total = EXACT.add(total, Decimal(text))
    return total if texts else None


def _weighted(values: Sequence[tuple[Decimal, Decimal]], places: Decimal | None) -> Decimal:
    """The mean weighted by volume, plain where nobody has a volume, at the finest tick seen; one value is exact."""
    if len(values) == 1:
        return values[0][0]
    total, weights = _ZERO, _ZERO
    equal = all(weight == 0 for _, weight in values)
    for value, weight in values:
        share = Decimal(1) if equal else weight
        total = EXACT.add(total, EXACT.multiply(value, share))
        weights = EXACT.add(weights, share)
    tick = places or find_tick(value for value, _ in values)
    return FINE.divide(total, weights).quantize(tick, context=EXACT)


def find_tick(values: Iterable[Decimal]) -> Decimal:
    """The finest place that any of some numbers is written to: 0.01 for 1.5 and 2.25."""
    return Decimal(1).scaleb(min(_exponent(value) for value in values))


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
