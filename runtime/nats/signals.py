"""Signals onto their stream: acknowledged, and stored once however often they are sent."""

from __future__ import annotations

from typing import Any, Final

from contracts import codec, streams
from contracts.subjects import HEADER_MESSAGE_ID, HEADER_SCHEMA
from runtime import retry
from runtime.nats.bus import Bus, subject_class

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
WITHIN: Final = retry.Policy(timeout=15.0)


async def publish_signal(bus: Bus, subject: str, event: FastEvent, *, stream: str = streams.SIGNALS) -> None:
    """Publish a fast event under its id until the stream has it; the last error is raised after 15 s."""
    headers = {HEADER_MESSAGE_ID: event.id, HEADER_SCHEMA: codec.schema_of(codec.EVENTS[event.kind])}
    about = {"hydrophone.simulated": event.sim}
    with bus.tracing.publishing(f"publish {subject_class(subject)}", event, about) as trace:
        await bus.publish_acked(subject, codec.encode(event), headers=headers | trace, stream=stream, policy=WITHIN)
