"""Replies of `cmd.v1.market.<verb>` about one symbol or exchange: also what REST has in `data`.

A few lines over the usual length of a file: one short model after another, which readers look for in one place.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from contracts.numbers import AmountText
from contracts.services.replies.hops import Hops

Quality = Literal["live", "stale", "gap", "sim"]
AGE: Final = "seconds since this data arrived here"


class ReplyModel(BaseModel):
    """What every reply is; readers tolerate unknown fields."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class PastReply(ReplyModel):
    """What replies about the past have beside."""

    as_of: datetime | None = Field(default=None, description="the moment that was asked for: all of it is as it was")
    seen_since: datetime | None = Field(default=None, description="how far back that can be asked for")


class VenuePrice(ReplyModel):
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


class FundingRate(ReplyModel):
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


class Interest(ReplyModel):
    """One contract's open interest."""

    exchange: str
    symbol: str
    amount: float | None = Field(description="base coin")
    value: float | None = Field(description="in the quote")
    contracts: float | None
    age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class Whale(ReplyModel):
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
    late: bool = Field(default=False, description="found later, among trades that a cut hid")


class Totals(ReplyModel):
    """Liquidated in one window, in USD by side of the position."""

    long_usd: float
    short_usd: float
    unknown_usd: float
    total_usd: float
    count: int
    unvalued: int = Field(description="liquidations that could not be valued and are in no sum")


class Rests(ReplyModel):
    """What figures rest on: how much of their span was received, over all instruments that are in them."""

    percent: AmountText = Field(description="of the span, exact, as text: what was not is in no figure")
    sampled: bool = Field(description="whether any of it is of an exchange that publishes only a sample")


class LiquidationTotals(ReplyModel):
    """Totals over 1 h, 4 h and 24 h; lower bounds where `sampled`."""

    totals: dict[Literal["1h", "4h", "24h"], Totals] | None
    sampled: bool | None
    as_of: datetime | None
    coverage: dict[Literal["1h", "4h", "24h"], Rests] | None = Field(
        default=None, description="how much of each window was received; null where that is not known"
    )


class Snapshot(PastReply):
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
    coverage: Rests | None = Field(
        default=None, description="how much of the last hour's trades was received; null where that is not known"
    )
    age: float = Field(description=AGE)
    data_age: float = Field(description=AGE)
    quality: Quality
    sim: bool


class MarketLiquidation(ReplyModel):
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


class Liquidations(LiquidationTotals, PastReply):
    """Recent liquidations of a base with their totals."""

    base: str
    recent: list[MarketLiquidation]
    age: float | None
    quality: Quality
    stale_exchanges: list[str]


class Level(ReplyModel):
    """One level; `total` is price times amount in the quote."""

    price: float
    amount: float
    total: float | None


class Orderbook(PastReply):
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


class FeedMark(ReplyModel):
    """What of a feed is not live; null stands for all of them."""

    channel: str | None
    symbol: str | None
    state: str


class FeedHealth(ReplyModel):
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
    audited: dict[str, datetime] = Field(
        default_factory=dict[str, datetime],
        description="by symbol: when its live book was last compared with a fresh snapshot and found right",
    )
    trades_filled: int = Field(default=0, description="trades that were published later, after a cut or a hole")
    trades_missing: int = Field(
        default=0, description="trades that could not be had; a range of which the number is not known counts as one"
    )
    latency: dict[str, dict[str, float | None]] = Field(
        description="milliseconds: venue_ms from the exchange's clock to receipt, bus_ms from receipt over the bus"
    )
    hops: Hops = {}
    clock_offset_ms: float | None = Field(
        description="our clock less the exchange's, with the way of the fastest recent messages in it: an upper bound"
    )
    sim: bool


class WhaleReply(PastReply):
    """Recent whale trades, and how fresh the market is that they were received on."""

    whales: list[Whale]
    age: float | None
    quality: Quality
    stale_exchanges: list[str]


class PriceReply(PastReply):
    """The price of a symbol and where it is from."""

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


class HealthReply(RootModel[dict[str, FeedHealth]]):
    """Each exchange's feed by its name."""


class BucketStatus(ReplyModel):
    """One bucket as it is mirrored in memory."""

    loaded: bool
    keys: int
    last_change_age: float | None = Field(description="seconds")


class ClassStatus(ReplyModel):
    """What is kept of one class, and how often it was used."""

    entries: int
    hits: int
    misses: int
    oldest_age: float | None = Field(description="seconds")


class FetchedStatus(ClassStatus):
    """What was fetched and is kept for a while; all together and by class."""

    classes: dict[str, ClassStatus] = {}


class KeptStatus(ReplyModel):
    """Answers that are kept for as long as what they were made from holds."""

    entries: int
    hits: int
    misses: int


class StatusReply(ReplyModel):
    """The core itself."""

    waiting_for: list[str]
    degraded: list[str]
    buckets: dict[str, BucketStatus]
    fetched: FetchedStatus
    answers: KeptStatus
