"""What a symbol means, requested from the market core: its name, and each instrument's subject tokens."""

from __future__ import annotations

from typing import Final

import msgspec

from api.market.client import MarketClient, encode_query
from api.stream.topics import ResolvedSymbol
from contracts.instrument import escape_token
from contracts.services.market import SymbolsQuery


class _Entry(msgspec.Struct, frozen=True):
    symbol: str
    base: str
    quote: str
    market: str
    exchanges: list[str]


class _Reply(msgspec.Struct, frozen=True):
    symbols: list[_Entry]


_reply: Final = msgspec.json.Decoder(_Reply)


class Symbols:
    """Resolves symbols."""

    def __init__(self, market: MarketClient) -> None:
        self._market = market

    async def find(self, symbol: str) -> ResolvedSymbol:
        """Return what a symbol means on every exchange; raises the error that the core replies with."""
        request = encode_query(SymbolsQuery(symbol=symbol, listed=True))
        known = (await self._market.request("symbols", request)).reply
        entries = _reply.decode(known.body).symbols
        tails = [
            f"{escape_token(venue)}.{escape_token(entry.base)}.{escape_token(entry.quote)}.{entry.market}"
            for entry in entries
            for venue in entry.exchanges
        ]
        return ResolvedSymbol(
            known.symbol or symbol, entries[0].base, frozenset(entry.symbol for entry in entries), tuple(sorted(tails))
        )
