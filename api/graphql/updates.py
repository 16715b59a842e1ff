"""GraphQL's subscriptions: events of the stream's hub, conflated for slow clients, as long as somebody takes them."""

from __future__ import annotations

import asyncio
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
from api.stream.backlog import Backlog, Message
from api.stream.client import StreamServices
from api.stream.topics import Target, resolve_target
from contracts.errors import InvalidParameterError

MOST_SYMBOLS: Final = 100


class NoWriter:
    """Takes no frames: what is pushed goes into the backlog, and a subscription takes it from there."""

    ready = False

    def write_frames(self, frames: bytes) -> None:
        """Write nothing: this is never ready."""


class Updates:
    """What waits for one subscription, as the fan-out sees it: the newest state of each topic, the newest events."""

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.backlog = Backlog()
        self.writer = NoWriter()
        self._filled = asyncio.Event()

    def hold(self, messages: list[Message]) -> None:
        """Keep messages until they are taken."""
        for message in messages:
            self.backlog.put(message)
        self._filled.set()

    def end_if_stuck(self, since: float) -> bool:
        """Return False: the connection ends a client that takes nothing."""
        return False

    async def take(self) -> Fields:
        """Return the next update once there is one."""
        while not self.backlog:
            self._filled.clear()
            await self._filled.wait()
        _, payload = next(iter(self.backlog.take(1)))
        fields: Fields = read_exactly(payload)
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
    updates = Updates()
    for target in targets:
        _add(services, updates, target)
    try:
        for topic in {topic for target in targets for topic in target.topics}:
            await services.hub.send_current(updates, topic)
        while True:
            yield await updates.take()
    finally:
        for target in targets:
            _remove(services, updates, target)


async def _resolve(services: StreamServices, channel: str, symbol: str) -> Target:
    found = await services.symbols.find(symbol)
    return resolve_target(channel, "", found)


def _add(services: StreamServices, updates: Updates, target: Target) -> None:
    for pattern in target.patterns:
        services.feed.acquire(pattern)
    for topic in target.topics:
        services.hub.add(updates, topic)


def _remove(services: StreamServices, updates: Updates, target: Target) -> None:
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
