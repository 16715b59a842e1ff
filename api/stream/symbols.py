"""What a symbol means, asked of the market core: its name, and each instrument's subject tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from api.market.asker import Asker
from contracts.instrument import escape_token


@dataclass(frozen=True, slots=True)
class Listed:
    """A symbol resolved: `name` as it is answered (`BTC`, `BTC/USDT`), the unified symbols, the instruments' tails."""

    name: str
    base: str
    symbols: frozenset[str]
    tails: tuple[str, ...]

    @property
    def bare(self) -> bool:
        """Whether it is a coin rather than a pair."""
        return self.name == self.base


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

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def find(self, symbol: str) -> Listed:
        """Give what a symbol means on every exchange; raises what the core refuses with."""
        request = msgspec.json.encode({"listed": True, "symbol": symbol})
        known = (await self._asker.ask("symbols", request)).known
        entries = _reply.decode(known.body).symbols
        tails = [
            f"{escape_token(venue)}.{escape_token(entry.base)}.{escape_token(entry.quote)}.{entry.market}"
            for entry in entries
            for venue in entry.exchanges
        ]
        return Listed(
            known.symbol or symbol, entries[0].base, frozenset(entry.symbol for entry in entries), tuple(sorted(tails))
        )
