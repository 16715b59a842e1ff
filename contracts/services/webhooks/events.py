"""What webhooks send: one model of `data` for each event type, and of the whole body. Their JSON Schemas are published.

Decimals are JSON numbers with the digits that the bus has: who reads them as floats rounds them, nobody before.
Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from contracts.market import FeedState, PositionSide, Side
from contracts.signals import Tier

EventType = Literal["whale", "liquidation", "price_alert", "storm", "cluster", "feed_status", "order"]
SentType = Literal[EventType, "digest", "test", "endpoint.disabled"]
EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)  # what an endpoint may ask for
MOST_IN_DIGEST: Final = 10
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Number = Annotated[Decimal, WithJsonSchema({"type": "number", "description": "a decimal, with all its digits"})]
Amount = Annotated[Number, Field(description="base coin")]
UsdValue = Annotated[Number, Field(description="US dollars")]


class SentModel(BaseModel):
    """What every part of a body is: fields may be added, none is removed."""

    model_config = ConfigDict(
        frozen=True, extra="allow", json_schema_serialization_defaults_required=True, cache_strings="keys"
    )


class WhaleData(SentModel):
    """One aggressor's fills, merged, whose USD value reached the threshold."""

    transaction_id: str = Field(description="id of the whale trade on the bus")
    amount: Amount
    price: Number = Field(description="volume-weighted, in the quote")
    usd_value: UsdValue
    side: Side = Field(description="the aggressor's")
    exchange: str
    instrument: str = Field(description="unified symbol")
    tier: Tier
    late: bool = Field(description="found later, among trades that a cut hid: no news")


class LiquidationData(SentModel):
    """A forced order."""

    liquidation_id: str = Field(description="id of the liquidation on the bus")
    amount: Amount | None = Field(description="null where the contract's size is not known")
    price: Number
    usd_value: UsdValue | None = Field(description="to the cent; null where it cannot be valued")
    position_side: PositionSide | None = Field(description="the position that was closed")
    order_side: Side | None = Field(description="the order that closed it")
    exchange: str
    instrument: str
    sampled: bool = Field(description="true where the exchange publishes a sample only")


class PriceAlertData(SentModel):
    """A price alert of the endpoint's owner that fired."""

    alert_id: str
    condition: Literal["above", "below", "crosses", "change", "every"]
    threshold: Number | None = Field(description="a price; percent where the condition is `change`")
    price: Number | None
    previous_price: Number | None
    exchange: str
    fired_at: AwareDatetime = Field(description="when the rule was met, by the events' own time")
    why_url: str = Field(description="where the decision is explained")
    past_url: str = Field(description="the live page as it was when the rule was met")


class StormData(SentModel):
    """Liquidations of one coin whose sum and number reached the limits within the window."""

    usd_value: UsdValue
    events: int
    long_usd: UsdValue
    short_usd: UsdValue
    window_seconds: Number
    exchanges: list[str]


class ClusterData(SentModel):
    """Several whale trades on one side of one coin within the window."""

    side: Side
    usd_value: UsdValue
    trades: int
    window_seconds: Number
    exchanges: list[str]


class FeedStatusData(SentModel):
    """What happened to an exchange's feed; `symbol` of the body is null where it is about the whole of it."""

    exchange: str
    channel: str | None = Field(description="null where it is about all of them")
    state: FeedState
    reason: str | None
    connection: str | None = Field(
        description="the connection that it is about: of several, only what comes over it is touched; null where it is "
        "about the whole exchange",
    )


class OrderData(SentModel):
    """An order of the endpoint's owner whose status or filled amount changed."""

    order_id: str
    client_id: str
    account: str
    instrument: str
    side: Side
    type: Literal["market", "limit"]
    status: str
    amount: Amount
    filled: Amount
    price: Number | None = Field(description="the limit; null for a market order")
    average_price: Number | None = Field(description="of what was filled; null before the first fill")
    fee: Number | None = Field(description="null: fees are of executions, in the account's ledger")


class Coalesced(SentModel):
    """One of the events that a digest stands for."""

    timestamp: AwareDatetime
    data: dict[str, Any] = Field(description="as the event itself would have had it")


class DigestData(SentModel):
    """Events of one type and symbol that came faster than the endpoint's rate limit."""

    event_type: EventType
    from_: AwareDatetime = Field(alias="from", description="time of the oldest")
    to: AwareDatetime = Field(description="time of the newest")
    count: int = Field(ge=1, description="how many it stands for")
    usd_value: UsdValue | None = Field(description="their sum; null where none has a value")
    largest: list[Coalesced] = Field(max_length=MOST_IN_DIGEST, description="the largest by value, else the newest")


class MessageData(SentModel):
    """A sentence about the endpoint itself."""

    message: str


DATA: Final[Mapping[str, type[SentModel]]] = {
    "whale": WhaleData,
    "liquidation": LiquidationData,
    "price_alert": PriceAlertData,
    "storm": StormData,
    "cluster": ClusterData,
    "feed_status": FeedStatusData,
    "order": OrderData,
    "digest": DigestData,
    "test": MessageData,
    "endpoint.disabled": MessageData,
}


class Body(SentModel):
    """What is posted."""

    event_id: str = Field(
        pattern=r"^evt_[0-9a-f]{32}$", description="the same for each delivery of an event to an endpoint"
    )
    event_type: SentType
    symbol: str | None = Field(description="the base coin; null where it is about none")
    timestamp: AwareDatetime = Field(description="when it happened")
    sequence: int = Field(ge=0, description="counts the events of this endpoint without holes; 0 of a test")
    sim: bool = Field(description="true for what simulated exchanges sent")
    data: dict[str, Any]


@cache
def schema_of(event_type: str) -> dict[str, Any]:
    """Return the JSON Schema of the bodies of a type; KeyError for one that is never sent."""
    data = DATA[event_type].model_json_schema(mode="validation")
    body = Body.model_json_schema(mode="validation")
    definitions = data.pop("$defs", {})
    properties = {**body["properties"], "event_type": {"const": event_type}, "data": data}
    return {
        "$schema": DIALECT,
        "$id": f"urn:hydrophone:webhook:{event_type}",
        "title": event_type,
        "type": "object",
        "properties": properties,
        "required": body["required"],
        **({"$defs": definitions} if definitions else {}),
    }
