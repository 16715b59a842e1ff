"""The measuring processes and servers that a run starts, each ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from tests.bench.counting import Counting

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


STARTING = 240.0  # seconds that a server may take where everything else is being counted
_ENDING = 5.0  # seconds from the end of its output to its own


class SideError(RuntimeError):
    """A side could not measure; the message says why."""


async def _start(command: tuple[str, ...], log: Path, environment: dict[str, str]) -> asyncio.subprocess.Process:
    """A child with pipes; its errors go to `log`."""
    with log.open("ab") as errors:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env={**os.environ, **environment},
            limit=1 << 26,
        )


async def _end(child: asyncio.subprocess.Process) -> int:
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
    return await child.wait()


class Side:
    """One worker process, ours or a peer's: started when first asked, and again after a time-out or a crash."""

    def __init__(self, name: str, command: tuple[str, ...], work: Path, counting: Counting | None = None) -> None:
        self.name = name
        self._command = counting.command(name, command) if counting else command
        self._environment = counting.environment(name) if counting else {}
        self._log = work / f"{name}.log"
        self._child: asyncio.subprocess.Process | None = None

    async def ask(self, do: str, timeout: float, **arguments: Any) -> Any:
        """What it measured; SideError where it refused, ended, or did not answer in time (it is ended then)."""
        if self._child is None:
            self._child = await _start(self._command, self._log, self._environment)
        writer, reader = self._child.stdin, self._child.stdout
        assert writer is not None
        assert reader is not None
        try:
            async with asyncio.timeout(timeout):
                writer.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
                line = await reader.readline()
        except TimeoutError:
            await self.close()
            raise SideError(f"no answer within {timeout:.0f} s") from None
        if not line:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDING):  # to kill what ends by itself would cost its code
                    await self._child.wait()
            code = await self.close()
            raise SideError(f"ended with {code} (see {self._log.name})")
        answer = json.loads(line)
        if "error" in answer:
            raise SideError(answer["error"])
        return answer["ok"]

    async def close(self) -> int | None:
        child, self._child = self._child, None
        return None if child is None else await _end(child)


def ours(name: str, work: Path, counting: Counting | None = None) -> Side:
    """Our side, with this interpreter: what its name begins with says what it is about (see `ours.py`)."""
    about = tuple(kind for kind in ("hooks", "http", "python") if name.startswith(kind))
    return Side(name, (sys.executable, "-m", "tests.bench.sides.ours", *about), work, counting)


def peer(name: str, python: Path, work: Path, counting: Counting | None = None) -> Side:
    """A peer's side, with the interpreter of the peers' environment."""
    return Side(name, (str(python), str(HERE / "peers" / f"with_{name}.py")), work, counting)


@contextlib.asynccontextmanager
async def server(command: tuple[str, ...], work: Path) -> AsyncGenerator[str]:
    """A process that serves the sides of a row; gives the line that it prints when it is ready."""
    child = await _start(command, work / "servers.log", {})
    assert child.stdout is not None
    try:
        try:
            async with asyncio.timeout(STARTING):
                line = await child.stdout.readline()
        except TimeoutError:
            raise SideError("its server did not start") from None
        if not line:
            raise SideError("its server ended (see servers.log)")
        yield line.decode().strip()
    finally:
        await _end(child)


def player(job: str, side: str) -> tuple[str, ...]:
    """A WebSocket server that plays a job's frames; its line is its port."""
    return (sys.executable, str(HERE / "sides" / "player.py"), job, side)


def driver(nats: str) -> tuple[str, ...]:
    """Uses the API: its market core, HTTP and WebSocket clients; its line is the port that takes orders."""
    return (sys.executable, "-m", "tests.bench.sides.driver", nats)


def receiver() -> tuple[str, ...]:
    """Receives posts; its line is its port."""
    return (sys.executable, str(HERE / "sides" / "receiver.py"))


def sender(nats: str, venue: str) -> tuple[str, ...]:
    """Publishes a venue's trades on request, so that a reader's process does nothing but read."""
    return (sys.executable, "-m", "tests.bench.sides.sender", nats, venue)
