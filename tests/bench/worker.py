"""A process that measures on request: a line of JSON in, one out. Standard library only: every side runs it."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Handler = Callable[[dict[str, Any]], Awaitable[Any]]


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


def read_job(path: str) -> dict[str, Any]:
    return json.loads(Path(path).read_text(encoding="utf-8"))


async def measure(one_pass: Callable[[], Awaitable[tuple[int, float]]], seconds: float) -> float:
    """Microseconds of CPU a frame: passes are repeated until `seconds` of CPU were measured."""
    frames, spent = 0, 0.0
    gc.collect()
    while spent < seconds:
        count, cpu = await one_pass()
        frames += count
        spent += cpu
    return spent / frames * 1e6


async def until(done: Callable[[], bool], what: str | Callable[[], str], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what if isinstance(what, str) else what()}: not within {seconds:g} s")
        await asyncio.sleep(0.005)


async def play(port: int) -> None:
    """Tell the player to send what it has."""
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"PLAY\r\n\r\n")
    await writer.drain()
    writer.close()
