"""What the routes of alerts take and give; decimals are exact numbers in answers, and times ISO 8601."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.alerts import (
    AlertKind,
    Condition,
    CooldownSeconds,
    GivenHysteresis,
    GivenValue,
    Interval,
    PlainNote,
    Window,
)
from contracts.arithmetic.moments import Moment
from contracts.services.access import Page, PageSize
from contracts.services.alerts import PriceRule, State, checked_rule
from contracts.services.explaining import Comparison, Cooldown, Decision, Delivery, Evidence, Fired, ReadSpan
from contracts.services.market import Symbol, Venue
from contracts.services.replies.market import Rests

AlertIdInPath = Annotated[str, Path(max_length=256, description="id of a price alert", examples=["1f0c9a4be1d27c35"])]
ExplainedId = Annotated[
    str,
    Path(
        max_length=256, description="id of a price alert (its latest message), of an alert that fired, or of a signal"
    ),
]


class Taken(BaseModel):
    """What a request may hold: nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DeliverTo(Taken):
    """Where the messages go, beside the owner's own stream connections."""

    telegram: int | None = Field(default=None, description="id of the chat")
    webhooks: bool = Field(default=False, description="whether the owner's webhooks get it")


class Figures(Taken):
    """What a price alert compares with."""

    value: GivenValue | None = Field(default=None, description="a price; of `change` percent, up or down")
    window_seconds: Window | None = Field(default=None, description="of `change`: within so many seconds")
    interval_seconds: Interval | None = Field(default=None, description="of `every`: seconds between two")
    repeat: bool | None = Field(default=None, description="null: once, and again and again where it is `every`")
    cooldown_seconds: CooldownSeconds | None = Field(default=None, description="null: 300, of `every` 0")


class DryRule(Figures):
    """A price alert to be tried, or a detector's rule by its name."""

    symbol: Symbol | None = None
    exchange: Venue = None
    condition: Condition | None = Field(default=None, description="of a price alert")
    hysteresis: GivenHysteresis = Field(default="0.1", description="percent to go back before it counts again")
    rule: str | None = Field(default=None, max_length=64, description="a detector's: `whale`, `storm`, …")
    limits: dict[str, str] = Field(default_factory=dict[str, str], description="limits to try, by name")
    start: Moment | None = Field(default=None, alias="from", description="null: a day before the end")
    end: Moment | None = Field(default=None, alias="to", description="null: now")


class NewAlert(Figures):
    """A price alert to be made."""

    symbol: Symbol = Field(examples=["BTC"])
    exchange: Venue = None
    condition: Condition = Field(description="above, below, crosses: a price; change: percent; every: at an interval")
    hysteresis: GivenHysteresis = Field(default="0.1", description="percent to go back before it counts again")
    expires_at: AwareDatetime | None = Field(default=None, description="from then on nothing is met; null for never")
    note: PlainNote | None = Field(default=None, description="comes back with each message")
    deliver: DeliverTo = Field(default=DeliverTo(), description="where the messages go")


def rule_of(body: NewAlert | DryRule) -> PriceRule:
    """Return the rule of a price alert; raises the error of what does not fit together."""
    return checked_rule({name: getattr(body, name) for name in PriceRule.model_fields})


class ChangedAlert(Figures):
    """What is to be otherwise; what is left out stays."""

    condition: Condition | None = Field(default=None, description="another condition")
    hysteresis: GivenHysteresis | None = Field(default=None, description="percent to go back before it counts again")
    expires_at: AwareDatetime | None = Field(default=None, description="null for never")
    note: PlainNote | None = Field(default=None, description="comes back with each message")
    deliver: DeliverTo | None = Field(default=None, description="where the messages go")


class Snooze(Taken):
    """For how long nothing is said."""

    seconds: int = Field(ge=0, le=30 * 86_400, description="0 wakes it", examples=[3600])


class AlertsParameters(Taken):
    """Which price alerts."""

    symbol: Annotated[Symbol | None, Field(description="only of this coin or pair")] = None
    state: Annotated[State | None, Field(description="only those in this state")] = None
    page: Page = 1
    page_size: PageSize = 20


class FiredParameters(Taken):
    """Which alerts that have fired."""

    kind: Annotated[AlertKind | None, Field(description="only this kind")] = None
    symbol: Annotated[Symbol | None, Field(description="only of this coin")] = None
    rule: Annotated[str | None, Field(pattern=r"^[0-9a-f]{16}$", description="only those of this price alert")] = None
    since: Annotated[AwareDatetime | None, Field(description="only from this time on, ISO 8601")] = None
    page: Page = 1
    page_size: PageSize = 20


class WhyNotParameters(Taken):
    """Which rule, and when."""

    rule: Annotated[str, Field(min_length=1, max_length=64, description="id of a price alert, or a kind: `whale`, …")]
    at: Annotated[Moment, Field(description="the minute that ends then: ISO 8601, or seconds since 1970")]
    symbol: Annotated[Symbol | None, Field(description="needed for a kind")] = None
    exchange: Venue = None


class AlertOut(BaseModel):
    """A price alert."""

    id: str
    symbol: str = Field(description="as it was resolved")
    exchange: str | None = Field(description="null: the consolidated price of all")
    condition: Condition
    value: float | None
    window_seconds: int | None
    interval_seconds: int | None
    repeat: bool
    hysteresis: float
    cooldown_seconds: int
    expires_at: datetime | None
    note: str | None
    deliver: DeliverTo
    state: State
    snoozed_until: datetime | None
    created_at: datetime
    updated_at: datetime
    crossings: int = Field(description="how often it was met")
    messages: int = Field(description="how many messages were made of that")
    waiting: int = Field(description="crossings that the next message will stand for as well")
    last_fired_at: datetime | None
    last_fired_id: str | None = Field(description="id of the latest message")
    last_price: float | None = Field(description="the price that it saw last")


class FiredOut(BaseModel):
    """One alert that has fired."""

    id: str
    kind: AlertKind
    symbol: str
    exchange: str
    rule: str = Field(description="rule and version that decided")
    rule_id: str | None = Field(description="of a price alert")
    fired_at: datetime = Field(description="when the rule was met")
    published_at: datetime | None = Field(description="null while it waits for the bus")
    late: bool
    stands_for: int = Field(description="how often the rule was met since the alert before")
    causes: list[str]
    tier: str | None
    side: str | None
    usd_value: float | None
    price: float | None
    previous_price: float | None
    condition: Condition | None
    threshold: float | None
    note: str | None
    sim: bool


class AlertsPage(BaseModel):
    """One page of price alerts."""

    items: list[AlertOut]
    total: int
    page: int
    page_size: int
    pages: int


class FiredPageOut(BaseModel):
    """One page of alerts that have fired."""

    items: list[FiredOut]
    total: int
    page: int
    page_size: int
    pages: int


class Done(BaseModel):
    """A deed without a resource."""

    success: bool = True
    message: str


class ComparisonOut(Comparison):
    """One comparison that a rule has made."""

    at: datetime  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class EvidenceOut(Evidence):
    """One event that took part, and where it stands."""

    ts: datetime  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class CooldownOut(Cooldown):
    """A silence that held a rule."""

    since: datetime  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    until: datetime  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class DeliveryOut(Delivery):
    """One thing that was done with an alert."""

    at: datetime | None = None  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class ReadOut(ReadSpan):
    """Which part of which stream was read."""

    start: datetime  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]
    end: datetime  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class RunOut(Fired):
    """One time that a rule would have fired."""

    at: datetime  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]


class WhyOut(BaseModel):
    """What a rule decided at a moment, and from what."""

    decision: Decision
    rule: str
    rule_id: str | None
    symbol: str
    venue: str
    at: datetime
    comparisons: list[ComparisonOut] = Field(description="of one that was not met, the closest that it came is first")
    events: list[EvidenceOut]
    cooldown: CooldownOut | None
    deliveries: list[DeliveryOut]
    missing: list[str] = Field(description="data that the rule had not, in words")
    read: list[ReadOut]
    same: bool | None = Field(description="whether the stream gives the decision that was published")
    published: dict[str, Any] | None = Field(description="as it is on the bus")


class DryRunOut(BaseModel):
    """What a dry run found; `fired` is cut at 1000, `count` is not."""

    count: int
    crossings: int
    fired: list[RunOut]
    read: list[ReadOut]
    price: float | None = Field(description="the last price of the span, of a price alert")
    coverage: Rests | None = Field(
        default=None, description="how much of the span was received of what the rule looks at; null where not known"
    )
