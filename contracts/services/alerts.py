"""Requests and replies of `cmd.v1.alerts.<verb>`: an owner's price alerts, what has fired, and why."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from contracts.alerts import (
    DAY_SECONDS,
    Alert,
    AlertId,
    AlertKind,
    Condition,
    CooldownSeconds,
    Hysteresis,
    Interval,
    PlainNote,
    Value,
    Window,
)
from contracts.commands import Command, command
from contracts.errors import InvalidParameterError
from contracts.market import Name, Nanoseconds
from contracts.services.access import Owner, Page, PageSize
from contracts.services.explaining import Explanation, Fired, ReadSpan
from contracts.services.market import Symbol, Venue
from contracts.services.replies.market import Rests

QUEUE: Final = "alerts"
MOST_ALERTS: Final = 200  # of one owner, that can fire still
COOLDOWN_SECONDS: Final = 300
State = Literal["active", "snoozed", "expired", "done"]


class AlertsModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class Deliver(AlertsModel):
    """Where the messages go, beside the bus and the owner's own stream connections."""

    telegram: int | None = Field(default=None, description="id of the chat")
    webhooks: bool = Field(default=False, description="whether the owner's webhooks get it")


class PriceRule(AlertsModel):
    """What a price alert waits for, and how often it speaks."""

    symbol: Symbol
    exchange: Venue = None
    condition: Condition = Field(description="above, below, crosses: a price; change: percent; every: at an interval")
    value: Value | None = Field(default=None, description="a price, or percent of `change`; none of `every`")
    window_seconds: Window | None = Field(default=None, description="of `change`: within so many seconds")
    interval_seconds: Interval | None = Field(default=None, description="of `every`: seconds between two")
    repeat: bool | None = Field(default=None, description="null: once, and again and again where it is `every`")
    hysteresis: Hysteresis = "0.1"
    cooldown_seconds: CooldownSeconds | None = Field(default=None, description="null: 300, of `every` 0")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        """Hold each condition to what it needs."""
        needs = {"change": ("value", "window_seconds"), "every": ("interval_seconds",)}.get(self.condition, ("value",))
        for name in ("value", "window_seconds", "interval_seconds"):
            given = getattr(self, name) is not None
            if given != (name in needs):
                raise ValueError(f"{self.condition} {'needs' if name in needs else 'takes no'} {name}")
        if self.value is not None and not self.value.strip("0."):
            raise ValueError("value must be above zero")
        return self

    @property
    def repeats(self) -> bool:
        """Whether it goes on after its first message."""
        return self.condition == "every" if self.repeat is None else self.repeat

    @property
    def cooldown(self) -> int:
        """Seconds of silence after a message."""
        default = 0 if self.condition == "every" else COOLDOWN_SECONDS
        return default if self.cooldown_seconds is None else self.cooldown_seconds


def checked_rule(fields: dict[str, Any]) -> PriceRule:
    """Return the rule of some fields; InvalidParameterError names what does not fit."""
    try:
        return PriceRule(**fields)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        parameter = str(fault["loc"][0]) if fault["loc"] else "condition"
        raise InvalidParameterError(fault["msg"].removeprefix("Value error, "), parameter=parameter) from None


class CreateAlert(AlertsModel):
    """Make a price alert."""

    owner: Owner
    rule: PriceRule = Field(description="what it waits for")
    expires_at: AwareDatetime | None = Field(default=None, description="from then on nothing is met; null for never")
    note: PlainNote | None = Field(default=None, description="comes back with each message")
    deliver: Deliver = Field(default=Deliver(), description="where the messages go")
    request_key: str | None = Field(
        default=None,
        max_length=64,
        pattern=r"^[0-9a-f]+$",
        description="names this request: the same one makes no second alert",
    )


class ListAlerts(AlertsModel):
    """An owner's price alerts, the newest first, a page at a time."""

    owner: Owner
    symbol: Symbol | None = Field(default=None, description="only of this coin or pair")
    state: State | None = Field(default=None, description="only those in this state")
    page: Page = 1
    page_size: PageSize = 20


class FindAlert(AlertsModel):
    """One price alert of an owner."""

    owner: Owner
    id: AlertId


class DeleteAlert(FindAlert):
    """Take a price alert away."""


class SnoozeAlert(FindAlert):
    """Keep a price alert silent for a while; what is met meanwhile is counted, and sent afterwards."""

    seconds: int = Field(ge=0, le=30 * DAY_SECONDS, description="0 wakes it")


class AlertChange(AlertsModel):
    """What is to be otherwise; what is left out stays. A null takes away what may be absent."""

    condition: Condition | None = Field(default=None, description="another condition")
    value: Value | None = Field(default=None, description="a price, or percent of `change`; none of `every`")
    window_seconds: Window | None = Field(default=None, description="of `change`: within so many seconds")
    interval_seconds: Interval | None = Field(default=None, description="of `every`: seconds between two")
    repeat: bool | None = Field(default=None, description="whether it goes on after its first message")
    hysteresis: Hysteresis | None = Field(default=None, description="percent to go back before it counts again")
    cooldown_seconds: CooldownSeconds | None = Field(default=None, description="seconds of silence after a message")
    expires_at: AwareDatetime | None = Field(default=None, description="from then on nothing is met; null for never")
    note: PlainNote | None = Field(default=None, description="comes back with each message")
    deliver: Deliver | None = Field(default=None, description="where the messages go")


class UpdateAlert(FindAlert):
    """Change a price alert; with another condition or figure it begins again, armed."""

    change: AlertChange = Field(description="what is to be otherwise")
    given: tuple[str, ...] = Field(strict=False, description="the fields of `change` that were given, nulls too")


class PriceAlert(AlertsModel):
    """A price alert as its owner sees it."""

    id: AlertId
    symbol: str = Field(description="unified (CCXT) symbol, as it was resolved")
    exchange: str | None = Field(description="null: the consolidated price of all")
    condition: Condition
    value: str | None
    window_seconds: int | None
    interval_seconds: int | None
    repeat: bool
    hysteresis: str
    cooldown_seconds: int
    expires_at: AwareDatetime | None
    note: str | None
    deliver: Deliver
    state: State
    snoozed_until: AwareDatetime | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    crossings: int = Field(description="how often it was met")
    messages: int = Field(description="how many messages were made of that")
    waiting: int = Field(description="crossings that the next message will stand for as well")
    last_fired_at: AwareDatetime | None
    last_fired_id: str | None = Field(description="id of the latest message, for `why`")
    last_price: str | None = Field(description="the price that it saw last")


class AlertPage(AlertsModel):
    """One page of price alerts."""

    items: list[PriceAlert]
    total: int
    page: int
    page_size: int
    pages: int


class Deleted(AlertsModel):
    """What was taken away."""

    id: AlertId


class FiredQuery(AlertsModel):
    """Alerts that have fired: everybody's, and an owner's own; the newest first, a page at a time."""

    owner: Owner | None = Field(default=None, description="whose price alerts are shown beside everybody's alerts")
    kind: AlertKind | None = Field(default=None, description="only this kind")
    symbol: Symbol | None = Field(default=None, description="only of this coin or pair")
    rule: AlertId | None = Field(default=None, description="only those of this price alert")
    since: AwareDatetime | None = Field(default=None, description="only from this time on")
    page: Page = 1
    page_size: PageSize = 20


class FiredAlert(AlertsModel):
    """One alert that has fired, and when the bus had it."""

    alert: Alert
    published_at: AwareDatetime | None = Field(description="null while it waits for the bus")


class FiredPage(AlertsModel):
    """One page of alerts that have fired."""

    items: list[FiredAlert]
    total: int
    page: int
    page_size: int
    pages: int


class AlertWhyQuery(AlertsModel):
    """Why an alert or a signal came."""

    id: Name = Field(description="of a price alert (its latest message), of an alert that fired, or of a signal")
    owner: Owner | None = Field(default=None, description="who asks: price alerts of others are not found")


class AlertWhyNotQuery(AlertsModel):
    """What a rule decided at a moment."""

    rule: Name = Field(description="id of a price alert, or a kind: `whale`, `cluster`, `storm`, …")
    at: Nanoseconds
    symbol: Symbol | None = Field(default=None, description="only of this coin or pair")
    exchange: Venue = None
    owner: Owner | None = Field(default=None, description="who asks: price alerts of others are not found")


class AlertDryRunQuery(AlertsModel):
    """How often a price alert, or a detector's rule, would have fired over a recorded span."""

    price: PriceRule | None = Field(default=None, description="a price alert; else `rule` names a detector's")
    rule: Name | None = Field(default=None, description="`whale`, `cluster`, `storm`, …")
    symbol: Symbol | None = Field(default=None, description="only of this coin or pair")
    exchange: Venue = None
    start: Nanoseconds
    end: Nanoseconds
    limits: dict[str, str] = Field(
        default_factory=dict[str, str], description="limits to try in place of the configured ones, by name"
    )


class AlertDryRun(AlertsModel):
    """What a dry run found; `fired` is cut at 1000, `count` is not."""

    count: int = Field(description="messages")
    crossings: int = Field(description="what they stand for, and what the last cooldown held")
    fired: Annotated[list[Fired], Field(max_length=1000)]
    read: list[ReadSpan]
    price: str | None = Field(default=None, description="the last price of the span, of a price alert")
    coverage: Rests | None = Field(
        default=None, description="how much of the span was received of what the rule looks at; null where not known"
    )


COMMANDS: Final[tuple[Command, ...]] = (
    command("alerts.create", CreateAlert, PriceAlert),
    command("alerts.list", ListAlerts, AlertPage),
    command("alerts.find", FindAlert, PriceAlert),
    command("alerts.update", UpdateAlert, PriceAlert),
    command("alerts.snooze", SnoozeAlert, PriceAlert),
    command("alerts.delete", DeleteAlert, Deleted),
    command("alerts.fired", FiredQuery, FiredPage),
    command("alerts.why", AlertWhyQuery, Explanation),
    command("alerts.why_not", AlertWhyNotQuery, Explanation),
    command("alerts.dry_run", AlertDryRunQuery, AlertDryRun, 12.0),
)
