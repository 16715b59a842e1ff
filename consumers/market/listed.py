"""What exchanges list, indexed by symbol, base and the tail of subjects. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contracts.symbols import BASE_ALIASES, SymbolBook

if TYPE_CHECKING:
    from contracts.instrument import Instrument


@dataclass(frozen=True, slots=True)
class Listed:
    """One listing; never changed, another one takes its place."""

    symbols: SymbolBook = field(default_factory=lambda: SymbolBook(()))
    by_base: dict[str, tuple[Instrument, ...]] = field(default_factory=dict[str, "tuple[Instrument, ...]"])
    by_tail: dict[str, Instrument] = field(default_factory=dict[str, "Instrument"])


def index_listed(symbols: SymbolBook) -> Listed:
    """Index the instruments of a listing."""
    by_base: dict[str, list[Instrument]] = defaultdict(list)
    for item in symbols.instruments:
        by_base[item.base].append(item)
    return Listed(
        symbols,
        {base: tuple(items) for base, items in by_base.items()},
        {item.tail: item for item in symbols.instruments},
    )


def base_of(text: str) -> str:
    """Return the coin that a text names, if it names one."""
    name = text.strip().upper()
    return BASE_ALIASES.get(name, name)


def shortest_pair(listed: tuple[Instrument, ...]) -> str:
    """Return the shortest of the unified symbols: spot where contracts of the same pair are among them."""
    return min((item.symbol for item in listed), key=len)
