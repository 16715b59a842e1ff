"""The reply of `cmd.v1.market.liqmap`: what was liquidated at each price, and what that rests on."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.services.market import MapWindow
from contracts.services.replies.market import AGE, PastReply, Quality, ReplyModel, Totals


class MapBucket(ReplyModel):
    """Liquidated at prices from `low` up to, and without, `high`; sums are exact, in USD by side of the position."""

    low: float
    high: float
    long_usd: float
    short_usd: float
    unknown_usd: float = Field(description="where the exchange does not say which side")
    count: int
    unvalued: int = Field(description="of `count`: those whose amount is not known, which are in no sum")


class MapCoverage(ReplyModel):
    """How much of the window an exchange's liquidations were received."""

    percent: float = Field(
        description="of the window that was received, as far as the exchange publishes it; over its contracts"
    )
    sampled_seconds: int = Field(description="in which only a sample was published: the exchange publishes no more")
    unknown_seconds: int = Field(description="that may lack something")


class MapVenue(Totals):
    """One exchange's share; `sampled`: it publishes a sample, so that its sums are lower bounds."""

    exchange: str
    sampled: bool
    sim: bool
    coverage: MapCoverage | None = Field(default=None, description="null where it is not known")


class MapRate(ReplyModel):
    """How sums came from a quote that is not USD: at its present rate."""

    quote: str
    rate: float
    source: Literal["bus", "peg"] = Field(description="peg: a dollar coin taken as one dollar")


class LiquidationMap(PastReply):
    """What was liquidated of a base at each price, over every exchange and contract."""

    base: str
    window: MapWindow
    start: datetime = Field(alias="from", description="of the window; it ends now")
    held_from: datetime | None = Field(
        description="where older ones than these are dropped already: from when on they are there; null: nothing is"
    )
    step: float | None = Field(description="width of a bucket in dollars; null where there is none")
    buckets: list[MapBucket] = Field(description="those that have a liquidation, lowest first")
    totals: Totals = Field(
        description="of the whole window; what is of a quote without a rate is in `unvalued` here and in no bucket"
    )
    venues: list[MapVenue]
    rates: list[MapRate]
    sampled: bool = Field(description="an exchange publishes a sample: sums are lower bounds")
    price: float | None = Field(description="the consolidated price now; null where none is known")
    age: float | None = Field(description=f"{AGE}, of the market that these were received on")
    quality: Quality
    stale_exchanges: list[str]
    sim: bool
