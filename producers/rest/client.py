"""A venue's REST side over httpx: instruments and depth snapshots, within its budget, stopped where it says stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import structlog

from contracts.errors import VenueError
from producers.connection.interfaces import DepthAnswer, TradesAnswer
from producers.connection.socket import SIMULATED_HEADER, USER_AGENT
from producers.venue import Unreadable
from runtime import clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contracts.instrument import Instrument
    from producers.rest.rate_limit import RateLimit
    from producers.venue import RestCall, Venue

REQUEST_TIMEOUT = 10.0
MOST_REASONS = 1000  # that are remembered as logged; past them nothing more is

_log = structlog.get_logger("rest")


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its body, when it came (ns UTC), and whether a simulated exchange gave it."""

    body: bytes
    ts_recv: int
    simulated: bool


def open_http() -> httpx.AsyncClient:
    """Open the pooled client that all venues of a process share."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(REQUEST_TIMEOUT, connect=5.0),
        headers={"User-Agent": USER_AGENT},
        follow_redirects=False,
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
    )


class RestClient:
    """One venue's REST calls; every failure is a VenueError with the venue, the reason and `retry_after` if any.

    `base_url` replaces every address of the venue where it is given.
    `simulated`: whether a simulated exchange or a test network (`sandbox`) gave the last answer.
    """

    def __init__(
        self,
        venue: Venue,
        base_url: str | None,
        http: httpx.AsyncClient,
        rate_limit: RateLimit,
        *,
        sandbox: bool = False,
    ) -> None:
        self._venue = venue
        self._base_url = base_url
        self._http = http
        self._rate_limit = rate_limit
        self._logged: set[str] = set()
        self._sandbox = sandbox
        self.simulated = sandbox

    async def list_instruments(self) -> list[Instrument]:
        """Fetch every tradable instrument of all markets, page by page; what cannot be named is left out, logged once.

        A listing of which nothing can be read raises the error of its first row.
        """
        found: list[Instrument] = []
        for market, first in self._venue.rest.instrument_calls():
            call: RestCall | None = first
            while call is not None:
                answer = await self.request(call)
                page, call = self._venue.rest.decode_instruments(market, answer.body)
                found += [item for item in page if not isinstance(item, Unreadable)]
                self.log_unreadable(item for item in page if isinstance(item, Unreadable))
        return found

    def log_unreadable(self, rows: Iterable[Unreadable]) -> None:
        """Log rows of answers that could not be read, each reason once."""
        for row in rows:
            reason = str(row.error) or type(row.error).__name__
            if reason not in self._logged and len(self._logged) < MOST_REASONS:
                self._logged.add(reason)
                _log.warning("rest.row_left_out", venue=self._venue.id, reason=reason,
                             row=row.frame[:200].decode(errors="replace"))  # fmt: skip

    async def find_depth(self, instrument: Instrument) -> DepthAnswer:
        """Fetch the book, as the venue answers it."""
        answer = await self.request(self._venue.rest.depth_call(instrument))
        return DepthAnswer(instrument, answer.body, answer.ts_recv, answer.simulated)

    async def find_audit(self, instrument: Instrument) -> DepthAnswer:
        """Fetch a snapshot that a live book is audited with; raises VenueError."""
        call = self._venue.rest.audit_call or self._venue.rest.depth_call
        answer = await self.request(call(instrument))
        return DepthAnswer(instrument, answer.body, answer.ts_recv, answer.simulated, audit=True)

    async def find_trades(self, instrument: Instrument, call: RestCall) -> TradesAnswer:
        """Fetch past trades by a call of the venue's history; raises VenueError."""
        answer = await self.request(call)
        return TradesAnswer(instrument, answer.body, answer.ts_recv, answer.simulated)

    async def fetch(self, call: RestCall) -> bytes:
        """Fetch one answer's body."""
        return (await self.request(call)).body

    async def request(self, call: RestCall) -> Answer:
        """Make one call, as soon as the rate limit allows it; raises VenueError."""
        await self._rate_limit.wait(call.weight)
        base_url = self._base_url or call.base_url or self._venue.rest.base_url
        headers = {"Content-Type": "application/json", **call.headers} if call.body is not None else dict(call.headers)
        try:
            response = await self._http.request(
                call.method,
                base_url.rstrip("/") + call.path,
                params=dict(call.params),
                headers=headers,
                content=call.body,
            )
        except httpx.HTTPError as error:
            reason = f"{self._venue.id}: {call.path} cannot be reached: {str(error) or type(error).__name__}"
            raise VenueError(reason, venue=self._venue.id) from error
        failure = self._venue.rest.failure(response.status_code, dict(response.headers), response.content)
        self.simulated = self._sandbox or SIMULATED_HEADER in response.headers
        if failure is None:
            return Answer(response.content, clock.now_ns(), self.simulated)
        if failure.retry_after is not None:
            await self._rate_limit.pause(failure.retry_after)
        raise VenueError(
            f"{self._venue.id}: {call.path} answered {response.status_code}: {failure.reason}",
            venue=self._venue.id,
            status=response.status_code,
            venue_code=failure.code,
            retry_after=failure.retry_after,
        )
