"""Signals: what consumers conclude from market events, with what is needed to explain them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from contracts.market import Count, Event, Ids, InstrumentEvent, Name, Nanoseconds, Side
from contracts.numbers import INT64_MAX, AmountText, PriceText

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


SIGNAL_EVENTS: Final[tuple[type[Event], ...]] = (WhaleTrade, WhaleCluster, LiquidationStorm)
