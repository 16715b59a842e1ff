"""The one connection to the bus: connects for ever, notices a frozen server, never ends silently.

A few lines over the usual length of a file: all that happens to one connection, in one class.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import uniform
from typing import Any
from urllib.parse import urlsplit

import structlog
from nats.aio.client import Client, Server
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError, OutboundBufferLimitError, SlowConsumerError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import PubAck
from nats.js.client import JetStreamContext
from nats.js.errors import NoStreamResponseError, ServiceUnavailableError

from contracts.subjects import COMMAND, HEADER_MESSAGE_ID
from contracts.users.permissions import inbox_of
from runtime import retry
from runtime.metrics import BusMetrics
from runtime.nats import wire
from runtime.nats.login import with_login
from runtime.nats.refusals import NoAnswerError, Refusals
from runtime.nats.watchdog import WatchRule, watch
from runtime.tracing.tracing import OFF, Tracing

_log = structlog.get_logger("bus")

RECONNECT_SECONDS = (0.5, 2.0)
CLOSED_EXIT_CODE = 70
_ACK_ERRORS = (
    NatsTimeoutError,
    NoRespondersError,
    NoStreamResponseError,
    OutboundBufferLimitError,
    ServiceUnavailableError,
)
_CLASS_TOKENS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BusOptions:
    """Where the bus is and who we are to it; `pending_bytes` bounds what is kept for a server that is away.

    `inbox`: the prefix of the subjects on which we are answered, the user's own where it is not given.
    """

    servers: tuple[str, ...]
    name: str
    token: str | None = None
    user: str | None = None
    password: str | None = None
    credentials: Path | None = None
    nkey_seed: Path | None = None
    tls: ssl.SSLContext | None = None
    tls_hostname: str | None = None
    inbox: str | None = None
    pending_bytes: int = 8 * 1024 * 1024
    connect_timeout: float = 2.0
    ping_interval: float = 5.0
    watch: WatchRule = field(default_factory=WatchRule)

    @property
    def known_as(self) -> str | None:
        """The name of our user, where there is one."""
        return self.user or urlsplit(self.servers[0]).username

    def places(self) -> str:
        """The servers without anything secret, for logs and errors."""
        return ", ".join(f"{urlsplit(url).hostname}:{urlsplit(url).port or 4222}" for url in self.servers)


def connect_arguments(options: BusOptions) -> dict[str, Any]:
    """The keyword arguments of `Client.connect` and of a FastStream broker that options stand for."""
    options = with_login(options)
    arguments: dict[str, Any] = {
        "servers": list(options.servers),
        "name": options.name,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": uniform(*RECONNECT_SECONDS),
        "reconnect_to_server_handler": next_server,
        "connect_timeout": options.connect_timeout,
        "ping_interval": options.ping_interval,
        "max_outstanding_pings": 2,
        "pending_size": options.pending_bytes,
        "flush_timeout": 10,
        "token": options.token,
        "user": options.user,
        "password": options.password,
        "user_credentials": str(options.credentials) if options.credentials else None,
        "nkeys_seed": str(options.nkey_seed) if options.nkey_seed else None,
        "tls": options.tls,
        "tls_hostname": options.tls_hostname,
        "inbox_prefix": options.inbox or inbox_of(options.known_as),
    }
    return {name: value for name, value in arguments.items() if value is not None}


def next_server(servers: list[Server], _info: dict[str, Any]) -> tuple[Server | None, float]:
    """The server that failed least often, and the seconds to wait before trying it: short at first, then 0.5 to 2."""
    chosen = min(servers, key=lambda server: server.reconnects)
    first = chosen.reconnects == 0
    return chosen, uniform(0.05, 0.25) if first else uniform(*RECONNECT_SECONDS)


def subject_class(subject: str) -> str:
    """The part of a subject that may be a metric's label: `md.v1.trade`, never a symbol."""
    tokens = subject.split(".", _CLASS_TOKENS)
    return "inbox" if tokens[0].startswith("_INBOX") else ".".join(tokens[:_CLASS_TOKENS])


def end_process() -> None:
    """What a bus that was closed for good does by default: end at once, a supervisor starts the process again."""
    _log.critical("bus.closed_for_good", exit_code=CLOSED_EXIT_CODE)
    os._exit(CLOSED_EXIT_CODE)


class Bus:
    """One connection with its listeners; `on_closed` is called when it is closed without `close()`.

    `tracing`: of the process, for whoever publishes, reads or requests here; it ends with the connection.
    """

    def __init__(
        self,
        options: BusOptions,
        *,
        metrics: BusMetrics | None = None,
        tracing: Tracing = OFF,
        on_closed: Callable[[], None] = end_process,
    ) -> None:
        self.options = options
        self.tracing = tracing
        self._client = Client()
        self._metrics = metrics
        self._on_closed = on_closed
        self._closing = False
        self._refusals = Refusals(_log, options.known_as)
        self._up = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._reconnect_listeners: list[Callable[[], None]] = []
        self._disconnect_listeners: list[Callable[[], None]] = []
        self._drop_listeners: list[Callable[[str, int], None]] = []

    @property
    def client(self) -> Client:
        """The raw client, for subscriptions."""
        return self._client

    @property
    def connected(self) -> bool:
        """Whether a server answers to us now."""
        return self._client.is_connected

    def jetstream(self, timeout: float = 5.0) -> JetStreamContext:
        """The JetStream face of this connection; `timeout` in seconds for each of its requests."""
        return JetStreamContext(self._client, timeout=timeout)

    async def connect(self) -> Bus:
        """Connect, for ever if it must be, saying what is waited for."""
        await self._client.connect(
            **connect_arguments(self.options),
            error_cb=self._on_error,
            closed_cb=self._on_client_closed,
            disconnected_cb=self._on_disconnect,
            reconnected_cb=self._on_reconnect,
        )
        wire.check(self._client)
        wire.read_whole(self._client)
        self._set_connected(up=True)
        self._watcher = asyncio.create_task(
            watch(self._client, self.options.watch, self._on_rtt, self._on_frozen), name="bus watchdog"
        )
        _log.info("bus.connected", servers=self.options.places())
        return self

    async def close(self, timeout: float = 10.0) -> None:
        """Drain subscriptions and what was published, then close; the closed callback is not called."""
        self._closing = True
        if self._watcher is not None:
            self._watcher.cancel()
        try:
            async with asyncio.timeout(timeout):
                await (self._client.drain() if self._client.is_connected else self._client.close())
        except (OSError, NatsError) as error:  # a timeout, or a connection that breaks meanwhile
            _log.warning("bus.close_incomplete", error=str(error) or type(error).__name__)
            wire.abort(self._client)
            await self._client.close()
        await self.tracing.close()

    def listen_reconnect(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call it after each reconnect, when subscriptions are there again; give what ends that."""
        self._reconnect_listeners.append(listener)
        return lambda: self._unlisten(listener)

    def _unlisten(self, listener: Callable[[], None]) -> None:
        if listener in self._reconnect_listeners:
            self._reconnect_listeners.remove(listener)

    def listen_disconnect(self, listener: Callable[[], None]) -> None:
        """Call it after each loss of the connection."""
        self._disconnect_listeners.append(listener)

    def listen_drop(self, listener: Callable[[str, int], None]) -> None:
        """Call it with (subject, messages) whenever a slow subscription lost messages."""
        self._drop_listeners.append(listener)

    def count_drop(self, subject: str, messages: int) -> None:
        """Count messages that were lost on our side and notify who listens for that."""
        if self._metrics is not None:
            self._metrics.dropped.labels(event=subject_class(subject)).inc(messages)
        for listener in self._drop_listeners:
            listener(subject, messages)

    async def request(
        self, subject: str, payload: bytes, timeout: float, headers: dict[str, str] | None = None
    ) -> bytes:
        """The answer's body; NoAnswerError after `timeout` seconds, or at once when nobody serves the subject.

        NotAllowedError, which is one, as soon as the server refuses it to our user.
        """
        return (await self.request_message(subject, payload, timeout, headers)).data

    async def request_message(
        self, subject: str, payload: bytes, timeout: float, headers: dict[str, str] | None = None
    ) -> Msg:
        """The answer with its headers; NoAnswerError as `request`."""
        if self.tracing.on and subject.startswith(COMMAND):
            with self.tracing.requesting(subject) as trace:
                return await self._request(subject, payload, timeout, {**(headers or {}), **trace} or None)
        return await self._request(subject, payload, timeout, headers)

    async def _request(self, subject: str, payload: bytes, timeout: float, headers: dict[str, str] | None) -> Msg:
        try:
            async with self._refusals.limited(subject, timeout):
                await self._up.wait()  # nothing is sent later than its sender waits
                return await self._client.request(subject, payload, timeout=timeout, headers=headers)
        except NoRespondersError as error:
            raise NoAnswerError(f"{subject}: nobody serves it") from error
        except (TimeoutError, NatsTimeoutError) as error:
            raise NoAnswerError(f"{subject}: no answer within {timeout} s") from error

    async def publish_acked(
        self,
        subject: str,
        payload: bytes,
        *,
        headers: dict[str, str],
        stream: str,
        policy: retry.Policy = retry.EFFECT,
        timeout: float = 2.0,
    ) -> PubAck:
        """Publish until the stream says it has it; headers need a stable Nats-Msg-Id, so a repeat is stored once.

        Each try waits `timeout` seconds; the last error is raised when the policy ends. NotAllowedError at once where
        the server refuses the subject to our user.
        """
        if not headers.get(HEADER_MESSAGE_ID):
            raise ValueError(f"{subject}: header {HEADER_MESSAGE_ID} is needed for an acknowledged publish")
        js = self.jetstream()

        async def publish() -> PubAck:
            async with self._refusals.limited(subject, None):
                return await js.publish(subject, payload, timeout=timeout, stream=stream, headers=dict(headers))

        return await retry.retried(publish, on=_ACK_ERRORS, policy=policy)

    async def api(self, call: str, body: bytes = b"", timeout: float = 5.0) -> bytes:
        """One request of the JetStream API, `STREAM.INFO.MARKET` for example; NoAnswerError as `request`."""
        return await self.request(f"$JS.API.{call}", body, timeout)

    def _set_connected(self, *, up: bool) -> None:
        if up:
            self._up.set()
        else:
            self._up.clear()
        if self._metrics is not None:
            self._metrics.connected.set(int(up))

    def _on_rtt(self, seconds: float) -> None:
        if self._metrics is not None:
            self._metrics.rtt.set(seconds)

    def _on_frozen(self) -> None:
        _log.warning("bus.frozen_server", servers=self.options.places())

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            self.count_drop(error.subject, 1)
            return
        if self._refusals.note(error):
            return
        if not self._client.is_connected:
            self._client.options["reconnect_time_wait"] = uniform(*RECONNECT_SECONDS)
            _log.warning("bus.waiting", servers=self.options.places(), error=str(error) or type(error).__name__)
            return
        _log.error("bus.error", error=str(error) or type(error).__name__)

    async def _on_disconnect(self) -> None:
        self._set_connected(up=False)
        if not self._closing:
            _log.warning("bus.disconnected", servers=self.options.places())
        self._tell(self._disconnect_listeners)

    async def _on_reconnect(self) -> None:
        self._set_connected(up=True)
        if self._metrics is not None:
            self._metrics.reconnects.inc()
        _log.info("bus.reconnected", servers=self.options.places())
        self._tell(self._reconnect_listeners)

    def _tell(self, listeners: list[Callable[[], None]]) -> None:
        """Call them on the loop's next iteration: what one of them raises must not break the client's reconnecting."""
        for listener in listeners:
            asyncio.get_running_loop().call_soon(listener)

    async def _on_client_closed(self) -> None:
        if not self._closing:
            self._on_closed()
