"""Numbers that all processes add to: exact counters of the bus, one a subject."""

from __future__ import annotations

import json

from contracts.subjects import HEADER_INCREMENT
from runtime.nats.bus import Bus, NoAnswerError


async def add(bus: Bus, subject: str, amount: int, timeout: float = 2.0) -> int:
    """Add to a counter; gives its new value. NoAnswerError where the stream of counters does not answer in time."""
    reply = json.loads(await bus.request(subject, b"", timeout, {HEADER_INCREMENT: f"{amount:+d}"}))
    if "val" not in reply:
        reason = reply.get("error", {}).get("description", "no value")
        raise NoAnswerError(f"{subject}: {reason}")
    return int(reply["val"])
