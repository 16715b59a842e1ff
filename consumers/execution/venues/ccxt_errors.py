"""What CCXT's errors mean for an order: the venue certainly refused it, or it is unknown. Pure.

CCXT names an error by its cause, and not by whether the order exists. A class counts as a refusal only where each of
its uses in CCXT is an answer that a venue gives before it takes an order, or is raised before anything is sent. Bare
`ExchangeError` is not one: an answer that broke off in the middle is raised as that. The texts of errors hold whole
URLs with their signatures: nothing of them is passed on but the message that the venue wrote itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from consumers.execution.ports import UnclearError
from contracts.services.trading.refusals import RefusalCode
from runtime.trading.figures import OrderRefusedError

Meaning = Literal["refused", "unclear"]
MEANINGS: Final[Mapping[str, Meaning]] = MappingProxyType({
    "BaseError": "unclear",
    "ExchangeError": "unclear",  # an unknown code, and a broken answer
    "AuthenticationError": "refused",
    "PermissionDenied": "refused",
    "AccountNotEnabled": "refused",
    "AccountSuspended": "refused",
    "ArgumentsRequired": "refused",
    "BadRequest": "refused",
    "BadSymbol": "refused",
    "OperationRejected": "refused",
    "NoChange": "unclear",  # no answer to an order
    "MarginModeAlreadySet": "unclear",  # no answer to an order
    "MarketClosed": "refused",
    "ManualInteractionNeeded": "refused",
    "RestrictedLocation": "refused",
    "InsufficientFunds": "refused",
    "InvalidAddress": "unclear",  # no answer to an order
    "AddressPending": "unclear",  # no answer to an order
    "InvalidOrder": "refused",
    "OrderNotFound": "unclear",  # no answer to a new order
    "OrderNotCached": "unclear",  # raised of what was answered
    "OrderImmediatelyFillable": "refused",
    "OrderNotFillable": "refused",
    "DuplicateOrderId": "unclear",  # the venue has one of this id: it may be this one
    "ContractUnavailable": "refused",
    "NotSupported": "refused",
    "InvalidProxySettings": "refused",
    "ExchangeClosedByUser": "refused",  # raised before a request
    "OperationFailed": "unclear",
    "NetworkError": "unclear",
    "DDoSProtection": "unclear",  # some are a page of whoever stands before the venue
    "RateLimitExceeded": "refused",
    "ExchangeNotAvailable": "unclear",
    "OnMaintenance": "unclear",  # a venue that goes down may have taken it
    "InvalidNonce": "unclear",  # the answer to a request that arrived twice
    "ChecksumError": "unclear",  # no answer to an order
    "RequestTimeout": "unclear",
    "BadResponse": "unclear",
    "NullResponse": "unclear",
    "CancelPending": "unclear",
    "UnsubscribeError": "unclear",  # no answer to an order
})  # fmt: skip
_SENTENCES: Final[Mapping[str, str]] = MappingProxyType({
    "InsufficientFunds": "there is not enough money for it",
    "AccountNotEnabled": "the account may not trade there",
    "AccountSuspended": "the account is suspended",
    "PermissionDenied": "the key may not trade",
    "AuthenticationError": "the key is not accepted",
    "BadSymbol": "it does not trade that symbol",
    "MarketClosed": "it is not trading now",
    "RestrictedLocation": "it does not trade with this place",
    "ManualInteractionNeeded": "the account's owner has something to confirm there first",
    "OrderImmediatelyFillable": "it would have been executed at once, and was not to be",
    "OrderNotFillable": "it could not be executed at once, and was to be",
    "RateLimitExceeded": "it takes no more requests for now",
    "OnMaintenance": "it is under maintenance",
    "RequestTimeout": "it did not answer in time",
    "TimeoutError": "it did not answer in time",
    "NetworkError": "it could not be reached",
    "ExchangeClosedByUser": "the connection is closed here",
})  # fmt: skip
_CODES: Final[Mapping[str, RefusalCode]] = MappingProxyType({
    "InsufficientFunds": "INSUFFICIENT_BALANCE",
    "AuthenticationError": "KEY_REFUSED",  # PermissionDenied, AccountNotEnabled and AccountSuspended are kinds of it
    "OrderImmediatelyFillable": "POST_ONLY",
    "BadSymbol": "NOT_SUPPORTED",
    "RateLimitExceeded": "RATE_LIMITED",
})  # fmt: skip
_MINIMUM: Final = re.compile(r"Filter failure: (MIN_)?NOTIONAL|exceeded lower limit")  # Binance's, Bybit's
_TOO_MANY: Final = frozenset({418, 429})  # HTTP: refused before it is looked at
_MAY_BE_THERE: Final = re.compile(
    r"duplicat|already exist|time[d -]*out|status unknown|unknown status|unexpected response", re.IGNORECASE
)
_NO_CONNECTION: Final = frozenset({"ClientConnectorError", "gaierror"})  # aiohttp's, and a name that is not found
_MESSAGES: Final = ("msg", "retMsg", "sMsg", "message")
_LONGEST: Final = 200


@dataclass(slots=True)
class Requests:
    """How far the requests of one call came: whether one that changes something was sent, and was answered well.

    `status` is the HTTP status of the last answer, None without one.
    """

    sent: bool = False
    answered: bool = False
    status: int | None = None


def judge(error: Exception, requests: Requests, venue: str) -> OrderRefusedError | UnclearError:
    """Return what to raise of an error of a request that was to change something."""
    words = describe(error, venue)
    if not requests.sent or _never_connected(error):
        return OrderRefusedError(f"it was not sent: {words}", "NOT_SENT")
    if requests.answered:
        return UnclearError(f"{venue} took it, and its answer cannot be read ({type(error).__name__})")
    if requests.status in _TOO_MANY:
        return OrderRefusedError(f"{venue}: {_SENTENCES['RateLimitExceeded']}", "RATE_LIMITED")
    if meaning_of(error) == "refused" and not _MAY_BE_THERE.search(_message_of(error) or ""):
        return OrderRefusedError(words, _code_of(error))
    return UnclearError(words)


def _code_of(error: Exception) -> RefusalCode:
    """Return the code of what the exchange said no to; "VENUE_REFUSED" where it is none of the known ones."""
    if _MINIMUM.search(_message_of(error) or ""):
        return "BELOW_MINIMUM"
    for kind in type(error).__mro__:
        if (code := _CODES.get(kind.__name__)) is not None:
            return code
    return "VENUE_REFUSED"


def _never_connected(error: Exception) -> bool:
    """Return whether there was no connection that a request could have been sent on."""
    cause = error.__cause__
    return cause is not None and any(kind.__name__ in _NO_CONNECTION for kind in type(cause).__mro__)


def meaning_of(error: BaseException) -> Meaning:
    """Return what the nearest class that is known means; "unclear" where none is."""
    for kind in type(error).__mro__:
        if (meaning := MEANINGS.get(kind.__name__)) is not None:
            return meaning
    return "unclear"


def describe(error: BaseException, venue: str) -> str:
    """Return an error in words for an account's owner, without anything of the request."""
    names = [kind.__name__ for kind in type(error).__mro__]
    sentence = next((_SENTENCES[name] for name in names if name in _SENTENCES), None)
    said = None if "NetworkError" in names else _message_of(error)
    if said is not None:
        return f"{venue}: {sentence} ({said})" if sentence is not None else f"{venue}: {said}"
    return f"{venue}: {sentence or f'it answered with an error ({names[0]})'}"


def _message_of(error: BaseException) -> str | None:
    """Return the message of the JSON that an error's text ends with."""
    text = str(error)
    start = text.find("{")
    if start < 0:
        return None
    try:
        body, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError:
        return None
    return _find_message(body)


def _find_message(body: Mapping[str, Any]) -> str | None:
    for name in _MESSAGES:
        if isinstance(said := body.get(name), str) and said:
            return said[:_LONGEST]
    return None
