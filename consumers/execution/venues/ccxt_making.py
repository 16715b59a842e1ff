"""Makes accounts at an exchange through CCXT: each has a client of its own."""

from __future__ import annotations

from consumers.execution.venues.ccxt_client import CcxtClient
from consumers.execution.venues.ccxt_venue import CcxtVenue
from runtime.credentials import Credential


class CcxtMaker:
    """Makes accounts; `url` replaces the hosts of the exchange's addresses."""

    def __init__(self, venue: str, url: str | None = None) -> None:
        self._venue, self._url = venue, url

    def make(self, credential: Credential) -> CcxtVenue:
        """Return an account; InvalidParameterError says why none can be made there. Nothing is asked yet."""
        return CcxtVenue(CcxtClient(self._venue, credential, self._url))

    async def close(self) -> None:
        """Do nothing: accounts share nothing."""
