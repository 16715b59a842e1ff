"""What a symbol means, requested from the market core: its name, and each instrument's subject tokens."""

from __future__ import annotations

from api.stream.topics import ResolvedSymbol
from contracts.instrument import escape_token
from contracts.services.market import SymbolsQuery
from contracts.services.replies.multi import SymbolsReply
from runtime.clients.market_client import MarketClient, encode_query


class Symbols:
    """Resolves symbols."""

    def __init__(self, market: MarketClient) -> None:
        self._market = market

    async def find(self, symbol: str) -> ResolvedSymbol:
        """Return what a symbol means on every exchange; raises the error that the core replies with."""
        query = SymbolsQuery.model_construct(symbol=symbol, listed=True)  # the core refuses what is no symbol
        reply = (await self._market.request("symbols", encode_query(query))).reply
        entries = SymbolsReply.model_validate_json(reply.body).symbols
        tails = [
            ".".join((*map(escape_token, (venue, entry.base, entry.quote)), entry.market))
            for entry in entries
            for venue in entry.exchanges
        ]
        symbols = frozenset(entry.symbol for entry in entries)
        return ResolvedSymbol(reply.symbol or symbol, entries[0].base, symbols, tuple(sorted(tails)))
