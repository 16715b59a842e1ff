"""Errors as answers: the HTTP status of each, its body in the shape of its prefix, and how OpenAPI describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.http.responses import Reply
from contracts.errors import HydrophoneError, InternalError, NotFoundError, TimedOutError
from contracts.schema import literals

PLAIN_PREFIXES: Final = ("/api/market", "/api/sentiment")
RESOURCE_PREFIXES: Final = ("/api/v2", "/api/alerts", "/api/trading", "/api/auth")


class InvalidBodyError(HydrophoneError):
    """The body does not have the expected form; `details["faults"]` names each field at fault."""

    code = "INVALID_BODY"


class ForbiddenError(HydrophoneError):
    """The key lacks the scope, or the address is not allowed; details say which."""

    code = "FORBIDDEN"


class MethodNotAllowedError(HydrophoneError):
    """The route exists, with other methods; `details["allowed"]` lists them."""

    code = "METHOD_NOT_ALLOWED"


class PayloadTooLargeError(HydrophoneError):
    """The body is larger than the limit in bytes in `details["limit_bytes"]`."""

    part = "body is"
    code = "PAYLOAD_TOO_LARGE"

    @classmethod
    def over(cls, most: int) -> Self:
        """Return the error of more than `most` bytes."""
        return cls(f"The {cls.part} larger than {most} bytes", limit_bytes=most)


class HeadersTooLargeError(PayloadTooLargeError):
    """The headers are larger than the limit in bytes in `details["limit_bytes"]`."""

    part = "request's headers are"
    status = 431


class RateLimitedError(HydrophoneError):
    """Too many requests; `details` name the limit and the seconds to wait."""

    code = "RATE_LIMITED"


class UnfinishedRequestError(TimedOutError):
    """The request did not arrive whole within the seconds in `details["limit_seconds"]`."""

    status = 408


CODES: Final = {  # the closed list
    400: ("INVALID_PARAMETER", "INVALID_BODY", "AMBIGUOUS_SYMBOL", "UNKNOWN_VENUE"),
    401: ("UNAUTHORIZED",),
    403: ("FORBIDDEN",),
    404: ("INVALID_SYMBOL", "NO_DATA", "NOT_FOUND"),
    405: ("METHOD_NOT_ALLOWED",),
    409: ("CONFLICT", "ALREADY_EXISTS"),
    410: ("GONE",),
    413: ("PAYLOAD_TOO_LARGE",),
    429: ("RATE_LIMITED", "LIMIT_REACHED"),
    500: ("INTERNAL_ERROR",),
    502: ("VENUE_ERROR",),
    503: ("NOT_READY", "DISABLED"),
    504: ("TIMEOUT",),
}
_STATUSES: Final = {code: status for status, codes in CODES.items() for code in codes}
Code = Annotated[str, Field(json_schema_extra={"enum": list(_STATUSES)}, examples=["INVALID_SYMBOL"])]


class ErrorBody(BaseModel):
    """What went wrong."""

    code: Code
    message: str = Field(examples=["Symbol XYZ is not supported"])
    details: dict[str, Any] = Field(description="the parameter at fault and what is supported")


class Failure(BaseModel):
    """The envelope of an error."""

    success: Literal[False]
    error: ErrorBody
    timestamp: datetime


class PlainFailure(BaseModel):
    """An error of the plain routes."""

    error: Code
    detail: str
    timestamp: datetime


class DetailedFailure(PlainFailure):
    """An error of the routes of resources."""

    fields: dict[str, str] | None = Field(default=None, description="each field at fault, and what is wrong with it")


_DESCRIPTIONS: Final = {
    400: "A parameter is missing, malformed or out of range; details name it",
    401: "No key, or an unknown one",
    403: "The key lacks the scope, or the address is not allowed",
    404: "Unknown symbol, or no such resource; details say what was looked for",
    409: "It contradicts what is there, or the Idempotency-Key came with another request",
    410: "It was there, and is not to be used again",
    413: "The body is larger than the limit; details name it",
    429: "Too many requests; Retry-After says how long to wait",
    500: "A fault of the service",
    502: "The exchange refused or failed",
    503: "Not ready; details say what is waited for",
    504: "No answer in time",
}


def documented(*statuses: int, model: type[BaseModel] = Failure) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of routes that fail with these statuses, as FastAPI takes them."""
    return {status: {"description": _DESCRIPTIONS[status], "model": model} for status in statuses}


def as_error(error: Exception, path: str, method: str) -> HydrophoneError:
    """Return what an exception of routing or of a handler is answered as."""
    if isinstance(error, HydrophoneError):
        return error
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:  # noqa: PLR2004 - the statuses that the router raises
        return NotFoundError(f"There is no {path}", path=path)
    if isinstance(error, HTTPException) and status == 405:  # noqa: PLR2004
        allowed = [name.strip() for name in (error.headers or {}).get("Allow", "").split(",") if name]
        return MethodNotAllowedError(f"{method} is not supported here", method=method, allowed=allowed)
    return InternalError("Something went wrong here")


def error_reply(path: str, error: HydrophoneError, now_ns: int) -> Reply:
    """Return the answer to a request that failed, in the shape that its path promises."""
    status: int = getattr(error, "status", None) or _STATUSES.get(error.code, 500)
    form = next((form for prefixes, form in _FORMS if path.startswith(prefixes)), _envelope)
    return Reply(
        status, literals.encode(form(error) | {"timestamp": literals.SentAt()}, now_ns), headers=_headers(status, error)
    )


def _envelope(error: HydrophoneError) -> dict[str, Any]:
    return {"success": False, "error": {"code": error.code, "message": error.message, "details": error.details}}


def _plain_body(error: HydrophoneError) -> dict[str, Any]:
    details = "; ".join(f"{name}: {_listed(value)}" for name, value in error.details.items())
    return {"error": error.code, "detail": f"{error.message} ({details})" if details else error.message}


def _resource_body(error: HydrophoneError) -> dict[str, Any]:
    """Return the plain body, with the faults by field where there are such."""
    faults = cast("list[dict[str, str]]", error.details.get("faults", []))
    fields = {fault["field"] or "body": fault["fault"] for fault in faults}
    if "parameter" in error.details:
        fields[str(error.details["parameter"])] = error.message
    given = {name: value for name, value in error.details.items() if name != "faults"}
    detail = "; ".join(f"{name}: {_listed(value)}" for name, value in given.items() if name != "parameter")
    body: dict[str, Any] = {"error": error.code, "detail": f"{error.message} ({detail})" if detail else error.message}
    return body | ({"fields": fields} if fields else {})


_FORMS: Final = ((PLAIN_PREFIXES, _plain_body), (RESOURCE_PREFIXES, _resource_body))


def _listed(value: object) -> str:
    return ", ".join(str(item) for item in cast("list[object]", value)) if isinstance(value, list) else str(value)


def _headers(status: int, error: HydrophoneError) -> tuple[tuple[bytes, bytes], ...]:
    if status == 401:  # noqa: PLR2004 - the status that the header belongs to
        return ((b"www-authenticate", b"Bearer"),)
    allowed = error.details.get("allowed")
    if isinstance(error, MethodNotAllowedError) and isinstance(allowed, list):
        return ((b"allow", _listed(cast("object", allowed)).encode()),)
    retry_after = error.details.get("retry_after")
    return ((b"retry-after", str(retry_after).encode()),) if retry_after is not None else ()
