"""What one unit of a coin or currency is worth in another, asked of the market core; only live prices count."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from consumers.portfolio.core import ONE, Rate, through
from contracts.errors import AmbiguousSymbolError, NoDataError, UnknownSymbolError
from contracts.services.market import PriceQuery
from contracts.services.replies.market import PriceReply
from runtime.clients.command_client import CommandClient

_LIVE: Final = frozenset({"live", "sim"})
_MIDDLE: Final = "USDT"  # what coins are priced in where the wanted currency has no market of theirs
_MONEY: Final = frozenset({"IDR", "USD", "USDT"})
_PEG: Final = frozenset({"USD", "USDT"})  # a dollar coin taken as one dollar, where nobody trades it for dollars
_UNKNOWN: Final = (UnknownSymbolError, NoDataError, AmbiguousSymbolError)


class Prices:
    """The prices of one moment: each pair is asked for once."""

    def __init__(self, client: CommandClient) -> None:
        self._client = client
        self._asked: dict[str, asyncio.Future[Decimal | None]] = {}

    async def rates(self, names: Iterable[str], currency: str) -> dict[str, Rate | None]:
        """Return what one of each is worth in a currency, None where there is no live price.

        Raises NotReadyError where the market core does not answer.
        """
        ordered = sorted(set(names))
        found = await asyncio.gather(*(self._rate(name, currency) for name in ordered))
        return dict(zip(ordered, found, strict=True))

    async def _rate(self, name: str, currency: str) -> Rate | None:
        direct = await self._direct(name, currency)
        if direct is not None or _MIDDLE in {name, currency}:
            return direct
        first, second = await asyncio.gather(self._direct(name, _MIDDLE), self._direct(_MIDDLE, currency))
        return None if first is None or second is None else through(first, second)

    async def _direct(self, name: str, currency: str) -> Rate | None:
        if name == currency:
            return Rate(ONE)
        price = await self._price(f"{name}/{currency}")
        if price is not None:
            return Rate(price, (f"{name}/{currency}",))
        if name in _MONEY and currency in _MONEY:
            other = await self._price(f"{currency}/{name}")
            if other is not None:
                return Rate.inverse(other, f"{currency}/{name}")
            if frozenset({name, currency}) == _PEG:
                return Rate(ONE, ("USDT/USD peg",))
        return None

    async def _price(self, symbol: str) -> Decimal | None:
        asking = self._asked.get(symbol)
        if asking is None:
            asking = self._asked[symbol] = asyncio.ensure_future(self._ask(symbol))
        return await asking

    async def _ask(self, symbol: str) -> Decimal | None:
        try:
            reply = await self._client.request("market.price", PriceQuery(symbol=symbol), PriceReply)
        except _UNKNOWN:
            return None
        if reply.quality not in _LIVE or reply.quote != symbol.partition("/")[2] or reply.price <= 0:
            return None
        return Decimal(str(reply.price))
