"""The Python and the compiled side of a book: what tests do to both, and whether they stay the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import msgspec
import pytest

from runtime.book import book_side as python

try:
    from runtime.book.compiled import book_side as compiled
except ImportError:
    compiled: Any = None

Levels = list[tuple[str, str]]
NEEDS_COMPILED: Final = pytest.mark.skipif(compiled is None, reason="the compiled book side is not built")
SIDES: Final = [pytest.param(python, id="python"), pytest.param(compiled, id="compiled", marks=NEEDS_COMPILED)]


def as_json(levels: Levels) -> str:
    """Write levels as venues and the codec do."""
    return json.dumps(levels, separators=(",", ":"))


FORMS: Final[dict[str, Any]] = {
    "tuples": list,
    "generator": iter,
    "lists": lambda levels: [list(level) for level in levels],
    "bytes": lambda levels: as_json(levels).encode(),
    "str": as_json,
    "raw": lambda levels: msgspec.Raw(as_json(levels).encode()),
    "spaced": json.dumps,
    "escaped": lambda levels: as_json(levels).replace(".", "\\u002e"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to both sides of a book: `replace` (whole) or `apply`, in one of FORMS."""

    form: str
    levels: Levels
    asks: bool = False
    whole: bool = False
    edge: float | None = None
    depth: int | None = None


class Pair:
    """A book of one implementation."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self.sides = (module.BookSide(1), module.BookSide(-1))

    def do(self, step: Step) -> tuple[type[BaseException], str] | None:
        """Return what was raised."""
        side, levels = self.sides[step.asks], FORMS[step.form](step.levels)
        try:
            if step.whole:
                side.replace(levels, step.depth)
            else:
                side.apply(levels, step.edge, step.depth)
        except Exception as error:  # noqa: BLE001 - it is compared
            return type(error), str(error)
        return None

    def state(self, depth: int | None = None) -> dict[str, Any]:
        """Everything that can be seen of it."""
        return {
            "lengths": [len(side) for side in self.sides],
            "ends": [(side.best(), side.worst()) for side in self.sides],
            "levels": [side.top() for side in self.sides],
            "top": [side.top(3) for side in self.sides],
            "snapshot": self._module.snapshot(*self.sides, depth),
        }


def differences(steps: list[Step], depth: int | None) -> Iterator[tuple[Step, Any, Any]]:
    """Do the steps to both implementations; the steps after which they differ, with what each has then."""
    pairs = Pair(python), Pair(compiled or python)
    for step in steps:
        raised, other_raised = (pair.do(step) for pair in pairs)
        if raised != other_raised:
            yield step, raised, other_raised
        state, other_state = (pair.state(depth) for pair in pairs)
        if state != other_state:
            yield step, state, other_state
