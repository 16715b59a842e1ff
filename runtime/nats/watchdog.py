"""Notices a server that keeps the socket open but answers nothing, and breaks that connection: the client moves on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from nats.aio.client import Client
from nats.errors import Error as NatsError

from runtime.nats import wire


@dataclass(frozen=True, slots=True)
class WatchRule:
    """A ping each `interval` seconds; `misses` unanswered waits of `interval` seconds break the connection."""

    interval: float = 1.0
    misses: int = 3


async def watch(
    client: Client, rule: WatchRule, on_rtt: Callable[[float], None], on_frozen: Callable[[], None]
) -> None:
    """Run until the client is closed: `on_rtt(seconds)` for each answer, `on_frozen()` before a break."""
    while not client.is_closed:
        if client.is_connected:
            await _watch_connection(client, rule, on_rtt, on_frozen)
        elif client.is_reconnecting and wire.stuck_closing(client):
            wire.abort(client)
        await asyncio.sleep(rule.interval)


async def _watch_connection(
    client: Client, rule: WatchRule, on_rtt: Callable[[float], None], on_frozen: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    connection, start = client.client_id, loop.time()
    try:
        pong = await wire.ping(client)
        for _ in range(rule.misses):
            done, _ = await asyncio.wait({pong}, timeout=rule.interval)
            if done:
                on_rtt(loop.time() - start)
                return
            if not client.is_connected or client.client_id != connection:
                return
        on_frozen()
        wire.abort(client)
        await client.force_reconnect()
    except NatsError:
        return  # closed or reconnecting meanwhile: the caller's loop sees it
