"""What became of an endpoint's events: `cmd.v1.webhooks.attempts`, `.events`, `.replay` and `.health`."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, Field

from contracts.arithmetic.moments import Moment
from contracts.services.access import Owner
from contracts.services.webhooks.endpoints import ChangedEndpoint, EndpointId, WebhooksModel
from contracts.services.webhooks.events import SentType

MOST_LISTED: Final = 100
EventState = Literal["waiting", "delivered", "dead", "coalesced"]
Listed = Annotated[int, Field(ge=1, le=MOST_LISTED, description="at most so many")]
EventSequence = Annotated[int, Field(ge=0, le=2**53, description="sequence of an event of this endpoint")]


class ListAttempts(WebhooksModel):
    """The newest attempts of an owner's endpoint."""

    owner: Owner
    id: EndpointId
    limit: Listed = 50
    before: Moment | None = Field(default=None, description="only earlier ones")


class Attempt(WebhooksModel):
    """One post of one event."""

    event_id: str
    sequence: int
    event_type: SentType
    at: AwareDatetime
    number: int = Field(description="1 for the first attempt of the event")
    status: int | None = Field(description="of the answer; null without one")
    seconds: float = Field(description="how long it took")
    answer: str | None = Field(description="the first KB of the answer, what is not UTF-8 replaced; null without one")
    error: str | None = Field(description="why it failed; null where it was delivered")


class AttemptsReply(WebhooksModel):
    """Attempts of the last 30 days, the newest first."""

    attempts: list[Attempt]


class ListEvents(WebhooksModel):
    """What was sent to an owner's endpoint after a sequence, or waits for it: to catch up."""

    owner: Owner
    id: EndpointId
    after: EventSequence = 0
    limit: Listed = 50


class EventInfo(WebhooksModel):
    """One event of an endpoint, as it was or will be posted."""

    event_id: str
    sequence: int
    event_type: SentType
    state: EventState = Field(description="coalesced: it stands in the digest that `digest` names")
    created_at: AwareDatetime
    digest: str | None = Field(description="event id of the digest that it stands in")
    attempts: int | None = Field(description="how many failed; null where it is not kept with the event")
    error: str | None = Field(description="of a dead one: why the last attempt failed")
    fault: Literal["receiver", "ours"] | None = Field(description="of a dead one: whose fault it was")
    body: dict[str, Any] = Field(description="what is posted")


class EventsReply(WebhooksModel):
    """Events in the order of their sequences; `last` is the endpoint's newest."""

    events: list[EventInfo]
    last: int


class ReplayEvents(ChangedEndpoint):
    """Post every event since a time once more."""

    since: Moment = Field(description="from this time on; they are kept for 30 days")


class ReplayReply(WebhooksModel):
    """What is posted again: from which sequence on (null for nothing), and how many."""

    first: int | None
    events: int


class DeliveriesHealthQuery(WebhooksModel):
    """How the deliveries are."""


class WebhookHealth(WebhooksModel):
    """Of all endpoints together."""

    status: Literal["healthy", "degraded"] = Field(description="degraded: something is overdue that nobody posts")
    endpoints: dict[str, int] = Field(description="how many are in each state")
    waiting: int = Field(description="events that are neither delivered nor dead")
    overdue: int = Field(description="endpoints with an event that was due a minute ago or more")
    dead: int = Field(description="events of the last 30 days that could not be delivered")
