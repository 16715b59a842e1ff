"""`POST /api/auth/admin/revoke`: ends a Telegram user's tokens by force, for who has the internal secret."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from api.http.access.keys import OPEN
from api.http.errors import DetailedFailure, documented
from api.http.routing import requires
from api.http.validation import check_query
from contracts.errors import DisabledError, UnauthorizedError
from contracts.services.access import Caller
from contracts.services.responses import SuccessResponse
from contracts.services.trading.accounts import Revoke, Revoked
from contracts.services.trading.orders import AccountName
from runtime.clients.command_client import CommandClient

HEADER: Final = "X-Internal-Token"
SETTING: Final = "INTERNAL_AUTH_TOKEN"
_FAILURES: Final = (400, 401, 403, 404, 413, 429, 500, 503, 504)


@dataclass(frozen=True, slots=True, repr=False)
class RevocationSources:
    """The internal secret; None where none is set."""

    token: str | None


def check_internal(
    request: Request,
    given: Annotated[
        str | None, Header(alias=HEADER, description=f"the secret of `{SETTING}`", max_length=4096)
    ] = None,
) -> None:
    """Raise DisabledError where no secret is set, UnauthorizedError where it is another one."""
    sources: RevocationSources = request.app.state.revocation
    if not sources.token:
        raise DisabledError(f"{SETTING} is not set", setting=SETTING)
    if given is None or not compare_digest(given.encode(), sources.token.encode()):
        raise UnauthorizedError(f"{HEADER} is missing or wrong", header=HEADER)


router: Final = APIRouter(
    prefix="/api/auth/admin",
    tags=["administration"],
    dependencies=[requires(OPEN), Depends(check_internal), Depends(check_query)],
    responses=documented(*_FAILURES, model=DetailedFailure),
)


class Revocation(BaseModel):
    """Whose tokens are to be ended."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user_id: int = Field(gt=0, strict=True, description="Telegram's id of the user", examples=[424242])
    account: AccountName | None = Field(default=None, description="only the tokens of this account")


@router.post("/revoke", operation_id="revokeTokens", response_model=SuccessResponse)
async def revoke(body: Revocation, request: Request) -> SuccessResponse:
    """End the tokens of a Telegram user by force.

    What trades with them is refused from now on; keys of exchanges stay sealed where they are. Asked again it ends
    nothing more.
    """
    commands: CommandClient = request.app.state.commands
    admission = request.scope["hydrophone.admission"]
    address = None if admission.address is None else str(admission.address)
    caller = Caller(actor="internal", address=address, request_id=request.scope["hydrophone.request_id"])
    wanted = Revoke(caller=caller, owner=f"telegram:{body.user_id}", name=body.account)
    ended = await commands.request("trading.revoke", wanted, Revoked)
    return SuccessResponse(message=f"Tokens that were ended: {ended.tokens}")
