"""The market data routes: each sends its query to the market core and answers with its reply in this face's form."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response

from api.http.access.keys import MARKET_READ
from api.http.errors import PlainFailure, documented
from api.http.routing import requires
from api.http.validation import check_query
from api.market import formats, schemas
from api.market.answers import Answer
from api.market.schemas import SymbolInPath

_FAILURES: Final = (400, 401, 403, 404, 429, 500, 503, 504)
_READS: Final = [requires(MARKET_READ), Depends(check_query)]
gpt: Final = APIRouter(prefix="/gpt", tags=["market"], dependencies=_READS, responses=documented(*_FAILURES))
multi: Final = APIRouter(prefix="/multi", tags=["market"], dependencies=_READS, responses=documented(*_FAILURES))
plain: Final = APIRouter(
    prefix="/api/market",
    tags=["market"],
    dependencies=_READS,
    responses=documented(*_FAILURES, 502, model=PlainFailure),
)
ROUTERS: Final = (gpt, plain, multi)


@gpt.get("/raw", operation_id="getMarketSnapshot", response_model=schemas.RawSnapshot)
async def raw(query: Annotated[schemas.RawParameters, Query()], answer: Answer) -> Response:
    """Full snapshot of a symbol.

    Price (volume-weighted over fresh exchanges of one quote), 24 hour figures, each exchange's price, funding, open
    interest, recent whale trades and liquidation totals, each with age and quality.
    """
    return await answer("raw", query, formats.envelope)


@gpt.get("/whale", operation_id="getWhaleTrades", response_model=schemas.WhaleSnapshot)
async def whale(query: Annotated[schemas.WhaleParameters, Query()], answer: Answer) -> Response:
    """Recent whale trades of a symbol."""
    return await answer("whale", query, formats.listed)


@gpt.get("/liq", operation_id="getLiquidations", response_model=schemas.LiqSnapshot)
async def liquidations(query: Annotated[schemas.LiquidationsParameters, Query()], answer: Answer) -> Response:
    """Recent liquidations of a symbol's base with totals over 1, 4 and 24 hours."""
    return await answer("liq", query, formats.envelope)


@gpt.get("/liqmap", operation_id="getLiquidationMap", response_model=schemas.LiquidationMapAnswer)
async def liquidation_map(query: Annotated[schemas.LiquidationMapParameters, Query()], answer: Answer) -> Response:
    """Liquidation map of a symbol's base: USD by price and side, and the coverage it rests on.

    Exact sums over every exchange and contract, in buckets of a round width. Where an exchange publishes a sample
    only, it says so, and its sums are lower bounds.
    """
    return await answer("liqmap", query, formats.envelope)


@gpt.get("/orderbook", operation_id="getOrderbook", response_model=schemas.OrderbookSnapshot)
async def orderbook(query: Annotated[schemas.OrderbookParameters, Query()], answer: Answer) -> Response:
    """Order book of a symbol on one exchange."""
    return await answer("orderbook", query, formats.envelope)


@plain.get("/price", operation_id="getPrice", response_model=schemas.PriceAnswer)
async def price(query: Annotated[schemas.PriceParameters, Query()], answer: Answer) -> Response:
    """Price of a symbol."""
    return await answer("price", query, formats.bare)


@plain.get("/ohlc", operation_id="getCandles", response_model=schemas.OhlcAnswer)
async def ohlc(query: Annotated[schemas.OhlcParameters, Query()], answer: Answer) -> Response:
    """Candles of a symbol on one exchange, oldest first, with indicators if requested.

    Our own candles where they are whole, the exchange's history before them. What is missing is named in `holes`,
    never made up.
    """
    return await answer("ohlc", query, formats.plain)


@plain.get("/coverage", operation_id="getCoverage", response_model=schemas.CoverageAnswer)
async def coverage(query: Annotated[schemas.CoverageParameters, Query()], answer: Answer) -> Response:
    """How much of a span was received of a symbol, by exchange and minute, hour or day.

    Each second was live, sampled (the exchange publishes a part only), filled in later, or is unknown: then it may lack
    something.
    """
    return await answer("coverage", query, formats.plain)


@multi.get("/ticker/{symbol:path}", operation_id="getConsolidatedTicker", response_model=schemas.TickerAnswer)
async def ticker(symbol: SymbolInPath, query: Annotated[schemas.TickerParameters, Query()], answer: Answer) -> Response:
    """Ticker of a symbol over all exchanges.

    Volume-weighted over fresh exchanges of one quote; best bid and offer of all of them, each with its exchange;
    stale exchanges and those far from the others are left out and named.
    """
    return await answer("ticker", query.at(symbol), formats.flat)


@multi.get(
    "/orderbook/{symbol:path}", operation_id="getConsolidatedOrderbook", response_model=schemas.MergedOrderbookSnapshot
)
async def multi_orderbook(
    symbol: SymbolInPath, query: Annotated[schemas.MultiOrderbookParameters, Query()], answer: Answer
) -> Response:
    """Order book of a symbol over all exchanges of one quote.

    Levels merged by price, each with its exchanges. It may be crossed, and says so.
    """
    return await answer("multi_orderbook", query.at(symbol), formats.envelope)


@multi.get("/trades/{symbol:path}", operation_id="getTrades", response_model=schemas.TradesAnswer)
async def trades(symbol: SymbolInPath, query: Annotated[schemas.TradesParameters, Query()], answer: Answer) -> Response:
    """Recent trades of a symbol over all exchanges."""
    return await answer("trades", query.at(symbol), formats.listed)


@multi.get("/symbols", operation_id="getSymbols", response_model=schemas.SymbolsAnswer)
async def symbols(query: Annotated[schemas.SymbolsParameters, Query()], answer: Answer) -> Response:
    """Symbols that data is received of."""
    return await answer("symbols", query, formats.listed)


@multi.get("/health", operation_id="getFeedHealth", response_model=schemas.FeedsAnswer)
async def health(query: Annotated[schemas.HealthParameters, Query()], answer: Answer) -> Response:
    """State of each exchange's feed."""
    return await answer("health", query, formats.envelope)
