"""Prints at the end what other people's clients agreed with: a line an exchange, agreed/compared of each kind."""

from __future__ import annotations

from typing import Any

PROPERTY = "peer"
COLUMNS = ("trades", "book", "checksum", "ticker", "rest")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    rows = sorted(
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == PROPERTY
    )
    if not rows:
        return
    terminalreporter.section("other people's clients against the simulated exchanges: agreed/compared")
    terminalreporter.write_line(f"{'client':12}{'exchange':18}" + "".join(f"{name:>12}" for name in COLUMNS) + "  note")
    for client, exchange, cells, note in rows:
        figures = "".join(f"{cells.get(name, '-'):>12}" for name in COLUMNS)
        terminalreporter.write_line(f"{client:12}{exchange:18}{figures}  {note}".rstrip())
    terminalreporter.write_line("- the venue has no such thing, or the client does not read it")
