"""Sends signed requests to Indodax within its rate limits. What is not known for certain is an UnclearError.

Nothing of a request is in an error: neither its key nor its signature.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from consumers.execution.ports import UnclearError
from consumers.execution.venues.indodax.answers import TOO_MANY, Refused, read_answer, read_rows
from consumers.execution.venues.indodax.public import IndodaxPublic, open_http
from consumers.execution.venues.indodax.signing import sign, write
from consumers.execution.venues.pacing import Pace
from runtime import clock
from runtime.credentials import Credential

TAPI_URL: Final = "https://indodax.com"
HISTORY_URL: Final = "https://tapi.indodax.com"
BLOCKED_SECONDS: Final = 5.0
LONGEST_WAIT: Final = 2.0  # seconds for our turn
_CANCELS: Final = frozenset({"cancelOrder", "cancelByClientOrderId"})
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class NotSentError(UnclearError):
    """The request was certainly not sent."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Requests a second."""

    trades: int = 16  # new orders, of each pair; the venue allows 20, and blocks the pair for 5 s at more
    cancels: int = 24  # the venue allows 30
    others: int = 8  # ours: the venue documents nothing


class IndodaxClient:
    """The private side with one key; `base_url` replaces both of the venue's addresses."""

    def __init__(
        self,
        credential: Credential,
        public: IndodaxPublic,
        base_url: str | None = None,
        *,
        allowed: Allowed = Allowed(),
        monotonic: Callable[[], float] = clock.monotonic,
    ) -> None:
        self._credential, self.public = credential, public
        self._tapi_url = (base_url or TAPI_URL).rstrip("/")
        self._history_url = (base_url or HISTORY_URL).rstrip("/")
        self._http = open_http()
        self._monotonic = monotonic
        self._trades = defaultdict[str, Pace](lambda: Pace(allowed.trades))
        self._cancels, self._others = Pace(allowed.cancels), Pace(allowed.others)

    def __repr__(self) -> str:
        return "IndodaxClient(***)"

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def call(self, method: str, **fields: str) -> Mapping[str, Any] | Refused:
        """Call a method of TAPI; returns what it returned, or its no. Raises UnclearError, NotSentError."""
        pace = self._pace(method, fields)
        body = await self._write({"method": method, **fields}, pace)
        headers = {"Key": self._credential.key, "Content-Type": "application/x-www-form-urlencoded"}
        return await self._post("/tapi", body, headers, pace)

    async def count_down(self, pairs: str, milliseconds: int) -> Mapping[str, Any] | Refused:
        """Have the venue cancel all orders of some pairs (with commas) after a time, unless called again; 0 stops it.

        Raises UnclearError, NotSentError.
        """
        pace = self.public.countdowns
        body = await self._write({"pair": pairs, "countdownTime": str(milliseconds)}, pace)
        headers = {"Key": self._credential.key, "Content-Type": "text/plain"}
        return await self._post("/tapi/countdownCancelAll", body, headers, pace)

    async def list_rows(self, path: str, **fields: str) -> list[Mapping[str, Any]]:
        """Return the rows of Trade API 2.0; raises UnclearError."""
        query = await self._write(fields, self._others)
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-APIKEY": self._credential.key,
            "Sign": sign(self._credential.secret, query),
        }
        response = await self._send("GET", f"{self._history_url}{path}?{query}", headers)
        return read_rows(response.status_code, response.text)

    async def _post(self, path: str, body: str, headers: Mapping[str, str], pace: Pace) -> Mapping[str, Any] | Refused:
        signed = {**headers, "Sign": sign(self._credential.secret, body)}
        response = await self._send("POST", self._tapi_url + path, signed, body)
        answer = read_answer(response.status_code, response.text)
        if isinstance(answer, Refused):
            if answer.code == TOO_MANY:
                pace.block(self._monotonic(), BLOCKED_SECONDS)
            if "timestamp" in answer.text.lower():
                self.public.forget_clock()
        return answer

    async def _write(self, fields: Mapping[str, str], pace: Pace) -> str:
        """Return the text to sign, once it is our turn; raises NotSentError."""
        seconds = pace.take(self._monotonic(), LONGEST_WAIT)
        if seconds is None:
            raise NotSentError("Indodax takes no such requests for some seconds: there were too many")
        if seconds > 0:
            await clock.sleep(seconds)
        try:
            return write(fields, await self.public.now_ms())
        except UnclearError as error:
            raise NotSentError(str(error)) from None

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> httpx.Response:
        try:
            return await self._http.request(method, url, headers=dict(headers), content=body)
        except _NEVER_SENT as error:
            raise NotSentError(f"Indodax cannot be reached ({type(error).__name__})") from None
        except httpx.TimeoutException:
            raise UnclearError("Indodax did not answer in time") from None
        except httpx.HTTPError as error:
            raise UnclearError(f"the connection to Indodax broke ({type(error).__name__})") from None

    def _pace(self, method: str, fields: Mapping[str, str]) -> Pace:
        if method == "trade":
            return self._trades[fields["pair"]]
        return self._cancels if method in _CANCELS else self._others
