"""The FastStream lane: a broker with the options of our connection, and the watchdog over the connection it makes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from faststream.middlewares import AckPolicy
from faststream.nats import NatsBroker
from faststream.nats.security import NatsCredentials, NatsNKey, NatsSecurity, NatsToken, NatsUserPassword
from nats.errors import SlowConsumerError

from runtime.nats import wire
from runtime.nats.bus import BusOptions, connect_arguments, end_process
from runtime.nats.watchdog import watch

_log = structlog.get_logger("broker")

GRACEFUL_SECONDS = 20.0


def security(options: BusOptions) -> NatsSecurity | None:
    """FastStream's form of who we are; None where the URL says it all."""
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


def make_broker(
    options: BusOptions,
    *,
    on_drop: Callable[[str, int], None],
    on_closed: Callable[[], None] = end_process,
    **more: Any,  # FastStream's own arguments
) -> tuple[NatsBroker, Callable[[], None]]:
    """A broker that reconnects for ever, acknowledges by hand, and tells when it is closed for good.

    The second value is to be called before the broker is stopped on purpose. `on_drop(subject, messages)` hears of slow
    subscriptions. Handlers acknowledge themselves (`ack`, `nack(delay=)`, `reject`): nothing is retried without delay.
    """
    closing = asyncio.Event()

    async def on_error(error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            on_drop(error.subject, 1)

    async def on_client_closed() -> None:
        if not closing.is_set():
            on_closed()

    arguments = connect_arguments(options)
    for name in ("token", "user", "password", "user_credentials", "nkeys_seed", "tls", "tls_hostname"):
        arguments.pop(name, None)
    broker = NatsBroker(
        **arguments,
        security=security(options),
        error_cb=on_error,
        closed_cb=on_client_closed,
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=GRACEFUL_SECONDS,
        **more,
    )
    return broker, closing.set


async def watch_broker(broker: NatsBroker, options: BusOptions, on_rtt: Callable[[float], None]) -> None:
    """Run beside a started broker: leaves a server that answers nothing, as the bus does."""
    client = await broker.connect()
    wire.check(client)
    await watch(client, options.watch, on_rtt, lambda: _log.warning("broker.frozen_server", servers=options.places()))
