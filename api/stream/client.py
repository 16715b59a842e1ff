"""One stream client: its messages, its subscriptions, and the writer that never waits longer than its patience."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from api.http.access.admission import Admission
from api.http.errors import RateLimitedError
from api.http.server import ClientGoneError, FrameSocket
from api.stream import protocol
from api.stream.feed import StreamFeed
from api.stream.hub import Hub
from api.stream.protocol import Auth, ClientMessage, ListSubscriptions, Ping, SubscriptionRequest
from api.stream.send_queue import QueueFullError, SendQueue, make_message
from api.stream.symbols import Symbols
from api.stream.topics import ResolvedSymbol, Target, Topic, resolve_target
from contracts.errors import HydrophoneError, InvalidParameterError, NotReadyError
from contracts.schema import literals
from contracts.schema.literals import SentAt
from runtime import clock

SEND_SECONDS: Final = 5.0
MOST_SUBSCRIPTIONS: Final = 500
MOST_MESSAGES: Final = 200  # in
MESSAGES_SECONDS: Final = 10.0
SUBSCRIBE: Final = "subscribe"
POLICY: Final = 1008
TRY_LATER: Final = 1013
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
    """One subscription: what it means, and the task that sends it at an interval."""

    request: SubscriptionRequest
    target: Target
    pacer: asyncio.Task[None] | None

    def describe(self) -> dict[str, Any]:
        """Return it as clients see it."""
        request = self.request
        fields: dict[str, Any] = {"symbol": self.target.symbol or None, "interval": request.interval}
        timed = {"timeframe": request.timeframe} if request.channel == protocol.CANDLES else {}
        return {"channel": request.channel, **fields, **timed}


class StreamClient:
    """Serves one client until it goes or is sent away."""

    def __init__(
        self, socket: FrameSocket, services: StreamServices, check_key: KeyCheck, send_seconds: float = SEND_SECONDS
    ) -> None:
        self.queue = SendQueue()
        self.name = secrets.token_hex(8)
        self._socket = socket
        self._services = services
        self._check_key = check_key
        self._send_seconds = send_seconds
        self._held: dict[Key, Subscription] = {}
        self._window = (0.0, 0)

    async def run(self) -> None:
        """Serve; returns when the connection is over. Raises nothing but cancellation."""
        self._services.hub.join(self.queue)
        writer = asyncio.create_task(self._keep_writing(), name=f"stream writer {self.name}")
        reader = asyncio.create_task(self._keep_reading(), name=f"stream reader {self.name}")
        try:
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writer, reader):
                task.cancel()
            await asyncio.gather(writer, reader, return_exceptions=True)
            for key in list(self._held):
                self._remove(key)
            self._services.hub.leave(self.queue)

    def _send(self, fields: dict[str, Any]) -> None:
        message = literals.encode({**fields, "timestamp": SentAt()}, clock.now_ns())
        self.queue.put_control(make_message(message))

    def _send_error(self, error: HydrophoneError) -> None:
        self.queue.put_control(make_message(protocol.error_message(error, clock.now_ns())))

    async def _keep_writing(self) -> None:
        try:
            while True:
                await self.queue.wait()
                async with asyncio.timeout(self._send_seconds):
                    await self._socket.write_frames(b"".join(self.queue.take()))
        except TimeoutError:
            self._services.hub.metrics.closed_slow.inc()
            self._socket.end(TRY_LATER, "too slow: try again later")
        except ClientGoneError:
            return

    async def _keep_reading(self) -> None:
        try:
            while True:
                await self._on_text(await self._socket.receive_text())
                await clock.sleep(0)  # so that the writer runs: a burst of messages is received without waiting
        except ClientGoneError:
            return
        except QueueFullError:
            self._socket.end(POLICY, "answers are not read")

    async def _on_text(self, text: str | None) -> None:
        try:
            self._refuse_flood()
            await self._on_message(protocol.decode(text))
        except HydrophoneError as error:
            self._send_error(error)

    async def _on_message(self, message: ClientMessage) -> None:
        match message:
            case Ping():
                self._send({"type": "pong", **({} if message.id is None else {"id": message.id})})
            case ListSubscriptions():
                held = [subscription.describe() for subscription in self._held.values()]
                self._send({"type": "subscriptions", "subscriptions": held})
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
        self._send({"type": "authenticated"})

    async def _on_request(self, request: SubscriptionRequest) -> None:
        done: list[Target] = []
        for symbol, found in await self._resolve(request):
            try:
                done.append(self._take(request, symbol, found))
            except HydrophoneError as error:
                self._send_error(error)
        if done:
            self._confirm(request, done)
        for target in done if request.type == SUBSCRIBE else ():
            await self._add(request, target)

    def _take(self, request: SubscriptionRequest, symbol: str, found: Found) -> Target:
        """Return what a symbol of a request means; what was subscribed of it is no longer."""
        if isinstance(found, HydrophoneError):
            raise found
        target = resolve_target(request, found)
        if request.type == SUBSCRIBE:
            self._refuse_more(target)
        if not self._remove(_key(request, target)) and request.type != SUBSCRIBE:
            raise InvalidParameterError(
                f"{request.channel} of {symbol} is not subscribed", parameter="symbol", channel=request.channel
            )
        return target

    async def _resolve(self, request: SubscriptionRequest) -> list[tuple[str, Found]]:
        """Return what each symbol of a request means, or why it means nothing; None stands for all of them."""

        async def find(symbol: str) -> tuple[str, Found]:
            try:
                return symbol, await self._services.symbols.find(symbol) if symbol else None
            except HydrophoneError as error:
                return symbol, error

        return await asyncio.gather(*(find(symbol) for symbol in request.named))

    def _confirm(self, request: SubscriptionRequest, targets: list[Target]) -> None:
        symbols = [target.symbol for target in targets if target.symbol]
        named = {"symbol": symbols[0]} if len(targets) == 1 and symbols else {}
        paced = {} if request.interval is None else {"interval": request.interval}
        self._send({"type": f"{request.type}d", "channel": request.channel, **named, "symbols": symbols, **paced})

    async def _add(self, request: SubscriptionRequest, target: Target) -> None:
        hub, seconds = self._services.hub, request.interval
        for pattern in target.patterns:
            self._services.feed.acquire(pattern)
        pacer = None if seconds is None else asyncio.create_task(self._keep_pace(target.topics, seconds))
        for topic in target.topics:
            if pacer is None:
                hub.add(self.queue, topic)
            else:
                hub.watch(topic)
        self._held[_key(request, target)] = Subscription(request, target, pacer)
        if pacer is None:
            await asyncio.gather(*(self._send_current(topic) for topic in target.topics))

    async def _send_current(self, topic: Topic) -> None:
        message = await self._services.hub.find_current(topic)
        if message is not None:
            self.queue.put_state(topic, message)

    async def _keep_pace(self, topics: tuple[Topic, ...], seconds: int) -> None:
        while True:
            for topic in topics:
                await self._send_current(topic)
            await clock.sleep(seconds)

    def _remove(self, key: Key) -> bool:
        held = self._held.pop(key, None)
        if held is None:
            return False
        for pattern in held.target.patterns:
            self._services.feed.release(pattern)
        if held.pacer is not None:
            held.pacer.cancel()
        for topic in held.target.topics:
            if held.pacer is None:
                self._services.hub.remove(self.queue, topic)
            else:
                self._services.hub.unwatch(topic)
        return True

    def _refuse_more(self, target: Target) -> None:
        if sum(len(held.target.topics) for held in self._held.values()) + len(target.topics) > MOST_SUBSCRIPTIONS:
            raise InvalidParameterError(
                f"At most {MOST_SUBSCRIPTIONS} subscriptions a connection",
                parameter="symbols",
                maximum=MOST_SUBSCRIPTIONS,
            )
        if not target.topics:
            raise NotReadyError("Nothing is listed for this symbol yet", waiting_for=["instruments"])

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
