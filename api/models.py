"""What answers look like over HTTP, for OpenAPI: the replies of the market core in their envelopes, and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from contracts.services.market_replies import (
    FeedHealth,
    Liquidations,
    Orderbook,
    PriceReply,
    Quality,
    Snapshot,
    Whale,
)
from contracts.services.market_replies_multi import (
    MarketTrade,
    MergedBook,
    OhlcReply,
    SymbolEntry,
    SymbolsOf,
    TickerReply,
    TradesOf,
)


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str = Field(examples=["INVALID_SYMBOL"])
    message: str = Field(examples=["Symbol XYZ is not supported"])
    details: dict[str, Any] = Field(description="the parameter at fault and what is supported")


class Failure(BaseModel):
    """The envelope of a refusal."""

    success: Literal[False]
    error: ErrorBody
    timestamp: datetime


class PlainFailure(BaseModel):
    """A refusal of the plain routes."""

    error: str
    detail: str
    timestamp: datetime


class RawAnswer(BaseModel):
    """The answer of `/gpt/raw`."""

    success: Literal[True]
    symbol: str
    data: Snapshot
    age: float
    quality: Quality
    timestamp: datetime


class WhaleAnswer(BaseModel):
    """The answer of `/gpt/whale`."""

    success: Literal[True]
    symbol: str
    data: list[Whale]
    age: float | None
    quality: Quality
    stale_exchanges: list[str]
    timestamp: datetime


class LiquidationAnswer(BaseModel):
    """The answer of `/gpt/liq`."""

    success: Literal[True]
    symbol: str
    data: Liquidations
    age: float | None
    quality: Quality
    stale_exchanges: list[str]
    timestamp: datetime


class OrderbookAnswer(BaseModel):
    """The answer of `/gpt/orderbook`."""

    success: Literal[True]
    symbol: str
    data: Orderbook
    age: float
    quality: Quality
    timestamp: datetime


class FeedsAnswer(BaseModel):
    """The answer of `/multi/health`: each feed by the venue's name."""

    success: Literal[True]
    data: dict[str, FeedHealth]
    timestamp: datetime


class MergedBookAnswer(BaseModel):
    """The answer of `/multi/orderbook/{symbol}`."""

    success: Literal[True]
    symbol: str
    data: MergedBook
    age: float
    quality: Quality
    timestamp: datetime


class TradesAnswer(BaseModel):
    """The answer of `/multi/trades/{symbol}`."""

    success: Literal[True]
    symbol: str
    data: list[MarketTrade]
    exchanges: list[TradesOf]
    age: float | None
    quality: Quality
    timestamp: datetime


class SymbolsAnswer(BaseModel):
    """The answer of `/multi/symbols`."""

    success: Literal[True]
    data: list[SymbolEntry]
    exchanges: dict[str, SymbolsOf]
    timestamp: datetime


class PriceAnswer(PriceReply):
    """The answer of `/api/market/price`."""


class TickerAnswer(TickerReply):
    """The answer of `/multi/ticker/{symbol}`."""

    success: Literal[True]
    timestamp: datetime


class OhlcAnswer(OhlcReply):
    """The answer of `/api/market/ohlc`, oldest candle first."""

    timestamp: datetime


@dataclass(frozen=True, slots=True)
class FailureDoc:
    """One status of a refusal as OpenAPI describes it."""

    description: str

    def document(self, *, plain: bool) -> dict[str, Any]:
        """The OpenAPI response object."""
        return {"description": self.description, "model": PlainFailure if plain else Failure}


FAILURES: Final[dict[int, FailureDoc]] = {
    400: FailureDoc("A parameter is missing, malformed or out of range; details name it"),
    401: FailureDoc("No key, or an unknown one"),
    403: FailureDoc("The key lacks the scope, or the address is not allowed"),
    404: FailureDoc("Unknown symbol; details list the supported ones"),
    429: FailureDoc("Too many requests; Retry-After says how long to wait"),
    502: FailureDoc("The exchange refused or failed"),
    503: FailureDoc("Not ready; details say what is waited for"),
    504: FailureDoc("The exchange did not answer in time"),
}
