"""The terminal view of a running copy: a bus subscriber that folds what it hears and draws it, or writes lines."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import Final, TextIO

from nats.aio.msg import Msg
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from contracts import subjects
from deploy.view_state import Message, State, fold, measure, measure_clock
from runtime.bus import Bus, BusOptions
from runtime.clock import now_ns, sleep

HEARD: Final = (
    subjects.ALL_TRADES,
    subjects.ALL_TICKERS,
    subjects.ALL_LIQUIDATIONS,
    subjects.ALL_SIGNALS,
    subjects.ALL_FEEDS,
)
WAITING_MESSAGES: Final = 50_000  # more than that between two folds: the oldest are dropped, this is only a view
FOLD_SECONDS: Final = 0.25
LINE_SECONDS: Final = 5.0
NOTICES: Final = 6
_COLOURS: Final = {"live": "green", "quiet": "dim", "stale": "yellow", "gap": "yellow", "resync": "yellow"}


@dataclass(frozen=True)
class Places:
    """Where to go from here; `key` is a read key that may be shown, None where keys are the owner's."""

    api_url: str
    bus_url: str
    key: str | None
    run_path: str


@dataclass
class Teller:
    """Says lines to a person: plainly, or above the live view while there is one. Keeps the last few."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    notices: deque[str] = field(default_factory=lambda: deque[str](maxlen=NOTICES))
    console: Console | None = None

    def say(self, line: str) -> None:
        """One line, at once."""
        self.notices.append(line)
        if self.console is not None:
            self.console.print(f"hydrophone: {line}", markup=False, highlight=False)
        else:
            print(f"hydrophone: {line}", file=self.out, flush=True)


def hints(places: Places) -> str:
    """What to try next: the API with its key, the bus in five lines of Python."""
    return (
        f"curl -H 'Authorization: Bearer {places.key}' '{places.api_url}/gpt/raw?symbol=BTC'\n"
        f"curl -H 'Authorization: Bearer {places.key}' '{places.api_url}/gpt/whale?symbol=BTC'\n"
        f"routes: {places.api_url}/docs   facts for scripts: {places.run_path}\n"
        "\n"
        "import asyncio, nats\n"
        "async def main():\n"
        f'    bus = await nats.connect("{places.bus_url}")\n'
        f'    async for m in (await bus.subscribe("{subjects.ALL_TRADES}")).messages: '
        "print(m.subject, m.data.decode())\n"
        "asyncio.run(main())"
    )


def render(state: State, places: Places, now: int) -> Group:
    """The whole view."""
    table = Table(expand=True)
    for name, width in (("venue", 14), ("state", 10)):
        table.add_column(name, min_width=width, no_wrap=True)
    for name, width in (("events/s", 8), ("p50 ms", 7), ("p99 ms", 7), ("clock ms", 8), ("events", 9)):
        table.add_column(name, min_width=width, justify="right", no_wrap=True)
    table.add_column("last word", ratio=1, no_wrap=True)
    for name, venue in sorted(state.venues.items()):
        rate, middle, high = measure(venue, now)
        clock = measure_clock(venue, now)
        table.add_row(
            name,
            Text(venue.state, style=_COLOURS.get(venue.state, "red")),
            f"{rate:,.0f}",
            "-" if middle is None else f"{middle:.1f}",
            "-" if high is None else f"{high:.1f}",
            "-" if clock is None else f"{clock:+.1f}",
            f"{venue.events:,}",
            Text(venue.reason or ""),
        )
    tapes = Table.grid(expand=True)
    tapes.add_column(ratio=1)
    tapes.add_column(ratio=1)
    tapes.add_row(_tape("whales", state.whales), _tape("liquidations", state.liquidations))
    end = Text(f"{places.api_url}  ·  keys and addresses: {places.run_path}  ·  Ctrl-C ends it", style="dim")
    return Group(table, tapes, end)


def _tape(title: str, lines: deque[str]) -> Panel:
    return Panel(Text("\n".join(lines) or "none yet", no_wrap=True), title=title, title_align="left")


def line(state: State, now: int) -> str:
    """The view in one plain line."""
    words: list[str] = []
    for name, venue in sorted(state.venues.items()):
        rate, middle, high = measure(venue, now)
        delay = "" if middle is None or high is None else f" p50 {middle:.1f} ms p99 {high:.1f} ms"
        words.append(f"{name} {venue.state} {rate:.0f}/s{delay}")
    last = [f"{what}: {tape[0]}" for what, tape in (("whale", state.whales), ("liq", state.liquidations)) if tape]
    return " | ".join([*words, *last]) or "nothing heard yet"


def troubles(state: State) -> list[str]:
    """Each venue that is not live, with the reason, one line a venue."""
    return [
        f"{name} is {venue.state}: {venue.reason}"
        for name, venue in sorted(state.venues.items())
        if venue.reason and venue.state not in {"live", "quiet"}
    ]


class Watch:
    """Subscribes from `start` on, draws from `show` on, until `stop`."""

    def __init__(self, options: BusOptions, tell: Teller) -> None:
        self._options = options
        self._tell = tell
        self.heard = State()
        self._waiting: deque[Message] = deque(maxlen=WAITING_MESSAGES)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen."""
        self._tasks.append(asyncio.create_task(self._listen(), name="view listens"))

    def show(self, places: Places) -> None:
        """Everything is ready: say where it is, then draw on a terminal or write a line every few seconds."""
        self._tell.say(f"ready: API {places.api_url}, facts in {places.run_path}")
        if not self._tasks:
            return
        if places.key is not None:
            print(f"\n{hints(places)}\n", file=self._tell.out, flush=True)
        if self._tell.out.isatty():
            self._tasks.append(asyncio.create_task(self._draw(places), name="view draws"))
        else:
            self._tasks.append(asyncio.create_task(self._write(), name="view writes"))

    async def stop(self) -> None:
        """End listening and drawing; a failure of the view itself is said."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                self._tell.say(f"the view ended early: {result!r}")
        self._tasks.clear()

    async def _listen(self) -> None:
        bus = await Bus(self._options, on_closed=self._on_closed).connect()
        try:
            for subject in HEARD:
                await bus.client.subscribe(subject, cb=self._on_message)
            while True:
                await sleep(FOLD_SECONDS)
                batch = list(self._waiting)
                self._waiting.clear()
                fold(self.heard, batch)
        finally:
            await bus.close(timeout=2.0)

    def _on_closed(self) -> None:
        self._tell.say("the view lost the bus for good")

    async def _on_message(self, message: Msg) -> None:
        self._waiting.append(Message(message.subject, message.data, now_ns()))

    async def _draw(self, places: Places) -> None:
        console = Console(file=self._tell.out)
        with Live(console=console, auto_refresh=False, transient=True) as live:
            self._tell.console = console
            try:
                while True:
                    live.update(render(self.heard, places, now_ns()), refresh=True)
                    await sleep(2 * FOLD_SECONDS)
            finally:
                self._tell.console = None

    async def _write(self) -> None:
        told: list[str] = []
        line(self.heard, now_ns())  # the mark that the first line's rates are measured from
        while True:
            await sleep(LINE_SECONDS)
            self._tell.say(line(self.heard, now_ns()))
            for trouble in troubles(self.heard):
                if trouble not in told:
                    self._tell.say(trouble)
            told = troubles(self.heard)
