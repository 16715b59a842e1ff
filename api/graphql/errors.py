"""Errors of GraphQL as answers: the codes of every other face, in `extensions`; nothing of the inside is in them."""

from __future__ import annotations

from typing import Any, Final

from graphql import GraphQLError, GraphQLSyntaxError

from contracts.errors import HydrophoneError, InternalError
from runtime.logging import logs

BAD_OPERATION: Final = "INVALID_BODY"


def describe_error(error: GraphQLError) -> None:
    """Give an error the message, code and details that it is answered with; write our own fault to the log."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if cause is None and (error.path is None or isinstance(error, GraphQLSyntaxError)):
        error.extensions = {"code": BAD_OPERATION, "details": {}, **(error.extensions or {})}
        return
    known = cause if isinstance(cause, HydrophoneError) else InternalError("Something went wrong here")
    if known is not cause:
        logs.get().error("graphql.failed", path=str(error.path), exc_info=cause or error)
    error.message = known.message
    error.extensions = _extensions(known)


def as_graphql_error(error: HydrophoneError) -> dict[str, Any]:
    """Return an error as it stands in `errors`."""
    return {"message": error.message, "extensions": _extensions(error)}


def _extensions(error: HydrophoneError) -> dict[str, Any]:
    return {"code": error.code, "details": error.details}
