"""One order book from many venues: levels of the same quote and market merged by price, each with its venues. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from consumers.market.documents import Book
from consumers.market.price import SPOT
from consumers.market.quality import STALE, worst
from contracts.arithmetic.book import add_up
from contracts.arithmetic.exact import EXACT
from contracts.instrument import Instrument

BASE_UNIT: Final = "base"


@dataclass(frozen=True, slots=True)
class Offered:
    """One venue's book with its quality."""

    item: Instrument
    book: Book
    quality: str

    @property
    def kind(self) -> tuple[str, str]:
        """The market and the quote: only what has both in common is ever merged."""
        return self.item.contract, self.item.quote


@dataclass(frozen=True, slots=True)
class MergedLevel:
    """All that is offered at one price: in total, and by venue."""

    price: Decimal
    amount: Decimal
    by_venue: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class MergedBook:
    """The books of several venues as one; best levels first, and possibly crossed, as no one matches across venues.

    `whole_bids`, `whole_asks`: down, or up, to this price every venue's levels are known; None where a side is empty.
    """

    market: str
    quote: str
    quality: str
    sim: bool
    ts_recv: int
    used: tuple[Offered, ...]
    stale: tuple[str, ...]
    in_contracts: tuple[str, ...]
    bids: tuple[MergedLevel, ...]
    asks: tuple[MergedLevel, ...]
    whole_bids: Decimal | None
    whole_asks: Decimal | None

    @property
    def spread(self) -> Decimal | None:
        """Best ask less best bid, negative where the book is crossed; None where a side is empty."""
        return EXACT.subtract(self.asks[0].price, self.bids[0].price) if self.bids and self.asks else None

    @property
    def crossed(self) -> bool:
        """Whether one venue bids more than another asks."""
        return bool(self.bids and self.asks) and self.bids[0].price > self.asks[0].price


def merge_books(offered: Sequence[Offered], depth: int, kind: tuple[str, str] | None) -> MergedBook | None:
    """Merge the fresh books of one kind: `kind` where one of that is fresh, else spot, then that of most venues.

    Without any fresh book the newest stale one is given. Books in contracts of unknown size have no place in a
    sum and are named. None where there is no book to give.
    """
    sized = [offer for offer in offered if offer.book.unit == BASE_UNIT]
    fresh = [offer for offer in sized if offer.quality != STALE]
    if not sized:
        return None
    used = _choose(fresh, kind) if fresh else [max(sized, key=lambda offer: offer.book.ts_recv)]
    chosen = used[0].kind
    bids = [(offer.item.venue, offer.book.bids[:depth]) for offer in used]
    asks = [(offer.item.venue, offer.book.asks[:depth]) for offer in used]
    return MergedBook(
        market=chosen[0],
        quote=chosen[1],
        quality=worst(offer.quality for offer in used),
        sim=any(offer.book.sim for offer in used),
        ts_recv=max(offer.book.ts_recv for offer in used),
        used=tuple(used),
        stale=tuple(offer.item.venue for offer in sized if offer.quality == STALE and offer.kind == chosen),
        in_contracts=tuple(offer.item.venue for offer in offered if offer not in sized and offer.kind == chosen),
        bids=_merge(bids, depth, best_is_highest=True),
        asks=_merge(asks, depth, best_is_highest=False),
        whole_bids=max((Decimal(offer.book.bids[-1][0]) for offer in used if offer.book.bids), default=None),
        whole_asks=min((Decimal(offer.book.asks[-1][0]) for offer in used if offer.book.asks), default=None),
    )


def _choose(fresh: Sequence[Offered], kind: tuple[str, str] | None) -> list[Offered]:
    groups: dict[tuple[str, str], list[Offered]] = {}
    for offer in fresh:
        groups.setdefault(offer.kind, []).append(offer)
    if kind in groups:
        return groups[kind]
    return max(groups.values(), key=lambda group: (group[0].kind[0] == SPOT, len(group)))


def _merge(
    sides: Iterable[tuple[str, Sequence[tuple[str, str]]]], depth: int, *, best_is_highest: bool
) -> tuple[MergedLevel, ...]:
    by_price: dict[Decimal, list[tuple[str, Decimal]]] = {}
    for venue, levels in sides:
        for price, amount in levels:
            by_price.setdefault(Decimal(price), []).append((venue, Decimal(amount)))
    best = sorted(by_price, reverse=best_is_highest)[:depth]
    return tuple(
        MergedLevel(price, add_up(amount for _, amount in by_price[price]), tuple(by_price[price])) for price in best
    )
