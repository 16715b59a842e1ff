"""Deribit's instrument names: `BTC-PERPETUAL`, `BTC_USDC-PERPETUAL`, `BTC-27MAR26`, `BTC_USDC`, and those of options.

https://docs.deribit.com/articles/deribit-naming (an instrument's name says everything but its state).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument

VENUE_ID: Final = "deribit"
# Names distinguish spot, perpetual, future and option, so that one market holds them all.
MARKET: Final = "public"

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH: Final = "|".join(_MONTHS)
_DAY: Final = rf"([0-9]{{1,2}})({_MONTH})([0-9]{{2}})"
_PAIR: Final = r"([A-Z0-9]+)(?:_([A-Z0-9]+))?"
_NAME: Final = re.compile(rf"{_PAIR}(?:-(PERPETUAL|{_DAY}))?")
_OPTION: Final = re.compile(rf"([A-Z0-9]+(?:_[A-Z0-9]+)?-[0-9]{{1,2}}(?:{_MONTH})[0-9]{{2}})-([0-9]+(?:d[0-9]+)?-[CP])")
# The kind of the combo stands behind the pair: `BTC-FS-27MAR26_PERP`, `BTC_USDC-CS-19MAY26-70000_75000`.
_COMBO: Final = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)?-[A-Z]{2,6}[0-9]{0,2}-[A-Z0-9d_-]+")


def guess(market: str, venue_symbol: str) -> Instrument:  # noqa: ARG001 - the name says which kind it is
    """Name an instrument by its name at the venue; all that is not linear is quoted in USD and settled in the coin.

    Amounts of inverse contracts count US dollars. Options are named so that recordings of them can be read (they count
    coins); no listing holds them and none is followed. Combos and anything else: SymbolSyntaxError.
    """
    option = _OPTION.fullmatch(venue_symbol)
    if option is not None:
        return _option(venue_symbol, option[1], option[2])
    found = _NAME.fullmatch(venue_symbol)
    if found is None or (found[2] is None and found[3] is None):
        raise SymbolSyntaxError(f"{venue_symbol!r} is no pair, perpetual or future of Deribit", symbol=venue_symbol)
    base, quote, kind = found[1], found[2], found[3]
    if kind is None:
        return make_instrument(VENUE_ID, f"{base}/{quote}", venue_symbol)
    expiry = "" if kind == "PERPETUAL" else f"-{_expiry(found.group(4, 5, 6), venue_symbol)}"
    if quote is not None:
        return make_instrument(VENUE_ID, f"{base}/{quote}:{quote}{expiry}", venue_symbol)
    return make_instrument(VENUE_ID, f"{base}/USD:{base}{expiry}", venue_symbol, sized_in_contracts=True)


def is_combo(venue_symbol: str) -> bool:
    """Return whether a name is that of a combo (`BTC-FS-27MAR26_PERP`), which has no unified symbol."""
    return _COMBO.fullmatch(venue_symbol) is not None


def _option(venue_symbol: str, future: str, tail: str) -> Instrument:
    of = guess(MARKET, future)
    return Instrument(
        venue=VENUE_ID,
        symbol=f"{of.symbol}-{tail.replace('d', '.')}",  # a strike of half a dollar is `0d5` to the venue
        venue_symbol=venue_symbol,
        base=of.base,
        quote=of.quote,
        settle=of.settle,
        contract=f"{of.contract}-{tail}",
    )


def _expiry(parts: tuple[str, ...], venue_symbol: str) -> str:
    day, month, year = parts
    try:
        return f"{date(2000 + int(year), _MONTHS.index(month) + 1, int(day)):%y%m%d}"
    except ValueError as error:
        raise SymbolSyntaxError(f"{venue_symbol!r} names no day: {error}", symbol=venue_symbol) from error
