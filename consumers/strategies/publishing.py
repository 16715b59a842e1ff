"""Publishes strategies, their decisions and their refusals on the stream of trading, each once."""

from __future__ import annotations

from typing import Final

from contracts import streams
from contracts.services.trading.strategy_events import (
    CHANGED_SCHEMA,
    DECIDED_SCHEMA,
    REFUSED_SCHEMA,
    SIGNALLED_SCHEMA,
    StrategyChanged,
    StrategyDecided,
    StrategyRefused,
    StrategySignalled,
)
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA
from runtime import retry
from runtime.nats.bus import Bus

_WITHIN: Final = retry.Policy(timeout=3.0)
Published = StrategyChanged | StrategyDecided | StrategyRefused | StrategySignalled


async def publish_changed(bus: Bus, event: StrategyChanged) -> None:
    """Publish how a strategy stands; nats.errors.Error where the stream does not take it in 3 s, as the others."""
    await _send(bus, event, CHANGED_SCHEMA)


async def publish_decided(bus: Bus, event: StrategyDecided) -> None:
    """Publish what a strategy saw and wanted."""
    await _send(bus, event, DECIDED_SCHEMA)


async def publish_refused(bus: Bus, event: StrategyRefused) -> None:
    """Publish that an order of a strategy was refused before it was one."""
    await _send(bus, event, REFUSED_SCHEMA)


async def publish_signalled(bus: Bus, event: StrategySignalled) -> None:
    """Publish that a signal was taken."""
    await _send(bus, event, SIGNALLED_SCHEMA)


async def _send(bus: Bus, event: Published, schema: str) -> None:
    headers = {HEADER_MESSAGE_ID: event.id, HEADER_SCHEMA: schema}
    body = event.model_dump_json().encode()
    await bus.publish_acked(event.subject, body, headers=headers, stream=streams.TRADING, policy=_WITHIN)
