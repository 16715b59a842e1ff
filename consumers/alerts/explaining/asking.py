"""Asks other services for what they know of an alert or a signal; they need not be there."""

from __future__ import annotations

from typing import Final, TypeVar

from pydantic import BaseModel

from contracts import subjects
from contracts.commands import ErrorReply
from contracts.errors import by_code
from runtime.nats.bus import Bus, NoAnswerError

M = TypeVar("M", bound=BaseModel)
_ASK_SECONDS: Final = 3.0
_ERROR_AT: Final = b'{"error":'


class NoServiceError(Exception):
    """Nobody answers a command; the text says who would."""


class Asking:
    """Asks other services, which need not be there."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def __call__(self, name: str, query: BaseModel, reply: type[M], seconds: float = _ASK_SECONDS) -> M:
        """Return a reply; NoServiceError where nobody answers, the error that was replied where it is one."""
        try:
            body = await self._bus.request(subjects.COMMAND + name, query.model_dump_json().encode(), seconds)
        except NoAnswerError:
            raise NoServiceError(f"{name.partition('.')[0]} does not answer") from None
        if body.startswith(_ERROR_AT):
            refused = ErrorReply.model_validate_json(body).error
            raise by_code(refused.code)(refused.message, **refused.details)
        return reply.model_validate_json(body)
