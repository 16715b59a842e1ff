"""Figures as rows: medians of several repetitions, ratios to a reference, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(slots=True)
class Row:
    """`figures`: side -> one value a repetition. `targets`: reference -> how often better we are to be, at least."""

    name: str
    figures: dict[str, list[float]]
    targets: dict[str, float] = field(default_factory=dict[str, float])
    note: str = ""
    at_most: bool = False  # the target is a limit of ours / reference (latency), not a gain

    def middle(self, side: str) -> float:
        return median(self.figures[side])

    def ratio(self, reference: str) -> float:
        """Reference / ours, where smaller figures are better; ours / reference where the target is a limit."""
        gain = self.middle(reference) / self.middle("ours")
        return 1 / gain if self.at_most else gain

    def spread(self, reference: str) -> tuple[float, float]:
        """The smallest and the largest ratio of one repetition."""
        pairs = zip(self.figures[reference], self.figures["ours"], strict=False)
        ratios = [ours / theirs if self.at_most else theirs / ours for theirs, ours in pairs]
        return min(ratios), max(ratios)

    def met(self, reference: str) -> bool | None:
        target = self.targets.get(reference)
        if target is None or reference not in self.figures:
            return None
        return self.ratio(reference) <= target if self.at_most else self.ratio(reference) >= target

    def as_data(self) -> dict[str, Any]:
        references = [side for side in self.figures if side != "ours"]
        return {
            "name": self.name,
            "figures": self.figures,
            "medians": {side: self.middle(side) for side in self.figures},
            "ratios": {side: self.ratio(side) for side in references if "ours" in self.figures},
            "targets": self.targets,
            "met": {side: self.met(side) for side in self.targets},
            "note": self.note,
        }


@dataclass(slots=True)
class Section:
    """A table: `unit` is that of the figures."""

    title: str
    unit: str
    rows: list[Row] = field(default_factory=list[Row])
    notes: list[str] = field(default_factory=list[str])

    def sides(self) -> list[str]:
        found: list[str] = []
        for row in self.rows:
            found += [side for side in row.figures if side not in found]
        return found

    def lines(self) -> list[str]:
        """The table as text."""
        sides = self.sides()
        width = max([len(row.name) for row in self.rows], default=10)
        head = f"{'':{width}}" + "".join(f"{side[:17]:>19}" for side in sides)
        out = ["", f"{self.title} ({self.unit})", head]
        for row in self.rows:
            cells = "".join(f"{row.middle(side):>19.2f}" if side in row.figures else f"{'-':>19}" for side in sides)
            out.append(f"{row.name:{width}}{cells}   {_ratios(row)}{row.note and '  ' + row.note}")
        return [*out, *(f"  {note}" for note in self.notes)]


def _ratios(row: Row) -> str:
    if "ours" not in row.figures:
        return "not measured"
    parts: list[str] = []
    for side in row.figures:
        if side == "ours":
            continue
        low, high = row.spread(side)
        text = f"{side} {row.ratio(side):.2f}x ({low:.2f}-{high:.2f})"
        target = row.targets.get(side)
        if target is not None:
            text += f" {'<=' if row.at_most else '>='} {target:g}x {'met' if row.met(side) else 'NOT MET'}"
        parts.append(text)
    return "; ".join(parts)
