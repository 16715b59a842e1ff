"""Which exchanges accounts can be made at, and how: a line each. `Exchanges.make` is what accounts are opened with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from consumers.execution.ports import AccountVenue
from consumers.execution.venues.ccxt_making import CcxtMaker
from consumers.execution.venues.indodax.making import IndodaxMaker
from runtime.credentials import Credential


class ExchangeVenue(AccountVenue, Protocol):
    """An account at an exchange, with the key that it trades with."""

    async def check(self) -> None:
        """Return where the key may read and trade, and not withdraw.

        Raises InvalidParameterError, whose text says how to make a right one, or UnclearError.
        """
        ...


class Maker(Protocol):
    """Makes the accounts of one exchange; what these share is its own."""

    def make(self, credential: Credential) -> ExchangeVenue:
        """Return an account; nothing is asked of the exchange yet."""
        ...

    async def close(self) -> None:
        """Let go of what the accounts share."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What makers are made with: where the exchanges are reached in place of their own addresses, by CCXT's ids."""

    urls: Mapping[str, str] = field(default_factory=dict[str, str])


OWN: Final[Mapping[str, Callable[[str | None], Maker]]] = MappingProxyType({"indodax": IndodaxMaker})
"""Adapters of ours by CCXT's id, each made with the address that replaces the exchange's own; the others are CCXT's."""


class Exchanges:
    """Makes accounts at exchanges by the exchange's name."""

    def __init__(self, means: Means | None = None) -> None:
        self._means = means or Means()
        self._makers: dict[str, Maker] = {}

    def make(self, venue: str, credential: Credential) -> ExchangeVenue:
        """Return an account; InvalidParameterError says why none can be made at an exchange."""
        if venue not in self._makers:
            self._makers[venue] = self._find(venue)
        return self._makers[venue].make(credential)

    async def close(self) -> None:
        """Let go of everything that accounts share."""
        for maker in self._makers.values():
            await maker.close()

    def _find(self, venue: str) -> Maker:
        own, url = OWN.get(venue), self._means.urls.get(venue)
        return CcxtMaker(venue, url) if own is None else own(url)
