"""Signals: what consumers conclude from market events, with what is needed to explain them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from contracts.market import Event, Nanoseconds, Side
from contracts.numbers import AmountText, PriceText

Tier = Literal["majors", "large", "mid"]
UsdRateSource = Literal["usd", "bus", "peg"]


class WhaleTrade(Event):
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
    trade_ids: list[str] = Field(description="the ids of the merged Trade events")
    rule: str = Field(description="rule and version that decided")


class WhaleCluster(Event):
    """Several whale trades on one side of one base within a window, across venues."""

    kind: ClassVar[str] = "cluster"

    base: str
    side: Side
    pattern: Literal["accumulation", "distribution"]
    count: Annotated[int, Field(ge=1)]
    usd_value: AmountText
    window_ns: Nanoseconds
    venues: list[str]
    whale_ids: list[str]
    tier: Tier
    rule: str


class LiquidationStorm(Event):
    """Liquidations of one base whose sum and number reached the tier's limits within the window."""

    kind: ClassVar[str] = "storm"

    base: str
    usd_value: AmountText
    long_usd: AmountText
    short_usd: AmountText
    count: Annotated[int, Field(ge=1)]
    window_ns: Nanoseconds
    threshold_usd: AmountText
    threshold_count: int
    venues: list[str]
    liquidation_ids: list[str]
    sampled: bool = Field(description="true where at least one venue publishes only a sample: the sum is a lower bound")
    tier: Tier
    rule: str


SIGNAL_EVENTS: Final[tuple[type[Event], ...]] = (WhaleTrade, WhaleCluster, LiquidationStorm)
