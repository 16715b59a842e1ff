"""Commands: requests on `cmd.v1.<service>.<verb>` and what is replied; one JSON object each way.

Whoever serves a command replies always: with its result, or with `error`. No reply within the asker's time means that
nobody serves it. Readers tolerate unknown fields. The commands of a service stand beside its requests and replies, in
`COMMANDS` of its module, and are read when the first of them is looked for: a process loads the services it speaks to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from contracts import subjects

_MODULES: Final = {
    "access": "access",
    "alerts": "alerts",
    "analytics": "analytics",
    "backtests": "trading.backtests",
    "candles": "candles",
    "chats": "chats",
    "clusters": "explaining",
    "community": "community.requests",
    "deadletters": "deadletters",
    "detectors": "explaining",
    "feed": "feed",
    "history": "candles",
    "market": "replies.commands",
    "portfolio": "trading.portfolio",
    "storms": "explaining",
    "strategies": "trading.strategies",
    "telegram": "telegram.commands",
    "trading": "trading.commands",
    "webhooks": "webhooks.commands",
    "whales": "explaining",
}  # <service>: its module in contracts.services


class CommandModel(BaseModel):
    """What every request and reply is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", cache_strings="keys")


class Failure(CommandModel):
    """Why a command was refused or failed."""

    code: str = Field(
        description="stable: INVALID_PARAMETER (`details.parameter`), UNKNOWN_VENUE, INVALID_SYMBOL, "
        "NOT_SUPPORTED (the venue offers no such history), VENUE_ERROR, VENUE_TIMEOUT, BUSY (ask again), "
        "INTERNAL_ERROR; of the market also AMBIGUOUS_SYMBOL, NO_DATA, NOT_READY, TIMEOUT; of other services "
        "NOT_FOUND, CONFLICT, GONE, LIMIT_REACHED, DISABLED"
    )
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class ErrorReply(CommandModel):
    """What is replied in place of a reply where it was refused or failed."""

    error: Failure


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its subject, what is asked and what is replied, and within how many seconds it should be."""

    name: str
    subject: str
    request: type[BaseModel]
    reply: type[BaseModel]
    seconds: float
    served_by: str

    @property
    def verb(self) -> str:
        """Its name without the service."""
        return self.name.partition(".")[2]


def command(
    name: str, request: type[BaseModel], reply: type[BaseModel], seconds: float = 8.0, *, served_by: str = "consumers"
) -> Command:
    """Return a command by its name, `<service>.<verb>`; 8 s are enough to look into documents or streams for it."""
    return Command(name, subjects.COMMAND + name, request, reply, seconds, served_by)


def find_command(name: str) -> Command | None:
    """Return the command of a name, `<service>.<verb>`, None where the contracts know none."""
    return _of_service(name.partition(".")[0]).get(name)


def command_at(subject: str) -> Command | None:
    """Return the command that is asked for on a subject, None where the contracts know none."""
    return find_command(subject.removeprefix(subjects.COMMAND)) if subject.startswith(subjects.COMMAND) else None


def every_command() -> tuple[Command, ...]:
    """Return the commands of all services."""
    return tuple(command for service in _MODULES for command in _of_service(service).values())


@cache
def _table(module: str) -> tuple[Command, ...]:
    commands: tuple[Command, ...] = import_module(f"contracts.services.{module}").COMMANDS
    return commands


def _of_service(service: str) -> dict[str, Command]:
    module = _MODULES.get(service)
    return {} if module is None else _by_name(service, module)


@cache
def _by_name(service: str, module: str) -> dict[str, Command]:
    return {command.name: command for command in _table(module) if command.name.startswith(f"{service}.")}
