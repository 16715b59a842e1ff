"""One stream client: its conversation, its subscriptions, and the writer that never waits longer than its patience."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from api.http.access.admission import Admission
from api.http.errors import RateLimitedError
from api.stream import protocol
from api.stream.feed import StreamFeed
from api.stream.hub import Hub
from api.stream.protocol import Auth, ClientMessage, ListSubscriptions, Ping, SubscriptionRequest
from api.stream.send_queue import Message, QueueFullError, SendQueue, make_message
from api.stream.symbols import ResolvedSymbol, Symbols
from api.stream.topics import Target, Topic, resolve_target
from contracts.errors import HydrophoneError, InvalidParameterError, NotReadyError
from contracts.schema import literals
from contracts.schema.literals import SentAt
from runtime import clock

SEND_SECONDS: Final = 5.0
MOST_SUBSCRIPTIONS: Final = 500
MOST_MESSAGES: Final = 200  # in
MESSAGES_SECONDS: Final = 10.0
POLICY: Final = 1008
TRY_LATER: Final = 1013


KeyCheck = Callable[[str], Admission]


class ClientGoneError(Exception):
    """The other side is not there any more."""


class Socket(Protocol):
    """The connection of a client."""

    async def receive(self) -> str | None:
        """Take the next text, None for a binary message; ClientGoneError at the end."""
        ...

    async def write(self, frames: bytes) -> None:
        """Write whole frames once there is room; ClientGoneError when nobody is there."""
        ...

    def end(self, code: int, reason: str) -> None:
        """Close without waiting for anybody."""
        ...


@dataclass(frozen=True, slots=True)
class StreamServices:
    """What a client talks to."""

    symbols: Symbols
    hub: Hub
    feed: StreamFeed


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: what it means, and the task that sends it at an interval."""

    request: SubscriptionRequest
    target: Target
    pacer: asyncio.Task[None] | None


class StreamClient:
    """Talks with one client until it goes or is sent away."""

    def __init__(
        self, socket: Socket, services: StreamServices, check_key: KeyCheck, send_seconds: float = SEND_SECONDS
    ) -> None:
        self.queue = SendQueue()
        self.name = secrets.token_hex(8)
        self._socket = socket
        self._services = services
        self._check_key = check_key
        self._send_seconds = send_seconds
        self._held: dict[tuple[str, str, str], Subscription] = {}
        self._window = (0.0, 0)

    async def run(self) -> None:
        """Converse; returns when the connection is over. Raises nothing but cancellation."""
        self._services.hub.join(self)
        writer = asyncio.create_task(self._keep_writing(), name=f"stream writer {self.name}")
        reader = asyncio.create_task(self._keep_reading(), name=f"stream reader {self.name}")
        try:
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writer, reader):
                task.cancel()
            await asyncio.gather(writer, reader, return_exceptions=True)
            self._forget_all()

    def say(self, fields: dict[str, Any]) -> None:
        """Queue an answer."""
        self.queue.put_control(self._message({**fields, "timestamp": SentAt()}))

    def _message(self, fields: dict[str, Any]) -> Message:
        return make_message(literals.encode(fields, clock.now_ns()))

    async def _keep_writing(self) -> None:
        try:
            while True:
                await self.queue.wait()
                async with asyncio.timeout(self._send_seconds):
                    await self._socket.write(b"".join(self.queue.take()))
        except TimeoutError:
            self._services.hub.on_slow()
            self._socket.end(TRY_LATER, "too slow: try again later")
        except ClientGoneError:
            return

    async def _keep_reading(self) -> None:
        try:
            while True:
                await self._on_text(await self._socket.receive())
                await clock.sleep(0)  # the writer's turn: a burst of messages is received without waiting
        except ClientGoneError:
            return
        except QueueFullError:
            self._socket.end(POLICY, "answers are not read")

    async def _on_text(self, text: str | None) -> None:
        try:
            self._refuse_flood()
            await self._on_said(protocol.decode(text))
        except HydrophoneError as error:
            self.queue.put_control(make_message(protocol.error_message(error, clock.now_ns())))

    async def _on_said(self, said: ClientMessage) -> None:
        match said:
            case Ping():
                self.say({"type": "pong", **({} if said.id is None else {"id": said.id})})
            case ListSubscriptions():
                self.say({"type": "subscriptions", "subscriptions": [_shown(held) for held in self._held.values()]})
            case Auth():
                self._on_key(said)
            case SubscriptionRequest() if said.remove:
                await self._on_unsubscribe(said)
            case SubscriptionRequest():
                await self._on_subscribe(said)

    def _on_key(self, said: Auth) -> None:
        """Answer a key that comes where none was needed: a wrong one is refused, and what was open stays open."""
        refused = self._check_key(said.key).refused
        if refused is not None:
            raise refused
        self.say({"type": "authenticated"})

    async def _on_subscribe(self, request: SubscriptionRequest) -> None:
        taken: list[Target] = []
        for found in await self._resolve(request):
            try:
                target = self._target(request, found)
                self._refuse_more(target)
            except HydrophoneError as error:
                self.queue.put_control(make_message(protocol.error_message(error, clock.now_ns())))
                continue
            self._forget(_key(request, target))
            taken.append(target)
        if not taken:
            return
        self._confirm("subscribed", request, [target.symbol for target in taken])
        for target in taken:
            await self._hold(request, target)

    async def _resolve(self, request: SubscriptionRequest) -> list[ResolvedSymbol | HydrophoneError | None]:
        """What each symbol of a request means, or why it means nothing; None stands for all of them."""

        async def find(symbol: str) -> ResolvedSymbol | HydrophoneError | None:
            try:
                return await self._services.symbols.find(symbol) if symbol else None
            except HydrophoneError as error:
                return error

        return await asyncio.gather(*(find(symbol) for symbol in request.symbols))

    def _target(self, request: SubscriptionRequest, found: ResolvedSymbol | HydrophoneError | None) -> Target:
        if isinstance(found, HydrophoneError):
            raise found
        return resolve_target(request, found)

    async def _on_unsubscribe(self, request: SubscriptionRequest) -> None:
        gone: list[str] = []
        for symbol, found in zip(request.symbols, await self._resolve(request), strict=True):
            try:
                target = self._target(request, found)
                if not self._forget(_key(request, target)):
                    raise InvalidParameterError(
                        f"{request.channel} of {symbol} is not subscribed", parameter="symbol", channel=request.channel
                    )
                gone.append(target.symbol)
            except HydrophoneError as error:
                self.queue.put_control(make_message(protocol.error_message(error, clock.now_ns())))
        if gone:
            self._confirm("unsubscribed", request, gone)

    def _confirm(self, kind: str, request: SubscriptionRequest, symbols: list[str]) -> None:
        named = {"symbol": symbols[0]} if len(symbols) == 1 and symbols[0] else {}
        paced = {} if request.interval is None else {"interval": request.interval}
        self.say({"type": kind, "channel": request.channel, **named, "symbols": [s for s in symbols if s], **paced})

    async def _hold(self, request: SubscriptionRequest, target: Target) -> None:
        hub = self._services.hub
        for pattern in target.patterns:
            self._services.feed.acquire(pattern)
        pacer = None
        if request.interval is not None:
            pacer = asyncio.create_task(self._keep_pace(target.topics, request.interval))
        for topic in target.topics:
            if pacer is None:
                hub.add(self, topic)
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

    def _forget(self, key: tuple[str, str, str]) -> bool:
        held = self._held.pop(key, None)
        if held is None:
            return False
        for pattern in held.target.patterns:
            self._services.feed.release(pattern)
        if held.pacer is not None:
            held.pacer.cancel()
        for topic in held.target.topics:
            if held.pacer is None:
                self._services.hub.remove(self, topic)
            else:
                self._services.hub.unwatch(topic)
        return True

    def _forget_all(self) -> None:
        for key in list(self._held):
            self._forget(key)
        self._services.hub.leave(self)

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


def _key(request: SubscriptionRequest, target: Target) -> tuple[str, str, str]:
    return request.channel, target.symbol, request.timeframe if request.channel == protocol.CANDLES else ""


def _shown(held: Subscription) -> dict[str, Any]:
    request = held.request
    shown: dict[str, Any] = {
        "channel": request.channel,
        "symbol": held.target.symbol or None,
        "interval": request.interval,
    }
    return {**shown, "timeframe": request.timeframe} if request.channel == protocol.CANDLES else shown
