"""Folding event by event, so that what one of them raises costs that one only. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

E = TypeVar("E")
Fault = tuple[int, Exception]
"""Which event of a batch (from 0) could not be folded, and why."""


def fold_each(batch: Iterable[tuple[str, E]], fold: Callable[[str, E], None]) -> Sequence[Fault]:
    """Call `fold(subject, event)` for each pair and give the faults: what it raises must leave its state as it was."""
    faults: list[Fault] = []
    for index, (subject, event) in enumerate(batch):
        try:
            fold(subject, event)
        except Exception as error:  # noqa: BLE001  # whatever it is, it goes to the dead letters with its message
            faults.append((index, error))
    return faults
