"""CCXT's client of one account: every request with a time limit, its errors as what they mean, nothing sent twice."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from consumers.execution.ports import UnclearError
from consumers.execution.venues.ccxt_errors import Requests, describe, judge
from consumers.execution.venues.ccxt_ways import Capabilities, Ways, describe_venue, require
from contracts.errors import InvalidParameterError

REQUEST_SECONDS: Final = 10.0
CALL_SECONDS: Final = 25.0  # a call may take several requests, and waits for the rate limit
_HOST: Final = re.compile(r"^https?://[^/]+")
_requests: ContextVar[Requests | None] = ContextVar("requests", default=None)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account's key and secret."""

    key: str = field(repr=False)
    secret: str = field(repr=False)


class CcxtClient:
    """One exchange object of CCXT's. `url` stands in for the hosts of all of its URLs, None for the venue's own."""

    def __init__(self, venue: str, credentials: Credentials, url: str | None = None) -> None:
        kind = getattr(importlib.import_module("ccxt.async_support"), venue, None)
        if kind is None or not isinstance(kind, type):
            raise InvalidParameterError(f"CCXT knows no exchange {venue}", parameter="venue")
        self.venue = venue
        exact = type(venue, (kind,), {"number": str})  # of the class: its own figures are read before any setting
        self.exchange: Any = exact({"apiKey": credentials.key, "secret": credentials.secret})
        self.capabilities: Capabilities = describe_venue(venue, self.exchange.has, self.exchange.features)
        self.ways: Ways = require(self.capabilities)
        self._prepare(url)

    async def close(self) -> None:
        """Close the connections."""
        await self.exchange.close()

    async def read(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return an answer; UnclearError where there is none that can be read."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await call()
        except _failures() as error:
            raise UnclearError(describe(error, self.venue)) from None

    async def change(self, call: Callable[[], Awaitable[T]]) -> T:
        """Send what changes something, once; OrderRefusedError where it certainly did not, else UnclearError."""
        requests = Requests()
        token = _requests.set(requests)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await call()
        except _failures() as error:
            raise judge(error, requests, self.venue) from None
        finally:
            _requests.reset(token)

    def _prepare(self, url: str | None) -> None:
        exchange = self.exchange
        exchange.enableRateLimit = True
        exchange.timeout = int(REQUEST_SECONDS * 1000)
        exchange.timeout_on_exit = 0
        exchange.options.update({**self.ways.options, "maxRetriesOnFailure": 0})
        exchange.has = {**exchange.has, "fetchCurrencies": False}  # needs other rights of a key, and nothing reads it
        if url is not None:
            exchange.urls["api"] = _point(exchange.urls["api"], url)
        _watch(exchange)


def _watch(exchange: Any) -> None:
    """Note how far requests come: CCXT's errors do not say whether anything was sent."""
    fetch, handle_errors = exchange.fetch, exchange.handle_errors

    async def noted_fetch(url: str, method: str = "GET", headers: object = None, body: object = None) -> Any:
        requests = _requests.get() if method != "GET" else None
        if requests is None:
            return await fetch(url, method, headers, body)
        requests.sent = True
        answer = await fetch(url, method, headers, body)
        requests.answered = True
        return answer

    def noted_errors(status: int, *rest: Any) -> Any:
        if (requests := _requests.get()) is not None:
            requests.status = status
        return handle_errors(status, *rest)

    exchange.fetch, exchange.handle_errors = noted_fetch, noted_errors


def _point(urls: Any, host: str) -> Any:
    """Return URLs with their hosts replaced, whatever is nested in what."""
    if isinstance(urls, Mapping):
        return {key: _point(value, host) for key, value in urls.items()}
    return _HOST.sub(host, urls) if isinstance(urls, str) else urls


def _failures() -> tuple[type[Exception], ...]:
    """Return what a call may fail with: CCXT's errors, no answer in time, and what its parsers raise of odd answers."""
    base: type[Exception] = importlib.import_module("ccxt.base.errors").BaseError
    return (base, TimeoutError, OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
