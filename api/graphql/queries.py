"""GraphQL's queries: each asks the market core, and answers with its reply taken apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import strawberry
from strawberry.tools import create_type
from strawberry.types import Info

from api.graphql import types
from api.graphql.inputs import (
    CoverageFilter,
    LiquidationFilter,
    OrderbookFilter,
    WhaleFilter,
    book_parameters,
    coverage_parameters,
    list_parameters,
)
from api.graphql.types import both_spellings, fields_of
from api.market.documents import Fields, find_document
from api.stream.client import StreamServices
from contracts.schema.literals import iso
from contracts.services.replies.market import Snapshot
from runtime import clock
from runtime.clients.market_client import MarketClient

BESIDE: Final = "beside"  # of `extensions`: what stands beside a list, by the path of the answer


@dataclass(slots=True)
class Asked:
    """What resolvers work with: the core's client, and what stands beside the lists of the present operation."""

    market: MarketClient
    stream: StreamServices | None = None
    beside: dict[str, Fields] = field(default_factory=dict[str, Fields])

    async def find(self, verb: str, parameters: Fields) -> Fields:
        """Return the core's reply with the resolved symbol and the time; raises what it refuses."""
        now_ns = clock.now_ns()
        symbol, document = await find_document(self.market, verb, parameters, now_ns)
        return {"symbol": symbol, "timestamp": iso(now_ns), **document}


AskedInfo = Info[Asked, None]
AsOf = Annotated[
    str | None,
    strawberry.argument(
        name="asOf", description="as it was at this time: ISO 8601, or seconds or milliseconds since 1970"
    ),
]


async def price(info: AskedInfo, symbol: str, as_of: AsOf = None) -> Any:
    """The consolidated ticker of a symbol over every exchange, as `/multi/ticker`."""
    return await info.context.find("ticker", {"symbol": symbol, "as_of": as_of})


async def whale_transactions(
    info: AskedInfo,
    symbol: str,
    filter: WhaleFilter | None = None,  # noqa: A002 - its name in the schema
    as_of: AsOf = None,
) -> Any:
    """Recent whale trades, newest first, as `/gpt/whale`."""
    reply = await info.context.find("whale", {**list_parameters(symbol, filter), "as_of": as_of})
    return _listed(info, reply, "whales")


async def liquidations(
    info: AskedInfo,
    symbol: str,
    filter: LiquidationFilter | None = None,  # noqa: A002
    as_of: AsOf = None,
) -> Any:
    """Recent liquidations of the coin, newest first, as `/gpt/liq`."""
    reply = await info.context.find("liq", {**list_parameters(symbol, filter), "as_of": as_of})
    for item in reply["recent"]:
        item["side"] = item["position_side"]
    return _listed(info, reply, "recent")


async def liquidation_map(info: AskedInfo, symbol: str, window: str = "24h", as_of: AsOf = None) -> Any:
    """What was liquidated of the coin at each price, with the coverage it rests on, as `/gpt/liqmap`."""
    return await info.context.find("liqmap", {"symbol": symbol, "window": window, "as_of": as_of})


async def orderbook(
    info: AskedInfo,
    symbol: str,
    filter: OrderbookFilter | None = None,  # noqa: A002
    as_of: AsOf = None,
) -> Any:
    """The order book of one exchange, the deepest live one, as `/gpt/orderbook`."""
    return await info.context.find("orderbook", {**book_parameters(symbol, filter), "as_of": as_of})


async def candles(info: AskedInfo, symbol: str, timeframe: str = "1h", limit: int = 100) -> Any:
    """Candles of one exchange, oldest first, as `/api/market/ohlc`."""
    reply = await info.context.find("ohlc", {"symbol": symbol, "timeframe": timeframe, "limit": limit})
    for item in reply["candles"]:
        item.update(exchange=reply["exchange"], timeframe=reply["timeframe"])
    return _listed(info, reply, "candles")


async def coverage(info: AskedInfo, symbol: str, filter: CoverageFilter | None = None) -> Any:  # noqa: A002
    """How much of a span was received of a symbol, by exchange, as `/api/market/coverage`."""
    return await info.context.find("coverage", coverage_parameters(symbol, filter))


async def market_data(info: AskedInfo, symbol: str, as_of: AsOf = None) -> Any:
    """All that is known of a symbol, as `/gpt/raw`, with its lists and its book, all of the same moment."""
    reply = await info.context.find("raw", {"symbol": symbol, "as_of": as_of})
    return {**reply, "asked": as_of, "liquidation_totals": _totals(reply["liquidations"])}


async def whales_of(info: AskedInfo, root: strawberry.Parent[Any], filter: WhaleFilter | None = None) -> Any:  # noqa: A002
    """As the query of that name."""
    return await whale_transactions(info, root["symbol"], filter, root["asked"])


async def liquidations_of(
    info: AskedInfo,
    root: strawberry.Parent[Any],
    filter: LiquidationFilter | None = None,  # noqa: A002
) -> Any:
    """As the query of that name."""
    return await liquidations(info, root["symbol"], filter, root["asked"])


async def orderbook_of(info: AskedInfo, root: strawberry.Parent[Any], filter: OrderbookFilter | None = None) -> Any:  # noqa: A002
    """As the query of that name."""
    return await orderbook(info, root["symbol"], filter, root["asked"])


def _listed(info: AskedInfo, reply: Fields, name: str) -> list[Fields]:
    """Return a reply's list, each item with the age and quality of the whole; keep what stands beside it."""
    items: list[Fields] = reply.pop(name)
    path = ".".join(map(str, info.path.as_list()))
    info.context.beside[path] = reply
    return [{"sim": False, **item, "age": reply["age"], "quality": reply["quality"]} for item in items]


def _totals(reply: Fields) -> Fields:
    totals: dict[str, Fields] | None = reply["totals"]
    covered: dict[str, Fields] | None = reply["coverage"]
    windows = None if totals is None else [{"window": window, **sums} for window, sums in totals.items()]
    rests = None if covered is None else [{"window": window, **rest} for window, rest in covered.items()]
    return {**reply, "totals": windows, "coverage": rests}


def _query(name: str, resolver: Any, type_: Any) -> Any:
    found = strawberry.field(name=name, resolver=resolver, graphql_type=type_, description=resolver.__doc__)
    found.python_name = name
    return found


MarketData: Final[Any] = create_type(
    "MarketData",
    [
        *both_spellings("symbol", str),
        *fields_of(Snapshot, {"whales", "liquidations"}),
        *both_spellings("liquidation_totals", types.LiquidationTotals),
        _query("whaleTransactions", whales_of, list[types.WhaleTransaction]),
        _query("liquidations", liquidations_of, list[types.Liquidation]),
        _query("orderbook", orderbook_of, types.Orderbook | None),
        *both_spellings("timestamp", types.Time, "when the answer was sent"),
    ],
    description="All that is known of a symbol now",
)
Query: Final[Any] = create_type(
    "Query",
    [
        _query("price", price, types.Price | None),
        _query("whaleTransactions", whale_transactions, list[types.WhaleTransaction] | None),
        _query("liquidations", liquidations, list[types.Liquidation] | None),
        _query("liquidationMap", liquidation_map, types.LiquidationMap | None),
        _query("orderbook", orderbook, types.Orderbook | None),
        _query("candles", candles, list[types.Candle] | None),
        _query("coverage", coverage, types.Coverage | None),
        _query("marketData", market_data, MarketData | None),
    ],
)
