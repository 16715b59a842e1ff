"""The terminal view of a running copy: a bus subscriber that folds what it receives and draws it, or writes lines."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from dataclasses import dataclass, field
from typing import Final, TextIO

from nats.aio.msg import Msg
from rich.console import Console
from rich.live import Live

from contracts import subjects
from deploy.view_lines import FULL_ENTRY, GOOD, Places, Size, entry_line, render
from deploy.view_state import HEALTH_SUBJECTS, Message, State, fold, measure
from runtime.clock import now_ns, sleep
from runtime.nats.bus import Bus, BusOptions

SUBJECTS: Final = (
    subjects.ALL_TRADES,
    subjects.ALL_TICKERS,
    subjects.ALL_LIQUIDATIONS,
    subjects.ALL_SIGNALS,
    subjects.ALL_FEEDS,
    HEALTH_SUBJECTS + ">",
)
DRAW_SECONDS: Final = 0.5
LINE_SECONDS: Final = 5.0
NOTICES: Final = 6


@dataclass
class Terminal:
    """Writes lines for the user: at once, or on the first line of a view, and again when that ends."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    drawing: bool = False
    notices: deque[str] = field(default_factory=lambda: deque[str](maxlen=NOTICES))

    def say(self, line: str) -> None:
        """Write one line."""
        if self.drawing:
            self.notices.append(line)
        else:
            print(f"hydrophone: {line}", file=self.out, flush=True)

    def end_drawing(self) -> None:
        """The view has ended: write the lines of meanwhile."""
        self.drawing = False
        while self.notices:
            self.say(self.notices.popleft())


def hints(places: Places) -> str:
    """What to try next: the API with its key, the bus in five lines of Python."""
    return (
        f"curl -H 'Authorization: Bearer {places.key}' '{places.api_url}/gpt/raw?symbol=BTC'\n"
        f"curl -H 'Authorization: Bearer {places.key}' '{places.api_url}/gpt/whale?symbol=BTC'\n"
        ".venv/bin/python examples/paper_order.py buy 0.01 BTC/USDT   (a first order, on paper)\n"
        f"routes: {places.api_url}/docs   facts for scripts: {places.run_path}\n"
        "\n"
        "import asyncio, nats\n"
        "async def main():\n"
        f'    bus = await nats.connect("{places.bus_url}")\n'
        f'    async for m in (await bus.subscribe("{subjects.ALL_TRADES}")).messages: '
        "print(m.subject, m.data.decode())\n"
        "asyncio.run(main())"
    )


def line(state: State, now: int) -> str:
    """The view in one plain line."""
    words: list[str] = []
    for name, venue in sorted(state.venues.items()):
        rate, middle, high = measure(venue, now)
        delay = "" if middle is None or high is None else f" p50 {middle:.1f} ms p99 {high:.1f} ms"
        words.append(f"{name} {venue.judge(now)[0]} {rate:.0f}/s{delay}")
    lists = (("whale", state.whales), ("liq", state.liquidations))
    last = [f"{what}: {entry_line(entries[0], FULL_ENTRY)}" for what, entries in lists if entries]
    return " | ".join([*words, *last]) or "nothing received yet"


def troubles(state: State, now: int) -> list[str]:
    """Each venue that is not live, with the reason, one line a venue."""
    judged = [(name, *venue.judge(now)) for name, venue in sorted(state.venues.items())]
    return [f"{name} is {word}: {reason or 'no reason given'}" for name, word, reason in judged if word not in GOOD]


class View:
    """Subscribes from `start` on, draws from `show` on, until `stop`."""

    def __init__(self, options: BusOptions, terminal: Terminal) -> None:
        self._options = options
        self._terminal = terminal
        self.received = State()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Subscribe, and fold what is received."""
        self._tasks.append(asyncio.create_task(self._listen(), name="view listens"))

    def show(self, places: Places) -> None:
        """Everything is ready: write where it is, then draw on a terminal or write a line every few seconds."""
        self._terminal.say(f"ready: API {places.api_url}, facts in {places.run_path}")
        if not self._tasks:
            return
        if places.key is not None:
            print(f"\n{hints(places)}\n", file=self._terminal.out, flush=True)
        if self._terminal.out.isatty():
            self._tasks.append(asyncio.create_task(self._draw(places), name="view draws"))
        else:
            self._tasks.append(asyncio.create_task(self._write(), name="view writes"))

    async def stop(self) -> None:
        """Stop subscribing and drawing; a failure of the view itself is reported."""
        for task in self._tasks:
            task.cancel()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception):
                self._terminal.say(f"the view ended early: {result!r}")
        self._tasks.clear()

    async def _listen(self) -> None:
        bus = await Bus(self._options, on_closed=self._on_closed).connect()
        try:
            for subject in SUBJECTS:
                await bus.client.subscribe(subject, cb=self._on_message)
            await asyncio.Event().wait()
        finally:
            await bus.close(timeout=2.0)

    def _on_closed(self) -> None:
        self._terminal.say("the view lost the bus for good")

    async def _on_message(self, message: Msg) -> None:
        fold(self.received, (Message(message.subject, message.data, now_ns()),))

    async def _draw(self, places: Places) -> None:
        console = Console(file=self._terminal.out)
        self._terminal.drawing = True
        try:
            with Live(console=console, auto_refresh=False, screen=True) as live:
                while True:
                    notice = self._terminal.notices[-1] if self._terminal.notices else ""
                    size = Size(*console.size)
                    live.update(render(self.received, places, now_ns(), size, notice=notice), refresh=True)
                    await sleep(DRAW_SECONDS)
        finally:
            self._terminal.end_drawing()

    async def _write(self) -> None:
        said: list[str] = []
        line(self.received, now_ns())  # the mark that the first line's rates are measured from
        while True:
            await sleep(LINE_SECONDS)
            now = now_ns()
            self._terminal.say(line(self.received, now))
            wrong = troubles(self.received, now)
            for trouble in wrong:
                if trouble not in said:
                    self._terminal.say(trouble)
            said = wrong
