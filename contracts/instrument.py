"""Instruments: the unified symbol, the venue's own spelling, and the subject tokens that name one instrument.

The unified symbol is CCXT's (https://docs.ccxt.com/#/?id=contract-naming-conventions): `BTC/USDT` is spot,
`BTC/USDT:USDT` a linear perpetual, `BTC/USD:BTC` an inverse one, `BTC/USDT:USDT-260626` a dated future.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from contracts.errors import SymbolSyntaxError

SPOT: Final = "spot"
PERP: Final = "perp"
INVERSE: Final = "inverse"

MAIN_QUOTES: Final[dict[str, str]] = {
    "coinbase": "USD",
    "kraken": "USD",
    "krakenfutures": "USD",
    "indodax": "IDR",
    "hyperliquid": "USDC",
    "deribit": "USD",
}
DEFAULT_QUOTE: Final = "USDT"
VENUE_ALIASES: Final[dict[str, str]] = {"huobi": "htx"}

_SYMBOL = re.compile(r"^(?P<base>[^/:]+)/(?P<quote>[^/:]+)(?::(?P<settle>[^/:-]+)(?:-(?P<expiry>[0-9]{6}))?)?$")
_EXPIRY = re.compile(r"[0-9]{6}")
_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_ESCAPED = re.compile(r"=([0-9A-F]{2})")
_LEGAL = re.compile(r"^(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+$")


@lru_cache(maxsize=8192)  # the same names again and again: of coins, venues, channels
def escape_token(name: str) -> str:
    """Write any name as one legal subject token (and key-value key part): other bytes become `=XX` of their UTF-8."""
    if not name:
        msg = "an empty name has no subject token"
        raise SymbolSyntaxError(msg, name=name)
    return "".join(
        char if _PLAIN.fullmatch(char) else "".join(f"={byte:02X}" for byte in char.encode()) for char in name
    )


def unescape_token(token: str) -> str:
    """Undo `escape_token`; raises SymbolSyntaxError for a token that it never writes."""
    if not _LEGAL.fullmatch(token):
        msg = f"{token!r} is no escaped token"
        raise SymbolSyntaxError(msg, token=token)
    raw = _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), token).encode("latin-1")
    try:
        name = raw.decode()
    except UnicodeDecodeError as error:
        msg = f"{token!r} escapes bytes that are no UTF-8"
        raise SymbolSyntaxError(msg, token=token) from error
    if escape_token(name) != token:
        msg = f"{token!r} escapes what needs no escape"
        raise SymbolSyntaxError(msg, token=token)
    return name


@dataclass(frozen=True, slots=True)
class Instrument:
    """One thing that trades on one venue.

    `contract_size` is how much one contract is worth: in the base coin for linear contracts, in the quote for inverse
    ones; None where the venue counts in the base coin itself, or where it is not known (`sized_in_contracts` tells).
    `tail` is `<venue>.<BASE>.<QUOTE>.<contract>`: the tokens that name this instrument in every subject and key.
    """

    venue: str
    symbol: str
    venue_symbol: str
    base: str
    quote: str
    settle: str | None
    contract: str
    contract_size: str | None = None
    sized_in_contracts: bool = False
    tail: str = field(
        default="", init=False, compare=False, repr=False
    )  # made once: events, subjects and keys are named by it

    def __post_init__(self) -> None:
        tokens = (escape_token(name) for name in (self.venue, self.base, self.quote))
        object.__setattr__(self, "tail", ".".join((*tokens, self.contract)))

    @property
    def is_inverse(self) -> bool:
        """Whether profit and size are in the base coin (contracts worth a fixed amount of the quote)."""
        return self.contract.startswith("i")  # `inverse`, or `i` and an expiry


def make_instrument(venue: str, symbol: str, venue_symbol: str, **sizes: str | bool | None) -> Instrument:
    """Build an instrument from its unified symbol; raises SymbolSyntaxError where the symbol is not in that form."""
    base, quote, settle, expiry = split_symbol(symbol)
    size = sizes.get("contract_size")
    return Instrument(
        venue=venue,
        symbol=symbol,
        venue_symbol=venue_symbol,
        base=base,
        quote=quote,
        settle=settle,
        contract=_contract_token(symbol, (base, quote, settle, expiry)),
        contract_size=size if isinstance(size, str) else None,
        sized_in_contracts=bool(sizes.get("sized_in_contracts", size is not None)),
    )


def split_symbol(symbol: str) -> tuple[str, str, str | None, str | None]:
    """Split a unified symbol into base, quote, settle and expiry (yymmdd)."""
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        msg = f"{symbol!r} is no unified symbol: expected BASE/QUOTE, BASE/QUOTE:SETTLE or BASE/QUOTE:SETTLE-YYMMDD"
        raise SymbolSyntaxError(msg, symbol=symbol)
    return found["base"], found["quote"], found["settle"], found["expiry"]


def _contract_token(symbol: str, parts: tuple[str, str, str | None, str | None]) -> str:
    base, quote, settle, expiry = parts
    if settle is None:
        return SPOT
    if settle not in {base, quote}:
        msg = f"{symbol!r} settles in neither its base nor its quote: quanto contracts have no subject"
        raise SymbolSyntaxError(msg, symbol=symbol)
    if settle == quote:
        return expiry or PERP
    return f"i{expiry}" if expiry else INVERSE


def main_quote(venue: str) -> str:
    """Tell the quote that a bare base means on this venue (`BTC` is `BTC/USD` on Coinbase, `BTC/USDT` on Binance)."""
    return MAIN_QUOTES.get(venue, DEFAULT_QUOTE)


def tail_symbol(tail: str) -> tuple[str, str]:
    """Give `(venue, unified symbol)` for the last four tokens of a subject; SymbolSyntaxError where they name none."""
    tokens = tail.split(".")
    if len(tokens) != 4:  # noqa: PLR2004 - venue, base, quote, contract
        msg = f"{tail!r} does not have the four tokens venue.BASE.QUOTE.contract"
        raise SymbolSyntaxError(msg, tail=tail)
    venue, base, quote = (unescape_token(token) for token in tokens[:3])
    symbol = f"{base}/{quote}{_settled(tokens[3], base, quote)}"
    split_symbol(symbol)
    return venue, symbol


def _settled(contract: str, base: str, quote: str) -> str:
    """Give what stands behind the pair for a contract's token."""
    if contract == SPOT:
        return ""
    if contract == PERP:
        return f":{quote}"
    if contract == INVERSE:
        return f":{base}"
    expiry = contract.removeprefix("i")
    if not _EXPIRY.fullmatch(expiry):
        msg = f"{contract!r} is no contract: expected spot, perp, inverse, yymmdd or iyymmdd"
        raise SymbolSyntaxError(msg, contract=contract)
    return f":{quote if expiry == contract else base}-{expiry}"
