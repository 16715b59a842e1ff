"""Refusals as answers: which HTTP status each error has, and its body in the envelope or as a plain object."""

from __future__ import annotations

from typing import Any, Final, cast

from api.replies import Reply
from contracts.errors import (
    AmbiguousSymbolError,
    HydrophoneError,
    InternalError,
    InvalidParameterError,
    NoDataError,
    NotReadyError,
    SymbolSyntaxError,
    TimedOutError,
    UnknownSymbolError,
    UnknownVenueError,
    VenueError,
)
from contracts.schema import literals

PLAIN_PREFIXES: Final = ("/api/market", "/api/sentiment")


class UnauthorizedError(HydrophoneError):
    """No key, or none that is known."""

    code = "UNAUTHORIZED"


class ForbiddenError(HydrophoneError):
    """The key lacks the scope, or the address is not allowed; details say which."""

    code = "FORBIDDEN"


class NotFoundError(HydrophoneError):
    """No such resource; details say what was looked for."""

    code = "NOT_FOUND"


class MethodNotAllowedError(HydrophoneError):
    """The route exists, with other methods; `details["allowed"]` lists them."""

    code = "METHOD_NOT_ALLOWED"


class PayloadTooLargeError(HydrophoneError):
    """The body is larger than the limit in bytes in `details["limit_bytes"]`."""

    code = "PAYLOAD_TOO_LARGE"


class HeadersTooLargeError(HydrophoneError):
    """The headers are larger than the limit in bytes in `details["limit_bytes"]`."""

    code = "PAYLOAD_TOO_LARGE"


class RateLimitedError(HydrophoneError):
    """Too many requests; `details` name the limit and the seconds to wait."""

    code = "RATE_LIMITED"


class UnfinishedRequestError(HydrophoneError):
    """The request did not arrive whole within the seconds in `details["limit_seconds"]`."""

    code = "TIMEOUT"


STATUSES: Final[dict[type[HydrophoneError], int]] = {
    InvalidParameterError: 400,
    AmbiguousSymbolError: 400,
    SymbolSyntaxError: 400,
    UnknownVenueError: 400,
    UnauthorizedError: 401,
    ForbiddenError: 403,
    UnknownSymbolError: 404,
    NoDataError: 404,
    NotFoundError: 404,
    MethodNotAllowedError: 405,
    UnfinishedRequestError: 408,
    PayloadTooLargeError: 413,
    RateLimitedError: 429,
    HeadersTooLargeError: 431,
    VenueError: 502,
    NotReadyError: 503,
    TimedOutError: 504,
    InternalError: 500,
}


def status_of(error: HydrophoneError) -> int:
    """The HTTP status of a refusal; 500 for one that has none."""
    return STATUSES.get(type(error), 500)


def refusal(path: str, error: HydrophoneError, now_ns: int) -> Reply:
    """The answer to a refused request, in the form that its path promises."""
    status = status_of(error)
    body = plain_body(error) if path.startswith(PLAIN_PREFIXES) else envelope_body(error)
    return Reply(status, literals.encode(body, now_ns), headers=_headers(status, error))


def error_body(error: HydrophoneError) -> dict[str, Any]:
    """Code, message and details: what a caller can act on."""
    return {"code": error.code, "message": error.message, "details": error.details}


def envelope_body(error: HydrophoneError) -> dict[str, Any]:
    """The failure envelope of `/gpt`, `/multi`, `/webhooks`, `/admin` and of everything unknown."""
    return {"success": False, "error": error_body(error), "timestamp": literals.SentAt()}


def plain_body(error: HydrophoneError) -> dict[str, Any]:
    """The failure of `/api/market` and `/api/sentiment`: the code, and one sentence with what is supported."""
    said = "; ".join(f"{name}: {_listed(value)}" for name, value in error.details.items())
    return {
        "error": error.code,
        "detail": f"{error.message} ({said})" if said else error.message,
        "timestamp": literals.SentAt(),
    }


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
