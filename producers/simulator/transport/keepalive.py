"""When a socket is pinged or cut: the venues' keep-alive rules as a pure decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from producers.simulator.hub import Heartbeat

Action = Literal["ping", "no_pong", "idle", "not_subscribed", "lifetime"]


@dataclass(slots=True)
class Pulse:
    """What was last seen on one socket, microseconds of the server's clock; `unanswered` are pings sent."""

    opened_us: int
    inbound_us: int
    outbound_us: int
    pinged_us: int
    unanswered: list[int] = field(default_factory=list)


def decide(rules: Heartbeat, pulse: Pulse, now_us: int, *, has_subscribed: bool) -> Action | None:
    """The one thing to do with this socket now, if any."""
    if _passed(rules.lifetime, pulse.opened_us, now_us):
        return "lifetime"
    if not has_subscribed and _passed(rules.subscribe_within, pulse.opened_us, now_us):
        return "not_subscribed"
    if pulse.unanswered and _passed(rules.pong_within, pulse.unanswered[0], now_us):
        return "no_pong"
    if _passed(rules.idle_inbound, pulse.inbound_us, now_us):
        return "idle"
    if _passed(rules.idle_any, max(pulse.inbound_us, pulse.outbound_us), now_us):
        return "idle"
    if _passed(rules.ping_every, pulse.pinged_us, now_us):
        return "ping"
    return None


def _passed(seconds: float | None, since_us: int, now_us: int) -> bool:
    return seconds is not None and now_us - since_us >= seconds * 1e6
