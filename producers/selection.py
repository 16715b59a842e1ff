"""Which of a venue's instruments to follow, decided from the wanted symbols; what is not listed is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zlib import crc32

from contracts.errors import UnknownSymbolError
from contracts.instrument import INVERSE, PERP, SPOT, Instrument, main_quote, split_symbol
from contracts.symbols import BASE_ALIASES, SymbolBook
from producers.venue import FindInstrument, Venue


@dataclass(frozen=True, slots=True)
class Followed:
    """The instruments to follow, in order of their symbols, and the wanted symbols that the venue does not list.

    `left_out`: what is wanted and listed, and more than the venue lets one address subscribe to (`reason`).
    """

    instruments: tuple[Instrument, ...]
    missing: tuple[str, ...]
    left_out: tuple[Instrument, ...] = ()
    reason: str | None = None


def in_group(symbol: str, group: tuple[int, int]) -> bool:
    """Tell whether a symbol belongs to a group (number, of how many): all symbols of a base coin go together."""
    number, count = group
    return count == 1 or crc32(split_symbol(symbol)[0].encode()) % count == number


def follow(listed: Iterable[Instrument], wanted: Iterable[str], group: tuple[int, int] = (0, 1)) -> Followed:
    """Choose the instruments that `wanted` names, and of them those of the group.

    A bare base means spot and perpetual in the venue's main quote; anything else is resolved as symbols are everywhere.
    Raises AmbiguousSymbolError, which lists the candidates.
    """
    book = SymbolBook(listed)
    chosen: dict[str, Instrument] = {}
    missing: list[str] = []
    for text in wanted:
        found = _of_base(book, text) or _named(book, text)
        if not found:
            missing.append(text)
        chosen.update({item.symbol: item for item in found})
    own = (symbol for symbol in sorted(chosen) if in_group(symbol, group))
    return Followed(tuple(chosen[symbol] for symbol in own), tuple(missing))


def by_venue_symbol(listed: Iterable[Instrument]) -> dict[str, list[Instrument]]:
    """Index instruments by the venue's own symbol; a venue may use one for several markets."""
    known: dict[str, list[Instrument]] = {}
    for item in listed:
        known.setdefault(item.venue_symbol, []).append(item)
    return known


def finder(venue: Venue, market: str, known: Mapping[str, list[Instrument]]) -> FindInstrument:
    """Find listed instruments by the venue's symbol; one that is not listed is named without its metadata."""

    def find(venue_symbol: str) -> Instrument:
        candidates = known.get(venue_symbol, [])
        if len(candidates) == 1:
            return candidates[0]
        guessed = venue.guess(market, venue_symbol)
        return next((item for item in candidates if item.symbol == guessed.symbol), guessed)

    return find


def _of_base(book: SymbolBook, text: str) -> list[Instrument]:
    base = BASE_ALIASES.get(text.strip().upper(), text.strip().upper())
    return [
        item
        for item in book.instruments
        if item.base.upper() == base and item.contract in {SPOT, PERP, INVERSE} and item.quote == main_quote(item.venue)
    ]


def _named(book: SymbolBook, text: str) -> list[Instrument]:
    try:
        return list(book.find(text))
    except UnknownSymbolError:
        return []
