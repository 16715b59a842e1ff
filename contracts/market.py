"""Market events: what producers publish. One frozen model each; `contracts.codec` derives the fast codec from them.

Decimals are text on the wire (`"91000.10"`), `Decimal` here. Times are int64 nanoseconds UTC: `ts_event` is the venue's
clock (null where it gives none), `ts_recv` ours; one is never written over the other.
"""

from __future__ import annotations

import operator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.numbers import INT64_MAX, INT64_MIN, AmountText, DecimalText, PriceText

MOST_NAME: Final = 256  # characters of an id, a symbol, a name
MOST_TEXT: Final = 4096  # characters of a reason
MOST_LEVELS: Final = 65_536  # of one side: more than one message of the bus holds
MOST_IDS: Final = 1000  # in one list
MOST_CHANNELS: Final = 32  # of one instrument on one connection

Nanoseconds = Annotated[int, Field(ge=INT64_MIN, le=INT64_MAX, description="int64 nanoseconds since 1970, UTC")]
Sequence = Annotated[int, Field(ge=INT64_MIN, le=INT64_MAX, description="the venue's own sequence or update id")]
Checksum = Annotated[int, Field(ge=INT64_MIN, le=INT64_MAX)]
Count = Annotated[int, Field(ge=0, le=INT64_MAX)]
Received = Annotated[int, Field(ge=0, le=INT64_MAX, description="int64 nanoseconds since 1970, UTC")]
Name = Annotated[str, Field(min_length=1, max_length=MOST_NAME)]
Text = Annotated[str, Field(max_length=MOST_TEXT)]
Ids = Annotated[list[Name], Field(max_length=MOST_IDS)]
Level = tuple[PriceText, AmountText]
Levels = Annotated[list[Level], Field(max_length=MOST_LEVELS, description="[[price, amount], …], best first")]
Side = Literal["buy", "sell"]
PositionSide = Literal["long", "short"]
Quality = Literal["live", "stale", "gap", "sim"]
AmountUnit = Literal["base", "contracts"]


class Event(BaseModel):
    """What every event carries."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")  # its values are new ones
    kind: ClassVar[str]
    schema_kind: ClassVar[str | None] = None  # of the schema header, where it is another kind's with fields beside
    version: ClassVar[int] = 1

    id: Name = Field(description="deterministic: <tail>.<kind>.<the venue's own id or sequence>")
    venue: Name = Field(description="CCXT's id of the exchange")
    symbol: Name | None = Field(description="unified (CCXT) symbol; null only where an event is about a whole feed")
    venue_symbol: Annotated[str, Field(max_length=MOST_NAME)] | None = Field(description="as the venue writes it")
    ts_event: Nanoseconds | None = Field(description="the venue's clock, ns UTC; null if it gives none")
    ts_recv: Received = Field(description="our clock at receipt, ns UTC; 0 where a recording does not say")
    sim: bool = Field(description="true for everything that a simulated exchange sent")


class InstrumentEvent(Event):
    """What every event of one instrument, or of one base, carries."""

    # Events are frozen, so that a narrower type breaks nobody.
    symbol: Name = Field(description="unified (CCXT) symbol")  # pyright: ignore[reportIncompatibleVariableOverride]


class Trade(InstrumentEvent):
    """One print. `side` is the aggressor's (taker's)."""

    kind: ClassVar[str] = "trade"

    trade_id: Name
    price: PriceText
    amount: AmountText | None = Field(description="base coin; null only where the contract's multiplier is not known")
    contracts: AmountText | None = Field(default=None, description="as sent, where the venue counts in contracts")
    side: Side | None
    seq: Sequence | None = None
    backfilled: bool = Field(
        default=False,
        exclude_if=operator.not_,
        description="true where it was not received when made, but came by REST, after a cut or hole; else left out",
    )


class TickerFigures(BaseModel):
    """Best bid and offer, last price and 24 hour figures of an instrument."""

    last: PriceText | None = None
    bid: PriceText | None = None
    bid_amount: AmountText | None = None
    ask: PriceText | None = None
    ask_amount: AmountText | None = None
    open_24h: PriceText | None = None
    high_24h: PriceText | None = None
    low_24h: PriceText | None = None
    volume_24h: AmountText | None = Field(default=None, description="base coin")
    quote_volume_24h: AmountText | None = None
    change_24h: DecimalText | None = Field(default=None, description="percent")


class Ticker(TickerFigures, InstrumentEvent):
    """Best bid and offer and 24 hour figures; null means that the frame did not say."""

    kind: ClassVar[str] = "ticker"

    seq: Sequence | None = None


class BookSnapshot(InstrumentEvent):
    """The top of a book that was kept and verified."""

    kind: ClassVar[str] = "book"

    bids: Levels
    asks: Levels
    seq: Sequence | None
    quality: Quality
    checksum: Checksum | None = Field(
        default=None,
        description="CRC-32 (unsigned) of 'price:amount' of all levels here, bids then asks, joined by '|'",
    )
    venue_checksum: Checksum | None = Field(
        default=None, description="the venue's, where it gives one that was verified"
    )
    unit: AmountUnit = Field(default="base", description="contracts only where the multiplier is not known")


class BookDelta(InstrumentEvent):
    """Changed levels: absolute new amounts, "0" removes. With `is_snapshot` they replace the whole book."""

    kind: ClassVar[str] = "delta"

    bids: Levels
    asks: Levels
    seq: Sequence | None
    prev_seq: Sequence | None = Field(
        default=None, description="the sequence that this one continues; null where there is none"
    )
    is_snapshot: bool
    unit: AmountUnit = Field(default="base", description="contracts only where the multiplier is not known")


class BookEvidence(BookDelta):
    """A delta for who keeps the book in place of its producer: a snapshot that was asked for, or a venue's checksum.

    On the subject of deltas, and a BookDelta for everybody else, to whom one with a checksum says nothing.
    """

    requested: bool = Field(
        default=False, description="of a snapshot: it was asked for, and joins the deltas from before it"
    )
    venue_checksum: Checksum | None = Field(
        default=None, description="the venue's, of the book as it is now; a delta that has one has no levels"
    )


class Liquidation(InstrumentEvent):
    """A forced order. `position_side` is the position that was closed, `order_side` the order that closed it."""

    kind: ClassVar[str] = "liquidation"

    price: PriceText
    price_kind: Literal["fill", "bankruptcy", "limit"]
    amount: AmountText | None = Field(description="base coin; null only where the contract's multiplier is not known")
    contracts: AmountText | None = Field(default=None, description="as sent, where the venue counts in contracts")
    position_side: PositionSide | None
    order_side: Side | None
    sampled: bool = Field(description="true where the venue publishes a sample, so that sums are no totals")
    average_price: PriceText | None = Field(default=None, description="average fill price, where the venue gives it")


class Funding(InstrumentEvent):
    """A perpetual's funding rate with the prices that the venue gives beside it."""

    kind: ClassVar[str] = "funding"

    rate: DecimalText | None = Field(description="fraction for one interval: '0.0001' is 0.01 percent")
    next_ts: Nanoseconds | None = Field(description="when it is paid next, ns UTC")
    mark_price: PriceText | None
    index_price: PriceText | None


class OpenInterest(InstrumentEvent):
    """Open positions of one contract."""

    kind: ClassVar[str] = "interest"

    amount: AmountText | None = Field(description="base coin")
    value: AmountText | None = Field(description="in the quote")
    contracts: AmountText | None = Field(default=None, description="as sent, where the venue counts in contracts")


Timeframe = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]
# Of venues' own candles in recordings, too; none of them is on the bus.
VenueTimeframe = Literal[
    "1s", "10s", "3m", "10m", "2h", "3h", "6h", "8h", "12h", "2d", "3d", "5d", "7d", "14d", "2w", "1M", "3M"
]


class Candle(InstrumentEvent):
    """Open, high, low, close and volume of one time frame, in UTC; weeks begin on Monday."""

    kind: ClassVar[str] = "candle"

    timeframe: Timeframe | VenueTimeframe
    open: PriceText
    high: PriceText
    low: PriceText
    close: PriceText
    volume: AmountText = Field(description="base coin")
    quote_volume: AmountText | None
    trades: Count | None
    closed: bool
    start_ts: Nanoseconds = Field(description="when the time frame opened, ns UTC")


FeedState = Literal["connecting", "live", "gap", "resync", "stale", "down"]


class TradeRange(BaseModel):
    """A span of one instrument's trades. Times are the venue's clock, ns UTC, both ends included."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    first_id: Name | None = Field(description="the venue's id of the first one; null where ids do not tell")
    last_id: Name | None
    start_ts: Nanoseconds
    end_ts: Nanoseconds
    trades: Count | None = Field(description="how many; null where that is not known")


Ranges = Annotated[list[TradeRange], Field(max_length=MOST_IDS)]


class Served(BaseModel):
    """Instruments that come over a connection with the same channels."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    channels: Annotated[list[Name], Field(max_length=MOST_CHANNELS)]
    symbols: Ids | None = Field(description="unified (CCXT); null: every one that the venue has in these channels")


Serves = Annotated[list[Served], Field(max_length=MOST_IDS)]


class ConnectionState(BaseModel):
    """The state of one of a venue's connections."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")

    id: Name
    state: FeedState


Connections = Annotated[list[ConnectionState], Field(max_length=MOST_IDS)]


class FeedStatus(Event):
    """What happened to a feed; whoever folds state resets on it.

    `symbol` null: it is about all instruments of its `connection`, of the whole venue where that is null. The id of a
    connection ends with a fingerprint of what it serves, and `serves` lists that with the first status of a connection
    and again where it was not listed for ten minutes; without the list, it may be any instrument.
    `connections`, of the venue as a whole, are the states of all its connections: what is not among them is gone.
    `audited`: symbols of live books that were compared with fresh snapshots of the venue until now, and found right.
    `filled`: trades of `symbol` that were published later (`backfilled`); `missing`: what could not be. With any of
    them, the state of the channel is as it was.
    """

    kind: ClassVar[str] = "feed"

    state: FeedState
    reason: Text | None
    channel: Name | None
    audited: Ids | None = None
    filled: Ranges | None = None
    missing: Ranges | None = None
    connection: Name | None = Field(
        default=None,
        description="the connection that it is about: `<name>:<fingerprint of what it serves>`, behind the group of "
        "symbols and a slash where a venue is produced in groups; null where it is about the whole venue",
    )
    serves: Serves | None = Field(default=None, description="what the connection serves; null where that was listed")
    connections: Connections | None = Field(
        default=None, description="the state of each connection, in that of a venue as a whole"
    )
    since: Received | None = Field(
        default=None,
        description="our clock when something came last, ns UTC, where a silence was noticed only now; null where the "
        "change was noticed at once",
    )


MARKET_EVENTS: Final[tuple[type[Event], ...]] = (
    Trade,
    Ticker,
    BookSnapshot,
    BookDelta,
    Liquidation,
    Funding,
    OpenInterest,
    Candle,
    FeedStatus,
)
