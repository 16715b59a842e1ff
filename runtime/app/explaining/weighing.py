"""Which of a rule's steps came closest to a signal, and how its parts are shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from contracts.numbers import time_of
from contracts.services.explaining import Comparison, Cooldown, Decision, Evidence
from runtime.app.explaining.trace import Done, Recorded
from runtime.app.explaining.words import says
from runtime.cooldowns import Silence

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
MOST_COMPARED: Final = 20
_EXACT: Final = 1_000_000_000  # ns: a signal is of a moment where no more lies between them
_TAIL: Final = 4  # tokens
_IDS: Final = ("trade_ids", "whale_ids", "liquidation_ids", "event_ids")
_NO_IDS: Final[list[str]] = []


def tail_of(signal_id: str) -> str:
    """Return the four tokens that a signal's id begins with."""
    return ".".join(signal_id.split(".")[:_TAIL])


def ids_of(signal: FastEvent) -> list[str]:
    """Return the ids of the events that met a rule, as its signal names them."""
    return next((getattr(signal, name) for name in _IDS if hasattr(signal, name)), _NO_IDS)


def evidence(item: Recorded) -> Evidence:
    """Return an event as evidence."""
    return Evidence(id=item.event.id, subject=item.subject, sequence=item.sequence, ts=item.time, says=says(item.event))


def cooldown(silence: Silence | None) -> Cooldown | None:
    """Return a silence as explanations show it."""
    return None if silence is None else Cooldown(fired_id=silence.fired_id, since=silence.since, until=silence.until)


def near(signal: FastEvent, at: int) -> bool:
    """Return whether a signal is of a moment."""
    return abs(time_of(signal.ts_event, signal.ts_recv) - at) <= _EXACT


def decide(place: Done | None) -> Decision:
    """Return what a step that fired nothing decided."""
    return "not_met" if place is None or place.step.silence is None else "held"


def closest(steps: Iterable[Done]) -> Done | None:
    """Return the step that came closest: one that only a silence held, else that of the smallest distance."""
    return min(
        steps, key=lambda done: _distance(done.step.comparisons, held=done.step.silence is not None), default=None
    )


def others(steps: Iterable[Done], place: Done | None) -> list[Comparison]:
    """Return the comparisons of the other steps that came close, the closest first."""
    others = [done for done in steps if done is not place]
    others.sort(key=lambda done: _distance(done.step.comparisons, held=done.step.silence is not None))
    return [comparison for done in others[:MOST_COMPARED] for comparison in done.step.comparisons]


def _distance(comparisons: Sequence[Comparison], *, held: bool) -> float:
    """Return by how large a part of its limit the comparison that failed by most failed; -1 where a silence held."""
    if held:
        return -1.0
    return max((_apart(item) for item in comparisons if not item.holds), default=0.0)


def _apart(item: Comparison) -> float:
    try:
        value, limit = float(Decimal(item.value)), float(Decimal(item.limit))
    except ArithmeticError:
        return 1.0
    return abs(limit - value) / (abs(limit) or 1.0)
