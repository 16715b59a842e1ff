"""The twenty promises, tested one after the other: `make reliability`.

Prints a line each: the promise, its bar, the figures that its tests noted, and whether it is met. Figures are kept in
`figures.json` with their day and machine; `--write` puts the last of each into docs/reliability.md. Ends with 0 where
everything that was run is met.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from tests.reliability.declared import PROMISES, Promise

ROOT: Final = Path(__file__).parents[2]
FIGURES: Final = Path(__file__).with_name("figures.json")
PAGE: Final = ROOT / "docs" / "reliability.md"
BEGIN: Final = "<!-- figures: python -m tests.reliability --write -->"
END: Final = "<!-- end of figures -->"
PYTEST: Final = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "long or not long")
Row = dict[str, Any]


def run_tests(names: list[str]) -> tuple[dict[str, int], list[str]]:
    """Run tests in a pytest of their own; return how many passed, failed and were skipped, and what they noted."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ("-o", "junit_family=xunit1", f"--junitxml={report}")
        subprocess.run([*PYTEST, *options, *names], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        if not report.exists():
            return {"failed": len(names)}, ["pytest did not run"]
        counts, figures = {"passed": 0, "failed": 0, "skipped": 0}, list[str]()
        for case in ET.parse(report).getroot().iter("testcase"):
            kinds = {child.tag for child in case}
            state = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
            counts[state] += 1
            if state == "failed":
                figures.append(f"FAILED {case.get('name')}")
            figures += [str(one.get("value")) for one in case.iter("property") if one.get("name") == "figure"]
        return counts, figures


def run_command(command: tuple[str, ...]) -> tuple[bool, str]:
    """Run a module; return whether it was content, and the last line that it printed."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines() if line.strip()]
    return done.returncode == 0, lines[-1] if lines else "it printed nothing"


def prove(promise: Promise, *, short: bool) -> Row:
    """Run what shows a promise; return its figures and whether it is met, in whole or as far as it was run."""
    began = time.monotonic()
    names = list(dict.fromkeys(promise.tests if short else (*promise.long, *promise.tests)))
    counts, figures = run_tests(drop_narrower(names)) if names else ({}, [])
    good = not counts.get("failed")
    if promise.command and not short:
        content, line = run_command(promise.command)
        good, figures = good and content, [*figures, line]
    whole = not short or not (promise.long or promise.command)
    return {
        "met": good and bool(counts.get("passed")),
        "whole": whole and not counts.get("skipped"),
        "counts": counts,
        "figures": figures,
        "seconds": round(time.monotonic() - began),
        "day": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[1]:.1f} meanwhile",
    }


def drop_narrower(names: list[str]) -> list[str]:
    """Leave out a test of a file that is run as a whole."""
    return [name for name in names if "::" not in name or name.split("::")[0] not in names]


def verdict(number: int, row: Row | None) -> str:
    """Return `met`, `not met`, or what of it was not shown."""
    if row is None:
        return "not run"
    if not row["met"]:
        return "**not met**" if row["counts"].get("failed") else "skipped here"
    said = "met" if row["whole"] else "met in its short form; the long one was not run"
    return f"{said}; {PROMISES[number].lacks}" if PROMISES[number].lacks else said


def line(number: int, row: Row | None) -> str:
    """Return a row of the table."""
    promise = PROMISES[number]
    figures = "-" if row is None else "; ".join(row["figures"]) or f"{row['counts'].get('passed', 0)} tests passed"
    when = "" if row is None else f"{row['day']}, {row['machine']}, {row['seconds']} s"
    cells = (str(number), promise.title, promise.bar, figures.replace("|", "/"), verdict(number, row), when)
    return f"| {' | '.join(cells)} |"


def read_figures() -> dict[int, Row]:
    """Return the last row of each promise that was run."""
    return {int(number): row for number, row in json.loads(FIGURES.read_text()).items()} if FIGURES.exists() else {}


def write_page(rows: dict[int, Row]) -> None:
    """Replace the table of the page."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    head = ("| | promise | bar | figures | verdict | when |", "|---|---|---|---|---|---|")
    table = "\n".join([*head, *(line(number, rows.get(number)) for number in PROMISES)])
    PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--only", default="", help="these numbers, for example 3,7; default: all")
    parser.add_argument("--short", action="store_true", help="leave out what takes minutes")
    parser.add_argument("--write", action="store_true", help="run nothing: write docs/reliability.md")
    asked = parser.parse_args(arguments)
    rows = read_figures()
    if asked.write:
        write_page(rows)
        return 0
    numbers = [int(number) for number in asked.only.split(",") if number] or list(PROMISES)
    if unknown := set(numbers) - PROMISES.keys():
        parser.error(f"no such promise: {sorted(unknown)}")
    content = True
    for number in numbers:
        row = prove(PROMISES[number], short=asked.short)
        content = content and row["met"]
        print(line(number, row), flush=True)
        if row["whole"] or not rows.get(number, {}).get("whole"):
            rows[number] = row
            FIGURES.write_text(json.dumps(dict(sorted(rows.items())), indent=1) + "\n")
    return int(not content)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
