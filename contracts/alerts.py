"""Alerts: messages for people. Made of signals and prices by `consumers/alerts`, on `alert.v1.<alert>.<tail>`.

An alert of everybody's (`owner` null) follows a signal or a single large liquidation; one of an owner's follows a price
alert that the owner has set, and is seen by nobody else.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema

from contracts.market import Event, Ids, InstrumentEvent, Name, Nanoseconds, PositionSide, Side
from contracts.numbers import INT64_MAX, AmountText, DecimalText, PriceText, as_text
from contracts.signals import Tier

AlertKind = Literal[
    "whale",
    "liquidation",
    "cluster",
    "storm",
    "funding_extreme",
    "interest_jump",
    "wall",
    "spread",
    "volume_spike",
    "listing",
    "price_alert",
]
ALERT_KINDS: Final[tuple[str, ...]] = get_args(AlertKind)
PRICE_ALERT: Final = "price_alert"
Condition = Literal["above", "below", "crosses", "change", "every"]
MOST_NOTE: Final = 500  # characters
Note = Annotated[str, Field(max_length=MOST_NOTE)]
DAY_SECONDS: Final = 86_400
AlertId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{16}$", description="id of a price alert", examples=["1f0c9a4be1d27c35"])
]
Percent = Annotated[str, Field(max_length=16, pattern=r"^[0-9]{1,4}(\.[0-9]{1,8})?$")]
Hysteresis = Annotated[
    Percent, Field(description="percent that the price has to go back before a crossing counts again", examples=["0.1"])
]
Value = Annotated[
    str,
    Field(
        max_length=61,
        pattern=r"^(0|[1-9][0-9]{0,23})(\.[0-9]{1,36})?$",
        description="a price in the quote; of `change` percent, up or down; a decimal as text",
        examples=["65000"],
    ),
]
_NUMBER: Final = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}], "examples": [65000]})
GivenValue = Annotated[Value, BeforeValidator(as_text), _NUMBER]
GivenHysteresis = Annotated[Hysteresis, BeforeValidator(as_text), _NUMBER]
"""The same as a number of JSON, or a decimal's text."""
Window = Annotated[int, Field(ge=60, le=DAY_SECONDS, description="of `change`: within so many seconds")]
Interval = Annotated[int, Field(ge=60, le=7 * DAY_SECONDS, description="of `every`: seconds from one to the next")]
CooldownSeconds = Annotated[
    int,
    Field(ge=0, le=7 * DAY_SECONDS, description="seconds of silence after each message; what is met is counted"),
]
PlainNote = Annotated[
    str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$", description="comes back with each message")
]


class Alert(InstrumentEvent):
    """One message to people: what happened, by which rule, and how many times since the last one."""

    kind: ClassVar[str] = "alert"

    alert: AlertKind
    rule: Name = Field(description="rule and version that decided: `price/1`, or the one of the signal")
    fired_at: Nanoseconds = Field(description="when the rule was met, by the events' own time, ns UTC")
    late: bool = Field(description="true where it was met while nobody was there to tell")
    stands_for: Annotated[int, Field(ge=1, le=INT64_MAX)] = Field(
        description="how often the rule was met since the alert before, this time included: a cooldown holds the others"
    )
    causes: Ids = Field(description="ids of the signals or events that met it, the newest last; at most 1000")
    tier: Tier | None = None
    side: Side | PositionSide | None = None
    usd_value: AmountText | None = None
    price: PriceText | None = None
    previous_price: PriceText | None = Field(default=None, description="of a price alert: the price before")
    condition: Condition | None = Field(default=None, description="of a price alert")
    threshold: DecimalText | None = Field(
        default=None, description="of a price alert: a price, or percent where the condition is `change`"
    )
    rule_id: Name | None = Field(default=None, description="id of the owner's price alert")
    owner: Name | None = Field(default=None, description="whose it is; null for everybody's")
    note: Note | None = None
    telegram: int | None = Field(default=None, description="the chat that the owner wants it in")
    webhooks: bool = Field(default=False, description="whether the owner wants it by webhooks")


ALERT_EVENTS: Final[tuple[type[Event], ...]] = (Alert,)
