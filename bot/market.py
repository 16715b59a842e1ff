"""Questions to the market core, answered as the texts need them: the same requests and the same client as the API's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from bot.texts import market, overview
from bot.texts.answer import Answer
from contracts.services.market import (
    LiquidationsQuery,
    MarketQuery,
    OrderbookQuery,
    PriceQuery,
    RawQuery,
    SymbolQuery,
    TickerQuery,
    WhaleQuery,
)
from contracts.services.replies.market import Liquidations, Orderbook, PriceReply, Snapshot, WhaleReply
from contracts.services.replies.multi import TickerReply
from runtime.clients.market_client import MarketClient, encode_query
from runtime.texts.markup import Html
from runtime.texts.reader import Reader

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class SymbolQuestion:
    """A question about one symbol: the core's verb, the models of request and reply, and the text of the answer."""

    verb: str
    query: type[SymbolQuery]
    reply: type[BaseModel]
    text: Callable[[Answer[Any], Reader], Html]


QUESTIONS: Final[dict[str, SymbolQuestion]] = {
    "price": SymbolQuestion("price", PriceQuery, PriceReply, market.price),
    "raw": SymbolQuestion("raw", RawQuery, Snapshot, market.snapshot),
    "book": SymbolQuestion("orderbook", OrderbookQuery, Orderbook, market.orderbook),
    "whale": SymbolQuestion("whale", WhaleQuery, WhaleReply, market.whales),
    "liq": SymbolQuestion("liq", LiquidationsQuery, Liquidations, market.liquidations),
    "spread": SymbolQuestion("ticker", TickerQuery, TickerReply, overview.spread),
}


class Market:
    """Answers of the market core by question."""

    def __init__(self, client: MarketClient) -> None:
        self._client = client

    async def find(self, verb: str, query: MarketQuery, reply: type[M]) -> Answer[M]:
        """Return the core's answer, or its last known one as stale; raises its error, NotReadyError where none is."""
        found = await self._client.request(verb, encode_query(query))
        symbol = found.reply.symbol or str(getattr(query, "symbol", ""))
        return Answer(reply.model_validate_json(found.reply.body), symbol, found.grown, found.stale)

    async def answer(self, name: str, symbol: str, reader: Reader, **more: Any) -> Html:
        """Return the text that answers a question about a symbol.

        Raises as `find` does, and pydantic's ValidationError for a symbol that cannot be one.
        """
        asked = QUESTIONS[name]
        return asked.text(await self.find(asked.verb, asked.query(symbol=symbol, **more), asked.reply), reader)
