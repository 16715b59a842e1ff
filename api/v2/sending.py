"""Sends commands of the community service for a request, in the name of its key's owner."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import Depends, Path, Request, Response
from pydantic import AfterValidator

from api.http.errors import documented
from api.http.idempotency import IdempotencyKey, Once
from api.http.responses import Reply
from api.http.routing import requires
from api.http.validation import check_query
from contracts.errors import NotFoundError
from contracts.services.access import Caller
from contracts.services.community import groups
from contracts.services.community.requests import COMMANDS
from contracts.services.responses import ErrorResponse
from runtime.clients.command_client import CommandClient

RULE_ID: Final = re.compile(r"[0-9a-f]{16}")
GROUPS_ADMIN: Final = "groups:admin"
GroupInPath = Annotated[groups.GroupId, Path()]
UserInPath = Annotated[groups.UserId, Path()]
_COMMANDS: Final = {command.verb: (command.request, command.reply) for command in COMMANDS}
_FAILURES: Final = (400, 401, 403, 429, 500, 503, 504)


def failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of routes that fail with these statuses."""
    return documented(*statuses, model=ErrorResponse)


ROUTER: Final[dict[str, Any]] = {
    "prefix": "/api/v2",
    "dependencies": [requires(GROUPS_ADMIN), Depends(check_query)],
    "responses": failures(*_FAILURES),
}
"""What every router here begins with."""


class Sender:
    """Sends a command for a request, and answers with its reply."""

    def __init__(self, request: Request) -> None:
        self._commands: CommandClient = request.app.state.commands
        self._scope = request.scope

    async def __call__(self, verb: str, **fields: Any) -> Response:
        """Return the reply to a command as an answer; raises its error."""
        return (await self.reply(verb, 200, **fields)).as_response()

    async def reply(self, verb: str, status: int, **fields: Any) -> Reply:
        """Return the same before it is a route's response."""
        request, reply = _COMMANDS[verb]
        known = {"owner": self._scope["hydrophone.admission"].identity.owner, "caller": self._caller(), **fields}
        asked = request(**{name: value for name, value in known.items() if name in request.model_fields})
        found = await self._commands.request(f"community.{verb}", asked, reply)
        return Reply(status, found.model_dump_json().encode())

    def _caller(self) -> Caller:
        admission = self._scope["hydrophone.admission"]
        address = None if admission.address is None else str(admission.address)
        return Caller(actor=admission.identity.uid, address=address, request_id=self._scope["hydrophone.request_id"])


Send = Annotated[Sender, Depends()]


class Maker:
    """Sends a command that makes something: 201, and the first answer again for a key that was used before."""

    def __init__(self, send: Send, once: Once, _key: IdempotencyKey = None) -> None:
        self._send, self._once = send, once

    async def __call__(self, verb: str, **fields: Any) -> Response:
        """Return what was made; raises the command's error."""

        async def make(request_key: str | None) -> Reply:
            return await self._send.reply(verb, 201, request_key=request_key, **fields)

        return (await self._once(make)).as_response()


Make = Annotated[Maker, Depends()]


def checked_role(name: str) -> str:
    """Return a role's name; NotFoundError for what can be none."""
    if groups.ROLE_NAME.fullmatch(name) is None:
        raise NotFoundError(f"There is no role {name}", name=name)
    return name


def checked_rule(rule_id: str) -> str:
    """Return a rule's id; NotFoundError for what can be none."""
    if RULE_ID.fullmatch(rule_id) is None:
        raise NotFoundError(f"There is no rule {rule_id}", rule_id=rule_id)
    return rule_id


RoleInPath = Annotated[
    str, Path(max_length=64, description="name of a role", examples=["moderator"]), AfterValidator(checked_role)
]
RuleInPath = Annotated[
    str, Path(max_length=64, description="id of a rule", examples=["5b1f0c9a4be1d27c"]), AfterValidator(checked_rule)
]
