"""Collects what the fault matrix measured and prints it as a table at the end of the session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.producers.conftest import rig as rig  # noqa: PLC0414 - the producers' rig, a fixture here too

ROWS = "matrix_rows"
PARTS = "parts_rows"


@pytest.fixture
def matrix_row(request):
    """Note one row of the matrix: `matrix_row(venue, {fault: text})`."""

    def note(venue, cells):
        request.node.user_properties.append((ROWS, json.dumps([venue, cells])))

    return note


@pytest.fixture
def parts_row(request):
    """Note one row of the table of parts: `parts_row(fault, seconds, lost, announced)`."""

    def note(fault, seconds, lost, announced):
        request.node.user_properties.append((PARTS, json.dumps([fault, seconds, lost, announced])))

    return note


def collect(terminalreporter, wanted):
    """Every noted row of one table."""
    return [
        json.loads(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == wanted and getattr(report, "when", "") == "call"
    ]


def pytest_terminal_summary(terminalreporter):
    show_parts(terminalreporter, collect(terminalreporter, PARTS))
    rows = collect(terminalreporter, ROWS)
    if not rows:
        return
    faults = list(dict.fromkeys(fault for _, cells in rows for fault in cells))
    terminalreporter.section("fault matrix: seconds until every book is live again; then books equal the exchange's")
    terminalreporter.write_line(f"{'venue':14}" + "".join(f"{fault:>14}" for fault in faults))
    for venue, cells in sorted(rows):
        terminalreporter.write_line(f"{venue:14}" + "".join(f"{cells.get(fault, ''):>14}" for fault in faults))
    terminalreporter.write_line("- the protocol cannot show it; ? no sequence: the loss cannot be seen in the books")
    terminalreporter.write_line(f"crossed or stale books published as live: 0 ({Path(__file__).parent.name})")


def show_parts(terminalreporter, rows):
    """One line a fault, and one for each announcement below it."""
    if not rows:
        return
    terminalreporter.section("parts, streams, buckets, durables: seconds until everything flows again")
    for fault, seconds, lost, announced in sorted(rows):
        terminalreporter.write_line(f"{fault:34}{seconds:6.1f} s  lost: {', '.join(lost) or 'nothing'}")
        for line in announced:
            terminalreporter.write_line(f"{'':44}{line}")
