"""`/webhooks`: each route sends a command of the webhooks' service for the key's owner, and answers with its reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel

from api.http.access.keys import OPEN
from api.http.envelope import Success
from api.http.errors import documented
from api.http.idempotency import IdempotencyKey, Once
from api.http.responses import Reply
from api.http.routing import requires
from api.http.validation import check_query
from api.webhooks.schemas import (
    ChangedEndpoint,
    EndpointAnswer,
    EndpointIdInPath,
    EndpointPageAnswer,
    EndpointShownAnswer,
    EndpointsParameters,
    EventTypeInPath,
    NewEndpoint,
    SecretRotation,
)
from contracts.errors import DisabledError, NotFoundError
from contracts.schema import literals
from contracts.services.access import Caller
from contracts.services.webhooks import endpoints as webhooks
from contracts.services.webhooks import events as sent
from runtime import clock
from runtime.clients.command_client import CommandClient

WEBHOOKS_WRITE: Final = "webhooks:write"
_FAILURES: Final = (400, 401, 403, 429, 500, 503, 504)
_CREATED: Final = 201
_KEPT: Final = "public, max-age=3600"
M = TypeVar("M", bound=BaseModel)
_ID: Final = webhooks.ENDPOINT_ID
router: Final = APIRouter(
    prefix="/webhooks",
    tags=["webhooks"],
    dependencies=[requires(WEBHOOKS_WRITE, keyed=True), Depends(check_query)],
    responses=documented(*_FAILURES),
)
keys_router: Final = APIRouter(
    tags=["webhooks"],
    dependencies=[requires(OPEN), Depends(check_query)],
    responses=documented(400, 401, 429, 500, 503, 504),
)
ROUTERS: Final = (router, keys_router)


@dataclass(frozen=True, slots=True)
class WebhookSources:
    """What sends commands; None where webhooks are switched off."""

    commands: CommandClient | None

    def client(self) -> CommandClient:
        """Return the client; raises DisabledError."""
        if self.commands is None:
            raise DisabledError("Webhooks are switched off", setting="GPT_API_WEBHOOKS_ENABLED")
        return self.commands


class WebhookCommands:
    """Sends commands for a request, and puts their replies into the envelope."""

    def __init__(self, request: Request) -> None:
        sources: WebhookSources = request.app.state.webhooks
        self._commands = sources.client()
        self._scope = request.scope

    @property
    def owner(self) -> str:
        """Whose endpoints are meant."""
        owner: str = self._scope["hydrophone.admission"].identity.owner
        return owner

    @property
    def who(self) -> dict[str, Any]:
        """Whose endpoints are meant, and who asks."""
        admission = self._scope["hydrophone.admission"]
        address = None if admission.address is None else str(admission.address)
        named = self._scope["hydrophone.request_id"]
        caller = Caller(actor=admission.identity.uid, address=address, request_id=named)
        return {"owner": self.owner, "caller": caller}

    async def send(self, verb: str, request: BaseModel, reply: type[M]) -> M:
        """Return the reply to a command; raises its error."""
        return await self._commands.request(f"webhooks.{verb}", request, reply)

    async def __call__(self, verb: str, request: BaseModel, reply: type[BaseModel], status: int = 200) -> Reply:
        """Return the reply to a command as an answer; raises its error."""
        found = await self.send(verb, request, reply)
        return enveloped(found.model_dump(), status)


Commands = Annotated[WebhookCommands, Depends()]


def enveloped(data: Any, status: int = 200) -> Reply:
    """Return an answer with its numbers as they are, digit by digit."""
    document = {"success": True, "data": data, "timestamp": literals.SentAt()}
    return Reply(status, literals.encode(document, clock.now_ns()))


@router.post(
    "/register",
    operation_id="registerWebhook",
    status_code=_CREATED,
    response_model=Success[EndpointShownAnswer],
    responses=documented(409, 413),
)
async def register(body: NewEndpoint, commands: Commands, once: Once, _key: IdempotencyKey = None) -> Response:
    """Register an endpoint.

    Its secret is in this answer and can never be had again. With an `Idempotency-Key` the same request gives the same
    answer for a day.
    """

    async def make(request_key: str | None) -> Reply:
        fields: dict[str, Any] = {name: getattr(body, name) for name in NewEndpoint.model_fields}
        request = webhooks.RegisterEndpoint(**commands.who, request_key=request_key, **fields)
        return await commands("register", request, webhooks.EndpointShown, _CREATED)

    return (await once(make)).as_response()


@router.get("", operation_id="listWebhooks", response_model=Success[EndpointPageAnswer])
async def list_endpoints(query: Annotated[EndpointsParameters, Query()], commands: Commands) -> Response:
    """Your endpoints, the newest first; nothing of their secrets."""
    request = webhooks.ListEndpoints(owner=commands.owner, page=query.page, page_size=query.page_size)
    return (await commands("list", request, webhooks.EndpointPage)).as_response()


@router.get("/schemas", operation_id="listWebhookSchemas", response_model=Success[dict[str, dict[str, Any]]])
async def list_schemas(_commands: Commands) -> Response:
    """JSON Schemas of everything that is sent, by type of event."""
    return enveloped({event_type: sent.schema_of(event_type) for event_type in sent.DATA}).as_response()


@router.get(
    "/schemas/{event_type}",
    operation_id="getWebhookSchema",
    response_model=Success[dict[str, Any]],
    responses=documented(404),
)
async def find_schema(event_type: EventTypeInPath, _commands: Commands) -> Response:
    """JSON Schema of the bodies of one type of event."""
    if event_type not in sent.DATA:
        raise NotFoundError(f"No event is of the type {event_type}", event_types=list(sent.DATA))
    return enveloped(sent.schema_of(event_type)).as_response()


@router.get("/{id}", operation_id="getWebhook", response_model=Success[EndpointAnswer], responses=documented(404))
async def find(id: EndpointIdInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """One of your endpoints."""
    request = webhooks.FindEndpoint(owner=commands.owner, id=checked(id))
    return (await commands("find", request, webhooks.EndpointInfo)).as_response()


@router.patch(
    "/{id}", operation_id="updateWebhook", response_model=Success[EndpointAnswer], responses=documented(404, 409, 413)
)
async def update(
    id: EndpointIdInPath,  # noqa: A002 - the name in the path
    body: ChangedEndpoint,
    commands: Commands,
) -> Response:
    """Change an endpoint; what is left out stays."""
    request = webhooks.UpdateEndpoint(**commands.who, id=checked(id), change=body.change(), clear=body.clear())
    return (await commands("update", request, webhooks.EndpointInfo)).as_response()


@router.delete("/{id}", operation_id="deleteWebhook", response_model=Success[EndpointAnswer], responses=documented(404))
async def delete(id: EndpointIdInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Take an endpoint away: what waits for it is not sent any more."""
    request = webhooks.DeleteEndpoint(**commands.who, id=checked(id))
    return (await commands("delete", request, webhooks.EndpointInfo)).as_response()


@router.post(
    "/{id}/test",
    operation_id="testWebhook",
    response_model=Success[webhooks.TestReply],
    responses=documented(404),
)
async def test(id: EndpointIdInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Post a `test` event at once, signed and sent as every other; the answer says what the receiver answered."""
    request = webhooks.TestEndpoint(**commands.who, id=checked(id))
    return (await commands("test", request, webhooks.TestReply)).as_response()


@router.post(
    "/{id}/rotate-secret",
    operation_id="rotateWebhookSecret",
    response_model=Success[EndpointShownAnswer],
    responses=documented(404, 409, 413),
)
async def rotate_secret(
    id: EndpointIdInPath,  # noqa: A002 - the name in the path
    commands: Commands,
    once: Once,
    body: Annotated[SecretRotation | None, Body()] = None,
    _key: IdempotencyKey = None,
) -> Response:
    """Give an endpoint a new secret.

    Events are signed with the one that it has as well for `overlap_seconds` (a day), so that the receiver can change
    over. The header of the older scheme has room for one signature, which is the new secret's from now on.
    """
    rotation = body or SecretRotation()

    async def make(_request_key: str | None) -> Reply:
        request = webhooks.RotateSecret(
            **commands.who, id=checked(id), secret=rotation.secret, overlap_seconds=rotation.overlap_seconds
        )
        return await commands("rotate_secret", request, webhooks.EndpointShown)

    return (await once(make)).as_response()


@router.post(
    "/{id}/pause",
    operation_id="pauseWebhook",
    response_model=Success[EndpointAnswer],
    responses=documented(404, 409),
)
async def pause(id: EndpointIdInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Send nothing until it is resumed: its events wait."""
    request = webhooks.PauseEndpoint(**commands.who, id=checked(id))
    return (await commands("pause", request, webhooks.EndpointInfo)).as_response()


@router.post(
    "/{id}/resume",
    operation_id="resumeWebhook",
    response_model=Success[EndpointAnswer],
    responses=documented(404, 409),
)
async def resume(id: EndpointIdInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Send again, what waits first; whether its owner, its circuit or its failures have stopped it."""
    request = webhooks.ResumeEndpoint(**commands.who, id=checked(id))
    return (await commands("resume", request, webhooks.EndpointInfo)).as_response()


@keys_router.get("/.well-known/webhook-keys.json", operation_id="getWebhookKeys", response_model=webhooks.KeysReply)
async def keys(commands: Commands) -> Response:
    """The public keys of `v1a` signatures, as a JWK set."""
    found = await commands.send("keys", webhooks.KeysQuery(), webhooks.KeysReply)
    return Response(found.model_dump_json(), media_type="application/json", headers={"Cache-Control": _KEPT})


def checked(endpoint_id: str) -> str:
    """Return the id; NotFoundError for what can be none."""
    if _ID.fullmatch(endpoint_id) is None:
        raise NotFoundError(f"There is no endpoint {endpoint_id}", id=endpoint_id)
    return endpoint_id
