"""`/api/alerts`: each route sends a command of the alerts service for the key's owner and shapes its reply."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel

from api.alerts import formats, schemas
from api.alerts.schemas import AlertIdInPath, ExplainedId
from api.http.access.keys import ALERTS_WRITE
from api.http.errors import DetailedFailure, documented
from api.http.idempotency import IdempotencyKey, Once
from api.http.responses import Reply
from api.http.routing import requires
from api.http.validation import check_query
from contracts.arithmetic.moments import read_moment
from contracts.errors import NotFoundError
from contracts.numbers import DAY_NS
from contracts.schema import literals
from contracts.services import alerts
from contracts.services.explaining import Explanation
from runtime import clock
from runtime.clients.command_client import CommandClient

_FAILURES: Final = (400, 401, 403, 429, 500, 503, 504)
_ID_LENGTH: Final = 16


def _documented(*statuses: int) -> Any:
    return documented(*statuses, model=DetailedFailure)


router: Final = APIRouter(
    prefix="/api/alerts",
    tags=["alerts"],
    dependencies=[requires(ALERTS_WRITE), Depends(check_query)],
    responses=_documented(*_FAILURES),
)


class AlertCommands:
    """Sends commands for a request's owner."""

    def __init__(self, request: Request) -> None:
        self._commands: CommandClient = request.app.state.commands
        self.owner: str = request.scope["hydrophone.admission"].identity.owner

    async def resource(self, verb: str, request: BaseModel, status: int = 200) -> Reply:
        """Return the price alert that a command replies."""
        found = await self._commands.request(f"alerts.{verb}", request, alerts.PriceAlert)
        return _reply(formats.resource(found), status)

    async def explained(self, verb: str, request: BaseModel, reply: type[BaseModel]) -> Response:
        """Return what a command explains."""
        found = await self._commands.request(f"alerts.{verb}", request, reply)
        return _reply(formats.explained(found)).as_response()

    async def request(self, verb: str, request: BaseModel, reply: type[Any]) -> Any:
        """Return the reply to a command."""
        return await self._commands.request(f"alerts.{verb}", request, reply)


Commands = Annotated[AlertCommands, Depends()]


@router.post(
    "",
    operation_id="createAlert",
    status_code=201,
    response_model=schemas.AlertOut,
    responses=_documented(404, 409, 413),
)
async def create(body: schemas.NewAlert, commands: Commands, once: Once, _key: IdempotencyKey = None) -> Response:
    """Make a price alert.

    At most 200 of an owner can fire at a time. With an `Idempotency-Key` the same request makes one alert within a day.
    """

    async def make(request_key: str | None) -> Reply:
        request = alerts.CreateAlert(
            owner=commands.owner,
            rule=schemas.rule_of(body),
            expires_at=body.expires_at,
            note=body.note,
            deliver=alerts.Deliver(**body.deliver.model_dump()),
            request_key=request_key,
        )
        return await commands.resource("create", request, 201)

    return (await once(make)).as_response()


@router.get("", operation_id="listAlerts", response_model=schemas.AlertsPage, responses=_documented(404))
async def list_alerts(query: Annotated[schemas.AlertsParameters, Query()], commands: Commands) -> Response:
    """Your price alerts, the newest first."""
    request = alerts.ListAlerts(owner=commands.owner, **query.model_dump())
    return _reply(formats.resource(await commands.request("list", request, alerts.AlertPage))).as_response()


@router.get("/fired", operation_id="listFiredAlerts", response_model=schemas.FiredPageOut, responses=_documented(404))
async def fired(query: Annotated[schemas.FiredParameters, Query()], commands: Commands) -> Response:
    """What has fired: everybody's alerts, and your own, the newest first; kept for 30 days."""
    request = alerts.FiredQuery(owner=commands.owner, **query.model_dump())
    page: alerts.FiredPage = await commands.request("fired", request, alerts.FiredPage)
    shown = page.model_dump(exclude={"items"}) | {"items": [formats.fired(one) for one in page.items]}
    return _reply(shown).as_response()


@router.get("/why-not", operation_id="explainNoAlert", response_model=schemas.WhyOut, responses=_documented(404))
async def why_not(query: Annotated[schemas.WhyNotParameters, Query()], commands: Commands) -> Response:
    """Why a rule did not fire within the minute that ends at a moment.

    The closest comparison, the cooldown that held, or the data that was missing: rebuilt from the recorded stream.
    """
    request = alerts.AlertWhyNotQuery(
        rule=query.rule,
        at=read_moment(query.at),
        symbol=query.symbol,
        exchange=query.exchange,
        owner=commands.owner,
    )
    return await commands.explained("why_not", request, Explanation)


@router.post("/dry-run", operation_id="dryRunAlert", response_model=schemas.DryRunOut, responses=_documented(404, 413))
async def dry_run(body: schemas.DryRule, commands: Commands) -> Response:
    """How often a price alert, or a detector's rule, would have fired over the recorded past.

    A price alert's span is at most a day; it begins armed at `from`.
    """
    end = clock.now_ns() if body.end is None else read_moment(body.end)
    request = alerts.AlertDryRunQuery(
        price=schemas.rule_of(body) if body.rule is None else None,
        rule=body.rule,
        symbol=body.symbol,
        exchange=body.exchange,
        start=end - DAY_NS if body.start is None else read_moment(body.start),
        end=end,
        limits=body.limits,
    )
    return await commands.explained("dry_run", request, alerts.AlertDryRun)


@router.get("/{id}", operation_id="getAlert", response_model=schemas.AlertOut, responses=_documented(404))
async def find(id: AlertIdInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """One of your price alerts."""
    return (await commands.resource("find", alerts.FindAlert(owner=commands.owner, id=_checked(id)))).as_response()


@router.patch("/{id}", operation_id="updateAlert", response_model=schemas.AlertOut, responses=_documented(404, 413))
async def update(
    id: AlertIdInPath,  # noqa: A002 - the name in the path
    body: schemas.ChangedAlert,
    commands: Commands,
) -> Response:
    """Change a price alert.

    With another condition or figure it begins again, armed, also where it had fired once as it was to.
    """
    fields: dict[str, Any] = {name: getattr(body, name) for name in type(body).model_fields}
    if body.deliver is not None:
        fields["deliver"] = alerts.Deliver(**body.deliver.model_dump())
    request = alerts.UpdateAlert(
        owner=commands.owner,
        id=_checked(id),
        change=alerts.AlertChange(**fields),
        given=tuple(sorted(body.model_fields_set)),
    )
    return (await commands.resource("update", request)).as_response()


@router.delete("/{id}", operation_id="deleteAlert", response_model=schemas.Done, responses=_documented(404))
async def delete(id: AlertIdInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Take a price alert away; what it fired stays."""
    await commands.request("delete", alerts.DeleteAlert(owner=commands.owner, id=_checked(id)), alerts.Deleted)
    return _reply({"success": True, "message": f"Price alert {id} is deleted"}).as_response()


@router.post(
    "/{id}/snooze", operation_id="snoozeAlert", response_model=schemas.AlertOut, responses=_documented(404, 413)
)
async def snooze(
    id: AlertIdInPath,  # noqa: A002 - the name in the path
    commands: Commands,
    body: Annotated[schemas.Snooze, Body()],
) -> Response:
    """Keep a price alert silent for a while; what is met meanwhile is counted, and reported afterwards."""
    request = alerts.SnoozeAlert(owner=commands.owner, id=_checked(id), seconds=body.seconds)
    return (await commands.resource("snooze", request)).as_response()


@router.get("/{id}/why", operation_id="explainAlert", response_model=schemas.WhyOut, responses=_documented(404))
async def why(id: ExplainedId, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Why an alert or a signal came.

    Rebuilt from the recorded stream by running the same rule over the same events: each comparison, the cooldown, and
    what was done with the alert.
    """
    return await commands.explained("why", alerts.AlertWhyQuery(id=id, owner=commands.owner), Explanation)


def _reply(document: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, literals.encode(document, clock.now_ns()))


def _checked(alert_id: str) -> str:
    """Return the id; NotFoundError for what can be none."""
    if len(alert_id) != _ID_LENGTH or not set(alert_id) <= set("0123456789abcdef"):
        raise NotFoundError(f"There is no price alert {alert_id}", id=alert_id)
    return alert_id
