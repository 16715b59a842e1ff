"""Binance spot's sockets and their streams, and symbols named without metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from contracts.errors import FrameError
from contracts.instrument import Instrument, make_instrument
from producers.families.binance_plan import connections
from producers.venue import BOOK, TICKER, TRADE, ConnectionPlan, Subscription

# https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams: at most 1024 streams a connection
_STREAMS_PER_SOCKET: Final = 1000
# channel -> (stream's suffix, seconds of silence that mean it is stale)
_STREAMS: Final[dict[str, tuple[tuple[str, float | None], ...]]] = {
    TRADE: (("@trade", 180.0),),
    TICKER: (("@bookTicker", 30.0), ("@ticker", 30.0)),
    BOOK: (("@depth@100ms", 30.0),),
}
_QUOTES: Final = (
    *("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "USDS", "USD1", "BFUSD", "XUSD", "BIDR", "BVND", "BKRW", "IDRT"),
    *("BTC", "ETH", "BNB", "XRP", "TRX", "DOGE", "SOL", "DOT", "VAI", "PAX", "DAI", "UST", "NGN", "RUB", "TRY", "EUR"),
    *("RLUSD", "EURI", "U"),
    *("GBP", "BRL", "IDR", "JPY", "AUD", "UAH", "ZAR", "PLN", "RON", "ARS", "MXN", "CZK", "COP", "KRW", "INR", "USD"),
)
_LONGEST_FIRST: Final = tuple(sorted(_QUOTES, key=len, reverse=True))
_AEUR: Final = frozenset({"BTCAEUR", "ETHAEUR", "EURAEUR"})  # all others that end so are quoted in EUR (`ADAEUR`)


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Return combined sockets (`<base>/stream`), subscribed by frames; stream names are in lower case."""
    wanted = tuple(channels)
    subscriptions = [
        Subscription(f"{instrument.venue_symbol.lower()}{suffix}", channel, instrument, silence)
        for instrument in instruments
        for channel in wanted
        for suffix, silence in _STREAMS.get(channel, ())
    ]
    return connections("stream", "spot", f"{ws_base}/stream", subscriptions, most=_STREAMS_PER_SOCKET)


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name an instrument by its spelling: the longest known quote ends it.

    Raises FrameError where none does, or where the name has other characters than letters (capitals) and digits.
    """
    if venue_symbol in _AEUR:
        return make_instrument("binance", f"{venue_symbol[:3]}/AEUR", venue_symbol)
    quote = next((name for name in _LONGEST_FIRST if venue_symbol.endswith(name) and venue_symbol != name), None)
    if quote is None or not venue_symbol.isalnum() or venue_symbol != venue_symbol.upper():
        msg = f"{market} symbol {venue_symbol!r} ends in no known quote"
        raise FrameError(msg, field="s", symbol=venue_symbol)
    return make_instrument("binance", f"{venue_symbol[: -len(quote)]}/{quote}", venue_symbol)
