"""Runs a job: recorded rows from the bus into a worker process of its own, which is ended with whoever waits for it."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from runtime.backtests.coverage import find_unknown
from runtime.backtests.job import Job, JobResult, Row
from runtime.backtests.recorded import read_recorded, sources_of
from runtime.backtests.worker import LENGTH
from runtime.nats.bus import Bus
from runtime.strategies.protocol import Kind

_ROOT: Final = Path(__file__).parents[2]
_MOST_ROWS: Final = 5000  # of one message to the worker
_MOST_REASON: Final = 500
_encode: Final = msgspec.msgpack.Encoder().encode


async def run_recorded(bus: Bus, job: Job, kind: Kind) -> JobResult:
    """Return what a job comes to over what the streams recorded; TimeoutError where one cannot be read."""
    sources = sources_of(job.exchange, job.symbol, kind.reads)
    job = msgspec.structs.replace(job, unknown=await find_unknown(bus, job))
    return await run_rows(job, read_recorded(bus, sources, (job.begin_ns, job.end_ns)))


async def run_rows(job: Job, parts: AsyncIterable[Sequence[Row]]) -> JobResult:
    """Return what a job comes to over rows; failed where the worker ends without a result."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "runtime.backtests.worker", stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=_ROOT
    )
    try:
        _, out, errors = await asyncio.gather(_feed(process, job, parts), _all(process.stdout), _all(process.stderr))
        status = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status != 0 or not out:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2][:_MOST_REASON]
        return JobResult(status="failed", reason=f"it ended with status {status}: {last}")
    return msgspec.json.decode(out, type=JobResult)


async def _feed(process: Process, job: Job, parts: AsyncIterable[Sequence[Row]]) -> None:
    """Hand the job and its rows over, no faster than they are worked on."""
    try:
        await _write(process, msgspec.json.encode(job))
        async for rows in parts:
            for batch in _split(rows):
                await _write(process, _encode(batch))
    except (BrokenPipeError, ConnectionResetError):
        return  # it has ended: its status says how
    if process.stdin is not None:
        process.stdin.close()


async def _write(process: Process, body: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(LENGTH.pack(len(body)) + body)
        await process.stdin.drain()


def _split(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for first in range(0, len(rows), _MOST_ROWS):
        yield rows[first : first + _MOST_ROWS]


async def _all(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()
