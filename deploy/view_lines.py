"""How the terminal view looks: exactly so many lines of so many columns, made from what it knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Group
from rich.text import Text

from deploy.view_state import Entry, State, Venue, measure, measure_clock

SECOND_NS: Final = 1_000_000_000
FEWEST_ENTRIES: Final = 2
FRAME_LINES: Final = 4  # title, head of the venues, heads of the lists, foot
WIDE: Final = 100  # columns from which the clocks and the counts are shown too
FULL_ENTRY: Final = 58  # columns from which a list shows whole dollars and symbols
LONG_ENTRY: Final = 90  # and amount and price beside them
GOOD: Final = frozenset({"live", "quiet"})
_COLOURS: Final = {"live": "green", "quiet": "dim", "stale": "yellow", "gap": "yellow", "resync": "yellow"}
_MILLION: Final = 1_000_000
_UNITS: Final = ((1_000_000_000, "B"), (_MILLION, "M"), (1_000, "K"))


@dataclass(frozen=True)
class Places:
    """Where to go from here; `key` is a read key that may be shown, None where keys are the owner's."""

    api_url: str
    bus_url: str
    key: str | None
    run_path: str


class Size(NamedTuple):
    """A terminal's columns and lines."""

    width: int
    height: int


def render(state: State, places: Places, now: int, size: Size, *, notice: str = "") -> Group:
    """The whole view; `notice` is the last thing that was said."""
    lists = max(FEWEST_ENTRIES, size.height - FRAME_LINES - len(state.venues))
    lines = [
        Text(f"HYDROPHONE  {clock_time(now)} UTC  {notice}", style="bold"),
        *_venue_lines(state, now, Size(size.width, size.height - FRAME_LINES - lists)),
        *_list_lines(state, Size(size.width, lists)),
        Text(f"Ctrl-C ends | {places.api_url} | keys: {_from_home(places.run_path)}", style="dim"),
    ][: size.height]
    for line in lines:
        line.no_wrap = True
        line.truncate(size.width, overflow="ellipsis")
    return Group(*lines)


def _from_home(path: str) -> str:
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


def clock_time(at: int) -> str:
    """Give a time of day, UTC."""
    return f"{datetime.fromtimestamp(at // SECOND_NS, UTC):%H:%M:%S}"


def _venue_lines(state: State, now: int, size: Size) -> Iterable[Text]:
    """A head and a line a venue; where they do not fit, those that are not live come first and the rest is counted."""
    wide = size.width >= WIDE
    more = f" {'CLOCK MS':>8} {'EVENTS':>11}" if wide else ""
    yield Text(f"{'VENUE':<13} {'STATE':<10} {'EV/S':>6} {'P50 MS':>7} {'P99 MS':>7}{more}  WHY", style="reverse")
    states = {name: venue.judge(now) for name, venue in state.venues.items()}
    names = sorted(states)
    shown = names
    if len(names) > size.height:
        shown = sorted(names, key=lambda name: (states[name][0] in GOOD, name))[: max(0, size.height - 1)]
    for name in shown:
        yield _venue_line(name, state.venues[name], states[name], now, wide=wide)
    hidden = set(names) - set(shown)
    if hidden:
        bad = sum(states[name][0] not in GOOD for name in hidden)
        yield Text(f"... and {len(hidden)} more, {bad or 'none'} of them not live")


def _venue_line(name: str, venue: Venue, judged: tuple[str, str], now: int, *, wide: bool) -> Text:
    state, reason = judged
    good = state in GOOD
    rate, middle, high = measure(venue, now)
    line = Text(f"{name:<13} ")
    line.append(f"{state if good else state.upper():<10}", style=_COLOURS.get(state, "red"))
    line.append(f" {rate:>6,.0f} {_milliseconds(middle):>7} {_milliseconds(high):>7}")
    if wide:
        offset = measure_clock(venue, now)
        line.append(f" {'-' if offset is None else f'{offset:+.1f}':>8} {venue.events:>11,}")
    line.append("" if good else f"  {reason}")
    return line


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if abs(value) < 10_000 else f"{value / 1000:,.0f}s"  # noqa: PLR2004 - so that it fits


def _list_lines(state: State, size: Size) -> Iterable[Text]:
    """The lists side by side, newest first."""
    left = (size.width - 1) // 2
    right = size.width - 1 - left
    yield Text(f"{'WHALES (UTC, newest first)':<{left}} {'LIQUIDATIONS (UTC, newest first)':<{right}}", style="reverse")
    whales = [entry_line(entry, left) for entry in state.whales] or ["none yet"]
    liquidations = [entry_line(entry, right) for entry in state.liquidations] or ["none yet"]
    for row in range(size.height):
        cells = (column[row] if row < len(column) else "" for column in (whales, liquidations))
        yield Text(f"{_fit(next(cells), left)} {_fit(next(cells), right)}")


def _fit(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else f"{text[: width - 1]}…"


def entry_line(entry: Entry, width: int) -> str:
    """One line of a list; a narrow one has rounded dollars and the base coin alone."""
    start = f"{clock_time(entry.at)} {entry.kind:<5}"
    if width < FULL_ENTRY:
        return f"{start} {_short_dollars(entry.usd):>5} {entry.about.partition('/')[0]} {entry.place}"
    dollars = "$?" if entry.usd is None else f"${entry.usd:,.0f}"
    line = f"{start} {dollars:>14} {entry.about:<14} {entry.place:<13}"
    return line if width < LONG_ENTRY else f"{line}  {entry.more}"


def _short_dollars(usd: float | None) -> str:
    if usd is None:
        return "$?"
    for unit, letter in _UNITS:
        if usd >= unit:
            value = usd / unit
            return f"${value:.1f}{letter}" if value < 9.95 else f"${value:.0f}{letter}"  # noqa: PLR2004 - two digits
    return f"${usd:.0f}"
