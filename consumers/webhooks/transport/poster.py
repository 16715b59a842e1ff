"""Posts bodies to receivers over kept connections, each dialled at an address that was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consumers.webhooks.transport.answer import Answer

PORTS: Final = (443, 8443)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportRules:
    """What may be posted to, and for how long; `allow` are `host` or `host:port` that are exempt from all of it."""

    allow: tuple[str, ...] = ()
    ports: tuple[int, ...] = PORTS
    seconds: float = 10.0  # in all, from resolving to the last byte of the answer
    at_once: int = 4  # posts to one URL; more wait, which is not in `seconds`


class Transport:
    """One for a process. Nothing of the environment is read, no redirect is followed, no cookie is kept."""

    def __init__(self, rules: TransportRules = TransportRules()) -> None:
        self._rules = rules

    async def check(self, url: str) -> None:
        """Raise RefusedAddressError where the URL may not be posted to; return where its name cannot be resolved."""
        raise NotImplementedError

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer. Raises RefusedAddressError, which is final, and DeliveryError."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close every connection."""
