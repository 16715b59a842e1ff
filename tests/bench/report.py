"""Writes the tables of the last whole run into docs/performance.md: `python -m tests.bench report`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.bench.table import OURS, figure

BEGIN, END = "<!-- figures: python -m tests.bench report -->", "<!-- end of figures -->"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def write(run: Path, page: Path = PAGE) -> None:
    """Replace what stands between the marks; ValueError where the page has none."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page.name} has no marks for the figures")
    data = json.loads(run.read_text(encoding="utf-8"))
    page.write_text("\n".join((before + BEGIN, *lines(data), END + after)), encoding="utf-8")


def lines(data: dict[str, Any]) -> list[str]:
    """The run in a sentence, then a table for each section."""
    peers = ", ".join(data["peers"]) or "none"
    how = f"{data['turns']} turns, medians, in brackets the smallest and the largest ratio of a turn"
    out = [f"Run of {data['began']}: Python {data['python']}; {data['frames']}; {how}; peers: {peers}."]
    for sections in data["sections"].values():
        for section in sections:
            out += ["", *_table(section)]
        for note in dict.fromkeys(note for section in sections for note in section["notes"]):
            out.append(f"- {note}")
    return out


def _table(section: dict[str, Any]) -> list[str]:
    rows = section["rows"]
    if not rows:
        return [f"**{section['title']}**: no figures."]
    sides = list(dict.fromkeys(side for row in rows for side in row["medians"]))
    own = [side for side in sides if side == OURS or side.startswith(f"{OURS}, ")]
    others = [side for side in sides if side not in own]
    head = f"**{section['title']}** ({section['unit']})"
    names = ["", *own, *others, *(f"ratio to {side}" for side in others), "missing"]
    out = [head, "", "| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for row in rows:
        cells = [row["name"], *(figure(row["medians"].get(side)) for side in (*own, *others))]
        cells += [_ratios(row, side) for side in others]
        cells.append("; ".join(f"{side}: {'; '.join(dict.fromkeys(whys))}" for side, whys in row["missing"].items()))
        out.append("| " + " | ".join(cells) + " |")
    return [*out, ""]


def _ratios(row: dict[str, Any], reference: str) -> str:
    parts: list[str] = []
    for of, ratios in row["ratios"].items():
        ratio, spread = ratios.get(reference), row["spreads"][of].get(reference)
        if ratio is None:
            continue
        text = f"{ratio:.2f}" if of == OURS else f"{of.removeprefix(f'{OURS}, ')} {ratio:.2f}"
        if spread is not None and spread[0] != spread[1]:
            text += f" ({spread[0]:.2f}-{spread[1]:.2f})"
        target = row["targets"].get(of, {}).get(reference)
        if target is not None:
            met = ratio <= target if row["at_most"] else ratio >= target
            text += f", asked {'at most ' if row['at_most'] else ''}{target:g}{'' if met else ': **not met**'}"
        parts.append(text)
    return "; ".join(parts) or "-"
