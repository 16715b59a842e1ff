"""Makes accounts at Indodax: they share its public side."""

from __future__ import annotations

from consumers.execution.venues.indodax.client import IndodaxClient
from consumers.execution.venues.indodax.public import IndodaxPublic
from consumers.execution.venues.indodax.venue import IndodaxVenue
from runtime.credentials import Credential


class IndodaxMaker:
    """Makes accounts; `base_url` replaces the venue's own addresses."""

    def __init__(self, base_url: str | None = None) -> None:
        self._url = base_url
        self._public = IndodaxPublic(base_url)

    def make(self, credential: Credential) -> IndodaxVenue:
        """Return an account; nothing is asked of the venue yet."""
        return IndodaxVenue(IndodaxClient(credential, self._public, self._url), self._public)

    async def close(self) -> None:
        """Let go of the connections that accounts share."""
        await self._public.close()
