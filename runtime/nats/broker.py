"""The process's FastStream broker: connects with the options of our connection, and starts no subscriber by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

import structlog
from fast_depends.pydantic import PydanticSerializer
from faststream.middlewares import AckPolicy
from faststream.nats import NatsBroker
from faststream.nats.security import NatsCredentials, NatsNKey, NatsSecurity, NatsToken, NatsUserPassword
from faststream.nats.subscriber.usecases.core_subscriber import ConcurrentCoreSubscriber
from nats.aio.client import Client, ErrorCallback
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from runtime.nats import wire
from runtime.nats.bus import BusOptions, connect_arguments, end_process
from runtime.nats.login import with_login
from runtime.nats.refusals import Refusals
from runtime.nats.watchdog import watch

_log = structlog.get_logger("broker")

GRACEFUL_SECONDS: Final = 15.0  # for the messages at hand
_DRAIN_SECONDS: Final = 10.0
_STEP_SECONDS: Final = 0.002
_SECURITY: Final = ("token", "user", "password", "user_credentials", "nkeys_seed", "tls", "tls_hostname")


def security(options: BusOptions) -> NatsSecurity | None:
    """Return FastStream's form of who we are; None where the server asks nobody."""
    options = with_login(options)
    tls: dict[str, Any] = {"ssl_context": options.tls, "tls_hostname": options.tls_hostname}
    if options.token is not None:
        return NatsToken(options.token, **tls)
    if options.user is not None and options.password is not None:
        return NatsUserPassword(options.user, options.password, **tls)
    if options.credentials is not None:
        return NatsCredentials(options.credentials, **tls)
    if options.nkey_seed is not None:
        return NatsNKey(str(options.nkey_seed), **tls)
    return NatsSecurity(**tls) if options.tls is not None else None


def _make_logger() -> logging.Logger:
    """Return FastStream's log: what handlers raise, not its lines about each message."""
    logger = logging.getLogger("broker.faststream")
    logger.setLevel(logging.WARNING)
    return logger


def _waiting(subscriber: ConcurrentCoreSubscriber) -> int:
    """Return how many messages have come and are not begun."""
    return subscriber.send_stream.statistics().current_buffer_used + subscriber.limiter.statistics().tasks_waiting


class Broker(NatsBroker):
    """A broker that reconnects for ever, leaves a frozen server, and calls `on_closed` when it is closed for good.

    `on_drop(subject, messages)` is called with what slow subscriptions lost. `start` only connects: whoever owns a
    router starts its subscribers when its state is there (`runtime.app.serving`). Nothing is acknowledged by itself.
    """

    def __init__(
        self,
        options: BusOptions,
        *,
        on_drop: Callable[[str, int], None],
        on_closed: Callable[[], None] = end_process,
        **more: Any,  # FastStream's own arguments
    ) -> None:
        self._options, self._on_drop, self._on_closed = options, on_drop, on_closed
        self._refusals = Refusals(_log, options.known_as)
        self._stopping = False
        self._watcher: asyncio.Task[None] | None = None
        super().__init__(
            **{name: value for name, value in connect_arguments(options).items() if name not in _SECURITY},
            security=security(options),
            error_cb=self._on_error,
            closed_cb=self._on_client_closed,
            ack_policy=AckPolicy.MANUAL,
            graceful_timeout=GRACEFUL_SECONDS,
            serializer=PydanticSerializer(use_fastdepends_errors=True),  # a bad message is not a handler's own error
            logger=_make_logger(),
            **more,
        )
        self.specification.security = None  # the document of the bus is the same however a process signs in

    async def start(self) -> None:
        """Connect, and watch the connection as the bus does."""
        client = await self.connect()
        wire.check(client)
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(client), name="broker watchdog")

    async def flush(self) -> None:
        """Return when the server has the subscriptions; nats-py's ping overtakes what it has still to write, once."""
        client = await self.connect()
        await client.flush()
        await client.flush()

    async def withdraw(self, subscriber: ConcurrentCoreSubscriber) -> None:
        """Return when the server sends this subscriber no more and what it had sent is being worked on.

        A server that is away has nothing to be sent to: whoever asks there asks somebody else.
        """
        client, subscription = self._connection, subscriber.subscription
        if client is None or not client.is_connected or subscription is None:
            return
        try:
            async with asyncio.timeout(GRACEFUL_SECONDS):
                await wire.withdraw(client, subscription)
                while _waiting(subscriber):  # noqa: ASYNC110  # FastStream signals no end of its queue
                    await asyncio.sleep(_STEP_SECONDS)
                await asyncio.sleep(0)  # the last one that left the queue is begun
        except (TimeoutError, NatsError) as error:
            reason = str(error) or type(error).__name__
            _log.warning("broker.withdrawal_incomplete", subject=subscription.subject, error=reason)

    async def stop(
        self,
        exc_type: type[BaseException] | None = None,
        exc_val: BaseException | None = None,
        exc_tb: TracebackType | None = None,
    ) -> None:
        """Let handlers finish, send what was published, then close; `on_closed` is not called."""
        self._stopping = True
        if self._watcher is not None:
            self._watcher.cancel()
        client = self._connection
        try:
            async with asyncio.timeout(GRACEFUL_SECONDS + _DRAIN_SECONDS):
                await super().stop(exc_type, exc_val, exc_tb)
        except (TimeoutError, NatsError) as error:  # the server is away: nothing can be sent to it
            _log.warning("broker.close_incomplete", error=str(error) or type(error).__name__)
            if client is not None:
                wire.abort(client)
                await client.close()

    async def _watch(self, client: Client) -> None:
        def on_frozen() -> None:
            _log.warning("broker.frozen_server", servers=self._options.places())

        await watch(client, self._options.watch, lambda _: None, on_frozen)

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            self._on_drop(error.subject, 1)
        else:
            self._refusals.note(error)

    def _log_connection_broken(self, error_cb: ErrorCallback | None = None) -> ErrorCallback:
        """Return our own callback alone: FastStream's raises where a server refuses us, which ends reconnecting."""
        return self._on_error if error_cb is None else error_cb

    async def _on_client_closed(self) -> None:
        if not self._stopping:
            self._on_closed()
