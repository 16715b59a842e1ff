"""The last counted figures of each side, so that a run of ours alone can be compared at once: counts do not vary."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.bench.table import Section

_FILE = "references.json"


def complete(section: Section, work: Path, only: tuple[str, ...]) -> list[str]:
    """Remember what was counted, and fill in what `only` left out from earlier runs; a note where that was done."""
    path = work / _FILE
    known: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    now, filled = time.strftime("%Y-%m-%d %H:%M", time.gmtime()), set[str]()
    for row in section.rows:
        remembered = known.setdefault(f"{section.title}: {row.name}", {})
        remembered |= {side: [row.middle(side), now] for side in row.figures if row.middle(side) is not None}
        for side, (value, then) in remembered.items() if only else ():
            if side not in row.figures and side not in only:
                row.figures[side] = [value]
                filled.add(then)
    path.write_text(json.dumps(known, indent=1), encoding="utf-8")
    return [f"Not of this run: the other sides, counted between {min(filled)} and {max(filled)}."] if filled else []
