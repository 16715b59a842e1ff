"""CCXT's client of one account: every request with a time limit, its errors as what they mean, nothing sent twice."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from consumers.execution.ports import UnclearError
from consumers.execution.venues.ccxt_errors import Requests, describe, judge
from consumers.execution.venues.ccxt_ways import Capabilities, describe_venue, find_ways, require
from contracts.errors import InvalidParameterError
from runtime.credentials import Credential
from runtime.trading.figures import OrderRefusedError
from runtime.trading.order import SECOND

REQUEST_SECONDS: Final = 10.0
CALL_SECONDS: Final = 25.0  # a call may take several requests, and waits for the rate limit
MARKETS_NS: Final = 3600 * SECOND  # how long steps and minimums are believed
_HOST: Final = re.compile(r"^https?://[^/]+")
_requests: ContextVar[Requests | None] = ContextVar("requests", default=None)
T = TypeVar("T")


@dataclass(slots=True)
class Shared:
    """What the accounts at one exchange share: its rate limit, which counts by address, and its markets."""

    throttler: Any = None
    loaded: Any = None  # the object that read the markets last
    markets_ns: int | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class CcxtClient:
    """One exchange object of CCXT's, made when it is first needed: CCXT takes seconds to load, in a thread of its own.

    `url` stands in for the hosts of all of its URLs, None for the venue's own.
    """

    def __init__(
        self, venue: str, credential: Credential, shared: Shared | None = None, url: str | None = None
    ) -> None:
        self.venue, self.ways = venue, find_ways(venue)
        self._credential, self._shared, self._url = credential, shared or Shared(), url
        self._exchange: Any = None
        self._capabilities: Capabilities | None = None
        self._markets_ns: int | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"CcxtClient({self.venue})"

    @property
    def exchange(self) -> Any:
        """CCXT's object, once it was started."""
        return self._exchange

    @property
    def capabilities(self) -> Capabilities:
        """What can be done there; before it was started, nothing that is not sure."""
        return self._capabilities or Capabilities(self.venue)

    async def start(self) -> Any:
        """Return CCXT's object; InvalidParameterError where CCXT cannot do what accounts need."""
        async with self._lock:
            if self._exchange is None:
                self._exchange = await asyncio.to_thread(self._make)
            return self._exchange

    async def close(self) -> None:
        """Close the connections."""
        if self._exchange is not None:
            await self._exchange.close()

    async def read(self, call: Callable[[Any], Awaitable[T]]) -> T:
        """Return an answer; UnclearError where there is none that can be read."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await call(await self.start())
        except InvalidParameterError as error:
            raise UnclearError(error.message) from None
        except _failures() as error:
            raise UnclearError(describe(error, self.venue)) from None

    async def change(self, call: Callable[[Any], Awaitable[T]]) -> T:
        """Send what changes something, once; OrderRefusedError where it certainly did not, else UnclearError."""
        requests = Requests()
        token = _requests.set(requests)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await call(await self.start())
        except InvalidParameterError as error:
            raise OrderRefusedError(f"it was not sent: {error.message}", "NOT_SENT") from None
        except _failures() as error:
            raise judge(error, requests, self.venue) from None
        finally:
            _requests.reset(token)

    async def load_markets(self, now_ns: int) -> bool:
        """Have the markets, an hour old at most, shared by all accounts there; return whether they were read now."""
        shared, exchange = self._shared, await self.read(_itself)
        async with shared.lock:
            if shared.markets_ns is None or now_ns - shared.markets_ns >= MARKETS_NS:
                await self.read(lambda one: one.load_markets(shared.loaded is not None))
                shared.loaded, shared.markets_ns = exchange, now_ns
        if exchange.markets is shared.loaded.markets and self._markets_ns == shared.markets_ns:
            return False
        exchange.set_markets_from_exchange(shared.loaded)
        self._markets_ns = shared.markets_ns
        return True

    def _make(self) -> Any:
        ccxt = importlib.import_module("ccxt.async_support")
        kind = type(self.venue, (getattr(ccxt, self.venue),), {"number": str})  # before it reads figures of its own
        credential = self._credential
        exchange = kind({"apiKey": credential.key, "secret": credential.secret, "password": credential.password})
        self._capabilities = describe_venue(self.venue, exchange.has, exchange.features)
        require(self._capabilities)
        exchange.enableRateLimit = True
        exchange.timeout = int(REQUEST_SECONDS * 1000)
        exchange.timeout_on_exit = 0
        exchange.options.update({**self.ways.options, "maxRetriesOnFailure": 0})
        exchange.has = {**exchange.has, "fetchCurrencies": False}  # needs other rights of a key, and nothing reads it
        if self._url is not None:
            exchange.urls["api"] = _point(exchange.urls["api"], self._url)
        exchange.throttler = self._shared.throttler = self._shared.throttler or exchange.throttler
        _watch(exchange)
        return exchange


async def _itself(exchange: Any) -> Any:
    return exchange


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
    if isinstance(urls, dict):
        return {key: _point(value, host) for key, value in cast("dict[str, Any]", urls).items()}
    return _HOST.sub(host, urls) if isinstance(urls, str) else urls


def _failures() -> tuple[type[Exception], ...]:
    """Return what a call may fail with: CCXT's errors, no answer in time, and what its parsers raise of odd answers."""
    base: type[Exception] = importlib.import_module("ccxt.base.errors").BaseError
    return (base, TimeoutError, OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
