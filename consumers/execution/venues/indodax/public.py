"""Indodax's public side as its accounts need it, shared by all of them: the pairs, and the venue's clock.

Both are read again after ten minutes; the public side allows 180 requests a minute.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import httpx

from consumers.execution.ports import UnclearError
from consumers.execution.venues.indodax.pairs import FEES, Pairs, PairsError, read_pairs
from consumers.execution.venues.pacing import Pace
from runtime import clock
from runtime.trading.figures import Fees

BASE_URL: Final = "https://indodax.com"
MS: Final = 1_000_000  # nanoseconds
_FRESH_NS: Final = 600 * 1_000_000_000
_COUNTDOWNS, _COUNTDOWN_SECONDS = 8, 10.0  # the venue allows an address 10 in 10 s
_TIMEOUT: Final = httpx.Timeout(10.0, connect=5.0)


def open_http() -> httpx.AsyncClient:
    """Open a client as every part of this venue uses it."""
    return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, headers={"User-Agent": "hydrophone"})


class IndodaxPublic:
    """Pairs and clock; `base_url` where the venue is reached, `now` ns UTC of our own clock."""

    def __init__(self, base_url: str | None = None, now: Callable[[], int] = clock.now_ns) -> None:
        self._url, self._now = (base_url or BASE_URL).rstrip("/"), now
        self._http = open_http()
        self._pairs: tuple[int, Pairs] | None = None
        self._difference: tuple[int, int] | None = None  # when it was measured, and by how much the venue is ahead
        self._lock = asyncio.Lock()
        self.countdowns = Pace(_COUNTDOWNS, _COUNTDOWN_SECONDS)  # those of all accounts

    @property
    def fees(self) -> Fees:
        """The highest of all pairs, as far as they are known."""
        return FEES if self._pairs is None else self._pairs[1].fees

    async def pairs(self) -> Pairs:
        """Return every pair; raises UnclearError without a clear answer."""
        async with self._lock:
            if self._pairs is None or self._now() - self._pairs[0] > _FRESH_NS:
                rows, increments = await self._get("/api/pairs"), await self._get("/api/price_increments")
                try:
                    self._pairs = (self._now(), read_pairs(rows, increments))
                except PairsError as error:
                    raise UnclearError(f"Indodax: {error}") from None
            return self._pairs[1]

    async def now_ms(self) -> int:
        """Return the time by the venue's clock, milliseconds UTC; raises UnclearError where it cannot be known."""
        async with self._lock:
            if self._difference is None or self._now() - self._difference[0] > _FRESH_NS:
                self._difference = await self._measure()
            return (self._now() + self._difference[1]) // MS

    def forget_clock(self) -> None:
        """Measure the venue's clock again before the next request."""
        self._difference = None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def _measure(self) -> tuple[int, int]:
        before = self._now()
        answer = await self._get("/api/server_time")
        after = self._now()
        try:
            there = int(answer["server_time"]) * MS
        except (KeyError, TypeError, ValueError):
            raise UnclearError("Indodax did not answer with its time") from None
        return after, there - (before + after) // 2

    async def _get(self, path: str) -> Any:
        try:
            response = await self._http.get(self._url + path)
            response.raise_for_status()
            return json.loads(response.text, parse_float=Decimal)
        except (httpx.HTTPError, ValueError) as error:
            raise UnclearError(f"Indodax cannot be reached ({type(error).__name__})") from None
