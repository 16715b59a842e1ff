"""Makes accounts at an exchange through CCXT: each has a client of its own, and all of them one rate limit."""

from __future__ import annotations

from typing import Any

from consumers.execution.venues.ccxt_client import CcxtClient
from consumers.execution.venues.ccxt_venue import CcxtVenue
from runtime.credentials import Credential


class CcxtMaker:
    """Makes accounts; `url` replaces the hosts of the exchange's addresses.

    Exchanges count requests by address, and all accounts here have one: their clients wait in one queue.
    """

    def __init__(self, venue: str, url: str | None = None) -> None:
        self._venue, self._url = venue, url
        self._throttler: Any = None

    def make(self, credential: Credential) -> CcxtVenue:
        """Return an account; InvalidParameterError says why none can be made there. Nothing is asked yet."""
        client = CcxtClient(self._venue, credential, self._url)
        if self._throttler is None:
            self._throttler = client.exchange.throttler
        client.exchange.throttler = self._throttler
        return CcxtVenue(client)

    async def close(self) -> None:
        """Do nothing: each account closes its own connections."""
