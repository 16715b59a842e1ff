"""KuCoin spot's topics, and an instrument's unified name where no listing is at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.families import kucoin_plan as kucoin
from producers.families.kucoin_wire import coin
from producers.venue import BOOK, TICKER, TRADE, ConnectionPlan

VENUE_ID: Final = "kucoin"
MARKET: Final = "spot"
WS_URL: Final = "wss://ws-api-spot.kucoin.com/"  # what a token's answer named; the answer of the day is what counts

_SNAPSHOT: Final = "/market/snapshot"
_TOPICS: Final[kucoin.Topics] = {
    TRADE: (("/market/match", 180.0),),
    TICKER: (("/market/ticker", 30.0), (_SNAPSHOT, 30.0)),
    BOOK: (("/market/level2", 30.0),),
}
_PAIR: Final = re.compile(r"([^\s./:_-]+)-([0-9A-Z]+)")  # base and quote; a base may be of any script
_ALONE: Final = frozenset({_SNAPSHOT})  # its page names one symbol (or one market) where others show a list


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Return the sockets with their topics; the address is completed by the token."""
    return kucoin.plan(MARKET, ws_base, kucoin.subscriptions(_TOPICS, instruments, channels), _ALONE)


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name a pair by its spelling, `BTC-USDT`; raises SymbolSyntaxError for anything else."""
    pair = _PAIR.fullmatch(venue_symbol)
    if pair is None:
        raise SymbolSyntaxError(f"{market} symbol {venue_symbol!r} is no pair like BTC-USDT", symbol=venue_symbol)
    return make_instrument(VENUE_ID, f"{coin(pair[1])}/{coin(pair[2])}", venue_symbol)
