"""Runs a plan: every side in turns, several times, within a bounded time; what fails is named and has no figure."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import children, references
from tests.bench.children import Side, SideError
from tests.bench.counting import Counting
from tests.bench.peering import Peers
from tests.bench.recordings import Job
from tests.bench.table import Row, Section

SECONDS = 60.0  # for one answer of a side
SECONDS_COUNTED = 480.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One figure of a row: `side` is a process, `name` the figure's column, `server` runs while it is asked."""

    side: str
    do: str
    arguments: dict[str, Any]
    name: str = ""
    server: tuple[str, ...] = ()
    fresh: bool = False  # by a process of its own, which ends with it: what it measures grows once only

    @property
    def column(self) -> str:
        return self.name or self.side


@dataclass(slots=True)
class Plan:
    """A section to be: what is asked, and the rows that an answer fills (by name, where it has several figures).

    `counts`: whether instructions say anything about it, and `per` what.
    """

    title: str
    unit: str
    entries: list[tuple[dict[str, Row], list[Ask]]] = field(default_factory=list[tuple[dict[str, Row], list[Ask]]])
    notes: list[str] = field(default_factory=list[str])
    counts: bool = True
    per: str = "a frame"

    def add(self, row: Row, asks: list[Ask]) -> None:
        """A row whose asks give one figure each."""
        self.entries.append(({"": row}, asks))

    def rows(self) -> list[Row]:
        return [row for rows, _ in self.entries for row in rows.values()]


@dataclass(slots=True)
class Setting:
    """Where to work, the bus, the peers, the jobs; how many turns; when the whole run is to be over.

    Counted sides are `kept` from one section to the next: under callgrind a process takes half a minute to start.
    """

    work: Path
    nats: str
    peers: Peers
    decode: list[Job]
    chain: list[Job]
    turns: int = 5
    until: float = float("inf")
    counting: Counting | None = None
    only: tuple[str, ...] = ()
    rows: str = ""
    kept: dict[str, Side] = field(default_factory=dict[str, Side])

    async def close(self) -> None:
        """End the sides that were kept."""
        for side in self.kept.values():
            await side.close()

    def path(self, job: Job) -> str:
        return str(self.work / "jobs" / f"{job.id}.json")

    def names(self) -> tuple[str, ...]:
        """The sides that compare frames: ours and the peers that are there."""
        return ("ours", *self.peers.names)

    def side(self, name: str) -> Side:
        if name in self.peers.names and self.peers.python is not None:
            return children.peer(name, self.peers.python, self.work, self.counting)
        return children.ours(name, self.work, self.counting)


def progress(text: str) -> None:
    """Say on standard error what is done now."""
    print(f"  … {text}", file=sys.stderr, flush=True)


class Runner:
    """The sides of one plan. A side that fails twice in a row's turns is not asked again for that row."""

    def __init__(self, plan: Plan, setting: Setting) -> None:
        self._plan, self._setting = plan, setting
        self._sides: dict[str, Side] = {} if setting.counting is None else setting.kept
        self._servers: dict[tuple[str, ...], str] = {}
        self._stack = AsyncExitStack()
        counted = setting.counting is not None
        self._turns = 1 if counted else setting.turns
        self._seconds = SECONDS_COUNTED if counted else SECONDS

    async def run(self) -> Section:
        """The plan's table, with whatever could be measured."""
        plan, wanted = self._plan, self._setting.rows
        plan.entries = [(rows, asks) for rows, asks in plan.entries if any(wanted in row.name for row in rows.values())]
        unit = plan.unit if self._setting.counting is None else f"user-space instructions {plan.per}"
        section = Section(plan.title, unit, plan.rows(), list(plan.notes))
        async with self._stack:
            if self._setting.counting is not None:
                await self._count()
                section.notes += references.complete(section, self._setting.work, self._setting.only)
                return section
            for rows, asks in plan.entries:
                await self._take_turns(rows, self._wanted(asks))
        return section

    def _wanted(self, asks: Iterable[Ask]) -> list[Ask]:
        only = self._setting.only
        return [ask for ask in asks if not only or ask.column in only]

    async def _count(self) -> None:
        """Instructions do not depend on what else runs: all sides are asked at once, each its rows in order."""
        by_side: dict[str, list[tuple[dict[str, Row], Ask]]] = defaultdict(list)
        for rows, asks in self._plan.entries:
            for ask in self._wanted(asks):
                by_side[ask.side].append((rows, ask))

        async def one(asked: list[tuple[dict[str, Row], Ask]]) -> None:
            for rows, ask in asked:
                await self._turn(rows, ask, 0)

        await asyncio.gather(*(one(asked) for asked in by_side.values()))

    async def _take_turns(self, rows: dict[str, Row], asks: list[Ask]) -> None:
        for turn in range(self._turns):
            for ask in asks:
                if all(row.failures.get(ask.column, 0) < 2 for row in rows.values()):
                    await self._turn(rows, ask, turn)

    async def _turn(self, rows: dict[str, Row], ask: Ask, turn: int) -> None:
        first = next(iter(rows.values()))
        about = f"{self._plan.title}: {first.name}: {ask.column}, turn {turn + 1} of {self._turns}"
        progress(about)
        try:
            value = await self._value(ask)
        except SideError as error:
            progress(f"{about}: failed: {error}")  # counted sides are asked at once: the last line may name another
            for row in rows.values():
                row.fail(ask.column, turn, f"turn {turn + 1} of {self._turns}: {error}")
            return
        for name, row in rows.items():
            row.add(ask.column, turn, value[name] if isinstance(value, dict) else value)

    async def _value(self, ask: Ask) -> float | dict[str, float]:
        left = self._setting.until - time.monotonic()
        if left <= 0:
            raise SideError("the run's time was up")
        seconds = min(self._seconds, left)
        arguments = dict(ask.arguments)
        if ask.server:
            arguments["at"] = await self._served(ask)
        side = self._side(ask.side)
        try:
            return await side.ask(ask.do, seconds, **arguments)
        finally:
            if ask.fresh:
                await side.close()

    def _side(self, name: str) -> Side:
        side = self._sides.get(name)
        if side is None:
            side = self._sides[name] = self._setting.side(name)
            if self._setting.counting is None:
                self._stack.push_async_callback(side.close)
        return side

    async def _served(self, ask: Ask) -> str:
        """The line of the server that this side has for itself."""
        key = (ask.side, *ask.server)
        if key not in self._servers:
            serving = children.server(ask.server, self._setting.work)
            self._servers[key] = await self._stack.enter_async_context(serving)
        return self._servers[key]


async def run(plan: Plan, setting: Setting) -> Section:
    return await Runner(plan, setting).run()
