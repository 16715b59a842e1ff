"""The labelled texts beside, and the figures that a classifier is judged by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CLASSES = ("Bullish", "Bearish", "Neutral")


@dataclass(frozen=True)
class Labelled:
    """A text with its class and language; `development` of the lines at odd places of a section."""

    label: str
    language: str
    text: str
    development: bool


def read(name: str) -> list[Labelled]:
    found: list[Labelled] = []
    label = language = ""
    place = 0
    for line in Path(__file__).with_name(name).read_text("utf-8").splitlines():
        if line.startswith("["):
            label, language = line.strip("[]").split()
            place = 0
        elif line.strip() and not line.startswith("#"):
            place += 1
            found.append(Labelled(label, language, line.strip(), place % 2 == 1))
    return found


def count(rows: Iterable[Labelled], classify: Callable[[str], str]) -> Counter[tuple[str, str]]:
    """Count the texts by their class and by the one that was found."""
    return Counter((row.label, classify(row.text)) for row in rows)


def macro_f1(table: Counter[tuple[str, str]]) -> float:
    scores: list[float] = []
    for name in CLASSES:
        right = table[name, name]
        found = sum(number for (_, got), number in table.items() if got == name)
        there = sum(number for (label, _), number in table.items() if label == name)
        scores.append(2 * right / (found + there) if found + there else 0.0)
    return sum(scores) / len(scores)


def describe(table: Counter[tuple[str, str]]) -> str:
    """The confusion table as text: a line a class, a column for what was found."""
    lines = ["labelled \\ found " + "".join(f"{name:>9}" for name in CLASSES)]
    lines += [f"{label:<17}" + "".join(f"{table[label, got]:>9}" for got in CLASSES) for label in CLASSES]
    return "\n".join(lines)


def is_balanced(rows: Sequence[Labelled]) -> bool:
    return len(set(Counter((row.label, row.language) for row in rows).values())) == 1
