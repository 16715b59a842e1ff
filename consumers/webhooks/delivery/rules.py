"""How often and how fast events are posted: the rules of retries, circuits, order and digests. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SECOND_NS: Final = 1_000_000_000
_MINUTE: Final = 60.0
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
RETRY_SECONDS: Final = (5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 10 * _HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """Seconds, and numbers of events of one endpoint.

    `retries`: the pauses after each failed attempt; an event that fails once more is dead. `jitter`: the share of a
    pause by which it is longer at most.
    """

    retries: Sequence[float] = RETRY_SECONDS
    jitter: float = 0.2
    longest_retry_after: float = _DAY
    max_failures: int = 5  # in a row open the circuit
    circuit_first: float = 30.0
    circuit_longest: float = 5 * _MINUTE
    disable_after: float = 3 * _DAY  # of nothing but failures
    keep_waiting: float = 7 * _DAY  # what waits for an endpoint that is disabled or paused
    at_once: int = 4  # posts under way
    most_open: int = 5_000  # events looked at that are neither delivered nor dead; then no further ones are looked at
    read_ahead: int = 200
    linger: float = 1.0  # what is due so soon is waited for in place


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRules:
    """One event of an endpoint, symbol and type within so many seconds; what comes meanwhile waits for one digest.

    0 is no limit. Of what is sent one by one (`single`), so many go at once before the others wait.
    """

    seconds: float = 30.0
    single: frozenset[str] = frozenset({"price_alert", "order"})
    single_at_once: int = 10
    most: int = 1_000  # events of one digest


def pause(rules: DeliveryRules, tries: int, chance: float) -> float | None:
    """Return the seconds until the next attempt after so many failed ones; None where the event is dead.

    `chance` is a random number from 0 to 1.
    """
    if tries > len(rules.retries):
        return None
    return rules.retries[tries - 1] * (1 + rules.jitter * chance)
