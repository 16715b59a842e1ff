"""The routes of this face on one screen: path, scope, handler, and what OpenAPI says of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from api import models
from api.access.gate import OPEN
from api.access.keys import MARKET_READ
from api.documents import Documents
from api.endpoints import Ask, Endpoint, Handler, Param
from api.health import Health
from api.market import forms, params
from api.market.asker import Asker
from api.market.forms import Form
from api.market.params import Read, default_of, read_request
from api.replies import Reply
from contracts.services.market import LiquidationsQuery, MultiOrderbookQuery, OrderbookQuery, TradesQuery, WhaleQuery
from contracts.timeframes import TIMEFRAMES

SYMBOL: Final = Param(
    "symbol",
    "A coin (`BTC`: each exchange's main quote), a pair in any spelling, or the exchange's own name of a contract",
    {"type": "string", "minLength": 1, "maxLength": 64},
    example="BTC",
    required=True,
)
SYMBOL_IN_PATH: Final = replace(SYMBOL, place="path")
EXCHANGE: Final = Param("exchange", "Only this exchange", {"type": "string"}, example="binance")
Asked = Callable[[str, Mapping[str, Read], Form], Handler]


def _count(name: str, default: int, description: str) -> Param:
    return Param(name, description, {"type": "integer", "minimum": 1, "maximum": 100, "default": default})


def market_endpoints(asker: Asker) -> tuple[Endpoint, ...]:
    """The market data routes."""

    def asked(verb: str, read: Mapping[str, Read], form: Form) -> Handler:
        async def ask_core(request: bytes, now_ns: int) -> Reply:
            return Reply(200, forms.render(await asker.ask(verb, request), form, now_ns))

        def answer(ask: Ask) -> Reply | Awaitable[Reply]:
            request = read_request(ask.params, read)
            kept = asker.find_kept(verb, request)
            if kept is None:
                return ask_core(request, ask.now_ns)
            return Reply(200, forms.render(kept, form, ask.now_ns))

        return answer

    return (
        Endpoint(
            "/gpt/raw",
            MARKET_READ,
            asked("raw", params.RAW, forms.envelope),
            operation_id="getMarketSnapshot",
            summary="Full snapshot of a symbol",
            description="Price (volume-weighted over fresh exchanges of one quote), 24 hour figures, each exchange's "
            "price, funding, open interest, recent whale trades and liquidation totals, each with age and quality.",
            tag="market",
            params=(SYMBOL,),
            model=models.RawAnswer,
        ),
        Endpoint(
            "/gpt/whale",
            MARKET_READ,
            asked("whale", params.WHALE, forms.listed),
            operation_id="getWhaleTrades",
            summary="Recent whale trades of a symbol",
            tag="market",
            params=(
                SYMBOL,
                _count("limit", default_of(WhaleQuery, "limit"), "At most so many, newest first"),
                Param("min_usd", "Only trades worth at least so many USD", {"type": "number", "minimum": 0}),
            ),
            model=models.WhaleAnswer,
            example=_WHALES,
        ),
        Endpoint(
            "/gpt/liq",
            MARKET_READ,
            asked("liq", params.LIQUIDATIONS, forms.envelope),
            operation_id="getLiquidations",
            summary="Recent liquidations of a symbol's base with totals over 1, 4 and 24 hours",
            tag="market",
            params=(SYMBOL, _count("limit", default_of(LiquidationsQuery, "limit"), "At most so many, newest first")),
            model=models.LiquidationAnswer,
        ),
        Endpoint(
            "/gpt/orderbook",
            MARKET_READ,
            asked("orderbook", params.ORDERBOOK, forms.envelope),
            operation_id="getOrderbook",
            summary="Order book of a symbol on one exchange",
            tag="market",
            params=(
                SYMBOL,
                _count("depth", default_of(OrderbookQuery, "depth"), "Levels of each side"),
                Param("exchange", "Which exchange; the deepest live one if not given", {"type": "string"}),
            ),
            model=models.OrderbookAnswer,
        ),
        Endpoint(
            "/api/market/price",
            MARKET_READ,
            asked("price", params.RAW, forms.bare),
            operation_id="getPrice",
            summary="Price of a symbol",
            tag="market",
            params=(SYMBOL,),
            model=models.PriceAnswer,
            example=_PRICE,
        ),
        _ohlc_endpoint(asked),
        *_multi_endpoints(asked),
        Endpoint(
            "/multi/health",
            MARKET_READ,
            asked("health", params.HEALTH, forms.envelope),
            operation_id="getFeedHealth",
            summary="State of each exchange's feed",
            tag="market",
            model=models.FeedsAnswer,
            failures=(400, 401, 403, 429),
        ),
    )


def _ohlc_endpoint(asked: Asked) -> Endpoint:
    return Endpoint(
        "/api/market/ohlc",
        MARKET_READ,
        asked("ohlc", params.OHLC, forms.plain),
        operation_id="getCandles",
        summary="Candles of a symbol on one exchange, oldest first, with indicators if asked for",
        description="Our own candles where they are whole, the exchange's history before them. What is missing is "
        "named in `holes`, never made up.",
        tag="market",
        params=(
            SYMBOL,
            Param("timeframe", "Length of a candle", {"type": "string", "enum": list(TIMEFRAMES), "default": "1h"}),
            Param("limit", "At most so many", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
            replace(EXCHANGE, description="Which exchange; the one with most volume if not given"),
            Param("indicators", "Any of rsi, macd, ema, bollinger, with commas", {"type": "string"}, example="rsi,ema"),
        ),
        model=models.OhlcAnswer,
        failures=(400, 401, 403, 404, 429, 502, 503, 504),
    )


def _multi_endpoints(asked: Asked) -> tuple[Endpoint, ...]:
    """The routes that make one market of all exchanges."""
    return (
        Endpoint(
            "/multi/ticker/{symbol:path}",
            MARKET_READ,
            asked("ticker", params.TICKER, forms.flat),
            operation_id="getConsolidatedTicker",
            summary="Ticker of a symbol over all exchanges",
            description="Volume-weighted over fresh exchanges of one quote; best bid and offer of all of them, each "
            "with its exchange; stale exchanges and those far from the others are left out and named.",
            tag="market",
            params=(
                SYMBOL_IN_PATH,
                Param("convert", "Bring other quotes of the coin in, by rates that are told", {"type": "boolean"}),
            ),
            model=models.TickerAnswer,
        ),
        Endpoint(
            "/multi/orderbook/{symbol:path}",
            MARKET_READ,
            asked("multi_orderbook", params.MULTI_ORDERBOOK, forms.envelope),
            operation_id="getConsolidatedOrderbook",
            summary="Order book of a symbol over all exchanges of one quote",
            description="Levels merged by price, each with its exchanges. It may be crossed, and says so.",
            tag="market",
            params=(SYMBOL_IN_PATH, _count("depth", default_of(MultiOrderbookQuery, "depth"), "Levels of each side")),
            model=models.MergedBookAnswer,
        ),
        Endpoint(
            "/multi/trades/{symbol:path}",
            MARKET_READ,
            asked("trades", params.TRADES, forms.listed),
            operation_id="getTrades",
            summary="Recent trades of a symbol over all exchanges",
            tag="market",
            params=(
                SYMBOL_IN_PATH,
                _count("limit", default_of(TradesQuery, "limit"), "At most so many, newest first"),
                EXCHANGE,
            ),
            model=models.TradesAnswer,
        ),
        Endpoint(
            "/multi/symbols",
            MARKET_READ,
            asked("symbols", params.SYMBOLS, forms.listed),
            operation_id="getSymbols",
            summary="Symbols that data is heard of",
            tag="market",
            params=(
                EXCHANGE,
                Param("listed", "Everything that exchanges list, heard of or not", {"type": "boolean"}),
            ),
            model=models.SymbolsAnswer,
            failures=(400, 401, 403, 429, 503),
        ),
    )


def service_endpoints(health: Health, documents: Documents) -> tuple[Endpoint, ...]:
    """Health, metrics and descriptions: open to anybody, without a key."""

    def opened(path: str, handler: Handler, names: tuple[str, str], **more: Any) -> Endpoint:
        operation_id, summary = names
        more = {"failures": (), **more}
        return Endpoint(path, OPEN, handler, operation_id=operation_id, summary=summary, tag="service", **more)

    return (
        opened("/health", health.alive, ("getHealth", "Whether the process answers")),
        opened("/health/ready", health.ready, ("getReadiness", "Whether it can answer"), failures=(503,)),
        opened("/health/detailed", health.detailed, ("getHealthDetails", "Every part of it")),
        opened("/health/cache", health.cache, ("getCacheHealth", "The cached state")),
        opened("/health/exchanges", health.exchanges, ("getExchangeHealth", "Each exchange in short")),
        opened("/metrics", documents.metrics, ("getMetrics", "Prometheus metrics"), media="text/plain"),
        opened("/openapi.json", documents.openapi, ("getOpenApi", "This description")),
        opened("/docs", documents.page, ("getDocs", "This description as a page"), media="text/html"),
        opened("/asyncapi", documents.asyncapi, ("getAsyncApi", "The bus, as AsyncAPI"), failures=(404,)),
    )


_WHALES: Final = {
    "success": True,
    "symbol": "BTC",
    "data": [
        {
            "id": "binance.BTC.USDT.spot.whale.4021",
            "symbol": "BTC/USDT",
            "side": "buy",
            "amount": 12.5,
            "price": 91000.1,
            "usd_value": 1137501.25,
            "exchange": "binance",
            "timestamp": "2026-01-01T12:00:00.125Z",
        }
    ],
    "age": 0.042,
    "quality": "live",
    "stale_exchanges": [],
    "timestamp": "2026-01-01T12:00:01Z",
}
_PRICE: Final = {
    "symbol": "BTC",
    "price": 91000.1,
    "quote": "USDT",
    "market": "spot",
    "source": "aggregated",
    "exchanges": ["binance", "bybit"],
    "stale_exchanges": [],
    "age": 0.042,
    "quality": "live",
    "sim": False,
    "timestamp": "2026-01-01T12:00:00.958Z",
}
