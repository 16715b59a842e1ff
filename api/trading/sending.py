"""Sends commands of trading for a request, in the name of its key's owner, and writes their replies as answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Request, Response
from pydantic import BaseModel, ValidationError

from api.http.access.keys import TRADE
from api.http.errors import DetailedFailure, InvalidBodyError, documented
from api.http.responses import Reply
from api.http.routing import requires
from api.http.validation import check_query
from contracts.errors import DisabledError, NotFoundError
from contracts.schema import literals
from contracts.services.access import Caller
from runtime import clock
from runtime.clients.command_client import CommandClient
from runtime.vault import Vault

CREATED: Final = 201
ACCEPTED: Final = 202
_ID: Final = re.compile(r"[0-9a-f]{16}")
_FAILURES: Final = (400, 401, 403, 429, 500, 503, 504)
M = TypeVar("M", bound=BaseModel)


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of routes that fail with these statuses."""
    return documented(*statuses, model=DetailedFailure)


ROUTER: Final[dict[str, Any]] = {
    "prefix": "/api/trading",
    "tags": ["trading"],
    "dependencies": [requires(TRADE, keyed=True), Depends(check_query)],
    "responses": failures(*_FAILURES),
}
"""What every router here begins with."""


@dataclass(frozen=True, slots=True)
class TradingSources:
    """What seals keys of exchanges; None where there is no secret to seal with."""

    vault: Vault | None


class TradingCommands:
    """Sends commands for a request's owner."""

    def __init__(self, request: Request) -> None:
        self.client: CommandClient = request.app.state.commands
        self._sources: TradingSources = request.app.state.trading
        self._scope = request.scope

    @property
    def owner(self) -> str:
        """Whose accounts are meant."""
        owner: str = self._scope["hydrophone.admission"].identity.owner
        return owner

    @property
    def caller(self) -> Caller:
        """Who asks, for the audit trail."""
        admission = self._scope["hydrophone.admission"]
        address = None if admission.address is None else str(admission.address)
        return Caller(actor=admission.identity.uid, address=address, request_id=self._scope["hydrophone.request_id"])

    def vault(self) -> Vault:
        """Return what seals keys of exchanges; raises DisabledError."""
        if self._sources.vault is None:
            raise DisabledError("Accounts at exchanges are switched off", setting="APP_SECRET_KEY")
        return self._sources.vault

    async def send(self, name: str, request: BaseModel, reply: type[M]) -> M:
        """Return the reply to the command of a name (`trading.kill`); raises its error."""
        return await self.client.request(name, request, reply)

    async def __call__(self, name: str, request: BaseModel, reply: type[BaseModel]) -> Response:
        """Return the reply to a command as an answer; raises its error."""
        return answer(await self.send(name, request, reply)).as_response()


Commands = Annotated[TradingCommands, Depends()]


def answer(found: BaseModel | dict[str, Any], status: int = 200) -> Reply:
    """Return an answer with its numbers as they are, digit by digit."""
    return Reply(status, literals.encode(literals.exact(found), clock.now_ns()))


def checked_id(what: str, text: str) -> str:
    """Return an id of a path; NotFoundError, which names `what` it would be of, for what can be none."""
    if _ID.fullmatch(text) is None:
        raise NotFoundError(f"There is no {what} {text}", id=text)
    return text


def done(message: str) -> Response:
    """Return the answer to a deed without a resource."""
    return answer({"success": True, "message": message}).as_response()


def made(model: type[M], **fields: Any) -> M:
    """Return a request of the contracts; InvalidBodyError where the fields of a body do not go together."""
    try:
        return model(**fields)
    except ValidationError as error:
        faults = [{"field": ".".join(map(str, one["loc"])), "fault": one["msg"]} for one in error.errors()]
        raise InvalidBodyError("The body does not have the expected form", faults=faults) from None
