"""`cmd.v1.deadletters.<verb>`: what could not be handled, seen, tried again, or removed."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from contracts.commands import Command, command
from contracts.market import Nanoseconds

QUEUE: Final = "deadletters"
LONGEST_BODY: Final = 4096
MOST_LETTERS: Final = 100
Id = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,18}$", description="its number in the stream of dead letters")]


class LettersModel(BaseModel):
    """What every message here is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class DeadLetter(LettersModel):
    """One message that could not be handled."""

    id: Id
    consumer: str = Field(description="who could not handle it")
    subject: str = Field(description="where it was")
    at: Nanoseconds = Field(description="when it was given up")
    error: str = Field(description="kind and text of the error")
    deliveries: int | None = Field(description="how often it was tried; null where it was tried once")
    body: str = Field(description=f"its first {LONGEST_BODY} characters; what is not UTF-8 is replaced")
    size: int = Field(description="bytes of the body")
    retryable: bool = Field(description="whether it can be published again: it has one reader")


class ListQuery(LettersModel):
    """Which letters, the newest first."""

    consumer: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$", description="of this consumer only; null for all"
    )
    limit: Annotated[int, Field(ge=1, le=MOST_LETTERS, description="at most so many")] = 50


class ListReply(LettersModel):
    """The newest letters, and how many there are in all."""

    letters: list[DeadLetter]
    total: int = Field(description="of all consumers")


class LetterQuery(LettersModel):
    """One letter."""

    id: Id


class LetterReply(LettersModel):
    """The letter as it was; it is no longer kept."""

    letter: DeadLetter


COMMANDS: Final[tuple[Command, ...]] = (
    command("deadletters.list", ListQuery, ListReply),
    command("deadletters.retry", LetterQuery, LetterReply),
    command("deadletters.delete", LetterQuery, LetterReply),
)
