"""Binance USD-M's sockets, a path for each class of data, their streams, and symbols named without metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.families.binance_plan import connections
from producers.venue import (
    BOOK,
    FUNDING,
    LIQUIDATION,
    TICKER,
    TRADE,
    ConnectionPlan,
    Subscription,
)

# The page says 1024 streams a connection, earlier text 200: the lower one holds under both.
_STREAMS_PER_SOCKET: Final = 200
_PATHS: Final = ("public", "market")
# channel -> (path, stream's suffix, seconds of silence that mean it is stale); a stream on the wrong path stays silent
_STREAMS: Final[dict[str, tuple[tuple[str, str, float | None], ...]]] = {
    TRADE: (("market", "@aggTrade", 180.0),),
    TICKER: (("public", "@bookTicker", 30.0), ("market", "@ticker", 30.0)),
    BOOK: (("public", "@depth@100ms", 30.0),),
    LIQUIDATION: (("market", "@forceOrder", None),),
    FUNDING: (("market", "@markPrice@1s", None),),
}
_QUOTES: Final = ("FDUSD", "USDT", "USDC", "BUSD", "USD1", "BTC", "ETH", "BNB", "U")
_is_day: Final = re.compile("[0-9]{6}").fullmatch


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Return combined sockets (`<base>/public/stream`, `<base>/market/stream`), subscribed by frames."""
    wanted, followed = tuple(channels), tuple(instruments)
    return tuple(
        found
        for path in _PATHS
        for found in connections(
            path,
            "linear",
            f"{ws_base}/{path}/stream",
            _subscriptions(path, followed, wanted),
            most=_STREAMS_PER_SOCKET,
        )
    )


def _subscriptions(path: str, instruments: Sequence[Instrument], channels: Sequence[str]) -> list[Subscription]:
    return [
        Subscription(f"{instrument.venue_symbol.lower()}{suffix}", channel, instrument, silence)
        for instrument in instruments
        for channel in channels
        for where, suffix, silence in _STREAMS.get(channel, ())
        if where == path
    ]


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name an instrument by its spelling: `BTCUSDT` is a perpetual, `BTCUSDT_260327` a dated future.

    Raises FrameError where no known quote ends the name (`BTCUSD_PERP` is COIN-M's, another venue), or where it has
    other characters than letters (capitals) and digits.
    """
    pair, _, expiry = venue_symbol.partition("_")
    quote = next((name for name in _QUOTES if pair.endswith(name) and pair != name), None)
    is_name = pair.isalnum() and pair == pair.upper() and ("_" in venue_symbol) is bool(expiry)
    if quote is None or not is_name or (expiry and _is_day(expiry) is None):
        msg = f"{market} symbol {venue_symbol!r} is no USD-M perpetual or dated future"
        raise FrameError(msg, field="s", symbol=venue_symbol)
    return make_instrument("binanceusdm", unified_symbol(pair[: -len(quote)], quote, expiry), venue_symbol)


def unified_symbol(base: str, quote: str, expiry: str) -> str:
    """Write `BTC/USDT:USDT`, or `BTC/USDT:USDT-260327` with an expiry."""
    return f"{base}/{quote}:{quote}-{expiry}" if expiry else f"{base}/{quote}:{quote}"
