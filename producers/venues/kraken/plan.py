"""Which Kraken sockets to hold, their subscriptions, and a pair's unified name where no listing is at hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from contracts.errors import SymbolSyntaxError
from contracts.instrument import Instrument, make_instrument
from producers.venue import BOOK, TICKER, TRADE, ConnectionPlan, SubscribeRequest, Subscription

VENUE_ID: Final = "kraken"
MARKET: Final = "spot"
BOOK_DEPTH: Final = 100  # as deep as published books are; the venue has 10, 25, 100, 500 and 1000

PAIRS_PER_SOCKET: Final = 50  # ours: the venue names no figure
PAIRS_PER_REQUEST: Final = 25
_PLACES: Final = 10_000  # a request's id is the channel's number x this + a count: an error names no channel

# Our channel -> the venue's one, the seconds of silence that are still normal, and what the request says beside.
# The ticker is by default pushed after trades only, its best bid and ask being old in between. The backlog of
# trades is not subscribed: it repeats what was pushed before.
_CHANNELS: Final[dict[str, tuple[str, float, dict[str, Any]]]] = {
    TRADE: ("trade", 180.0, {"snapshot": False}),
    TICKER: ("ticker", 30.0, {"event_trigger": "bbo", "snapshot": True}),
    BOOK: ("book", 30.0, {"depth": BOOK_DEPTH, "snapshot": True}),
}
# Minutes. Weeks (10080) and fifteen days (21600) are not carried: the venue counts them from the epoch, a Thursday.
TIMEFRAMES: Final = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 1440: "1d"}
CHANNEL_NAMES: Final = tuple(name for name, _, _ in _CHANNELS.values())
# CCXT's names of coins that the venue calls otherwise; the first two only in REST, v2 sockets say BTC and DOGE.
_COINS: Final = {
    "XBT": "BTC",
    "XDG": "DOGE",
    "LUNA": "LUNC",
    "LUNA2": "LUNA",
    "UST": "USTC",
    "REP": "REPV1",
    "REPV2": "REP",
}
# Tokenized stocks end in a small x (`AAPLx/USD`), staked coins in a dot and a capital (`ETH2.S/ETH`).
_PAIR: Final = re.compile(r"([A-Za-z0-9]+(?:\.[A-Z])?)/([A-Z0-9]+)")
_ON_SOCKETS: Final = {"XBT": "BTC", "XDG": "DOGE"}
_IN_REST: Final = {name: old for old, name in _ON_SOCKETS.items()}


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Return the sockets: 50 pairs each; one request a channel and 25 pairs, each pair of which is acknowledged."""
    wanted = frozenset(channels)
    kept = [channel for channel in _CHANNELS if channel in wanted]
    listed = sorted(instruments, key=lambda item: item.venue_symbol)
    batches = [listed[start : start + PAIRS_PER_SOCKET] for start in range(0, len(listed), PAIRS_PER_SOCKET)]
    if not kept:
        return ()
    return tuple(_connection(f"{ws_base}/v2", number, batch, kept) for number, batch in enumerate(batches))


def _connection(url: str, number: int, listed: list[Instrument], channels: list[str]) -> ConnectionPlan:
    requests: list[SubscribeRequest] = []
    subscriptions: list[Subscription] = []
    for channel in channels:
        name, silence, _ = _CHANNELS[channel]
        found = [Subscription(f"{name}:{item.venue_symbol}", channel, item, silence) for item in listed]
        subscriptions += found
        requests += _requests(channel, found)
    return ConnectionPlan(f"{MARKET}.{number}", MARKET, url, tuple(subscriptions), tuple(requests))


def _requests(channel: str, subscriptions: list[Subscription]) -> Iterator[SubscribeRequest]:
    name = _CHANNELS[channel][0]
    for count, start in enumerate(range(0, len(subscriptions), PAIRS_PER_REQUEST)):
        batch = subscriptions[start : start + PAIRS_PER_REQUEST]
        number = (CHANNEL_NAMES.index(name) + 1) * _PLACES + count
        pairs = [item.instrument.venue_symbol for item in batch if item.instrument is not None]
        yield SubscribeRequest(
            str(number), _frame("subscribe", channel, pairs, number), frozenset(item.key for item in batch)
        )


def _frame(method: str, channel: str, pairs: list[str], req_id: int | None = None) -> str:
    name, _, beside = _CHANNELS[channel]
    order: dict[str, Any] = {"method": method, "params": {"channel": name, "symbol": pairs, **beside}}
    return json.dumps(order if req_id is None else {**order, "req_id": req_id}, separators=(",", ":"))


def channel_of(req_id: int) -> str | None:
    """Return the venue's channel that a request of this id subscribes; None where it is none of ours."""
    place = req_id // _PLACES - 1
    return CHANNEL_NAMES[place] if 0 <= place < len(CHANNEL_NAMES) else None


def resubscribe(subscription: Subscription) -> tuple[str, ...]:
    """Leave one channel of one pair and subscribe it again: a book then begins with a snapshot.

    https://docs.kraken.com/exchange/guides/websockets/book-checksum-v2
    """
    pairs = [subscription.key.split(":", 1)[1]]
    number = (CHANNEL_NAMES.index(_CHANNELS[subscription.channel][0]) + 1) * _PLACES + _PLACES - 1
    return tuple(_frame(method, subscription.channel, pairs, number) for method in ("unsubscribe", "subscribe"))


def guess(market: str, venue_symbol: str) -> Instrument:
    """Name a pair by its name on v2 sockets (`BTC/USD`); older names (`XBT/USD`) are understood as well.

    Raises SymbolSyntaxError for others: dark pools (`XBT/USD.d`) and what has no slash are no pairs of these sockets.
    """
    found = _PAIR.fullmatch(venue_symbol)
    if found is None:
        msg = f"{venue_symbol!r} is no Kraken pair of market {market!r}: expected BASE/QUOTE"
        raise SymbolSyntaxError(msg, symbol=venue_symbol)
    base, quote = found.groups()
    return make_instrument(VENUE_ID, f"{_COINS.get(base, base)}/{_COINS.get(quote, quote)}", venue_symbol)


def socket_name(wsname: str) -> str:
    """Give the v2 sockets' name of a pair that REST calls `wsname` (`XBT/USD`): `BTC/USD`."""
    return "/".join(_ON_SOCKETS.get(coin, coin) for coin in wsname.split("/"))


def rest_name(venue_symbol: str) -> str:
    """Give REST's name of a pair: `XBTUSD` for `BTC/USD`."""
    return "".join(_IN_REST.get(coin, coin) for coin in venue_symbol.split("/"))
