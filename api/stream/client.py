"""One client of `WS /ws`: its messages and its subscriptions; what is pushed goes past this, by the fan-out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from api.http.access.admission import Admission
from api.http.errors import RateLimitedError
from api.http.server import ClientGoneError, FrameSocket
from api.stream import protocol
from api.stream.backlog import CONTROL, Message
from api.stream.fan_out import SocketOutbox
from api.stream.feed import StreamFeed
from api.stream.hub import Hub, encoded
from api.stream.pace import Pacer
from api.stream.protocol import Auth, ClientMessage, ListSubscriptions, Ping, SubscriptionRequest
from api.stream.symbols import Symbols
from api.stream.topics import ResolvedSymbol, Target, resolve_target
from contracts.errors import HydrophoneError, InvalidParameterError, LimitReachedError, NotReadyError
from contracts.schema.literals import SentAt
from runtime import clock

MOST_MESSAGES: Final = 200  # in
MESSAGES_SECONDS: Final = 10.0
SUBSCRIBE: Final = "subscribe"
NO_ID: Final[Mapping[str, Any]] = MappingProxyType({})
KeyCheck = Callable[[str], Admission]
Key = tuple[str, str, str]
Found = ResolvedSymbol | HydrophoneError | None


@dataclass(frozen=True, slots=True)
class StreamServices:
    """What a client's subscriptions are served by."""

    symbols: Symbols
    hub: Hub
    feed: StreamFeed


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: what it means, and what sends it where it has an interval."""

    request: SubscriptionRequest
    target: Target
    pacer: Pacer | None

    def describe(self) -> dict[str, Any]:
        """Return it as clients see it."""
        return {"interval": self.request.interval, **describe(self.request, self.target)}


def describe(request: SubscriptionRequest, target: Target) -> dict[str, Any]:
    """Return what a request for one symbol is of."""
    timed = {"timeframe": request.timeframe} if request.channel == protocol.CANDLES else {}
    return {"channel": request.channel, "symbol": target.symbol or None, **timed}


class StreamClient:
    """Serves one client until it goes or is sent away."""

    def __init__(
        self,
        socket: FrameSocket,
        services: StreamServices,
        check_key: KeyCheck,
        most_subscriptions: int,
        *,
        owner: str = "",
    ) -> None:
        self._owner = owner
        self.outbox = SocketOutbox(socket)
        self._socket = socket
        self._services = services
        self._check_key = check_key
        self._most_subscriptions = most_subscriptions
        self._held: dict[Key, Subscription] = {}
        self._window = (0.0, 0)

    async def run(self) -> None:
        """Serve; returns when the connection is over. Raises nothing but cancellation."""
        hub = self._services.hub
        hub.join(self.outbox)
        try:
            while True:
                await self._on_text(await self._socket.receive_text())
                await clock.sleep(0)  # for everybody else: a burst of messages is received without waiting
        except ClientGoneError:
            return
        finally:
            for key in list(self._held):
                self._remove(key)
            hub.leave(self.outbox)

    def _send(self, fields: dict[str, Any]) -> None:
        self._push(encoded({**fields, "timestamp": SentAt()}, CONTROL))

    def _send_error(self, error: HydrophoneError, answered: Mapping[str, Any]) -> None:
        self._push(Message(protocol.error_message(error, clock.now_ns(), answered), CONTROL))

    def _push(self, message: Message) -> None:
        self._services.hub.fan_out.push(message, (self.outbox,))

    async def _on_text(self, text: str | None) -> None:
        answered = NO_ID
        try:
            self._refuse_flood()
            fields = protocol.read_fields(text)
            answered = protocol.find_id(fields)
            await self._on_message(protocol.decode(fields))
        except HydrophoneError as error:
            self._send_error(error, answered)

    async def _on_message(self, message: ClientMessage) -> None:
        match message:
            case Ping():
                self._send({"type": "pong", **message.answered})
            case ListSubscriptions():
                held = [subscription.describe() for subscription in self._held.values()]
                self._send({"type": "subscriptions", "subscriptions": held, **message.answered})
            case Auth():
                self._on_key(message)
            case SubscriptionRequest():
                await self._on_request(message)
            case _:
                raise TypeError(type(message))

    def _on_key(self, message: Auth) -> None:
        """Answer a key that comes where none was needed: a wrong one is refused, and what was open stays open."""
        refused = self._check_key(message.key).refused
        if refused is not None:
            raise refused
        self._send({"type": "authenticated", **message.answered})

    async def _on_request(self, request: SubscriptionRequest) -> None:
        """Answer a request symbol by symbol; the state of what was subscribed follows behind the answers."""
        begun: list[Target] = []
        for symbol, found in await self._resolve(request):
            try:
                target = self._find_target(request, symbol, found)
                if request.type == SUBSCRIBE:
                    self._add(request, target)
                    begun.append(target)
                self._confirm(request, target)
            except LimitReachedError as error:
                self._send_error(error, request.answered)
                break  # it is the same for the others
            except HydrophoneError as error:
                self._send_error(error, request.answered)
        if request.interval is None:
            topics = [topic for target in begun for topic in target.topics]
            await asyncio.gather(*(self._services.hub.send_current(self.outbox, topic) for topic in topics))

    async def _resolve(self, request: SubscriptionRequest) -> list[tuple[str, Found]]:
        """Return what each symbol of a request means, or why it means nothing; None stands for all of them."""

        async def find(symbol: str) -> tuple[str, Found]:
            try:
                return symbol, await self._services.symbols.find(symbol) if symbol else None
            except HydrophoneError as error:
                return symbol, error

        return await asyncio.gather(*(find(symbol) for symbol in request.named))

    def _find_target(self, request: SubscriptionRequest, symbol: str, found: Found) -> Target:
        """Return what a symbol of a request means; what was subscribed of it is no longer."""
        if isinstance(found, HydrophoneError):
            raise found
        target = resolve_target(request.channel, request.timeframe, found, self._owner)
        if request.type == SUBSCRIBE and not target.topics:
            raise NotReadyError("Nothing is listed for this symbol yet", waiting_for=["instruments"])
        if not self._remove(_key(request, target)) and request.type != SUBSCRIBE:
            raise InvalidParameterError(
                f"{request.channel} of {symbol or 'all symbols'} is not subscribed",
                parameter="symbol",
                channel=request.channel,
            )
        return target

    def _confirm(self, request: SubscriptionRequest, target: Target) -> None:
        paced = {} if request.interval is None else {"interval": request.interval}
        self._send({"type": f"{request.type}d", **describe(request, target), **paced, **request.answered})

    def _add(self, request: SubscriptionRequest, target: Target) -> None:
        most = self._most_subscriptions
        if len(self._held) >= most:
            raise LimitReachedError(f"At most {most} subscriptions a connection", limit="connection", maximum=most)
        hub, seconds = self._services.hub, request.interval
        for pattern in target.patterns:
            self._services.feed.acquire(pattern)
        if seconds is None:
            for topic in target.topics:
                hub.add(self.outbox, topic)
        pacer = None if seconds is None else Pacer(hub, target.topics, seconds, self._push)
        self._held[_key(request, target)] = Subscription(request, target, pacer)

    def _remove(self, key: Key) -> bool:
        held = self._held.pop(key, None)
        if held is None:
            return False
        for pattern in held.target.patterns:
            self._services.feed.release(pattern)
        if held.pacer is not None:
            held.pacer.stop()
            return True
        for topic in held.target.topics:
            self._services.hub.remove(self.outbox, topic)
        return True

    def _refuse_flood(self) -> None:
        began, count = self._window
        now = clock.monotonic()
        if now - began > MESSAGES_SECONDS:
            began, count = now, 0
        self._window = (began, count + 1)
        if count >= MOST_MESSAGES:
            wait = max(1, round(MESSAGES_SECONDS - (now - began)))
            raise RateLimitedError(
                f"More than {MOST_MESSAGES} messages in {MESSAGES_SECONDS:g} seconds", retry_after=wait
            )


def _key(request: SubscriptionRequest, target: Target) -> Key:
    return request.channel, target.symbol, request.timeframe if request.channel == protocol.CANDLES else ""
