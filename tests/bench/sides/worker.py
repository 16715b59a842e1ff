"""A process that measures on request: a line of JSON in, one out. Standard library only: every side runs it."""

from __future__ import annotations

import asyncio
import base64
import ctypes
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

BASE64 = "base64:"
Handler = Callable[[dict[str, Any]], Awaitable[Any]]


class Instructions:
    """This process's user-space instructions under callgrind, in millions: they stand where CPU seconds would."""

    def __init__(self, library: str, dumps: str, *, keep: bool) -> None:
        self._counter, self._dumps, self._keep = ctypes.CDLL(library), dumps, keep
        self._number, self._total, self._own, self._on = 0, 0, 0, False

    def __call__(self) -> float:
        """Counting starts with the first call; what a call itself costs is left out."""
        if not self._on:
            self._on = True
            self._counter.start()
            self._read()
            self._own = self._read()
        self._total += self._read() - self._own
        return self._total / 1e6

    def _read(self) -> int:
        """What was counted since the last time."""
        self._counter.dump()
        self._number += 1
        path = Path(f"{self._dumps}.{self._number}")
        with path.open("rb") as file:
            file.seek(-200, os.SEEK_END)
            count = int(file.read().rsplit(b"totals: ", 1)[1].split()[0])
        if not self._keep:
            path.unlink()
        return count


def _clock() -> Callable[[], float]:
    library = os.environ.get("BENCH_COUNTER")
    if not library:
        return time.process_time
    return Instructions(library, os.environ["BENCH_DUMPS"], keep=bool(os.environ.get("BENCH_KEEP")))


spent = _clock()  # CPU seconds of this process; millions of its instructions where it runs under callgrind
COUNTING = isinstance(spent, Instructions)
TICK = 0.3 if COUNTING else 0.005  # waiting must not be a part of what is counted
PATIENCE = 12.0 if COUNTING else 1.0  # a side says itself what it waits for, before the harness gives it up
STILL = 90.0 if COUNTING else 10.0  # seconds without one more message, after which none is waited for
WARM = 60  # frames that are played before any is measured, and the fewest that are counted


async def serve(handlers: dict[str, Handler]) -> None:
    """Answer `{"do": name, ...}` with `{"ok": value}` or `{"error": text}` until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        try:
            answer = {"ok": await handlers[request.pop("do")](request)}
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        answers.write(json.dumps(answer) + "\n")


def run(handlers: dict[str, Handler]) -> None:
    """Serve on uvloop: every side has the same loop."""
    import uvloop  # noqa: PLC0415 - the parent imports this file too

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(handlers))


def resident_mb() -> float:
    """The memory that this process holds now (Linux); what is free in its heap is given back before."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_of(pid: int) -> float:
    """Milliseconds of CPU that a process has used; 0 where the system does not say."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_job(path: str) -> dict[str, Any]:
    """A job; its frames are text, or bytes where the venue sends such."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    for name in ("frames", "seed", "peer_frames", "peer_seed"):
        job[name] = [_frame(text) for text in job[name]]
    return job


def _frame(text: str) -> str | bytes:
    return base64.b64decode(text[len(BASE64) :]) if text.startswith(BASE64) else text


async def measure(one_pass: Callable[[], Awaitable[tuple[int, float]]], seconds: float) -> float:
    """What a frame costs, in millionths of what `spent` counts, after passes that warm up.

    Passes are repeated until `seconds` of CPU were measured; of instructions, which do not vary, until `WARM` frames
    were, so that a handful of frames is not counted while the interpreter adapts to them.
    """
    frames, cost = 0, 0.0
    while frames < WARM:
        frames += (await one_pass())[0]
    gc.collect()
    frames = 0
    while frames < WARM if COUNTING else cost < seconds:
        count, used = await one_pass()
        frames += count
        cost += used
    return cost / frames * 1e6


async def until(
    done: Callable[[], bool],
    what: str | Callable[[], str],
    seconds: float = 30.0,
    failed: Callable[[], str | None] = lambda: None,
) -> None:
    """Wait until `done()`; TimeoutError after `seconds`, RuntimeError as soon as `failed()` gives a reason."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not done():
        reason = failed()
        if reason is not None:
            raise RuntimeError(f"{what if isinstance(what, str) else what()}: {reason}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what if isinstance(what, str) else what()}: not within {seconds * PATIENCE:g} s")
        await asyncio.sleep(TICK)


async def ask_player(port: int, first: int, last: int) -> None:
    """Let the player send its frames from `first` up to `last`."""
    await _order(port, f"PLAY {first} {last}")


async def state_of_player(port: int) -> str:
    """What the player sent and to whom, in a line; why it says nothing, where it does not."""
    try:
        async with asyncio.timeout(5):
            return f"player: {await _order(port, 'STATE')}"
    except (OSError, TimeoutError) as error:
        return f"no answer of the player: {type(error).__name__} {error}"


async def _order(port: int, order: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{order}\r\n\r\n".encode())
    line = (await reader.readline()).decode().strip()
    writer.close()
    return line


def reason_of(error: BaseException) -> str:
    """An error in words; the first one of a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def ended(task: asyncio.Task[Any]) -> str | None:
    """Why a task that should go on does not; None while it does."""
    if not task.done():
        return None
    error = None if task.cancelled() else task.exception()
    return "ended" if error is None else f"ended with {reason_of(error)}"


async def reach(last: int, count: Callable[[], int], failed: Callable[[], str | None] = lambda: None) -> None:
    """Wait until `count()` is `last`.

    Where no message was added: RuntimeError with how far it came, if `failed()` gives a reason, TimeoutError after
    `STILL` seconds.
    """
    most, since = -1, time.monotonic()
    while (now := count()) < last:
        if now > most:
            most, since = now, time.monotonic()
        elif (reason := failed()) is not None:
            raise RuntimeError(f"{now} of {last} messages, then: {reason}")
        elif time.monotonic() - since > STILL:
            raise TimeoutError(f"{now} of {last} messages, none more within {STILL:g} s")
        await asyncio.sleep(TICK)


async def played(
    play: Callable[[int, int], Awaitable[Any]],
    total: int,
    wait: Callable[[int], Awaitable[Any]] | None = None,
    flush: Callable[[], Awaitable[Any]] | None = None,
) -> float:
    """What one of `total` played messages costs, in millionths of what `spent` counts.

    `play(first, last)` has them sent, `wait(last)` waits until they are dealt with (None: they are, then). The first
    tenth warms up. Playing nothing costs something too (asking, waiting, flushing): it is subtracted.
    """

    async def part(first: int, last: int) -> None:
        await play(first, last)
        await asyncio.sleep(TICK)
        if wait is not None:
            await wait(last)
        if flush is not None:
            await flush()

    warm = total // 10
    await part(0, warm)
    began = spent()
    await part(warm, warm)
    empty = spent()
    await part(warm, total)
    return ((spent() - empty) - (empty - began)) / (total - warm) * 1e6


async def played_from(
    port: int,
    total: int,
    count: Callable[[], int],
    flush: Callable[[], Awaitable[Any]],
    failed: Callable[[], str | None],
) -> float:
    """`played` from the player at `port`; an error says what the player sent."""

    async def wait(last: int) -> None:
        try:
            await reach(last, count, failed)
        except (RuntimeError, TimeoutError) as error:
            raise type(error)(f"{error}; {await state_of_player(port)}") from error

    return await played(partial(ask_player, port), total, wait, flush)
