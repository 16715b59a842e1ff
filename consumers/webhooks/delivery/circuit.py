"""The circuit of one endpoint: opened by failures in a row, probed with growing pauses, closed by a success. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from consumers.webhooks.delivery.rules import SECOND_NS, DeliveryRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Times are ns UTC, 0 for never; `wait` is the present pause in seconds."""

    failures: int = 0  # in a row
    failing_since: int = 0
    opened: int = 0
    until: int = 0  # when the next probe may be sent
    wait: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether nothing but probes is sent."""
        return self.opened > 0


CLOSED: Final = Circuit()


def on_failure(circuit: Circuit, now_ns: int, rules: DeliveryRules) -> Circuit:
    """Return the circuit after a failed attempt: one more in a row, opened by it, or with a longer pause."""
    failed = replace(circuit, failures=circuit.failures + 1, failing_since=circuit.failing_since or now_ns)
    if failed.is_open:
        if now_ns < failed.until:
            return failed  # it was under way when the circuit opened
        wait = min(failed.wait * 2, rules.circuit_longest)
        return replace(failed, wait=wait, until=now_ns + int(wait * SECOND_NS))
    if failed.failures < rules.max_failures:
        return failed
    wait = rules.circuit_first
    return replace(failed, opened=now_ns, wait=wait, until=now_ns + int(wait * SECOND_NS))


def is_hopeless(circuit: Circuit, now_ns: int, rules: DeliveryRules) -> bool:
    """Return whether the endpoint failed for so long that it is to be disabled."""
    failing = circuit.failing_since
    return circuit.is_open and now_ns - failing >= int(rules.disable_after * SECOND_NS)
