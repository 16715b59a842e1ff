"""What answers look like, for OpenAPI: models that describe and that no answer is run through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

Quality = Literal["live", "stale", "gap", "sim"]
AGE: Final = "seconds since this data arrived here"


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


class VenuePrice(BaseModel):
    """One venue's price; `used` where it went into the consolidated one."""

    exchange: str
    symbol: str
    quote: str
    market: str
    price: float | None
    bid: float | None
    ask: float | None
    change_24h: float | None
    volume_24h: float | None
    used: bool
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class FundingRate(BaseModel):
    """One contract's funding."""

    exchange: str
    symbol: str
    rate: float | None = Field(description="fraction for one interval")
    next_time: datetime | None
    mark_price: float | None
    index_price: float | None
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class Interest(BaseModel):
    """One contract's open interest."""

    exchange: str
    symbol: str
    amount: float | None = Field(description="base coin")
    value: float | None = Field(description="in the quote")
    contracts: float | None
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class Whale(BaseModel):
    """One whale trade; `side` is the aggressor's."""

    id: str
    symbol: str
    side: Literal["buy", "sell"]
    amount: float
    price: float
    usd_value: float
    exchange: str
    timestamp: datetime
    sim: bool = False


class Totals(BaseModel):
    """Liquidated in one window, in USD by side of the position."""

    long_usd: float
    short_usd: float
    unknown_usd: float
    total_usd: float
    count: int
    unvalued: int = Field(description="liquidations that could not be valued and are in no sum")


class LiquidationTotals(BaseModel):
    """Totals over 1 h, 4 h and 24 h; lower bounds where `sampled`."""

    totals: dict[Literal["1h", "4h", "24h"], Totals] | None
    sampled: bool | None
    as_of: datetime | None


class Snapshot(BaseModel):
    """All that is known of a symbol now."""

    price: float
    quote: str = Field(description="the coin that the price is in: other quotes are never mixed in")
    market: str
    source: str
    change_24h: float | None = Field(description="percent")
    volume_24h: float | None = Field(description="base coin")
    high: float | None
    low: float | None
    bid: float | None
    ask: float | None
    spread: float | None
    bid_ask_exchange: str | None
    stale_exchanges: list[str]
    outlier_exchanges: list[str]
    exchanges: list[VenuePrice]
    funding: list[FundingRate]
    open_interest: list[Interest]
    whales: list[Whale]
    liquidations: LiquidationTotals
    age: float = Field(description=AGE)
    data_age: float = Field(description=AGE)
    quality: Quality
    sim: bool


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


class Liquidation(BaseModel):
    """One forced order."""

    id: str
    symbol: str
    exchange: str
    position_side: Literal["long", "short"] | None
    order_side: Literal["buy", "sell"] | None
    price: float
    amount: float | None
    usd_value: float | None
    sampled: bool
    sim: bool
    timestamp: datetime


class Liquidations(LiquidationTotals):
    """Recent liquidations of a base with their totals."""

    base: str
    recent: list[Liquidation]
    age: float | None
    quality: Quality
    stale_exchanges: list[str]


class LiquidationAnswer(BaseModel):
    """The answer of `/gpt/liq`."""

    success: Literal[True]
    symbol: str
    data: Liquidations
    age: float | None
    quality: Quality
    stale_exchanges: list[str]
    timestamp: datetime


class Level(BaseModel):
    """One level; `total` is price times amount in the quote."""

    price: float
    amount: float
    total: float | None


class Orderbook(BaseModel):
    """One venue's book, best levels first."""

    exchange: str
    symbol: str
    quote: str
    market: str
    unit: Literal["base", "contracts"]
    bids: list[Level]
    asks: list[Level]
    spread: float | None
    imbalance: float | None = Field(description="from -1 (all asks) to 1 (all bids)")
    seq: int | None
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class OrderbookAnswer(BaseModel):
    """The answer of `/gpt/orderbook`."""

    success: Literal[True]
    symbol: str
    data: Orderbook
    age: float
    quality: Quality
    timestamp: datetime


class PriceAnswer(BaseModel):
    """The answer of `/api/market/price`."""

    symbol: str
    price: float
    quote: str
    market: str
    source: str
    exchanges: list[str]
    stale_exchanges: list[str]
    age: float
    quality: Quality
    sim: bool
    timestamp: datetime = Field(description="when the newest of the data arrived")


class FeedMark(BaseModel):
    """What of a feed is not live; null stands for all of them."""

    channel: str | None
    symbol: str | None
    state: str


class FeedHealth(BaseModel):
    """One venue's feed."""

    connected: bool
    state: str | None
    reason: str | None
    quality: Quality
    since: datetime | None
    last_message_age: float | None = Field(description="seconds")
    last_message_ages: dict[str, float] = Field(description="seconds by kind of event")
    channels: dict[str, str]
    not_live: list[FeedMark] = Field(description="at most 100")
    events: dict[str, int]
    reconnects: int
    gaps: int
    resyncs: int
    latency: dict[str, dict[str, float | None]] = Field(
        description="milliseconds: venue_ms from the exchange's clock to receipt, bus_ms from receipt over the bus"
    )
    clock_offset_ms: float | None = Field(
        description="our clock less the exchange's, with the way of the fastest recent messages in it: an upper bound"
    )
    sim: bool


class FeedsAnswer(BaseModel):
    """The answer of `/multi/health`: each feed by the venue's name."""

    success: Literal[True]
    data: dict[str, FeedHealth]
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
