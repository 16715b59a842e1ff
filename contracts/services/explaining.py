"""Requests and replies of `cmd.v1.<who detects>.why`, `.why_not` and `.dry_run`: one shape for every rule.

Each consumer that decides something answers them for its own rules by running the same rule over the same part of the
recorded stream: `whales`, `clusters`, `storms`, `detectors`; and `alerts`, which asks those and adds what became of it.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.commands import Command, command
from contracts.market import Name, Nanoseconds

Operator = Literal["<", "<=", "==", ">=", ">"]
Decision = Literal["fired", "held", "not_met", "no_data"]
DeliveryState = Literal["done", "waiting", "failed"]
DAY_NS = 86_400 * 10**9


class ExplainingModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class Comparison(ExplainingModel):
    """One comparison that a rule has made."""

    what: str = Field(description="what was compared, in words of the field: `usd_value`, `liquidations in 30 s`")
    value: str = Field(description="what it was; a decimal as text")
    operator: Operator
    limit: str = Field(description="what it was compared with")
    holds: bool
    at: Nanoseconds = Field(description="by the events' own time, ns UTC")


class Evidence(ExplainingModel):
    """One event that took part, and where it stands."""

    id: Name
    subject: str
    sequence: int | None = Field(description="in its stream; null where it is not known")
    ts: Nanoseconds = Field(description="the event's own time, ns UTC")
    says: str = Field(description="the event's figures in short: `buy 12.5 BTC at 64980`")


class Cooldown(ExplainingModel):
    """A silence that held a rule."""

    fired_id: Name = Field(description="the signal or alert that began it")
    since: Nanoseconds
    until: Nanoseconds


class Delivery(ExplainingModel):
    """One thing that was done with an alert."""

    to: Literal["bus", "websocket", "telegram", "webhook"]
    target: str = Field(description="the subject, the chat (`12 chats` of others), the webhook's id")
    state: DeliveryState
    at: Nanoseconds | None = None
    reason: str | None = None


class FindDeliveries(ExplainingModel):
    """What was done with an alert: `cmd.v1.<webhooks|telegram>.deliveries`, of services that need not be there."""

    id: Name = Field(description="of the alert or the signal")
    signal: Name | None = Field(default=None, description="the signal or liquidation that the alert fired on")
    since: Nanoseconds = Field(description="when it came, ns UTC: nothing was done with it a minute before")
    owner: str | None = Field(
        default=None, description="who asks: its own webhooks and chat, of other chats how many; null names each chat"
    )
    chat: int | None = Field(default=None, description="the chat that a price alert's owner named")


class Deliveries(ExplainingModel):
    """What a service did with an alert, the oldest first."""

    deliveries: list[Delivery]


class ReadSpan(ExplainingModel):
    """Which part of which stream was read, and whether all of it was there still."""

    stream: str
    start: Nanoseconds
    end: Nanoseconds
    messages: int
    complete: bool = Field(
        description="false where the stream begins later than the rule needs, or was not read to the wanted end in time"
    )


class Explanation(ExplainingModel):
    """What a rule decided at a moment, and from what."""

    decision: Decision
    rule: Name = Field(description="rule and version")
    rule_id: Name | None = Field(default=None, description="of an owner's price alert")
    symbol: str
    venue: str
    at: Nanoseconds
    comparisons: list[Comparison] = Field(
        description="those of the moment; of one that was not met, the closest it came comes first"
    )
    events: list[Evidence]
    cooldown: Cooldown | None = None
    deliveries: list[Delivery] = Field(default_factory=list[Delivery])
    missing: list[str] = Field(default_factory=list[str], description="data that the rule had not, in words")
    read: list[ReadSpan]
    same: bool | None = Field(
        default=None, description="whether the stream gives the decision that was published; null where none was"
    )
    published: dict[str, Any] | None = Field(default=None, description="the signal or alert as it was published")


class WhyQuery(ExplainingModel):
    """Why a signal or an alert came."""

    id: Name = Field(description="the id that the signal or alert carries")


class WhyNotQuery(ExplainingModel):
    """What a rule decided at a moment when nothing came."""

    rule: Name = Field(description="`whale`, `cluster`, `storm`, …: the kind of the signal")
    symbol: str = Field(description="unified (CCXT) symbol; of a rule over venues, any symbol of the base")
    venue: str | None = Field(default=None, description="CCXT's id; null where the rule is over venues")
    at: Nanoseconds = Field(description="the moment, ns UTC")


class DryRunQuery(ExplainingModel):
    """How often a rule would have fired over a recorded span."""

    rule: Name = Field(description="the kind of the signal")
    symbol: str | None = Field(default=None, description="null for every instrument")
    venue: str | None = Field(default=None, description="CCXT's id; null for every venue")
    start: Nanoseconds = Field(description="from this time on, ns UTC")
    end: Nanoseconds = Field(description="up to, but not with, this time, ns UTC")
    limits: dict[str, str] = Field(
        default_factory=dict[str, str], description="limits to try in place of the configured ones, by name"
    )


class Fired(ExplainingModel):
    """One time that a rule would have fired."""

    at: Nanoseconds
    id: Name
    symbol: str
    venue: str
    says: str


class DryRunReply(ExplainingModel):
    """What a dry run found; `fired` is cut at 1000, `count` is not."""

    count: int
    fired: Annotated[list[Fired], Field(max_length=1000)]
    read: list[ReadSpan]


EXPLAINERS: Final = ("whales", "clusters", "storms", "detectors")  # who decides by rules that can be explained
COMMANDS: Final[tuple[Command, ...]] = tuple(
    found
    for consumer in EXPLAINERS
    for found in (
        command(f"{consumer}.why", WhyQuery, Explanation),
        command(f"{consumer}.why_not", WhyNotQuery, Explanation),
        command(f"{consumer}.dry_run", DryRunQuery, DryRunReply, 12.0),
    )
)
