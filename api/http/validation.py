"""What of a request is refused before a handler sees it: one function from pydantic's faults to our errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from api.http.errors import InvalidBodyError
from api.http.openapi import parameters_of
from contracts.errors import HydrophoneError, InvalidParameterError

MOST_QUERY_BYTES: Final = 4096
MOST_PARAMETERS: Final = 32
_NUMBERS_ONLY: Final = re.compile(r"[^A-Za-z]+")  # a pattern without letters is one of numbers
_CHECKED_LAST: Final = "symbol"
_EMPTY: Final = frozenset({"missing", "string_too_short"})
Schema = Mapping[str, Any]


def check_query(request: Request) -> None:
    """Raise InvalidParameterError where the query is too long, or where path and query give a parameter twice."""
    query: bytes = request.scope["query_string"]
    if len(query) > MOST_QUERY_BYTES:
        raise InvalidParameterError("The query is too long", parameter="query", maximum_bytes=MOST_QUERY_BYTES)
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise InvalidParameterError(
            "The query has too many parameters", parameter="query", maximum=MOST_PARAMETERS
        ) from error
    given = [name for name, _ in pairs]
    for number, name in enumerate(given):
        if name in given[:number] or name in request.path_params:
            raise InvalidParameterError(f"Parameter {name} is given twice", parameter=name)


def validation_error(request: Request, error: RequestValidationError) -> HydrophoneError:
    """Return our error for what pydantic refused; the bounds that it names are those of the route's OpenAPI."""
    faults = cast("Sequence[Mapping[str, Any]]", error.errors())
    if any(fault["loc"][0] == "body" for fault in faults):
        named = [{"field": ".".join(map(str, fault["loc"][1:])), "fault": fault["msg"]} for fault in faults]
        return InvalidBodyError("The body does not have the expected form", faults=named)
    return parameter_error(faults, parameters_of(request.app, request.scope["route"], request.method.lower()))


def parameter_error(faults: Sequence[Mapping[str, Any]], schemas: Mapping[str, Schema]) -> InvalidParameterError:
    """Return the error of the fault that counts most: a parameter that there is not, then the others in their order."""
    names = list(schemas)

    def rank(fault: Mapping[str, Any]) -> tuple[bool, bool, int]:
        name = str(fault["loc"][1])
        return name in names, name == _CHECKED_LAST, names.index(name) if name in names else 0

    fault = min(faults, key=rank)
    name = str(fault["loc"][1])
    if name not in schemas:
        return InvalidParameterError(f"Parameter {name} is not supported", parameter=name, supported_parameters=names)
    message, details = _describe(name, fault, _flat(schemas[name]))
    return InvalidParameterError(message, parameter=name, **details)


def _describe(name: str, fault: Mapping[str, Any], schema: Schema) -> tuple[str, dict[str, Any]]:
    """Return the message, and the details beside the parameter's name."""
    least, most = schema.get("minimum"), schema.get("maximum")
    shortest, longest = schema.get("minLength"), schema.get("maxLength")
    if fault["type"] in _EMPTY:
        return f"Parameter {name} is missing", {}
    if "enum" in schema:
        kind = (name.removesuffix("s") if schema.get("listed") else name).capitalize()
        return f"{kind} {fault['input']} is not supported", {"supported": list(schema["enum"])}
    if schema.get("type") == "integer" and least is not None and most is not None:
        bounds = {"minimum": least, "maximum": most}
        return f"Parameter {name} must be a whole number from {least} to {most}", bounds
    if schema.get("type") == "boolean":
        return f"Parameter {name} must be true or false", {"supported": ["true", "false"]}
    if _NUMBERS_ONLY.fullmatch(schema.get("pattern", "letters")):
        return f"Parameter {name} must be a number of 0 or more", {"minimum": 0}
    if fault["type"] == "string_too_long":
        return f"Parameter {name} must have {shortest or 0} to {longest} characters", {}
    return f"Parameter {name} is not valid: {fault['msg']}", {}


def _flat(schema: Schema) -> Schema:
    """Return the schema of the value itself: of what may be null, or of a list's items."""
    if "anyOf" in schema:
        return _flat(schema["anyOf"][0])
    if schema.get("type") == "array":
        return {**schema["items"], "listed": True}
    return schema
