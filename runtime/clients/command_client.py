"""Sends commands of the contracts: a model in, its reply's model out, and the server's refusal as an error."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, Protocol, TypeVar

from pydantic import BaseModel

from contracts import errors
from contracts.commands import ErrorReply, find_command
from contracts.errors import NotReadyError
from runtime.nats.bus import NoAnswerError

M = TypeVar("M", bound=BaseModel)
_ERROR_AT: Final = b'{"error":'


class RequestBus(Protocol):
    """The bus, for requests."""

    def request(self, subject: str, payload: bytes, timeout: float) -> Awaitable[bytes]:
        """Return the reply's body; raises NoAnswerError."""
        ...


class CommandClient:
    """Commands by name (`access.create`), over one connection."""

    def __init__(self, bus: RequestBus) -> None:
        self._bus = bus

    async def request(self, name: str, query: BaseModel, reply: type[M]) -> M:
        """Return the reply to a command.

        Raises the error that was replied (`contracts.errors`, InternalError for a code that is not known), and
        NotReadyError where nobody replies within the command's time.
        """
        command = find_command(name)
        if command is None:
            raise LookupError(f"no command is called {name}")
        try:
            body = await self._bus.request(command.subject, query.model_dump_json().encode(), command.seconds)
        except NoAnswerError:
            service = name.partition(".")[0]
            raise NotReadyError(f"{service} does not answer", waiting_for=[service]) from None
        if body.startswith(_ERROR_AT):
            refused = ErrorReply.model_validate_json(body).error
            raise errors.by_code(refused.code)(refused.message, **refused.details)
        return reply.model_validate_json(body)
