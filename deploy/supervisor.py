"""Child processes kept running: started in order, started again when they end or hang, stopped in reverse."""

from __future__ import annotations

import asyncio
import math
import os
import random
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.part_log import PartLog
from runtime.clock import monotonic, sleep
from runtime.servers.child import die_with_parent

POLL_SECONDS: Final = 0.05
FIRST_DELAY: Final = 0.1  # a part that imports for two seconds cannot spin
LONGEST_DELAY: Final = 30.0
STEADY_SECONDS: Final = 60.0
EXITS_BEFORE_READY: Final = 3
LOG_SECONDS: Final = 1.0
ASKED_EVERY: Final = 5.0  # seconds; as long an answer may take
MOST_UNANSWERED: Final = 6  # half a minute: a server on a busy machine is slow, and loses its clients when it is killed

Ready = Callable[[], Awaitable[None]]


class StartError(RuntimeError):
    """A part did not come up; the text names it and ends with the last lines of its log."""


@dataclass(frozen=True)
class Part:
    """One program. `ready` raises OSError until it serves; a part that runs `once` must end with code 0.

    `alive` is asked again and again of a part that runs: one that leaves it unanswered for long is killed, and so
    started again.
    """

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    ready: Ready | None = None
    alive: Ready | None = None
    once: bool = False
    start_seconds: float = 60.0


@dataclass
class Running:
    """A part under supervision: its present process, how often it ended, and the tasks that restart and ask it.

    `wanted`: its end was asked for, so that it is started again at once. `hurried` ends the wait before a start.
    """

    part: Part
    log: PartLog
    process: subprocess.Popen[bytes] | None = None
    wanted: bool = False
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    exits: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])


def backoff(failures: int, chance: float) -> float:
    """Seconds before the next start after so many failures in a row; `chance` in [0, 1) spreads it by half."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures - 1, 10) * (0.5 + chance))


@dataclass
class Supervisor:
    """Runs parts with their logs in `log_dir`; `say` gets a line for people, `on_change` is called after a restart."""

    log_dir: Path
    directory: Path
    say: Callable[[str], None]
    on_change: Callable[[], None] = lambda: None
    grace_seconds: float = 10.0
    asked_every: float = ASKED_EVERY
    _running: dict[str, Running] = field(default_factory=dict[str, Running])

    def pids(self) -> dict[str, int]:
        """The parts that run now."""
        return {
            name: running.process.pid
            for name, running in self._running.items()
            if running.process is not None and running.process.poll() is None
        }

    async def start(self, part: Part) -> None:
        """Start a part and return once it is ready (or, for one that runs once, done); StartError if that fails."""
        log = PartLog(self.log_path(part.name), self._say_soon(asyncio.get_running_loop()))
        running = self._running[part.name] = Running(part, log)
        running.process = self._spawn(running)
        if part.once:
            await self._wait_done(running)
            return
        running.tasks.append(asyncio.create_task(self._keep(running), name=f"keep {part.name}"))
        if part.ready is not None:
            await self._wait_ready(running, part.ready)
        if part.alive is not None:
            running.tasks.append(asyncio.create_task(self._watch(running, part.alive), name=f"watch {part.name}"))

    async def restart(self, name: str) -> None:
        """End a part that runs, so that it is started again at once; returns when the old process is gone."""
        running = self._running[name]
        if running.process is not None and running.process.poll() is None:
            running.wanted = True
            await self._end(name, running.process)
        running.hurried.set()

    async def remove(self, name: str, *, kill: bool = False) -> None:
        """Stop a part for good, with SIGKILL where that is asked for; returns when it is gone."""
        running = self._running.pop(name)
        for task in running.tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if running.process is not None:
            if kill:
                running.process.kill()
            await self._end(name, running.process)

    def kill(self, name: str) -> bool:
        """SIGKILL a part, which is started again as after any other end; False where it does not run now."""
        process = self._running[name].process
        if process is None or process.poll() is not None:
            return False
        process.kill()
        return True

    def hurry(self) -> None:
        """Start every part at once that waits for its next start."""
        for running in self._running.values():
            running.hurried.set()

    async def stop(self) -> None:
        """Stop everything in reverse order of starting: SIGTERM, SIGKILL after the grace; returns when all are gone."""
        for name in reversed(list(self._running)):
            await self.remove(name)

    def log_path(self, name: str) -> Path:
        """Where a part's output goes."""
        return self.log_dir / f"{name}.log"

    def tail(self, name: str) -> str:
        """The last lines of a part's log, indented."""
        log = self._running[name].log
        log.wait(LOG_SECONDS)
        return log.tail()

    def _say_soon(self, loop: asyncio.AbstractEventLoop) -> Callable[[str], None]:
        return lambda line: _call(loop, self.say, line)

    def _spawn(self, running: Running) -> subprocess.Popen[bytes]:
        part, log = running.part, running.log.open()
        try:
            return subprocess.Popen(
                part.argv,
                env=part.environ,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the launcher alone, which stops the parts in order
                preexec_fn=die_with_parent,  # noqa: PLW1509  # one prctl call
            )
        finally:
            os.close(log)

    async def _keep(self, running: Running) -> None:
        failures = 0
        while True:
            started = monotonic()
            code = await self._wait_exit(running)
            running.exits += 1
            failures = 1 if monotonic() - started > STEADY_SECONDS else failures + 1
            if running.wanted:
                running.wanted, failures = False, 0
            else:
                await self._pause(running, f"ended with {_meaning(code)}", failures)
            while not self._try_spawn(running):
                failures += 1
                await self._pause(running, "could not be started", failures)
            self.say(f"{running.part.name} runs again")
            self.on_change()

    async def _watch(self, running: Running, alive: Ready) -> None:
        asked, unanswered, most = running.process, 0, MOST_UNANSWERED
        while True:
            answered = await self._ask(alive)
            if running.process is not asked:  # it was started again, and may take as long as at its first start
                starting = math.ceil(running.part.start_seconds / self.asked_every)
                asked, unanswered, most = running.process, 0, max(MOST_UNANSWERED, starting)
            if answered:
                unanswered, most = 0, MOST_UNANSWERED
            else:
                unanswered += 1
            if unanswered >= most and self.kill(running.part.name):
                self.say(f"{running.part.name} did not answer for {most * self.asked_every:.0f} s and is killed")
                unanswered = 0

    async def _ask(self, alive: Ready) -> bool:
        until = monotonic() + self.asked_every
        answered = False
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(self.asked_every):
                await alive()
                answered = True
        await sleep(until - monotonic())
        return answered

    async def _pause(self, running: Running, what: str, failures: int) -> None:
        name, delay = running.part.name, backoff(failures, random.random())
        self.say(f"{name} {what}; again in {delay:.1f} s (log: {self.log_path(name)})")
        running.hurried.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await running.hurried.wait()

    def _try_spawn(self, running: Running) -> bool:
        try:
            running.process = self._spawn(running)
        except OSError as error:
            self.say(f"{running.part.name}: {error}")
            return False
        return True

    async def _wait_exit(self, running: Running) -> int:
        process = running.process
        if process is None:
            raise StartError(f"{running.part.name} was not started")
        while (code := process.poll()) is None:
            await sleep(POLL_SECONDS)
        _kill_group(process)
        return code

    async def _wait_done(self, running: Running) -> None:
        name = running.part.name
        try:
            async with asyncio.timeout(running.part.start_seconds):
                code = await self._wait_exit(running)
        except TimeoutError:
            raise StartError(f"{name} was not done in {running.part.start_seconds:.0f} s:\n{self.tail(name)}") from None
        if code != 0:
            raise StartError(f"{name} ended with {_meaning(code)}:\n{self.tail(name)}")

    async def _wait_ready(self, running: Running, ready: Ready) -> None:
        name, deadline = running.part.name, monotonic() + running.part.start_seconds
        problem = "no answer yet"
        while monotonic() < deadline:
            if running.exits >= EXITS_BEFORE_READY:
                raise StartError(f"{name} ended {running.exits} times before it was ready:\n{self.tail(name)}")
            try:
                async with asyncio.timeout(5.0):  # unlike wait_for of 3.11, it never keeps a cancellation to itself
                    await ready()
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                problem = str(error) or type(error).__name__
                await sleep(POLL_SECONDS)
            else:
                return
        raise StartError(f"{name} was not ready in {running.part.start_seconds:.0f} s ({problem}):\n{self.tail(name)}")

    async def _end(self, name: str, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.terminate()
        deadline = monotonic() + self.grace_seconds
        while process.poll() is None and monotonic() < deadline:
            await sleep(POLL_SECONDS)
        if process.poll() is None:
            self.say(f"{name} did not stop in {self.grace_seconds:.0f} s and is killed")
        _kill_group(process)
        while process.poll() is None:
            await sleep(POLL_SECONDS)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _call(loop: asyncio.AbstractEventLoop, say: Callable[[str], None], line: str) -> None:
    """Call it on the loop, from any thread; nothing where the loop has ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(say, line)


def _meaning(code: int) -> str:
    return f"code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
