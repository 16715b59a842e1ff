"""What a strategy decided as lines of text, and the first difference between two runs. Pure.

A line says what it saw, when, and what it wanted, as JSON with the same bytes for the same decision. What its state is
beside that follows from the events that it saw: it is compared where both runs saw the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from contracts.services.trading.strategy_events import StrategyDecided, WantedOrder
from runtime.strategies.protocol import kind_of
from runtime.strategies.running import Decided


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs part: the number of the decision (from 1), and its line in each, None where one has no more."""

    number: int
    one: str | None
    other: str | None

    def __str__(self) -> str:
        return f"decision {self.number}: {self.one or 'none'} | {self.other or 'none'}"


def line_of(decided: Decided) -> str:
    """Return the line of a decision as it was made."""
    return _line(decided.number, (kind_of(decided.event), decided.event.id), decided.now_ns, decided.wanted)


def line_of_event(event: StrategyDecided) -> str:
    """Return the line of a decision as it was published."""
    return _line(event.number, (event.saw_kind, event.saw), event.now, event.wanted)


def first_difference(one: Sequence[str], other: Sequence[str]) -> Difference | None:
    """Return where two runs part, None where they are the same."""
    for number, (line, its_line) in enumerate(zip_longest(one, other), start=1):
        if line != its_line:
            return Difference(number, line, its_line)
    return None


def _line(number: int, saw: tuple[str, str], now_ns: int, wanted: Sequence[WantedOrder]) -> str:
    orders = [one.model_dump(mode="json") for one in wanted]
    return json.dumps([number, *saw, now_ns, orders], separators=(",", ":"))
