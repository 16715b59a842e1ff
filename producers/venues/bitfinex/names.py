"""Bitfinex's symbols: `tBTCUSD`, `tBTCUST`, `tDOGE:USD`, the perpetual `tBTCF0:USTF0`; and funding currencies, `fUSD`.

https://docs.bitfinex.com/docs/ws-general#supported-pairs
"""

from __future__ import annotations

from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument

VENUE_ID: Final = "bitfinex"
MARKET: Final = "public"

_PERPETUAL: Final = "F0"
_JOINED: Final = 6  # letters of a pair without a colon: three and three
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
    if base.endswith(_PERPETUAL) != quote.endswith(_PERPETUAL):
        raise SymbolSyntaxError(f"{venue_symbol!r} is half a perpetual", symbol=venue_symbol)
    if base.endswith(_PERPETUAL):
        coin, money = named(base.removesuffix(_PERPETUAL)), named(quote.removesuffix(_PERPETUAL))
        return make_instrument(VENUE_ID, f"{coin}/{money}:{money}", venue_symbol)
    return make_instrument(VENUE_ID, f"{named(base)}/{named(quote)}", venue_symbol)


def split(venue_symbol: str) -> tuple[str, str]:
    """Split a symbol of trading into the venue's names of its two coins."""
    pair = venue_symbol.removeprefix("t")
    base, colon, quote = pair.partition(":")
    if not colon:
        base, quote = (pair[:3], pair[3:]) if len(pair) == _JOINED else ("", "")
    if not (venue_symbol.startswith("t") and base and quote):
        raise SymbolSyntaxError(f"{venue_symbol!r} is no pair or perpetual of Bitfinex", symbol=venue_symbol)
    return base, quote


def named(coin: str) -> str:
    """Give a coin's common name."""
    return _NAMES.get(coin, coin)
