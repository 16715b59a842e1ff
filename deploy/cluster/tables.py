"""The tables that a run of faults ends with; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from deploy.cluster.promises import Verdict

WIDE: Final = 400  # columns: more than any row needs, where there is no terminal that would break it


class Pauses(NamedTuple):
    """What a fault cost: its name, the longest pause of each series in seconds, and what was noted of it."""

    fault: str
    longest: Sequence[float]
    notes: str


def draw(series: Sequence[str], rows: Iterable[Pauses], verdicts: Iterable[Verdict], width: int = WIDE) -> str:
    """Return a table of faults and one of promises as text, no line longer than `width`: what is longer is broken."""
    faults = Table(title="longest pause in seconds, from each fault until all was well for ten seconds")
    faults.add_column("fault", overflow="fold")
    for name in series:
        faults.add_column(name, justify="right", no_wrap=True)
    faults.add_column("notes", overflow="fold")
    for row in rows:
        faults.add_row(row.fault, *(f"{pause:.1f}" for pause in row.longest), row.notes)
    promises = Table(title="promises")
    for head in ("promise", "", "figures"):
        promises.add_column(head, overflow="fold")
    for one in verdicts:
        promises.add_row(one.promise, "kept" if one.kept else "BROKEN", one.figures)
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(faults, promises)
    return captured.get()
