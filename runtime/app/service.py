"""What a composition root gives each service that it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from faststream.nats import NatsRouter

from runtime.nats.broker import Broker
from runtime.nats.bus import Bus
from runtime.shared import Shared

OnHop = Callable[[str, str, str, float], None]
"""(hop, venue, kind, seconds): a sample of a part of an event's way."""
Sizes = Callable[[], Mapping[str, int]]
"""Gives the bytes of what is kept in memory, by kind."""


def _say_nothing(_name: str, _value: int) -> None:
    return


def _measure_nothing(_name: str, _venue: str, _value: float) -> None:
    return


def time_nothing(_hop: str, _venue: str, _kind: str, _seconds: float) -> None:
    """Take no samples."""


def _keep_nothing(_sizes: Sizes) -> None:
    return


def _do_nothing() -> None:
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The bus, the event that ends the service, where its figures go, and what to call when it reads live.

    `broker`: of the process, connected; None where the service has no router.

    `shared`: the process's, so that its services share one pool of connections.

    `hop(hop, venue, kind, seconds)` takes samples of the parts of an event's way; of no venue is `all`.

    `keeps(sizes)`: what a service keeps in memory for long is asked of `sizes()` whenever figures are read.

    `report(event, count)` and `measure(figure, venue, value)` may be called again and again: the last one counts.
    """

    name: str
    bus: Bus
    broker: Broker | None = None
    shared: Shared = field(default_factory=Shared)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    report: Callable[[str, int], None] = _say_nothing
    measure: Callable[[str, str, float], None] = _measure_nothing
    hop: OnHop = time_nothing
    keeps: Callable[[Sizes], None] = _keep_nothing
    ready: Callable[[], None] = _do_nothing


@dataclass(frozen=True, slots=True)
class Consumer:
    """What a process runs: `run(service)` returns when it was stopped, and serves `router`, if any, meanwhile."""

    run: Callable[[Service], Awaitable[None]]
    router: NatsRouter | None = None
