"""GraphQL's subscriptions: events of the stream's hub, conflated for slow clients, as long as somebody takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any, Final

import strawberry
from strawberry.tools import create_type
from strawberry.types import Info

from api.graphql import types
from api.graphql.queries import Asked
from api.http.errors import InvalidBodyError
from api.market.documents import Fields, read_exactly
from api.stream import protocol
from api.stream.client import StreamServices
from api.stream.protocol import SubscriptionRequest
from api.stream.send_queue import Message
from api.stream.topics import Target, resolve_target
from contracts.errors import InvalidParameterError

EVENTS_KEPT: Final = 1000
MOST_SYMBOLS: Final = 100
_SUBSCRIBE: Final = "subscribe"


class Updates:
    """What waits for one subscription: the newest state of each topic, the newest events; the hub's queue of it."""

    def __init__(self) -> None:
        self._events: deque[Message] = deque(maxlen=EVENTS_KEPT)
        self._states: dict[object, Message] = {}
        self._waiting = asyncio.Event()
        self.dropped = 0
        self.conflated = 0

    def put_event(self, message: Message) -> None:
        """Queue an event; the oldest one is dropped past the limit."""
        self.dropped += len(self._events) == EVENTS_KEPT
        self._events.append(message)
        self._waiting.set()

    def put_state(self, key: object, message: Message) -> None:
        """Queue the newest state of something in the place of an older one that was not taken yet."""
        self.conflated += key in self._states
        self._states[key] = message
        self._waiting.set()

    async def take(self) -> Fields:
        """Return the next update once there is one."""
        while not (self._events or self._states):
            self._waiting.clear()
            await self._waiting.wait()
        message = self._events.popleft() if self._events else self._states.pop(next(iter(self._states)))
        fields: Fields = read_exactly(message.payload)
        return {"sim": False, "side": fields.get("position_side"), **fields}


async def follow(asked: Asked, channel: str, symbols: list[str]) -> AsyncGenerator[Fields]:
    """Return the updates of some symbols on a channel, beginning with their present state where they have one.

    Raises the error that the core has of a symbol.
    """
    if asked.stream is None:
        raise InvalidBodyError("Subscriptions are for WebSockets: graphql-transport-ws")
    if not 0 < len(symbols) <= MOST_SYMBOLS:
        raise InvalidParameterError(f"From 1 to {MOST_SYMBOLS} symbols can be named", parameter="symbols")
    targets = [await _resolve(asked.stream, channel, symbol) for symbol in dict.fromkeys(symbols)]
    return _keep_updating(asked.stream, targets)


async def _keep_updating(services: StreamServices, targets: list[Target]) -> AsyncGenerator[Fields]:
    updates: Any = Updates()
    for target in targets:
        _add(services, updates, target)
    try:
        for topic in {topic for target in targets for topic in target.topics}:
            message = await services.hub.find_current(topic)
            if message is not None:
                updates.put_state(topic, message)
        while True:
            yield await updates.take()
    finally:
        for target in targets:
            _remove(services, updates, target)


async def _resolve(services: StreamServices, channel: str, symbol: str) -> Target:
    found = await services.symbols.find(symbol)
    return resolve_target(SubscriptionRequest(type=_SUBSCRIBE, channel=channel, symbol=symbol), found)


def _add(services: StreamServices, updates: Any, target: Target) -> None:
    for pattern in target.patterns:
        services.feed.acquire(pattern)
    for topic in target.topics:
        services.hub.add(updates, topic)


def _remove(services: StreamServices, updates: Any, target: Target) -> None:
    for pattern in target.patterns:
        services.feed.release(pattern)
    for topic in target.topics:
        services.hub.remove(updates, topic)


async def price_updates(info: Info[Asked, None], symbols: list[str]) -> AsyncGenerator[Any]:
    """The prices of some symbols: when they change, and at least every 5 seconds."""
    return await follow(info.context, protocol.PRICE, symbols)


async def whale_updates(info: Info[Asked, None], symbols: list[str]) -> AsyncGenerator[Any]:
    """The whale trades of some symbols as they are made."""
    return await follow(info.context, protocol.WHALES, symbols)


async def liquidation_updates(info: Info[Asked, None], symbols: list[str]) -> AsyncGenerator[Any]:
    """The liquidations of some coins as they are made."""
    return await follow(info.context, protocol.LIQUIDATIONS, symbols)


def _subscription(name: str, resolver: Any, type_: Any) -> Any:
    made = strawberry.subscription(name=name, resolver=resolver, graphql_type=type_, description=resolver.__doc__)
    made.python_name = name
    return made


Subscription: Final[Any] = create_type(
    "Subscription",
    [
        _subscription("priceUpdates", price_updates, types.PriceUpdate),
        _subscription("whaleUpdates", whale_updates, types.WhaleUpdate),
        _subscription("liquidationUpdates", liquidation_updates, types.LiquidationUpdate),
    ],
)
