"""Decodes what FastStream's handlers take: commands and events of the contracts, by subject and from their JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from faststream.nats import NatsMessage
from pydantic import ValidationError

from contracts.codec import EVENTS, kind_of
from contracts.commands import command_at
from contracts.errors import InvalidParameterError
from runtime.app.settling import BadMessageError
from runtime.nats.lanes.reader import UNDECODABLE, read_event


async def decode_by_contract(message: NatsMessage, decode: Callable[[NatsMessage], Awaitable[Any]]) -> Any:
    """Return the model that a subject of the contracts carries, any other body as FastStream decodes it.

    Raises InvalidParameterError for a request, BadMessageError for an event that breaks its contract. FastStream would
    validate the parsed JSON, where a strict model takes no text for a decimal and no list for a pair.
    """
    subject, body = message.raw_message.subject, message.body
    command = command_at(subject)
    if command is not None:
        try:
            return command.request.model_validate_json(body)
        except ValidationError as error:
            raise invalid_parameter(error) from error
    try:
        model = EVENTS[kind_of(subject)]
    except KeyError:
        return await decode(message)
    try:
        read_event(subject, body)  # the rules that a model alone does not know: its subject, its times
        return model.model_validate_json(body)
    except UNDECODABLE as error:
        raise BadMessageError(f"{type(error).__name__}: {error}") from error


def invalid_parameter(error: ValidationError) -> InvalidParameterError:
    """Return the refusal that names the first parameter at fault."""
    fault = error.errors()[0]
    return InvalidParameterError(fault["msg"], parameter=".".join(map(str, fault["loc"])))
