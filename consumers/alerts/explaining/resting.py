"""What a dry run rests on: how much of its span was received of what its rule looks at."""

from __future__ import annotations

from typing import Final

from consumers.alerts.explaining.asking import Asking, NoServiceError
from contracts.errors import HydrophoneError
from contracts.services.alerts import AlertDryRunQuery
from contracts.services.coverage import Channel, CoverageQuery, CoverageReply
from contracts.services.replies.market import Rests

_CHANNELS: Final[dict[str, Channel]] = {
    "whale": "trade",
    "cluster": "trade",
    "volume_spike": "trade",
    "storm": "liquidation",
    "liquidation": "liquidation",
    "wall": "book",
}  # by rule; others look at what the ledger does not keep
_MILLISECOND: Final = 1_000_000


async def find_rests(ask: Asking, query: AlertDryRunQuery) -> Rests | None:
    """Return the coverage that a dry run rests on.

    None where it is of every symbol, or its rule looks at what the ledger does not keep, or the market core does not
    know it.
    """
    symbol = query.symbol if query.price is None else query.price.symbol
    venue = query.exchange if query.price is None else query.price.exchange
    channel = "trade" if query.price is not None else _CHANNELS.get(query.rule or "")
    if symbol is None or channel is None:
        return None
    span = {"from": str(query.start // _MILLISECOND), "to": str(query.end // _MILLISECOND)}
    asked = CoverageQuery.model_validate({"symbol": symbol, "venue": venue, "channel": channel, "step": "1d", **span})
    try:
        reply = await ask("market.coverage", asked, CoverageReply)
    except (NoServiceError, HydrophoneError):
        return None
    known = [item for item in reply.venues if item.since is not None]
    return Rests(percent=reply.percent, sampled=any(item.totals.sampled for item in known)) if known else None
