"""What goes wrong with private requests: ordered one by one, or by a seeded rate. Pure.

`lost_before`   the request does not reach the exchange, and its connection breaks
`lost_after`    the exchange acts, and the connection breaks before its answer
`late`          the connection breaks, and the request reaches the exchange `seconds` later
`duplicate`     the request reaches the exchange twice; the answer is that of the second time
`partial_fill`  an order takes only `share` of what it could take at once
`late_fill`     an order's executions are listed `seconds` late
`maintenance`   every request is refused for `seconds` as the venue does while it is out of service
`rate_limit`    every request is refused for `seconds` as the venue does after too many
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, get_args

from producers.simulator.hub import Answer

FaultKind = Literal[
    "lost_before", "lost_after", "late", "duplicate", "partial_fill", "late_fill", "maintenance", "rate_limit"
]
FAULT_KINDS: Final[tuple[str, ...]] = get_args(FaultKind)
LASTING: Final = frozenset({"maintenance", "rate_limit"})
SECOND_US: Final = 1_000_000
_HALF: Final = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class PrivateFault:
    """One fault. `method` is the front end's name of the request that it is for, None for any."""

    kind: FaultKind
    method: str | None = None
    seconds: float = 1.0
    share: Decimal = _HALF

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ValueError(f"kind: {self.kind!r} is not one of {', '.join(FAULT_KINDS)}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share: {self.share} is not within 0 and 1")


@dataclass(frozen=True, slots=True)
class Refusals:
    """How the venue answers while it is out of service, and after too many requests."""

    maintenance: Callable[[], Answer]
    rate_limit: Callable[[], Answer]


@dataclass(slots=True)
class PrivateFaults:
    """The faults of one venue. `rates` are chances by kind, taken from `rng`; `methods` are those that they strike.

    `done` counts what has struck.
    """

    rng: random.Random = field(default_factory=lambda: random.Random(0))
    rates: Mapping[FaultKind, float] = field(default_factory=dict["FaultKind", float])
    methods: frozenset[str] | None = None
    seconds: float = 1.0
    queue: deque[PrivateFault] = field(default_factory=deque[PrivateFault])
    lasting: dict[FaultKind, tuple[str | None, int]] = field(default_factory=dict["FaultKind", tuple[str | None, int]])
    done: Counter[str] = field(default_factory=Counter[str])

    def order(self, fault: PrivateFault, now_us: int) -> None:
        """Have a fault strike the next request that it is for; one that lasts begins now."""
        if fault.kind in LASTING:
            self.lasting[fault.kind] = (fault.method, now_us + int(fault.seconds * SECOND_US))
        else:
            self.queue.append(fault)

    def clear(self) -> None:
        """End all of them, rates included."""
        self.queue.clear()
        self.lasting.clear()
        self.rates = {}

    def find(self, method: str, now_us: int) -> PrivateFault | None:
        """Return what strikes a request now; an ordered fault is used up."""
        fault = self._lasting(method, now_us) or self._queued(method) or self._drawn(method)
        if fault is not None:
            self.done[fault.kind] += 1
        return fault

    def _lasting(self, method: str, now_us: int) -> PrivateFault | None:
        for kind, (wanted, until) in self.lasting.items():
            if until > now_us and wanted in (None, method):
                return PrivateFault(kind)
        return None

    def _queued(self, method: str) -> PrivateFault | None:
        for fault in self.queue:
            if fault.method in (None, method):
                self.queue.remove(fault)
                return fault
        return None

    def _drawn(self, method: str) -> PrivateFault | None:
        if self.methods is not None and method not in self.methods:
            return None
        for kind, rate in self.rates.items():
            if self.rng.random() < rate:
                return PrivateFault(kind, seconds=self.seconds)
        return None
