"""Which connection a status is of: its name with a fingerprint of what it serves, and when that was listed last.

Statuses that follow from a session's inputs and all others are counted apart, so that a replay lists what the live one
did.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, Final

from contracts import codec
from contracts.market import MOST_IDS, Served
from producers.venue import ConnectionPlan, Subscription

LISTED_EVERY_NS: Final = 600 * 1_000_000_000
_SERVED: Final = codec.fast(Served)
FastServes = list[Any]  # of fast `Served`


class Identity:
    """One connection as statuses name it; `id` is the same for as long as it serves the same."""

    def __init__(self, plan: ConnectionPlan) -> None:
        self.serves = find_served(plan.subscriptions)
        self.id = f"{plan.name}:{zlib.crc32(codec.encode(self.serves)):08x}"
        self._listed: dict[bool, int] = {}

    def take_serves(self, now: int, *, derived: bool) -> FastServes | None:
        """Return what is served where it was not listed for ten minutes, else None; `now` is ns UTC."""
        listed = self._listed.get(derived)
        if listed is not None and 0 <= now - listed < LISTED_EVERY_NS:
            return None
        self._listed[derived] = now
        return self.serves

    def list_again(self) -> None:
        """List what is served with the next status: the last list may not have arrived."""
        self._listed.pop(False, None)


def find_served(subscriptions: Iterable[Subscription]) -> FastServes:
    """Return which instruments have which channels, those with the same ones together; of too many, all of the venue's.

    Their order does not matter to what is returned.
    """
    channels: dict[str | None, set[str]] = {}
    for item in subscriptions:
        channels.setdefault(None if item.instrument is None else item.instrument.symbol, set()).add(item.channel)
    if len(channels) > MOST_IDS:
        return [_SERVED(channels=sorted({name for names in channels.values() for name in names}), symbols=None)]
    found: dict[tuple[str, ...], list[str]] = {}
    for symbol, names in channels.items():
        if symbol is not None:
            found.setdefault(tuple(sorted(names)), []).append(symbol)
    whole = [_SERVED(channels=sorted(channels[None]), symbols=None)] if None in channels else []
    return [
        *whole,
        *(_SERVED(channels=list(names), symbols=sorted(symbols)) for names, symbols in sorted(found.items())),
    ]
