"""`python -m runtime.backtests.worker`: runs one job over the rows that come on standard input, and prints its result.

A process of its own keeps the event loop of whoever asked free. Once it has loaded it can open no connection and start
no program: what a strategy does in it stays in it.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from runtime.app import entry

if __name__ == "__main__":
    entry.begin()

import msgspec

from contracts.errors import HydrophoneError
from runtime.backtests.job import Job, JobResult, JobRun, Row
from runtime.strategies.loading import Kinds

LENGTH: Final = struct.Struct(">I")
_FORBIDDEN: Final = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "ctypes.")
_rows: Final = msgspec.msgpack.Decoder(list[Row])


class NetworkForbiddenError(RuntimeError):
    """Something in a backtest wanted to reach out of it."""


def forbid_network() -> None:
    """Make every connection and every program that is started fail, for the rest of this process."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise NetworkForbiddenError(f"{event} is not possible in a backtest")


def run_job(job: Job, batches: Iterator[list[Row]]) -> JobResult:
    """Return what a job comes to over its rows; one that cannot be run has failed, with the reason."""
    try:
        running = JobRun(job, Kinds(None if job.own is None else Path(job.own)).find(job.kind))
        for rows in batches:
            running.take(rows)
        return running.end()
    except HydrophoneError as error:
        return JobResult(status="failed", reason=error.message)


def _read(stream: BinaryIO) -> bytes:
    head = stream.read(LENGTH.size)
    return stream.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""


def _batches(stream: BinaryIO) -> Iterator[list[Row]]:
    while body := _read(stream):
        yield _rows.decode(body)


def main(arguments: list[str]) -> int:
    """Read a job and its rows, and write its result; 2 where there is no job."""
    body = b"" if arguments else _read(sys.stdin.buffer)
    if not body:
        sys.stderr.write("a job and its rows come on standard input; there are no arguments\n")
        return 2
    forbid_network()
    job = msgspec.json.decode(body, type=Job)
    sys.stdout.buffer.write(msgspec.json.encode(run_job(job, _batches(sys.stdin.buffer))))
    return 0


if __name__ == "__main__":
    sys.exit(entry.run(main))
