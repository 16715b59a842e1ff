"""`python -m tests.bench [section …]`: our hot paths beside their references, measured in one run on this machine.

`python -m tests.bench report` writes the tables of the last whole run into docs/performance.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from runtime.servers.embedded import nats_server
from tests.bench import community, counting, harness, peering, recordings, report, repository
from tests.bench.harness import Setting, progress
from tests.bench.live import resync
from tests.bench.sections import SECTIONS
from tests.bench.table import Section
from tests.soak import small

COMMUNITY, RESYNC = "community", "resync"  # what has limits in place of references
SMALL = "small"  # the whole demo beside its bars
WORK = Path(__file__).resolve().parents[2] / ".bench"


def _jobs() -> tuple[list[recordings.Job], list[recordings.Job], str]:
    if not recordings.available():
        progress("no recordings beside the repository: its own small set of frames is used")
        return repository.jobs(), repository.chain_jobs(), "frames of our simulated exchanges (no recordings)"
    recorded = recordings.decode_jobs()
    more = repository.jobs(without={job.venue for job in recorded})
    return [*recorded, *more], recordings.chain_jobs(), "recorded frames, simulated ones where a row says so"


async def _setting(asked: argparse.Namespace, nats: str, source: list[str]) -> Setting:
    progress("peers' environment")
    peers = await peering.prepare(WORK)
    decode, chain, frames = _jobs()
    for job in (*decode, *chain):
        job.save(WORK / "jobs")
    source.append(frames)
    until = time.monotonic() + asked.minutes * 60
    return Setting(WORK, nats, peers, decode, chain, asked.turns, until, only=tuple(asked.only), rows=asked.rows)


async def _measure(names: list[str], asked: argparse.Namespace) -> tuple[dict[str, Any], list[Section]]:
    (WORK / "jobs").mkdir(parents=True, exist_ok=True)
    (WORK / "nats").mkdir(exist_ok=True)
    done: list[Section] = []
    source: list[str] = []
    async with nats_server(WORK / "nats") as server, AsyncExitStack() as stack:
        timed = await _setting(asked, server.url, source)
        counted = await _counted(timed, asked)
        if isinstance(counted, Setting):
            stack.push_async_callback(counted.close)
        data: dict[str, Any] = {
            "frames": source[0],
            "python": platform.python_version(),
            "peers": timed.peers.names,
            "turns": timed.turns,
            "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "sections": {},
        }
        print(f"Python {data['python']}; frames: {source[0]}; medians, in brackets the spread of turns")
        for note in (timed.peers.note, counted if isinstance(counted, str) else ""):
            print(note, end="\n" if note else "")
        settings = [] if asked.instructions else [timed]
        settings += [counted] if isinstance(counted, Setting) else []
        for name in names:
            found: list[Section] = []
            for setting in settings:
                plan = SECTIONS[name](setting)
                if setting.counting is None:
                    wanted = name in asked.timed or not (asked.timed and plan.counts and len(settings) > 1)
                else:
                    wanted = plan.counts
                if wanted:
                    found.append(await harness.run(plan, setting))
                    print("\n".join(found[-1].lines()), flush=True)
            done += found
            data["sections"][name] = [section.as_data() for section in found]
            _save(data, whole=names == list(SECTIONS) and not asked.only and not asked.rows)
    return data, done


async def _counted(timed: Setting, asked: argparse.Namespace) -> Setting | str:
    """The same with instructions; why not, where they cannot be counted or are not wanted."""
    if asked.no_instructions:
        return ""
    made = await counting.prepare(WORK, keep=asked.functions > 0)
    return made if isinstance(made, str) else replace(timed, counting=made)


def _save(data: dict[str, Any], *, whole: bool) -> None:
    """After every section, so that what was measured is there whatever happens to the rest."""
    name = "bench.json" if whole else "bench-part.json"
    (WORK / name).write_text(json.dumps(data, indent=1), encoding="utf-8")


LIMITED = {COMMUNITY: community.main, RESYNC: resync.main}


async def _limited(name: str, turns: int) -> None:
    """What is measured on a bus of its own, against limits."""
    progress(name)
    with tempfile.TemporaryDirectory() as folder:
        async with nats_server(Path(folder)) as server:
            await LIMITED[name](server.url, turns)


def _short(line: str) -> str:
    """A line of callgrind_annotate without the folders."""
    return re.sub(r"\S*/(?=[^/\s])", "", line)


def _functions(count: int) -> None:
    """Where the instructions of each side's last row went."""
    annotate, folder = shutil.which("callgrind_annotate") or "callgrind_annotate", WORK / "callgrind"
    for side in sorted({path.name.split(".")[1] for path in folder.glob("callgrind.*.*")}):
        last = max(folder.glob(f"callgrind.{side}.*"), key=lambda path: int(path.suffix[1:]))
        text = subprocess.run((annotate, str(last)), capture_output=True, text=True, check=False).stdout
        lines = [_short(line) for line in text.splitlines() if "%)" in line]
        print(f"\n{side}, {last.name}", *lines[: count + 1], sep="\n")


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("section", nargs="*", choices=[*SECTIONS, *LIMITED, SMALL, []], help="default: all of them")
    parser.add_argument("--turns", type=int, default=5, help="how often each side is measured, in turn (default 5)")
    parser.add_argument("--minutes", type=float, default=30, help="what is not measured by then is left out (30)")
    parser.add_argument("--instructions", action="store_true", help="count instructions only, measure no CPU time")
    parser.add_argument("--no-instructions", action="store_true", help="measure CPU time only")
    parser.add_argument(
        "--timed", action="append", default=[], metavar="SECTION", help="CPU time of this section, others only counted"
    )
    parser.add_argument("--only", action="append", default=[], metavar="SIDE", help="only this column (ours, ccxt …)")
    parser.add_argument("--rows", default="", metavar="TEXT", help="only rows whose name has this text in it")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="the N dearest functions of the last row")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    if arguments == ["report"]:
        report.write(WORK / "bench.json")
        return 0
    asked = _arguments(arguments)
    named = list(dict.fromkeys(asked.section))
    names = [name for name in named or SECTIONS if name in SECTIONS]
    began = time.monotonic()
    for name in named or [COMMUNITY, SMALL]:
        if name in LIMITED:
            asyncio.run(_limited(name, asked.turns))
        elif name == SMALL:
            print("\n".join(small.main()), flush=True)
    if not names:
        return 0
    _, sections = asyncio.run(_measure(names, asked))
    if asked.functions:
        _functions(asked.functions)
    verdicts = [met for section in sections for row in section.rows for met in row.verdicts()]
    missing = sum(bool(row.faults) for section in sections for row in section.rows)
    print(
        f"\n{verdicts.count(True)} targets met, {verdicts.count(False)} not met, {verdicts.count(None)} without figure;"
        f" {missing} rows with something missing; {time.monotonic() - began:.0f} s; figures in .bench"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
