"""`/webhooks/{id}/attempts|events|replay` and `/health/webhooks`: what became of an endpoint's events."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from api.http.access.keys import OPEN
from api.http.envelope import Success
from api.http.errors import documented
from api.http.routing import requires
from api.http.validation import check_query
from api.webhooks.routes import WEBHOOKS_WRITE, Commands, WebhookSources, checked
from api.webhooks.schemas import AttemptsParameters, EndpointIdInPath, EventsParameters, Since
from contracts.services.webhooks import deliveries

router: Final = APIRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    dependencies=[requires(WEBHOOKS_WRITE, keyed=True), Depends(check_query)],
    responses=documented(400, 401, 403, 404, 429, 500, 503, 504),
)
health_router: Final = APIRouter(
    prefix="/health", tags=["service"], dependencies=[requires(OPEN)], responses=documented(403, 500, 503)
)
ROUTERS: Final = (router, health_router)


@router.get("/{id}/attempts", operation_id="listWebhookAttempts", response_model=Success[deliveries.AttemptsReply])
async def list_attempts(
    id: EndpointIdInPath,  # noqa: A002 - the name in the path
    query: Annotated[AttemptsParameters, Query()],
    commands: Commands,
) -> Response:
    """Every attempt of the last 30 days, the newest first: what was answered, how long it took, why it failed."""
    request = deliveries.ListAttempts(owner=commands.owner, id=checked(id), limit=query.limit, before=query.before)
    return (await commands("attempts", request, deliveries.AttemptsReply)).as_response()


@router.get("/{id}/events", operation_id="listWebhookEvents", response_model=Success[deliveries.EventsReply])
async def list_events(
    id: EndpointIdInPath,  # noqa: A002 - the name in the path
    query: Annotated[EventsParameters, Query()],
    commands: Commands,
) -> Response:
    """What was sent after a sequence, or waits: to catch up after an outage without waiting for deliveries."""
    request = deliveries.ListEvents(owner=commands.owner, id=checked(id), after=query.after, limit=query.limit)
    return (await commands("events", request, deliveries.EventsReply)).as_response()


@router.post("/{id}/replay", operation_id="replayWebhook", response_model=Success[deliveries.ReplayReply])
async def replay(
    id: EndpointIdInPath,  # noqa: A002 - the name in the path
    query: Annotated[Since, Query()],
    commands: Commands,
) -> Response:
    """Post every event since a time once more, with the ids that they had."""
    request = deliveries.ReplayEvents(**commands.who, id=checked(id), since=query.since)
    return (await commands("replay", request, deliveries.ReplayReply)).as_response()


@health_router.get("/webhooks", operation_id="getWebhooksHealth")
async def health(request: Request) -> deliveries.WebhookHealth:
    """How the deliveries are: endpoints by state, what waits, what is overdue, what is dead."""
    sources: WebhookSources = request.app.state.webhooks
    return await sources.client().request(
        "webhooks.health", deliveries.DeliveriesHealthQuery(), deliveries.WebhookHealth
    )
