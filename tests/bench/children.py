"""The measuring processes and servers that a run starts, each ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class SideError(RuntimeError):
    """A side could not measure; the message is its own."""


class Side:
    """One worker process: ours or a peer's."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self._process = process

    async def ask(self, do: str, timeout: float = 60.0, **arguments: Any) -> Any:
        """Let it do something; SideError with its own words."""
        writer, reader = self._process.stdin, self._process.stdout
        assert writer is not None
        assert reader is not None
        writer.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
        async with asyncio.timeout(timeout):
            line = await reader.readline()
        if not line:
            raise SideError(f"{self.name} ended")
        answer = json.loads(line)
        if "error" in answer:
            raise SideError(f"{self.name}: {answer['error']}")
        return answer["ok"]


@contextlib.asynccontextmanager
async def process(*command: str, log: Path) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A child with pipes; its errors go to `log`; it ends with the block."""
    with log.open("ab") as errors:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            limit=1 << 26,
        )
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


@contextlib.asynccontextmanager
async def ours(work: Path) -> AsyncGenerator[Side]:
    """Our side, with this interpreter."""
    async with process(sys.executable, "-m", "tests.bench.ours", log=work / "ours.log") as child:
        yield Side("hydrophone", child)


@contextlib.asynccontextmanager
async def peer(name: str, python: Path, work: Path) -> AsyncGenerator[Side]:
    """A peer's side, with the interpreter of the peers' environment."""
    script = HERE / "peers" / f"with_{name}.py"
    async with process(str(python), str(script), log=work / f"{name}.log") as child:
        yield Side(name, child)


@contextlib.asynccontextmanager
async def player(job: Path, side: str, work: Path) -> AsyncGenerator[int]:
    """A WebSocket server that plays a job's frames; gives its port."""
    async with process(sys.executable, str(HERE / "player.py"), str(job), side, log=work / "player.log") as child:
        assert child.stdout is not None
        async with asyncio.timeout(20):
            line = await child.stdout.readline()
        yield int(line)
