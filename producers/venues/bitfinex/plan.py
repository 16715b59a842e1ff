"""Which Bitfinex sockets to hold and what to ask of them (https://docs.bitfinex.com/docs/ws-general)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from contracts.instrument import PERP, Instrument
from producers.venue import (
    BOOK,
    FUNDING,
    INTEREST,
    LIQUIDATION,
    TICKER,
    TRADE,
    ConnectionPlan,
    SubscribeRequest,
    Subscription,
)
from producers.venues.bitfinex.naming import MARKET

CONF: Final = "conf"
GLOBAL: Final = "liq:global"
LIQUIDATIONS: Final = "liquidations"
MAX_CHANNELS: Final = 25  # of one connection; older pages allow 30
BOOK_LENGTH: Final = 100
_TIMESTAMPS, _NUMBERS, _CHECKSUMS = 32_768, 65_536, 131_072
FLAGS: Final = _TIMESTAMPS + _NUMBERS + _CHECKSUMS


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Plan the sockets, of 25 channels each; an instrument's channels stay together.

    Liquidations come for all instruments in one channel. A perpetual's status has funding and open interest.
    """
    wanted = frozenset(channels)
    listed = sorted(instruments, key=lambda item: item.venue_symbol)
    groups = [group for item in listed if (group := tuple(_subscriptions(item, wanted)))]
    if LIQUIDATION in wanted and groups:
        groups.insert(0, (Subscription(f"status:{GLOBAL}", LIQUIDATION, None),))
    url = f"{ws_base}/ws/2"
    return tuple(_connection(f"{MARKET}.{number}", url, batch) for number, batch in enumerate(_split(groups)))


def _subscriptions(instrument: Instrument, wanted: frozenset[str]) -> Iterator[Subscription]:
    """Return an instrument's subscriptions; two of ours may have the same key, which is one channel of the venue."""
    symbol = instrument.venue_symbol
    if TRADE in wanted:
        yield Subscription(f"trades:{symbol}", TRADE, instrument, 180.0)
    if TICKER in wanted:
        yield Subscription(f"ticker:{symbol}", TICKER, instrument, 30.0)
    if BOOK in wanted:
        yield Subscription(f"book:{symbol}", BOOK, instrument, 30.0)
    if instrument.contract == PERP:
        for channel in (FUNDING, INTEREST):
            if channel in wanted:
                yield Subscription(f"status:deriv:{symbol}", channel, instrument)


def _split(groups: Iterable[tuple[Subscription, ...]]) -> Iterator[list[Subscription]]:
    batch: list[Subscription] = []
    for group in groups:
        if batch and len({item.key for item in (*batch, *group)}) > MAX_CHANNELS:
            yield batch
            batch = []
        batch.extend(group)
    if batch:
        yield batch


def _connection(name: str, url: str, subscriptions: list[Subscription]) -> ConnectionPlan:
    """Set the flags before anything else: frames are numbered and timed from then on, books summed."""
    conf = json.dumps({"event": "conf", "flags": FLAGS}, separators=(",", ":"))
    keys = dict.fromkeys(item.key for item in subscriptions)
    requests = [SubscribeRequest(CONF, conf, frozenset(), gate=True)]
    requests += [SubscribeRequest(key, subscribe(key), frozenset({key})) for key in keys]
    return ConnectionPlan(name, MARKET, url, tuple(subscriptions), tuple(requests))


def subscribe(key: str) -> str:
    """Write the request for one channel."""
    channel, name = key.split(":", 1)
    request: dict[str, str] = {"event": "subscribe", "channel": channel}
    request["key" if channel == "status" else "symbol"] = name
    if channel == BOOK:
        request |= {"prec": "P0", "freq": "F0", "len": str(BOOK_LENGTH)}
    return json.dumps(request, separators=(",", ":"))


def leave(number: int) -> str:
    """Write the request to end one channel, by its number."""
    return json.dumps({"event": "unsubscribe", "chanId": number}, separators=(",", ":"))
