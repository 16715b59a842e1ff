"""Figures as rows: medians of several turns, ratios to a reference of the same run, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

OURS = "ours"


@dataclass(slots=True)
class Row:
    """`figures`: column -> a value a turn, None where it failed. `targets`: reference -> how often better at least.

    Columns that begin with `ours, ` are variants of ours: `variants` has their targets.
    """

    name: str
    targets: dict[str, float] = field(default_factory=dict[str, float])
    variants: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    at_most: bool = False  # the target is a limit of ours / reference (latency, memory), not a gain
    figures: dict[str, list[float | None]] = field(default_factory=dict[str, list[float | None]])
    faults: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    failures: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, side: str, turn: int, value: float) -> None:
        self._at(side, turn).append(value)
        self.failures[side] = 0

    def fail(self, side: str, turn: int, why: str) -> None:
        """This turn of this side has no figure."""
        self._at(side, turn).append(None)
        self.faults.setdefault(side, []).append(why)
        self.failures[side] = self.failures.get(side, 0) + 1

    def _at(self, side: str, turn: int) -> list[float | None]:
        values = self.figures.setdefault(side, [])
        values += [None] * (turn - len(values))
        return values

    def measured(self, side: str) -> list[float]:
        return [value for value in self.figures.get(side, ()) if value is not None]

    def middle(self, side: str) -> float | None:
        values = self.measured(side)
        return median(values) if values else None

    def ratio(self, reference: str, of: str = OURS) -> float | None:
        """Reference / ours, where smaller figures are better; ours / reference where the target is a limit."""
        ours, theirs = self.middle(of), self.middle(reference)
        if ours is None or theirs is None:
            return None
        return ours / theirs if self.at_most else theirs / ours

    def spread(self, reference: str, of: str = OURS) -> tuple[float, float] | None:
        """The smallest and the largest ratio of one turn."""
        ratios = [
            ours / theirs if self.at_most else theirs / ours
            for theirs, ours in zip(self.figures.get(reference, ()), self.figures.get(of, ()), strict=False)
            if ours is not None and theirs is not None
        ]
        return (min(ratios), max(ratios)) if ratios else None

    def target(self, reference: str, of: str = OURS) -> float | None:
        return (self.targets if of == OURS else self.variants.get(of, {})).get(reference)

    def met(self, reference: str, of: str = OURS) -> bool | None:
        target, ratio = self.target(reference, of), self.ratio(reference, of)
        if target is None or ratio is None:
            return None
        return ratio <= target if self.at_most else ratio >= target

    def own(self) -> list[str]:
        """Ours and its variants."""
        return [OURS, *(side for side in self.figures if side.startswith(f"{OURS}, "))]

    def references(self) -> list[str]:
        return [side for side in self.figures if side not in self.own()]

    def verdicts(self) -> list[bool | None]:
        """Of every target of this row."""
        found = [self.met(side) for side in self.targets]
        return found + [self.met(side, of) for of, targets in self.variants.items() for side in targets]

    def missing(self) -> str:
        """Which turns of which side have no figure, and why."""
        return "".join(f"  [{side}: {'; '.join(dict.fromkeys(whys))}]" for side, whys in self.faults.items())

    def as_data(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "figures": self.figures,
            "medians": {side: self.middle(side) for side in self.figures},
            "ratios": {of: {side: self.ratio(side, of) for side in self.references()} for of in self.own()},
            "spreads": {of: {side: self.spread(side, of) for side in self.references()} for of in self.own()},
            "targets": {OURS: self.targets, **self.variants},
            "at_most": self.at_most,
            "missing": self.faults,
        }


@dataclass(slots=True)
class Section:
    """A table: `unit` is that of the figures."""

    title: str
    unit: str
    rows: list[Row] = field(default_factory=list[Row])
    notes: list[str] = field(default_factory=list[str])

    def sides(self) -> list[str]:
        return list(dict.fromkeys(side for row in self.rows for side in row.figures))

    def lines(self) -> list[str]:
        """The table as text."""
        sides = self.sides()
        width = max([len(row.name) for row in self.rows], default=10)
        head = f"{'':{width}}" + "".join(f"{side[:17]:>19}" for side in sides)
        out = ["", f"{self.title} ({self.unit})", head]
        for row in self.rows:
            cells = "".join(f"{figure(row.middle(side)):>19}" for side in sides)
            out.append(f"{row.name:{width}}{cells}   {_ratios(row)}{row.missing()}")
        return [*out, *(f"  {note}" for note in self.notes)]

    def as_data(self) -> dict[str, Any]:
        rows = [row.as_data() for row in self.rows]
        return {"title": self.title, "unit": self.unit, "notes": self.notes, "rows": rows}


def figure(value: float | None) -> str:
    """With as many digits as it deserves."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def _ratios(row: Row) -> str:
    if row.middle(OURS) is None:
        return "ours not measured"
    parts = [ratio_text(row, side, of) for of in row.own() for side in row.references()]
    return "; ".join(part for part in parts if part)


def ratio_text(row: Row, reference: str, of: str = OURS) -> str:
    """One ratio with its spread and its target; empty where there is none."""
    ratio, spread, target = row.ratio(reference, of), row.spread(reference, of), row.target(reference, of)
    if ratio is None:
        return ""
    text = f"{reference} {ratio:.2f}x" if of == OURS else f"{of.removeprefix('ours, ')}: {reference} {ratio:.2f}x"
    if spread is not None and len(row.measured(reference)) > 1:
        text += f" ({spread[0]:.2f}-{spread[1]:.2f})"
    if target is not None:
        text += f" {'<=' if row.at_most else '>='} {target:g}x {'met' if row.met(reference, of) else 'NOT MET'}"
    return text
