"""Which Deribit sockets to hold and what to ask of them (https://docs.deribit.com/articles/notifications)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from contracts.instrument import INVERSE, PERP, SPOT, Instrument
from producers.limits import refuse_too_many
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
    SubscriptionLimit,
)
from producers.venues.deribit.naming import MARKET

HEARTBEAT_ID: Final = 1
TEST_ID: Final = 2
LEAVE_ID: Final = 3
AGAIN_ID: Final = 4
SUBSCRIBE_ID: Final = 100  # and those after it

HEARTBEAT_SECONDS: Final = 10  # the least that the venue takes
MAX_CHANNELS: Final = 300  # of one connection; ours, to spread the load
# An address may hold 32 connections, calls over REST among them
# (https://docs.deribit.com/articles/connection-management-best-practices): two are left for those. The channels of an
# instrument stay together, so that two places of a connection may stay empty.
MAX_CONNECTIONS: Final = 30
MAX_REQUEST_CHANNELS: Final = 50
_INTERVAL: Final = "100ms"  # `raw` is for logged in users


def _call(ident: int, method: str, params: dict[str, object]) -> str:
    frame = {"jsonrpc": "2.0", "id": ident, "method": method, "params": params}
    return json.dumps(frame, separators=(",", ":"))


TEST: Final = _call(TEST_ID, "public/test", {})


def plan(ws_base: str, instruments: Iterable[Instrument], channels: Iterable[str]) -> tuple[ConnectionPlan, ...]:
    """Plan the sockets: the channels of an instrument stay together, each socket asks for heartbeats first.

    Liquidations come as marked trades, funding and open interest in the ticker: such channels are subscribed once.
    """
    wanted = frozenset(channels)
    listed = sorted(instruments, key=lambda item: item.venue_symbol)
    refuse_too_many(LIMIT, listed, wanted)
    groups = [group for item in listed if (group := tuple(_subscriptions(item, wanted)))]
    url = f"{ws_base}/ws/api/v2"
    return tuple(_connection(f"{MARKET}.{number}", url, batch) for number, batch in enumerate(_split(groups)))


def _subscriptions(instrument: Instrument, wanted: frozenset[str]) -> Iterator[Subscription]:
    """Return an instrument's subscriptions; several of ours may have the same key, one channel of the venue."""
    name, is_perpetual = instrument.venue_symbol, instrument.contract in {PERP, INVERSE}
    has_positions = instrument.contract != SPOT
    if TRADE in wanted:
        yield Subscription(f"trades.{name}.{_INTERVAL}", TRADE, instrument, 180.0)
    if LIQUIDATION in wanted and has_positions:
        yield Subscription(f"trades.{name}.{_INTERVAL}", LIQUIDATION, instrument)
    if TICKER in wanted:
        yield Subscription(f"ticker.{name}.{_INTERVAL}", TICKER, instrument, 30.0)
    if FUNDING in wanted and is_perpetual:
        yield Subscription(f"ticker.{name}.{_INTERVAL}", FUNDING, instrument)
    if INTEREST in wanted and has_positions:
        yield Subscription(f"ticker.{name}.{_INTERVAL}", INTEREST, instrument)
    if BOOK in wanted:
        yield Subscription(f"book.{name}.{_INTERVAL}", BOOK, instrument, 30.0)


def _split(groups: Iterable[tuple[Subscription, ...]]) -> Iterator[list[Subscription]]:
    batch: list[Subscription] = []
    for group in groups:
        if batch and len(_keys([*batch, *group])) > MAX_CHANNELS:
            yield batch
            batch = []
        batch.extend(group)
    if batch:
        yield batch


def _keys(subscriptions: Iterable[Subscription]) -> list[str]:
    return list(dict.fromkeys(item.key for item in subscriptions))


LIMIT: Final = SubscriptionLimit(
    most=MAX_CONNECTIONS * (MAX_CHANNELS - 2),
    cost=lambda instrument, channels: len(_keys(_subscriptions(instrument, channels))),
    reason=f"an address may hold 32 connections, of which {MAX_CONNECTIONS} hold {MAX_CHANNELS} channels each",
)


def _connection(name: str, url: str, subscriptions: list[Subscription]) -> ConnectionPlan:
    """Ask for heartbeats, then for the channels. Channels that the venue does not know it leaves out of its answer."""
    beat = _call(HEARTBEAT_ID, "public/set_heartbeat", {"interval": HEARTBEAT_SECONDS})
    requests = [SubscribeRequest(str(HEARTBEAT_ID), beat, frozenset())]
    keys = _keys(subscriptions)
    for number, start in enumerate(range(0, len(keys), MAX_REQUEST_CHANNELS), SUBSCRIBE_ID):
        batch = keys[start : start + MAX_REQUEST_CHANNELS]
        frame = _call(number, "public/subscribe", {"channels": batch})
        requests.append(SubscribeRequest(str(number), frame, frozenset(batch)))
    return ConnectionPlan(name, MARKET, url, tuple(subscriptions), tuple(requests))


def resubscribe(subscription: Subscription) -> tuple[str, ...]:
    """Leave one channel and ask for it again: a book then begins with a snapshot."""
    channels: dict[str, object] = {"channels": [subscription.key]}
    return _call(LEAVE_ID, "public/unsubscribe", channels), _call(AGAIN_ID, "public/subscribe", channels)
