"""An endpoint as its owner registered it, and which events it wants. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from consumers.webhooks.payloads.facts import Fact
from contracts.services.webhooks.endpoints import EndpointState, Ordering
from contracts.services.webhooks.events import EventType

_VALUED: Final = frozenset({"whale", "liquidation", "storm", "cluster"})  # what `min_usd` is about


@dataclass(frozen=True, slots=True)
class EndpointSecret:
    """A secret as its owner knows it, and when it ends (ns UTC); the newest has no end. It is in no repr.

    The text is empty where it was not read.
    """

    text: str = field(repr=False)
    ends_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to send what; the newest secret stands first. Times are ns UTC; `version` grows with each change."""

    id: str
    owner: str
    url: str
    events: tuple[EventType, ...]
    symbols: tuple[str, ...] = ()  # bases or unified symbols; none for all
    exchanges: tuple[str, ...] = ()  # none for all
    min_usd: Decimal | None = None
    ordering: Ordering = "none"
    description: str | None = None
    secrets: tuple[EndpointSecret, ...] = field(repr=False)
    state: EndpointState = "active"
    state_reason: str | None = None
    created_ns: int
    updated_ns: int
    rotated_ns: int | None = None
    version: int = 1

    def live_secrets(self, at_ns: int) -> tuple[str, ...]:
        """Return the texts of the secrets to sign with at a time, the newest first; ValueError where none were read."""
        if not all(one.text for one in self.secrets):
            raise ValueError(f"the secrets of {self.id} were not read")
        return tuple(one.text for one in self.secrets if one.ends_ns is None or one.ends_ns > at_ns)


def matches(endpoint: Endpoint, fact: Fact) -> bool:
    """Return whether an endpoint wants an event, whatever state it is in.

    What is of an owner goes to that owner only. A value that is not known reaches no `min_usd`. What is about a whole
    feed is about each of its symbols.
    """
    if fact.event_type not in endpoint.events or fact.owner not in (None, endpoint.owner):
        return False
    if endpoint.symbols and fact.base is not None and not {fact.base, fact.symbol} & set(endpoint.symbols):
        return False
    if endpoint.exchanges and not set(fact.exchanges) & set(endpoint.exchanges):
        return False
    if endpoint.min_usd is None or fact.event_type not in _VALUED:
        return True
    return fact.usd_value is not None and fact.usd_value >= endpoint.min_usd
