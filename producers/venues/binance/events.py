"""Binance spot's handlers by event type: a combined frame in, its event out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from producers.families import binance_events as family
from producers.families.binance_events import MakeHandler
from producers.families.binance_tables import trades
from producers.venues.binance import wire

_DAY: Final = ("b", "B", "a", "A", "c", "o", "h", "l", "v", "q")


def _previous(depth: wire.Depth) -> int:
    """Return the sequence before the first one of a change."""
    return depth.U - 1


HANDLERS: Final[Mapping[str, MakeHandler]] = {
    "trade": partial(family.on_trade, wire.read_trade, "", table=trades("data.t")),
    "aggTrade": partial(family.on_trade, wire.read_agg_trade, "a", table=trades("data.a")),
    "bookTicker": partial(family.on_book_ticker, wire.read_book_ticker),
    "24hrTicker": partial(family.on_day_ticker, wire.read_day_ticker, _DAY, mark="24h"),
    "24hrMiniTicker": partial(family.on_day_ticker, wire.read_day_ticker, _DAY, mark="mini"),
    "depthUpdate": partial(family.on_depth, wire.read_depth, _previous, decimals=8),
    "kline": partial(family.on_kline, wire.read_kline),
}
NOT_CARRIED: Final = frozenset({"1hTicker", "4hTicker", "1dTicker", "avgPrice", "referencePrice", "blockTrade"})
