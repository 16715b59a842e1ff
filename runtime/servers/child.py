"""One child server process: its start, readiness, freeze and death."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

READY_SECONDS = 20.0
STOP_SECONDS = 5.0
_LOG_TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class ServerNotReadyError(RuntimeError):
    """A child server ended or did not answer in time; the message ends with the last lines of its log."""


def die_with_parent() -> None:
    """For a child between fork and exec: ask Linux to kill it when its parent dies, however that happens."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


@dataclass
class Child:
    """One child process with its log file; `ready` returns when the server answers and raises OSError before."""

    name: str
    argv: list[str]
    log_path: Path
    ready: Callable[[], Awaitable[None]]
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        """The process id; ServerNotReadyError before the first start."""
        if self._process is None:
            raise ServerNotReadyError(f"{self.name} was not started")
        return self._process.pid

    async def start(self, deadline_seconds: float = READY_SECONDS) -> None:
        """Start the process and return once it answers; it must not be running."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # returns at once; its end is polled
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent if _LIBC is not None else None,  # noqa: PLW1509  # one prctl call
            )
        await self._wait_ready(deadline_seconds)

    async def _wait_ready(self, deadline_seconds: float) -> None:
        process = cast("subprocess.Popen[bytes]", self._process)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + deadline_seconds
        problem = "no answer"
        while loop.time() < deadline:
            if process.poll() is not None:
                raise ServerNotReadyError(f"{self.name} ended with code {process.returncode}:\n{self._log_tail()}")
            try:
                async with asyncio.timeout(2.0):
                    await self.ready()
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                problem = str(error) or type(error).__name__
            else:
                return
            await asyncio.sleep(0.05)
        await self.kill()
        raise ServerNotReadyError(
            f"{self.name} did not answer within {deadline_seconds} s ({problem}):\n{self._log_tail()}"
        )

    def _log_tail(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:])

    async def kill(self) -> None:
        """SIGKILL, as a power cut of the process would be; returns when it is gone."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after five seconds; returns when it is gone."""
        await self._end(signal.SIGTERM)

    async def _end(self, first: signal.Signals) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(first)
        deadline = asyncio.get_running_loop().time() + STOP_SECONDS
        while process.poll() is None:
            if asyncio.get_running_loop().time() > deadline:
                process.kill()
            await asyncio.sleep(0.01)

    async def freeze(self) -> None:
        """SIGSTOP: the socket stays open and nobody answers."""
        os.kill(self.pid, signal.SIGSTOP)

    async def thaw(self) -> None:
        """SIGCONT after freeze."""
        os.kill(self.pid, signal.SIGCONT)
