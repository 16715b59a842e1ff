"""Every refusal that crosses a room's border: a stable code, a sentence, and the details a caller can act on."""

from __future__ import annotations


class HydrophoneError(Exception):
    """A refusal with a stable `code`; `details` name the field or rule at fault."""

    code = "ERROR"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidParameterError(HydrophoneError):
    """A parameter is missing, malformed or out of range; `details["parameter"]` names it."""

    code = "INVALID_PARAMETER"


class UnknownSymbolError(HydrophoneError):
    """No venue lists this symbol; `details["supported_symbols"]` lists those that are."""

    code = "INVALID_SYMBOL"


class AmbiguousSymbolError(HydrophoneError):
    """The text fits several instruments; `details["candidates"]` lists them."""

    code = "AMBIGUOUS_SYMBOL"


class UnknownVenueError(HydrophoneError):
    """No such venue; `details["supported_venues"]` lists those that are."""

    code = "UNKNOWN_VENUE"


class SymbolSyntaxError(HydrophoneError):
    """The text is no symbol in the unified form."""

    code = "SYMBOL_SYNTAX"


class FrameError(HydrophoneError):
    """A venue's frame could not be decoded; the message names the field or the channel at fault."""

    code = "BAD_FRAME"


class VenueError(HydrophoneError):
    """A venue refused or failed a request; `details` carry HTTP status, the venue's code and seconds to wait."""

    code = "VENUE_ERROR"


class NoDataError(HydrophoneError):
    """The symbol is listed, but nothing was received of it; `details["supported_symbols"]` lists what was."""

    code = "NO_DATA"


class NotReadyError(HydrophoneError):
    """Something is waited for; `details["waiting_for"]` names it."""

    code = "NOT_READY"


class TimedOutError(HydrophoneError):
    """It took longer than the limit; `details["limit_seconds"]` where there is a fixed one."""

    code = "TIMEOUT"


class InternalError(HydrophoneError):
    """Our own fault; nothing of the inside is in it."""

    code = "INTERNAL_ERROR"


class NotFoundError(HydrophoneError):
    """No such resource; details say what was looked for."""

    code = "NOT_FOUND"


class UnauthorizedError(HydrophoneError):
    """No proof of who asks, or none that holds; details say what is needed."""

    code = "UNAUTHORIZED"


class ConflictError(HydrophoneError):
    """It contradicts what is there, or what is under way."""

    code = "CONFLICT"


class AlreadyExistsError(HydrophoneError):
    """There is one of that name or id already; details say which."""

    code = "ALREADY_EXISTS"


class GoneError(HydrophoneError):
    """It was there, and is not to be used again."""

    code = "GONE"


class LimitReachedError(HydrophoneError):
    """There are as many as there may be; `details["maximum"]` says how many that is."""

    code = "LIMIT_REACHED"


class DisabledError(HydrophoneError):
    """The feature is switched off; `details["setting"]` names what switches it on."""

    code = "DISABLED"


def by_code(code: str) -> type[HydrophoneError]:
    """Return the error of a code; InternalError for one that is not known here."""
    return _kinds().get(code, InternalError)


def _kinds() -> dict[str, type[HydrophoneError]]:
    return {kind.code: kind for kind in HydrophoneError.__subclasses__() if kind.__module__ == __name__}
