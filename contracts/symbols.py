"""Every spelling of a symbol that people and venues use, resolved to listed instruments or refused with candidates."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from contracts.errors import AmbiguousSymbolError, UnknownSymbolError, UnknownVenueError
from contracts.instrument import INVERSE, PERP, SPOT, VENUE_ALIASES, main_quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.instrument import Instrument

BASE_ALIASES: Final[dict[str, str]] = {"XBT": "BTC", "XDG": "DOGE"}
_SEPARATORS = re.compile(r"[\s/\-_]+")
_RANKS: Final = {SPOT: 0, PERP: 1, INVERSE: 2}
_PERP_SUFFIXES: Final = ("-SWAP", "-PERP", "-PERPETUAL", "_PERP", "PERP", ".P")


def find_venue(text: str, supported: Iterable[str]) -> str:
    """Give the venue's id for a name or alias in any case; raises UnknownVenueError with the supported ones."""
    venues = sorted(supported)
    name = VENUE_ALIASES.get(text.strip().lower(), text.strip().lower())
    if name not in venues:
        msg = f"Exchange {text} is not supported"
        raise UnknownVenueError(msg, supported_venues=venues)
    return name


class SymbolBook:
    """The listed instruments, indexed by every spelling; immutable once built (build a new one on a listing change)."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.instruments = tuple(sorted(instruments, key=lambda item: (item.venue, item.symbol)))
        self.venues = frozenset(item.venue for item in self.instruments)
        self._by_text: dict[str, list[Instrument]] = defaultdict(list)
        for item in self.instruments:
            for spelling in _spellings(item):
                self._by_text[spelling].append(item)

    def find(self, text: str, venue: str | None = None) -> tuple[Instrument, ...]:
        """Give the instruments that `text` means, on one venue or on all of them, one a venue and contract at most.

        `BTC` means the venue's main quote on spot (or the perpetual where there is no spot); `BTCUSDT`, `btc-usdt`,
        `XBT/USD` and the venue's own spelling mean that pair. Raises UnknownSymbolError with the supported symbols
        and AmbiguousSymbolError with the candidates.
        """
        found = self._by_text.get(_normal(text), [])
        if venue is not None:
            found = [item for item in found if item.venue == find_venue(venue, self.venues)]
        if not found:
            msg = f"Symbol {text} is not supported"
            raise UnknownSymbolError(msg, supported_symbols=sorted({item.symbol for item in self.instruments}))
        chosen = _prefer(found)
        pairs = {(item.base, item.quote if _is_pair(text, item) else None) for item in chosen}
        if len(pairs) > 1 or _splits_in_two(chosen):
            candidates = sorted({f"{item.venue}:{item.symbol}" for item in chosen})
            msg = f"Symbol {text} is ambiguous"
            raise AmbiguousSymbolError(msg, candidates=candidates)
        return tuple(chosen)


def _normal(text: str) -> str:
    text = text.strip().upper()
    return _SEPARATORS.sub("/", text)


def _spellings(item: Instrument) -> set[str]:
    """List what this instrument is called: unified, joined, separated, by its base alone, as the venue writes it."""
    names = {item.symbol, item.venue_symbol}
    bases = {item.base} | {alias for alias, name in BASE_ALIASES.items() if name == item.base}
    for base in bases:
        pair = (f"{base}/{item.quote}", f"{base}{item.quote}")
        names.update(name for name in pair if item.contract in {SPOT, PERP})
        if item.contract == PERP:
            names.update(f"{name}{suffix}" for name in pair for suffix in _PERP_SUFFIXES)
        if item.settle is not None:
            names.add(f"{base}/{item.symbol.split('/', 1)[1]}")
        if item.quote == main_quote(item.venue) and item.contract in _RANKS:
            names.add(base)
    return {_normal(name) for name in names}


def _prefer(found: list[Instrument]) -> list[Instrument]:
    """Keep a venue's spot pair where a spelling fits it, else its linear contract, else its inverse one."""
    best: dict[str, int] = {}
    for item in found:
        best[item.venue] = min(best.get(item.venue, len(_RANKS)), _RANKS.get(item.contract, len(_RANKS)))
    return [item for item in found if _RANKS.get(item.contract, len(_RANKS)) == best[item.venue]]


def _is_pair(text: str, item: Instrument) -> bool:
    return _normal(text) not in {item.base, *(alias for alias, name in BASE_ALIASES.items() if name == item.base)}


def _splits_in_two(found: list[Instrument]) -> bool:
    """Tell whether one venue still offers several instruments for the same spelling."""
    seen: set[str] = set()
    for item in found:
        if item.venue in seen:
            return True
        seen.add(item.venue)
    return False
