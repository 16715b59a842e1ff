"""Jumps of open interest: a change of some percent within a window. Pure."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Final

from consumers.detectors.rules import (
    INSTRUMENTS,
    SECOND,
    FastEvent,
    InterestRules,
    Outputs,
    event_time,
    fire,
    is_old,
    mark_of,
    origin_of,
    percent,
    tail_of,
)
from contracts import subjects
from contracts.arithmetic.exact import EXACT, MOST
from contracts.codec import fast
from contracts.recent import Recent
from contracts.signals import InterestJump
from runtime.app.explaining.trace import Trace
from runtime.cooldowns import Cooldowns

FastSignal: Final = fast(InterestJump)
RULE: Final = "interest/1"
CELL: Final = 10 * SECOND  # of the values in a window: the first one of each is kept
_VALUE_BYTES: Final = 310  # of one with its time, its amount and its id, which comes on top by its letters


class _Instrument:
    """The values of the last window: time, value, id, one in ten seconds."""

    __slots__ = ("unit", "values")

    def __init__(self) -> None:
        self.unit = ""
        self.values: deque[tuple[int, Decimal, str]] = deque()

    def begin_at(self, since: int) -> tuple[int, Decimal, str] | None:
        """Drop what is older, and return the oldest value; None where there is none."""
        while self.values and self.values[0][0] < since:
            self.values.popleft()
        return self.values[0] if self.values else None


class InterestDetector:
    """The open interest of every contract within the window."""

    def __init__(self, rules: InterestRules, trace: Trace | None = None) -> None:
        self.rules = rules
        self.cooldowns: Cooldowns[str] = Cooldowns(INSTRUMENTS)
        self._trace = trace
        self._instruments: Recent[str, _Instrument] = Recent(INSTRUMENTS)

    @property
    def forgotten(self) -> int:
        """How many instruments were dropped because others came."""
        return self._instruments.dropped

    def size(self) -> int:
        """Return the bytes of the values that are kept."""
        lists = (held.values for held in self._instruments.values())
        return sum(len(values) * (_VALUE_BYTES + len(values[-1][2])) for values in lists if values)

    def recall(self, signal: FastEvent) -> None:
        """Take note of a signal that was published before."""
        self.cooldowns.begin(tail_of(signal), event_time(signal), signal.id)

    def fold(self, event: FastEvent) -> Outputs:
        """Fold one OpenInterest event; one that says no amount changes nothing, nor one older than the newest."""
        unit, text = next(
            ((unit, text) for unit, text in _readings(event) if text is not None),
            ("", None),
        )
        if text is None or is_old(event):
            return []
        value, at, tail = Decimal(text), event_time(event), tail_of(event)
        held = self._instruments.get(tail) or self._instruments.put(tail, _Instrument())
        if held.unit != unit:
            held.unit = unit
            held.values.clear()
        if held.values and at < held.values[-1][0]:
            return []
        first = held.begin_at(at - self.rules.window)
        if not held.values or at // CELL > held.values[-1][0] // CELL:
            held.values.append((at, value, event.id))
        return [] if first is None else self._decide(event, tail, first, (unit, value, at))

    def _decide(
        self, event: FastEvent, tail: str, first: tuple[int, Decimal, str], now: tuple[str, Decimal, int]
    ) -> Outputs:
        rules, trace, (_, value, at) = self.rules, self._trace, now
        tier = rules.tiers.find(event.symbol.partition("/")[0])
        change = percent(EXACT.subtract(value, first[1]), first[1])
        jumped = MOST > abs(change) >= rules.percent[tier]
        if trace is not None:
            what = f"percent of change in {rules.window // SECOND} s"
            trace.compare(what, (abs(change), ">=", rules.percent[tier]), at, holds=jumped)
        if not jumped:
            return []
        known = (change, now[0], value)
        return fire(
            self.cooldowns,
            tail,
            (at, rules.cooldown),
            trace,
            make=lambda: (subjects.INTEREST_JUMP + tail, self._signal(event, tail, first, known)),
        )

    def _signal(
        self, event: FastEvent, tail: str, first: tuple[int, Decimal, str], now: tuple[Decimal, str, Decimal]
    ) -> FastEvent:
        change, unit, value = now
        tier = self.rules.tiers.find(event.symbol.partition("/")[0])
        return FastSignal(
            id=f"{tail}.interest_jump.{mark_of([event.id])}",
            **origin_of(event),
            tier=tier,
            event_ids=[first[2], event.id],
            rule=RULE,
            amount=format(value, "f"),
            previous_amount=format(first[1], "f"),
            unit=unit,
            change=format(change, "f"),
            threshold=format(self.rules.percent[tier], "f"),
            window_ns=self.rules.window,
        )


def _readings(event: FastEvent) -> tuple[tuple[str, str | None], ...]:
    return (("base", event.amount), ("contracts", event.contracts), ("quote", event.value))
