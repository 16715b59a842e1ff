"""`market.liqmap`: what was liquidated of a base at each price, over every exchange and contract. Pure.

Sums are exact: the values in their quote, added up, times the quote's present rate. Prices in dollars and dollar coins
are taken as they are; those in another quote are brought into dollars by the same rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from consumers.market.answering import Composed
from consumers.market.answers.flows import received_fields
from consumers.market.conversion import find_rates
from consumers.market.liquidations.cells import bucket_of, choose_step, price_of
from consumers.market.liquidations.coverage import Coverage, find_coverage
from consumers.market.liquidations.history import DAY, MINUTE, BaseHistory, LiquidationHistory, Point, Share, Window
from consumers.market.price import Rate
from consumers.market.state import Found, Reader
from contracts.arithmetic.exact import EXACT
from contracts.arithmetic.usd import DOLLAR_STABLES, USD
from contracts.errors import NotReadyError
from contracts.schema.literals import decimal_number, iso
from contracts.services.market import LiquidationMapQuery, MapWindow

_DAYS_DIGITS: Final = 4
WINDOWS: Final[Mapping[MapWindow, Window]] = {
    "1h": Window(60),
    "4h": Window(240),
    "12h": Window(720),
    "24h": Window(DAY),
    "3d": Window(3 * DAY, _DAYS_DIGITS),
    "7d": Window(7 * DAY, _DAYS_DIGITS),
    "30d": Window(30 * DAY, _DAYS_DIGITS),
}
_DOLLARS: Final = DOLLAR_STABLES | {USD}


@dataclass(slots=True)
class Total:
    """Sums in USD by side of the position; `unvalued` of `count` are in none."""

    sides: dict[str | None, Decimal] = field(
        default_factory=lambda: {"long": Decimal(0), "short": Decimal(0), None: Decimal(0)}
    )
    count: int = 0
    unvalued: int = 0

    def add(self, side: str | None, usd: Decimal, count: int, unvalued: int) -> None:
        """Add up liquidations of one side."""
        self.sides[side] = EXACT.add(self.sides[side], usd)
        self.count += count
        self.unvalued += unvalued

    def merge(self, other: Total) -> None:
        """Add another total."""
        for side, usd in other.sides.items():
            self.sides[side] = EXACT.add(self.sides[side], usd)
        self.count += other.count
        self.unvalued += other.unvalued


@dataclass(slots=True)
class VenueTotal(Total):
    """One venue's share."""

    sampled: bool = False
    sim: bool = False


def compose_map(reader: Reader, query: LiquidationMapQuery, history: LiquidationHistory) -> Composed:
    """The map of a symbol's base; NotReadyError while the liquidations of the past are read."""
    found = reader.state.find(query.symbol)
    if not history.is_whole:
        raise NotReadyError("The liquidations of the past are being read", waiting_for=["liquidations"])
    window, now, held = WINDOWS[query.window], reader.now_ns // MINUTE, history.find(found.base)
    points, shares = ([], []) if held is None else take_sums(held, window, now)
    rates = find_rates(reader, {share.origin.quote for share in shares}, USD)
    venues, received = add_up_venues(shares, rates), received_fields(reader, found)
    start = now - window.minutes + 1
    held_from = history.held_from if history.held_from is not None and history.held_from > start else None
    data = {
        "base": found.base,
        "window": query.window,
        "from": iso(start * MINUTE),
        "held_from": None if held_from is None else iso(held_from * MINUTE),
        **_buckets(points, rates, window.digits),
        "totals": _totals(_together(venues.values())),
        "venues": _venues(venues, find_coverage(reader, found.base, start * MINUTE)),
        "rates": [_rate(rate) for quote, rate in sorted(rates.items()) if quote != USD],
        "sampled": any(venue.sampled for venue in venues.values()),
        "price": decimal_number(_price(reader, found)),
        **received,
        "sim": any(venue.sim for venue in venues.values()),
    }
    return Composed(data, found.name, received)


def take_sums(held: BaseHistory, window: Window, now: int) -> tuple[list[Point], list[Share]]:
    """Return the sums of a window that ends in this minute (`now`), by price and by instrument."""
    while not held.fill(window, now):
        pass
    return list(held.list_points(window)), list(held.list_shares(window))


def add_up_venues(shares: Iterable[Share], rates: Mapping[str, Rate]) -> dict[str, VenueTotal]:
    """Add up sums in USD by venue; what is of a quote without a rate has no value."""
    venues: defaultdict[str, VenueTotal] = defaultdict(VenueTotal)
    for share in shares:
        venue, held, rate = venues[share.origin.venue], share.sum, rates.get(share.origin.quote)
        venue.sampled, venue.sim = venue.sampled or share.sampled, venue.sim or share.sim
        usd = Decimal(0) if rate is None else EXACT.multiply(held.value, rate.rate)
        venue.add(share.side, usd, held.count, held.count if rate is None else held.unvalued)
    return venues


def price_points(points: Iterable[Point], rates: Mapping[str, Rate]) -> dict[Decimal, list[Point]]:
    """Return the points by price in dollars; what is of a quote without a rate has no price there."""
    cells: defaultdict[tuple[int, str], list[Point]] = defaultdict(list)
    for point in points:
        if point.quote in rates:
            cells[point.cell, point.quote].append(point)
    prices: defaultdict[Decimal, list[Point]] = defaultdict(list)
    for (cell, quote), found in cells.items():
        own = price_of(cell)
        prices[own if quote in _DOLLARS else EXACT.multiply(own, rates[quote].rate)] += found
    return prices


def add_up_buckets(
    prices: Mapping[Decimal, Sequence[Point]], step: Decimal, rates: Mapping[str, Rate]
) -> dict[int, Total]:
    """Add up points in USD by bucket: first in each quote, so that each sum is brought into dollars once."""
    sums: defaultdict[tuple[int, str, str | None], Total] = defaultdict(Total)
    for price, points in prices.items():
        number = bucket_of(price, step)
        for point in points:
            held = point.sum
            sums[number, point.quote, point.side].add(point.side, held.value, held.count, held.unvalued)
    buckets: defaultdict[int, Total] = defaultdict(Total)
    for (number, quote, side), total in sums.items():
        usd = EXACT.multiply(total.sides[side], rates[quote].rate)
        buckets[number].add(side, usd, total.count, total.unvalued)
    return buckets


def _together(totals: Iterable[Total]) -> Total:
    whole = Total()
    for total in totals:
        whole.merge(total)
    return whole


def _buckets(points: Iterable[Point], rates: Mapping[str, Rate], digits: int) -> dict[str, Any]:
    prices = price_points(points, rates)
    counts = ((price, sum(point.sum.count for point in found)) for price, found in prices.items())
    step = choose_step(counts, digits)
    if step is None:
        return {"step": None, "buckets": []}
    buckets = add_up_buckets(prices, step, rates)
    return {
        "step": _exact(step),
        "buckets": [_bucket(number, step, total) for number, total in sorted(buckets.items())],
    }


def _bucket(number: int, step: Decimal, total: Total) -> dict[str, Any]:
    return {
        "low": _exact(EXACT.multiply(step, Decimal(number))),
        "high": _exact(EXACT.multiply(step, Decimal(number + 1))),
        **_sides(total),
        "count": total.count,
        "unvalued": total.unvalued,
    }


def _sides(total: Total) -> dict[str, Any]:
    return {f"{side or 'unknown'}_usd": _exact(usd) for side, usd in total.sides.items()}


def _totals(total: Total) -> dict[str, Any]:
    whole = EXACT.add(EXACT.add(total.sides["long"], total.sides["short"]), total.sides[None])
    return {**_sides(total), "total_usd": _exact(whole), "count": total.count, "unvalued": total.unvalued}


def _venues(venues: Mapping[str, VenueTotal], coverage: Coverage) -> list[dict[str, Any]]:
    return [
        {
            "exchange": name,
            **_totals(total),
            "sampled": total.sampled or bool(covered and covered["sampled_seconds"]),
            "sim": total.sim,
            "coverage": covered,
        }
        for name in sorted({*venues, *coverage})
        for total, covered in ((venues.get(name) or VenueTotal(), coverage.get(name)),)
    ]


def _rate(rate: Rate) -> dict[str, Any]:
    return {"quote": rate.quote, "rate": _exact(rate.rate), "source": rate.source}


def _price(reader: Reader, found: Found) -> Decimal | None:
    """The consolidated price, in dollars."""
    try:
        price, _ = reader.price(found)
    except NotReadyError:
        return None
    if price.quote in _DOLLARS:
        return price.price
    rate = find_rates(reader, {price.quote}, USD).get(price.quote)
    return None if rate is None else EXACT.multiply(price.price, rate.rate)


def _exact(value: Decimal) -> Any:
    return decimal_number(EXACT.normalize(value))
