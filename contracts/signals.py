"""Signals: what consumers conclude from market events, with what is needed to explain them."""

from __future__ import annotations

import operator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from contracts.market import Count, Event, Ids, InstrumentEvent, Name, Nanoseconds, Side
from contracts.numbers import INT64_MAX, AmountText, DecimalText, PriceText

Tier = Literal["majors", "large", "mid"]
UsdRateSource = Literal["usd", "bus", "peg"]


class WhaleTrade(InstrumentEvent):
    """One aggressor's fills, merged, whose USD value reached the instrument's threshold."""

    kind: ClassVar[str] = "whale"

    side: Side
    price: PriceText = Field(description="volume-weighted over the fills, in the quote")
    amount: AmountText = Field(description="base coin")
    usd_value: AmountText
    usd_rate: PriceText = Field(description="USD for one unit of the quote, as used")
    usd_rate_source: UsdRateSource = Field(
        description="usd: the quote is USD; bus: the bus's own price; peg: a dollar stablecoin taken as 1"
    )
    tier: Tier
    threshold_usd: AmountText
    trade_ids: Ids = Field(description="the ids of the merged Trade events")
    rule: Name = Field(description="rule and version that decided")
    late: bool = Field(
        default=False,
        exclude_if=operator.not_,
        description="true where its trades were not received when they were made (`backfilled`): no news; else absent",
    )


class WhaleCluster(InstrumentEvent):
    """Several whale trades on one side of one base within a window, across venues."""

    kind: ClassVar[str] = "cluster"

    base: Name
    side: Side
    pattern: Literal["accumulation", "distribution"]
    count: Annotated[int, Field(ge=1, le=INT64_MAX)]
    usd_value: AmountText
    window_ns: Nanoseconds
    venues: Ids
    whale_ids: Ids
    tier: Tier
    rule: Name


class LiquidationStorm(InstrumentEvent):
    """Liquidations of one base whose sum and number reached the tier's limits within the window."""

    kind: ClassVar[str] = "storm"

    base: Name
    usd_value: AmountText
    long_usd: AmountText
    short_usd: AmountText
    count: Annotated[int, Field(ge=1, le=INT64_MAX)]
    window_ns: Nanoseconds
    threshold_usd: AmountText
    threshold_count: Count
    venues: Ids
    liquidation_ids: Ids
    sampled: bool = Field(description="true where at least one venue publishes only a sample: the sum is a lower bound")
    tier: Tier
    rule: Name


class DetectedEvent(InstrumentEvent):
    """What every signal of a detector of one market figure carries."""

    tier: Tier
    event_ids: Ids = Field(description="ids of the events that met the rule, the one that completed it last")
    rule: Name = Field(description="rule and version that decided")


class FundingExtreme(DetectedEvent):
    """A perpetual's funding rate beyond a limit, or beyond a quantile of its own last 30 days."""

    kind: ClassVar[str] = "funding_extreme"

    rate: DecimalText = Field(description="fraction for one interval: '0.0001' is 0.01 percent")
    threshold: DecimalText = Field(description="what its size had to exceed")
    basis: Literal["limit", "quantile"]
    samples: Count = Field(description="hours that the quantile is of; 0 where it is a limit")
    next_ts: Nanoseconds | None = Field(description="when it is paid next, ns UTC")
    mark_price: PriceText | None


class InterestJump(DetectedEvent):
    """Open interest that changed by more than a part of itself within a window."""

    kind: ClassVar[str] = "interest_jump"

    amount: AmountText
    previous_amount: AmountText = Field(description="at the beginning of the window")
    unit: Literal["base", "contracts", "quote"]
    change: DecimalText = Field(description="percent")
    threshold: DecimalText = Field(description="percent; what its size had to reach")
    window_ns: Nanoseconds


class OrderWall(DetectedEvent):
    """A level of an order book worth many times the median of the levels of its side."""

    kind: ClassVar[str] = "wall"

    side: Side = Field(description="buy: among the bids; sell: among the asks")
    price: PriceText
    amount: AmountText = Field(description="base coin")
    usd_value: AmountText
    usd_rate: PriceText
    usd_rate_source: UsdRateSource
    times: AmountText = Field(description="how many times the median level's value")
    levels: Count = Field(description="of that side, those looked at")
    distance: AmountText = Field(description="percent from the side's best price")
    threshold: AmountText = Field(description="how many times it had to be")
    threshold_usd: AmountText


class VenueSpread(DetectedEvent):
    """The best bid of one venue above the best ask of another one, of the same base, quote and contract."""

    kind: ClassVar[str] = "spread"

    buy_venue: Name = Field(description="the venue of the ask")
    sell_venue: Name = Field(description="the venue of the bid")
    ask: PriceText
    bid: PriceText
    ask_ts: Nanoseconds
    bid_ts: Nanoseconds
    share: DecimalText = Field(description="percent that the bid is above the ask")
    threshold: DecimalText = Field(description="percent that had to be reached")


class VolumeSpike(DetectedEvent):
    """A minute whose volume is many times the median of the instrument's own last minutes."""

    kind: ClassVar[str] = "volume_spike"

    volume: AmountText = Field(description="base coin")
    usual: AmountText = Field(description="median of the minutes before it, base coin")
    times: AmountText
    samples: Count = Field(description="minutes that the median is of")
    usd_value: AmountText
    usd_rate: PriceText
    usd_rate_source: UsdRateSource
    open: PriceText
    close: PriceText
    start_ts: Nanoseconds
    threshold: AmountText = Field(description="how many times it had to be")
    threshold_usd: AmountText


class ListingChange(InstrumentEvent):
    """An instrument that a venue has begun, or ceased, to list."""

    kind: ClassVar[str] = "listing"

    change: Literal["listed", "delisted"]
    base: Name
    quote: Name
    event_ids: Ids = Field(description="the listings of the venue that show it")
    rule: Name = Field(description="rule and version that decided")


SIGNAL_EVENTS: Final[tuple[type[Event], ...]] = (
    *(WhaleTrade, WhaleCluster, LiquidationStorm),
    *(FundingExtreme, InterestJump, OrderWall, VenueSpread, VolumeSpike, ListingChange),
)
