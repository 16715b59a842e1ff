"""The comparisons that a rule makes while it decides, for who asks why. Pure.

A detector that runs live has none: what it costs then is one look whether there is one.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from contracts.numbers import time_of
from contracts.services.explaining import Comparison, Operator
from runtime.cooldowns import Cooldowns, Silence

K = TypeVar("K", bound=Hashable)
FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
Value = int | str | Decimal
Compared = tuple[Value, Operator, Value]
"""(what it was, the operator, what it was compared with)."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a rule did with one event: its comparisons, and the silence that held it."""

    comparisons: list[Comparison]
    silence: Silence | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of a stream: when that took it (ns UTC), its subject, itself, and its sequence."""

    at: int
    subject: str
    event: FastEvent
    sequence: int

    @property
    def time(self) -> int:
        """The event's own time, ns UTC."""
        return time_of(self.event.ts_event, self.event.ts_recv)


@dataclass(frozen=True, slots=True)
class Done:
    """What the rule did with an event; None: with time alone."""

    recorded: Recorded | None
    step: Step
    outputs: list[tuple[str, FastEvent]]


@dataclass(slots=True)
class Trace:
    """Collects one step's comparisons; `take` gives them and begins the next step."""

    comparisons: list[Comparison] = field(default_factory=list[Comparison])
    silence: Silence | None = None

    def compare(self, what: str, compared: Compared, at: int, *, holds: bool) -> None:
        """Keep a comparison that was made; `at` is the events' own time, ns UTC."""
        value, operator, limit = compared
        self.comparisons.append(
            Comparison(what=what, value=text(value), operator=operator, limit=text(limit), holds=holds, at=at)
        )

    def hold(self, silence: Silence) -> None:
        """Keep the silence that held what would have fired."""
        self.silence = silence

    def take(self) -> Step:
        """Return the step that ends here."""
        step = Step(self.comparisons, self.silence)
        self.comparisons, self.silence = [], None
        return step


def is_held(cooldowns: Cooldowns[K], key: K, spell: tuple[int, int], trace: Trace | None) -> bool:
    """Return whether a silence holds a key; `spell`: the time (ns UTC) and how long one lasts, ns."""
    silence = cooldowns.find(key, *spell)
    if silence is not None and trace is not None:
        trace.hold(silence)
    return silence is not None


def text(value: Value) -> str:
    """Write a compared value: decimals plainly."""
    return format(value, "f") if isinstance(value, Decimal) else str(value)
