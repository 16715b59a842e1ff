"""What the market routes take and answer: the contracts' requests as texts of a URL, and their replies in envelopes.

A request is defined once, in the contracts: the classes here add how it is written in a URL, nothing of its own.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Final, Generic, Literal, Self, TypeVar, cast

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from contracts.services import market
from contracts.services.coverage import CoverageQuery, CoverageReply
from contracts.services.market import MarketQuery, Symbol
from contracts.services.replies.liqmap import LiquidationMap
from contracts.services.replies.market import (
    FeedHealth,
    Liquidations,
    Orderbook,
    PriceReply,
    Quality,
    Snapshot,
    Whale,
)
from contracts.services.replies.multi import (
    MarketTrade,
    MergedBook,
    OhlcReply,
    SymbolEntry,
    SymbolsOf,
    TickerReply,
    TradesOf,
)

T = TypeVar("T")
MOST_DIGITS: Final = 9
FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
SymbolInPath = Annotated[Symbol, BeforeValidator(str.strip), Path()]

_WHALES: Final[JsonDict] = json.loads(
    '{"success":true,"symbol":"BTC","data":[{"id":"binance.BTC.USDT.spot.whale.4021","symbol":"BTC/USDT","side":"buy",'
    '"amount":12.5,"price":91000.1,"usd_value":1137501.25,"exchange":"binance","timestamp":"2026-01-01T12:00:00.125Z"}],'
    '"age":0.042,"quality":"live","stale_exchanges":[],"timestamp":"2026-01-01T12:00:01Z"}'
)
_PRICE: Final[JsonDict] = json.loads(
    '{"symbol":"BTC","price":91000.1,"quote":"USDT","market":"spot","source":"aggregated","exchanges":["binance","bybit"],'
    '"stale_exchanges":[],"age":0.042,"quality":"live","sim":false,"timestamp":"2026-01-01T12:00:00.958Z"}'
)


class UrlQuery(MarketQuery):
    """Reads numbers, flags and lists with commas; a text that is none stays one, which the contract refuses."""

    @field_validator("*", mode="before")
    @classmethod
    def read_value(cls, value: object, info: ValidationInfo) -> object:
        """Return what the text of a parameter stands for."""
        name = info.field_name or ""
        kind = cls.model_fields[name].annotation
        if isinstance(value, list):
            texts = cast("list[str]", value)
            return tuple(dict.fromkeys(part.strip() for part in ",".join(texts).lower().split(",") if part))
        if not isinstance(value, str):
            return value
        if name == "symbol":
            return value.strip()
        if kind is bool:
            return FLAGS.get(value.lower(), value)
        is_whole = kind is int and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS
        return int(value) if is_whole else value


class PathSymbolQuery(UrlQuery):
    """The same where the symbol is in the path."""

    symbol: str = ""

    def at(self, symbol: str) -> Self:
        """Return the request of a symbol."""
        return self.model_copy(update={"symbol": symbol})


class RawParameters(UrlQuery, market.RawQuery, extra="forbid"):
    """`/gpt/raw`."""


class WhaleParameters(UrlQuery, market.WhaleQuery, extra="forbid"):
    """`/gpt/whale`."""


class LiquidationsParameters(UrlQuery, market.LiquidationsQuery, extra="forbid"):
    """`/gpt/liq`."""


class LiquidationMapParameters(UrlQuery, market.LiquidationMapQuery, extra="forbid"):
    """`/gpt/liqmap`."""


class OrderbookParameters(UrlQuery, market.OrderbookQuery, extra="forbid"):
    """`/gpt/orderbook`."""


class PriceParameters(UrlQuery, market.PriceQuery, extra="forbid"):
    """`/api/market/price`."""


class OhlcParameters(UrlQuery, market.OhlcQuery, extra="forbid"):
    """`/api/market/ohlc`."""


class CoverageParameters(UrlQuery, CoverageQuery, extra="forbid"):
    """`/api/market/coverage`."""


class TickerParameters(PathSymbolQuery, market.TickerQuery, extra="forbid"):
    """`/multi/ticker/{symbol}`."""


class MultiOrderbookParameters(PathSymbolQuery, market.MultiOrderbookQuery, extra="forbid"):
    """`/multi/orderbook/{symbol}`."""


class TradesParameters(PathSymbolQuery, market.TradesQuery, extra="forbid"):
    """`/multi/trades/{symbol}`."""


class SymbolsParameters(UrlQuery, market.SymbolsQuery, extra="forbid"):
    """`/multi/symbols`."""


class HealthParameters(UrlQuery, market.HealthQuery, extra="forbid"):
    """`/multi/health`: none."""


class Timed(BaseModel):
    """When the answer was sent."""

    timestamp: datetime


class Envelope(Timed):
    """What the answers of `/gpt` and `/multi` have."""

    success: Literal[True]


class Dated(Envelope):
    """What those have that can be about the past."""

    as_of: datetime | None = Field(default=None, description="the moment that was asked for: all of it is as it was")
    seen_since: datetime | None = Field(default=None, description="how far back that can be asked for")


class Fresh(Dated, Generic[T]):
    """The answers about a symbol that need data."""

    symbol: str
    data: T
    age: float
    quality: Quality


class RawSnapshot(Fresh[Snapshot]):
    """The answer of `/gpt/raw`."""


class OrderbookSnapshot(Fresh[Orderbook]):
    """The answer of `/gpt/orderbook`."""


class MergedOrderbookSnapshot(Fresh[MergedBook]):
    """The answer of `/multi/orderbook/{symbol}`."""


class Received(Dated):
    """What lists of a symbol have: no age where nothing of it was received."""

    symbol: str
    age: float | None
    quality: Quality


class WhaleSnapshot(Received):
    """The answer of `/gpt/whale`."""

    model_config = ConfigDict(json_schema_extra={"example": _WHALES})

    data: list[Whale]
    stale_exchanges: list[str]


class LiqSnapshot(Received):
    """The answer of `/gpt/liq`."""

    data: Liquidations
    stale_exchanges: list[str]


class LiquidationMapAnswer(Received):
    """The answer of `/gpt/liqmap`."""

    data: LiquidationMap
    stale_exchanges: list[str]


class FeedsAnswer(Dated):
    """The answer of `/multi/health`: each feed by the venue's name."""

    data: dict[str, FeedHealth]


class TradesAnswer(Received):
    """The answer of `/multi/trades/{symbol}`."""

    data: list[MarketTrade]
    exchanges: list[TradesOf]


class SymbolsAnswer(Dated):
    """The answer of `/multi/symbols`."""

    symbol: str | None = None
    data: list[SymbolEntry]
    exchanges: dict[str, SymbolsOf]


class PriceAnswer(PriceReply):
    """The answer of `/api/market/price`."""

    model_config = ConfigDict(json_schema_extra={"example": _PRICE})


class TickerAnswer(TickerReply, Envelope):
    """The answer of `/multi/ticker/{symbol}`."""


class OhlcAnswer(OhlcReply, Timed):
    """The answer of `/api/market/ohlc`, oldest candle first."""


class CoverageAnswer(CoverageReply, Timed):
    """The answer of `/api/market/coverage`."""
