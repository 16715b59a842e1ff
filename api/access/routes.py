"""`/admin/keys` and `/admin/audit`: each sends a command of the access service and answers with its reply."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel

from api.access.schemas import AuditParameters, KeyIdInPath, KeyRotation, KeysParameters, NewKey
from api.http.access.keys import ADMIN
from api.http.envelope import Success
from api.http.errors import documented
from api.http.idempotency import IdempotencyKey, Once
from api.http.responses import Reply
from api.http.routing import requires
from api.http.validation import check_query
from contracts.errors import NotFoundError
from contracts.services import access
from contracts.services.access import Caller
from runtime.clients.command_client import CommandClient

_FAILURES: Final = (400, 401, 403, 429, 500, 503, 504)
router: Final = APIRouter(
    prefix="/admin",
    tags=["administration"],
    dependencies=[requires(ADMIN), Depends(check_query)],
    responses=documented(*_FAILURES),
)


class AccessCommands:
    """Sends commands for a request, and puts their replies into the envelope."""

    def __init__(self, request: Request) -> None:
        self._commands: CommandClient = request.app.state.commands
        self._scope = request.scope

    @property
    def caller(self) -> Caller:
        """Who asks."""
        admission = self._scope["hydrophone.admission"]
        address = None if admission.address is None else str(admission.address)
        named = self._scope["hydrophone.request_id"]
        return Caller(actor=admission.identity.uid, address=address, request_id=named)

    async def __call__(self, verb: str, request: BaseModel, reply: type[BaseModel], status: int = 200) -> Reply:
        """Return the reply to a command as an answer; raises its error."""
        found = await self._commands.request(f"access.{verb}", request, reply)
        return Reply(status, Success(data=found).model_dump_json().encode())


Commands = Annotated[AccessCommands, Depends()]


@router.post(
    "/keys",
    operation_id="createKey",
    status_code=201,
    response_model=Success[access.KeyShown],
    responses=documented(409, 413),
)
async def create(body: NewKey, commands: Commands, once: Once, _key: IdempotencyKey = None) -> Response:
    """Make a key.

    Its secret is in this answer and can never be had again. With an `Idempotency-Key` the same request gives the same
    answer for a day.
    """

    async def make(request_key: str | None) -> Reply:
        fields: dict[str, Any] = {name: getattr(body, name) for name in NewKey.model_fields}
        request = access.CreateKey(caller=commands.caller, request_key=request_key, **fields)
        return await commands("create", request, access.KeyShown, 201)

    return (await once(make)).as_response()


@router.get("/keys", operation_id="listKeys", response_model=Success[access.KeyPage])
async def list_keys(query: Annotated[KeysParameters, Query()], commands: Commands) -> Response:
    """Keys of the store, the newest first; nothing of their secrets."""
    request = access.ListKeys(owner=query.owner, page=query.page, page_size=query.page_size)
    return (await commands("list", request, access.KeyPage)).as_response()


@router.post(
    "/keys/{id}/rotate",
    operation_id="rotateKey",
    response_model=Success[access.KeyShown],
    responses=documented(404, 410, 413),
)
async def rotate(
    id: KeyIdInPath,  # noqa: A002 - the name in the path
    commands: Commands,
    body: Annotated[KeyRotation | None, Body()] = None,
) -> Response:
    """Give a key a new secret.

    The one that it has lives on for `overlap_seconds` (a day), so that those who use it can change over.
    """
    overlap = (body or KeyRotation()).overlap_seconds
    request = access.RotateKey(caller=commands.caller, id=_checked(id), overlap_seconds=overlap)
    return (await commands("rotate", request, access.KeyShown)).as_response()


@router.delete(
    "/keys/{id}", operation_id="revokeKey", response_model=Success[access.KeyInfo], responses=documented(404)
)
async def revoke(id: KeyIdInPath, commands: Commands) -> Response:  # noqa: A002 - the name in the path
    """Revoke a key.

    Every process refuses it within a second. One that is revoked already stays as it is.
    """
    request = access.RevokeKey(caller=commands.caller, id=_checked(id))
    return (await commands("revoke", request, access.KeyInfo)).as_response()


@router.get("/audit", operation_id="listAudit", response_model=Success[access.AuditPage])
async def audit(query: Annotated[AuditParameters, Query()], commands: Commands) -> Response:
    """Who changed what, the newest first."""
    request = access.AuditQuery(
        actor=query.actor, action=query.action, since=query.since, page=query.page, page_size=query.page_size
    )
    return (await commands("audit", request, access.AuditPage)).as_response()


def _checked(key_id: str) -> str:
    """Return the id; NotFoundError for what can be none."""
    if access.KEY_ID.fullmatch(key_id) is None:
        raise NotFoundError(f"There is no key {key_id}", id=key_id)
    return key_id
