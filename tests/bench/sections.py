"""What is measured: each section asks every side in turn, several times, so that a slow moment hits all alike."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import children
from tests.bench.children import Side, SideError
from tests.bench.peering import Peers
from tests.bench.recordings import Job
from tests.bench.table import Row, Section

CHAIN_TARGETS = {
    "trades": {"cryptofeed": 5.0, "ccxt": 18.0},
    "mix": {"cryptofeed": 5.0, "ccxt": 12.0},
    "books": {"cryptofeed": 5.0, "ccxt": 6.0},
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where to work, the bus, the peers, and the jobs: what is decoded, and what goes the whole way."""

    work: Path
    nats: str
    peers: Peers
    decode: list[Job]
    chain: list[Job]
    repeats: int = 3

    def path(self, job: Job) -> str:
        return str(self.work / "jobs" / f"{job.id}.json")


def progress(text: str) -> None:
    """Say on standard error what is done now."""
    print(f"  … {text}", file=sys.stderr, flush=True)


async def _sides(stack: AsyncExitStack, setting: Setting) -> list[Side]:
    sides = [await stack.enter_async_context(children.ours(setting.work))]
    sides[0].name = "ours"
    if setting.peers.python is not None:
        python, work = setting.peers.python, setting.work
        sides += [await stack.enter_async_context(children.peer(name, python, work)) for name in setting.peers.names]
    return sides


async def _ask_all(sides: Iterable[Side], row: Row, repeats: int, do: str, **arguments: Any) -> None:
    """Ask every side in turn, `repeats` times; a side that fails is left out and its words are noted."""
    sides = list(sides)
    for _ in range(repeats):
        for side in list(sides):
            try:
                row.figures.setdefault(side.name, []).append(await side.ask(do, **arguments))
            except SideError as error:
                sides.remove(side)
                row.figures.pop(side.name, None)
                row.note += f"[{error}]"


async def decode(setting: Setting, part: int | None = None) -> Section:
    """Frame bytes to event bytes."""
    section = Section("Frame bytes to event bytes, books kept and verified", "microseconds of CPU a frame")
    async with AsyncExitStack() as stack:
        sides = await _sides(stack, setting)
        for job in setting.decode:
            progress(f"decode {job.id}")
            row = Row(f"{job.label}: {job.channel}", {}, {} if job.target is None else {"cryptofeed": job.target})
            await _ask_all(sides, row, setting.repeats, "decode", job=setting.path(job), seconds=0.05, part=part)
            section.rows.append(row)
    section.notes.append(
        "Events: cryptofeed's to_dict as its own JSON; CCXT's result by orjson, a book as its best ten."
    )
    return section


async def publish(setting: Setting) -> Section:
    """Frames to the bus without a socket."""
    section = Section("Frame bytes to published events, no socket", "microseconds of CPU a frame")
    async with AsyncExitStack() as stack:
        sides = await _sides(stack, setting)
        for job in (job for job in setting.decode if job.venue in {"binance", "okx"}):
            progress(f"publish {job.id}")
            row = Row(f"{job.label}: {job.channel}", {})
            await _ask_all(sides, row, 3, "publish", job=setting.path(job), seconds=0.1, nats=setting.nats)
            section.rows.append(row)
    return section


async def chain(setting: Setting) -> Section:
    """WebSocket to bus on one core."""
    section = Section("WebSocket frame to bus, one process", "microseconds of CPU a frame")
    async with AsyncExitStack() as stack:
        sides = await _sides(stack, setting)
        for job in setting.chain:
            row = Row(job.label, {}, CHAIN_TARGETS.get(job.label, {}))
            section.rows.append(row)
            for repeat in range(3):
                for side in sides:
                    for client in ("picows", "websockets") if side.name == "ours" else ("",):
                        progress(f"chain {job.label} {side.name} {client} {repeat + 1}/3")
                        name = "ours" if client in {"", "picows"} and side.name == "ours" else side.name
                        name = "ours, websockets" if client == "websockets" else name
                        await _chain_once(setting, job, side, (row, name, client))
    section.notes.append(
        "Several instruments on one connection, each with the recorded frames; books are seeded before."
    )
    section.notes.append(
        "Deltas passed on raw with the book kept elsewhere (asked: 8x mix, 15x books): there is no such mode."
    )
    return section


async def _chain_once(setting: Setting, job: Job, side: Side, into: tuple[Row, str, str]) -> None:
    row, name, client = into
    which = "frames" if side.name == "ours" else "peer_frames"
    try:
        async with children.player(Path(setting.path(job)), which, setting.work) as port:
            cost = await side.ask("chain", job=setting.path(job), nats=setting.nats, port=port, client=client)
    except SideError as error:
        row.note += f"[{error}]" if str(error) not in row.note else ""
        return
    row.figures.setdefault(name, []).append(cost)


async def latency(setting: Setting) -> Section:
    """How long a message is on its way."""
    section = Section("Frame in to event read from the bus (bare: nats-py publish to callback)", "milliseconds")
    job = next(job for job in setting.decode if job.channel == "trade")
    async with AsyncExitStack() as stack:
        sides = await _sides(stack, setting)
        ours, rest = sides[0], [side for side in sides if side.name == "cryptofeed"]
        for rate in (1000, 5000, 20_000):
            found: dict[str, dict[str, list[float]]] = {"p50": {}, "p99": {}}
            failed: list[str] = []
            about: dict[str, Any] = {"nats": setting.nats, "rate": rate, "seconds": 1.0, "job": setting.path(job)}
            for repeat in range(3):
                progress(f"latency {rate}/s {repeat + 1}/3")
                asked = [("ours", ours, "lane"), ("bare nats-py", ours, "echo")]
                for name, side, do in [*asked, *(("cryptofeed", side, "lane") for side in rest)]:
                    try:
                        value = await side.ask(do, bytes=330, **about)
                    except SideError as error:
                        failed.append(f"[{name}: {error}]")
                        continue
                    for percentile, figures in found.items():
                        figures.setdefault(name, []).append(value[percentile])
            for percentile, figures in found.items():
                targets = {"bare nats-py": 2.0, "cryptofeed": 0.2} if rate == 20_000 else {}
                section.rows.append(Row(f"{rate}/s {percentile}", figures, targets, "".join(failed), at_most=True))
    section.notes.append(
        "Ours decodes a frame, publishes and decodes the event again; bare nats-py carries as many bytes."
    )
    return section


async def consume(setting: Setting) -> Section:
    """What an event costs its consumer."""
    section = Section("An event read by a consumer", "microseconds of CPU an event")
    async with children.ours(setting.work) as side, children.ours(setting.work) as sender:
        modes = (("decode only", "decode"), ("candles", "candles"), ("candles and whales", "both"))
        for name, fold in modes:
            targets = {"FastStream, idle": 12.0} if fold == "both" else {}
            row = Row(name, {}, targets)
            for repeat in range(3):
                progress(f"consume {name} {repeat + 1}/3")
                for who, start, count in (
                    ("ours", "start_lane", 20_000),
                    ("FastStream, idle", "start_faststream", 3000),
                ):
                    await side.ask(start, nats=setting.nats, fold=fold)
                    wait = asyncio.create_task(side.ask("result", count=count))
                    await sender.ask("send", nats=setting.nats, count=count)
                    row.figures.setdefault(who, []).append(await wait)
            section.rows.append(row)
    return section


SECTIONS = {"decode": decode, "publish": publish, "chain": chain, "latency": latency, "consume": consume}
