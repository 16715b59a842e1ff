"""`/admin/deadletters`: what could not be handled, for those who may put it right."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.http.access.keys import ADMIN
from api.http.envelope import Success, utc
from api.http.errors import documented
from api.http.routing import requires
from api.http.validation import check_query
from contracts.services.deadletters import (
    MOST_LETTERS,
    DeadLetter,
    LetterQuery,
    LetterReply,
    ListQuery,
    ListReply,
)
from runtime.clients.command_client import CommandClient

router: Final = APIRouter(
    prefix="/admin/deadletters",
    tags=["admin"],
    dependencies=[requires(ADMIN), Depends(check_query)],
    responses=documented(400, 401, 403, 429, 500, 503),
)
LetterId = Annotated[str, Path(pattern=r"^[1-9][0-9]{0,18}$", description="the letter's id")]


class Letter(BaseModel):
    """One message that could not be handled."""

    id: str
    consumer: str = Field(description="who could not handle it")
    subject: str = Field(description="where it was on the bus")
    at: datetime = Field(description="when it was given up")
    error: str
    deliveries: int | None = Field(description="how often it was tried; null where it was tried once")
    body: str = Field(description="its beginning")
    size: int = Field(description="bytes of the body")
    retryable: bool = Field(description="whether it can be published again")

    @classmethod
    def of(cls, letter: DeadLetter) -> Letter:
        """Return a letter as it is answered."""
        return cls(**letter.model_dump(exclude={"at"}), at=utc(letter.at))


class Letters(BaseModel):
    """The newest letters, and how many there are in all."""

    letters: list[Letter]
    total: int


class LettersParameters(BaseModel):
    """Which letters."""

    model_config = ConfigDict(extra="forbid")
    consumer: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$", description="of this consumer only")
    limit: int = Field(50, ge=1, le=MOST_LETTERS, description="at most so many, the newest first")


def _commands(request: Request) -> CommandClient:
    return request.app.state.commands


Commands = Annotated[CommandClient, Depends(_commands)]


@router.get("", operation_id="listDeadLetters")
async def list_letters(query: Annotated[LettersParameters, Query()], commands: Commands) -> Success[Letters]:
    """The newest messages that could not be handled, with their errors."""
    asked = ListQuery(consumer=query.consumer, limit=query.limit)
    reply = await commands.request("deadletters.list", asked, ListReply)
    return Success(data=Letters(letters=[Letter.of(letter) for letter in reply.letters], total=reply.total))


@router.post("/{id}/retry", operation_id="retryDeadLetter", responses=documented(404, 409))
async def retry(id: LetterId, commands: Commands) -> Success[Letter]:  # noqa: A002 - the name in the path
    """Publish the message again where it was, for its one reader; the letter is removed."""
    reply = await commands.request("deadletters.retry", LetterQuery(id=id), LetterReply)
    return Success(data=Letter.of(reply.letter))


@router.delete("/{id}", operation_id="deleteDeadLetter", responses=documented(404))
async def delete(id: LetterId, commands: Commands) -> Success[Letter]:  # noqa: A002
    """Remove a letter."""
    reply = await commands.request("deadletters.delete", LetterQuery(id=id), LetterReply)
    return Success(data=Letter.of(reply.letter))
