"""What the STATE bucket holds: one document a key, written by the cache consumer, read by whoever answers from memory.

`DOCUMENTS` names the model of each key: the latest event itself, or one of the documents below. Both ends have their
structs of them from `contracts.codec`. Times are ns UTC; `seq` is the last stream sequence that was folded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts import subjects
from contracts.market import (
    BookSnapshot,
    FeedState,
    Funding,
    Nanoseconds,
    OpenInterest,
    PositionSide,
    Quality,
    Served,
    Side,
    TickerFigures,
    Trade,
)
from contracts.numbers import AmountText, PriceText
from contracts.signals import WhaleTrade

Count = Annotated[int, Field(ge=0)]
MOST_TRADES: Final = 50  # recent ones of an instrument, over all of its documents
TRADES_OF_PAGE: Final = 10
PAGES: Final = MOST_TRADES // TRADES_OF_PAGE
PLACES: Final = PAGES + 1  # what the newest trades' document names is not overwritten before it names others


class StateDocument(BaseModel):
    """What every document carries: readers tolerate unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    sim: bool = Field(description="true as soon as anything in here was simulated")


class TickerState(TickerFigures, StateDocument):
    """All ticker frames and trades of an instrument, merged; each part has its own time, so that its age is known."""

    venue: str
    symbol: str
    venue_symbol: str | None
    last_ts: Nanoseconds | None = Field(default=None, description="of `last`: venue's clock, ours where it gives none")
    bbo_ts: Nanoseconds | None = Field(default=None, description="of bid and ask")
    stats_ts: Nanoseconds | None = Field(default=None, description="of the 24 hour figures")
    ts_recv: Nanoseconds = Field(description="our clock when the newest part arrived")
    quality: Quality


class TradesState(StateDocument):
    """The newest trades of an instrument, newest first; the recent ones before them are on pages of their own."""

    venue: str
    symbol: str
    trades: list[Trade]
    quality: Quality
    pages: list[int] = Field(default=[], description="the numbers of the pages that follow, newest first")


class TradesPage(StateDocument):
    """Some trades of an instrument that newer ones came after, newest first."""

    venue: str
    symbol: str
    number: Count = Field(description="a higher one is newer; its place among the keys is given by `find_page_place`")
    trades: list[Trade]


class WhalesState(StateDocument):
    """The recent whale trades of a base on every venue, newest first."""

    base: str
    whales: list[WhaleTrade]
    seq: Count


class LiquidationEntry(StateDocument):
    """One liquidation with its value; `usd_value` is null where the amount or the quote's rate is not known."""

    id: str
    venue: str
    symbol: str
    ts: Nanoseconds = Field(description="the venue's clock, ours where it gives none")
    price: PriceText
    amount: AmountText | None
    usd_value: AmountText | None
    position_side: PositionSide | None
    order_side: Side | None
    sampled: bool


class LiquidationTotals(BaseModel):
    """Sums over one window, in USD by the side of the position that was closed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    long_usd: AmountText
    short_usd: AmountText
    unknown_usd: AmountText = Field(description="where the venue does not say which side")
    count: Count
    unvalued: Count = Field(description="liquidations that could not be valued and are in no sum")


class LiquidationsState(StateDocument):
    """The recent liquidations of a base on every venue, newest first, and totals to the minute."""

    base: str
    recent: list[LiquidationEntry]
    totals: dict[str, LiquidationTotals] = Field(description="by window: 1h, 4h, 24h")
    as_of: Nanoseconds = Field(description="the time at which the windows end")
    sampled: bool = Field(description="true where a venue publishes only a sample: the sums are lower bounds")


class LatencyState(BaseModel):
    """Half and 99 of 100 messages of the last minutes were faster; ns, null before the first."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    p50: int | None
    p99: int | None


Hop = Literal["receive", "publish", "fold"]


class HopLatency(BaseModel):
    """Half, 95 and 99 of 100 samples of the last minutes were faster; ns, null before the first."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    p50: int | None
    p95: int | None
    p99: int | None


class AwayConnection(BaseModel):
    """A connection that is not live, with what it serves."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    connection: str
    state: FeedState
    serves: list[Served]
    derived: list[str] = Field(
        default=[], description="channels that no connection of the venue lists: they come with any of an instrument"
    )


class FeedHealth(StateDocument):
    """The state of one venue's feed as its events tell it."""

    venue: str
    connected: bool
    state: FeedState | None = Field(
        description="of the whole feed, stale where nothing came though it said live; null before it said anything"
    )
    said: FeedState | None = Field(default=None, description="the state that the feed's own events said last")
    as_of: Nanoseconds | None = Field(
        default=None, description="when this was judged; a document is written at least once a second, or is dead"
    )
    silence: dict[str, int] = Field(
        default={}, description="by channel: ns without an event of it that are too long, as its producer says"
    )
    reason: str | None
    channels: dict[str, FeedState] = Field(description="the worst state of each channel's instruments")
    marks: list[tuple[str | None, str | None, FeedState]] = Field(
        description="what is not live: [channel, symbol, state]; null stands for all of them"
    )
    connections: dict[str, FeedState] = Field(default={}, description="by id, the state of each of the connections")
    connection_marks: list[tuple[str | None, str | None, str, FeedState]] = Field(
        default=[], description="[channel, symbol, connection, state]: the marks of single connections"
    )
    away: list[AwayConnection] = Field(
        default=[],
        description="the connections that are not live, where all of them say what they serve: then the feed's state "
        "is of that alone; else, without any, of everything",
    )
    since: Nanoseconds | None = Field(description="when the feed's state changed last")
    last_message_ts: dict[str, int] = Field(description="by kind of event: our clock when the last one arrived")
    events: dict[str, int] = Field(description="by kind of event: how many since the consumer started")
    reconnects: Count
    gaps: Count
    resyncs: Count
    audited: dict[str, int] = Field(
        default={}, description="by symbol: when (ns UTC) its live book was last found to be the exchange's"
    )
    filled: Count = Field(default=0, description="trades that were published later, after a cut or a hole")
    missing: Count = Field(
        default=0, description="trades that could not be had; a range of which the number is not known counts as one"
    )
    venue_latency: LatencyState = Field(
        description="from the venue's clock to receipt by ours, which may differ: what seems to come early counts as 0"
    )
    bus_latency: LatencyState = Field(description="from receipt to this consumer, over the bus")
    clock_offset: int | None = Field(
        default=None,
        description="ns: the third lowest of receipt less the venue's time in the last two minutes, so our clock's "
        "lead over the venue's plus the way of the fastest messages: an upper bound of that lead and, as far as the "
        "clocks agree, of the way; below zero the venue's clock is ahead of ours by at least so much",
    )
    hops: dict[Hop, dict[str, HopLatency]] = Field(
        default={},
        description="by hop and kind of event. receive: from the venue's clock to receipt, as venue_latency; publish: "
        "from there until the producer has written it to the bus; fold: from there into the state, which is the time "
        "since receipt less the producer's median of publish",
    )
    seq: Count


def find_page_place(number: int, tail: str) -> str:
    """Return what follows `STATE_TRADES_PAGE` in the key of a page of the trades of an instrument."""
    return f"{number % PLACES}.{tail}"


DOCUMENTS: Final[Mapping[str, type[BaseModel]]] = {  # by the prefix of their keys
    subjects.STATE_TICKER: TickerState,
    subjects.STATE_TRADE: TradesState,
    subjects.STATE_TRADES_PAGE: TradesPage,
    subjects.STATE_BOOK: BookSnapshot,
    subjects.STATE_FUNDING: Funding,
    subjects.STATE_INTEREST: OpenInterest,
    subjects.STATE_FEED: FeedHealth,
    subjects.STATE_WHALES: WhalesState,
    subjects.STATE_LIQUIDATIONS: LiquidationsState,
}
