"""Prints at the end how many recorded frames and expected records were checked, a line a file."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    rows = {
        value[0]: value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == "recording"
    }
    if not rows:
        return
    terminalreporter.section("recorded frames")
    for file, frames, checked in (rows[key] for key in sorted(rows)):
        found = ", ".join(f"{count} {kind}" for kind, count in sorted(checked.items())) or "decoded, nothing to compare"
        terminalreporter.write_line(f"{file}: {frames} frames; {found}")
