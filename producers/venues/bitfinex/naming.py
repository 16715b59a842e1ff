"""Bitfinex's symbols: `tBTCUSD`, `tBTCUST`, `tDOGE:USD`, the perpetual `tBTCF0:USTF0`; and funding currencies, `fUSD`.

https://docs.bitfinex.com/docs/ws-general#supported-pairs
"""

from __future__ import annotations

import re
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument

VENUE_ID: Final = "bitfinex"
MARKET: Final = "public"

_PERPETUAL: Final = "F0"
_SYMBOL: Final = re.compile(r"t(?:([A-Z0-9]{3})([A-Z0-9]{3})|([A-Z0-9]+):([A-Z0-9]{2,}))")  # three and three letters
# The venue's own names of coins that are called otherwise everywhere else; UST is Tether, TerraUSD is TERRAUST.
# https://api-pub.bitfinex.com/v2/conf/pub:map:currency:sym
_NAMES: Final = {
    "UST": "USDT",
    "UDC": "USDC",
    "EUT": "EURT",
    "EUS": "EURS",
    "TSD": "TUSD",
    "TERRAUST": "USTC",
    "ALG": "ALGO",
    "AMP": "AMPL",
    "ATO": "ATOM",
    "BCHABC": "XEC",
    "BCHN": "BCH",
    "DAT": "DATA",
    "DOG": "MDOGE",
    "DSH": "DASH",
    "EDO": "PNT",
    "IOT": "IOTA",
    "IQX": "IQ",
    "LUNA": "LUNC",
    "LUNA2": "LUNA",
    "MNA": "MANA",
    "QSH": "QASH",
    "QTM": "QTUM",
    "RBT": "RBTC",
    "SNG": "SNGLS",
    "STJ": "STORJ",
    "VSY": "VSYS",
    "WAX": "WAXP",
    "WBT": "WBTC",
    "XCH": "XCHF",
    "YYW": "YOYOW",
}


def guess(market: str, venue_symbol: str) -> Instrument:  # noqa: ARG001 - there is one market
    """Name an instrument by its symbol; amounts are coins everywhere. Raises SymbolSyntaxError for anything else.

    Funding currencies (`fUSD`) are loans, no instruments.
    """
    base, quote = split(venue_symbol)
    perpetual = [coin.endswith(_PERPETUAL) for coin in (base, quote)]
    if not any(perpetual):
        return make_instrument(VENUE_ID, f"{named(base)}/{named(quote)}", venue_symbol)
    coin, money = named(base.removesuffix(_PERPETUAL)), named(quote.removesuffix(_PERPETUAL))
    if not (all(perpetual) and coin and money):
        raise SymbolSyntaxError(f"{venue_symbol!r} is half a perpetual", symbol=venue_symbol)
    return make_instrument(VENUE_ID, f"{coin}/{money}:{money}", venue_symbol)


def split(venue_symbol: str) -> tuple[str, str]:
    """Split a symbol of trading into the venue's names of its two coins."""
    found = _SYMBOL.fullmatch(venue_symbol)
    if found is None:
        raise SymbolSyntaxError(f"{venue_symbol!r} is no pair or perpetual of Bitfinex", symbol=venue_symbol)
    return found[1] or found[3], found[2] or found[4]


def named(coin: str) -> str:
    """Return a coin's common name."""
    return _NAMES.get(coin, coin)
