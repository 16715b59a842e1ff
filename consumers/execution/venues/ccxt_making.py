"""Makes accounts at an exchange through CCXT: each has a client of its own, and all of them one rate limit."""

from __future__ import annotations

from consumers.execution.venues.ccxt_client import CcxtClient, Shared
from consumers.execution.venues.ccxt_venue import CcxtVenue
from runtime.credentials import Credential


class CcxtMaker:
    """Makes accounts; `url` replaces the hosts of the exchange's addresses."""

    def __init__(self, venue: str, url: str | None = None) -> None:
        self._venue, self._url = venue, url
        self._shared = Shared()

    def make(self, credential: Credential) -> CcxtVenue:
        """Return an account; InvalidParameterError says why none can be made there. Nothing is asked yet."""
        return CcxtVenue(CcxtClient(self._venue, credential, self._shared, self._url))

    async def close(self) -> None:
        """Do nothing: each account closes its own connections."""
