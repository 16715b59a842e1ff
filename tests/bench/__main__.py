"""`python -m tests.bench [section …]`: our hot paths beside their references, measured in one run on this machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
import time
from pathlib import Path

from runtime.servers.embedded import nats_server
from tests.bench import captured, peering, recordings
from tests.bench.sections import SECTIONS, Setting, progress
from tests.bench.table import Section

WORK = Path(__file__).resolve().parents[2] / ".bench"


async def _jobs() -> tuple[list[recordings.Job], list[recordings.Job], str]:
    if recordings.available():
        return recordings.decode_jobs(), recordings.chain_jobs(), "recorded frames of the venues"
    progress("no recordings beside the repository: taking frames from the simulated exchanges")
    decode, chain = await captured.jobs()
    return decode, chain, "frames of our simulated exchanges (no recordings beside the repository)"


async def _measure(names: list[str]) -> list[Section]:
    (WORK / "jobs").mkdir(parents=True, exist_ok=True)
    (WORK / "nats").mkdir(exist_ok=True)
    progress("peers' environment")
    peers = await peering.prepare(WORK)
    decode, chain, source = await _jobs()
    for job in (*decode, *chain):
        job.save(WORK / "jobs")
    versions = f"Python {platform.python_version()}; frames: {source}; medians, in brackets the spread of repetitions"
    print(versions + (f"\n{peers.note}" if peers.note else ""))
    sections: list[Section] = []
    async with nats_server(WORK / "nats") as server:
        setting = Setting(WORK, server.url, peers, decode, chain)
        for name in names:
            section = await SECTIONS[name](setting)
            print("\n".join(section.lines()), flush=True)
            sections.append(section)
    data = {
        "frames": source,
        "python": platform.python_version(),
        "peers": peers.names,
        "sections": {
            name: {"title": section.title, "unit": section.unit, "rows": [row.as_data() for row in section.rows]}
            for name, section in zip(names, sections, strict=True)
        },
    }
    (WORK / "bench.json").write_text(json.dumps(data, indent=1), encoding="utf-8")
    return sections


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("section", nargs="*", choices=[*SECTIONS, []], help="default: all of them")
    names = list(dict.fromkeys(parser.parse_args(arguments).section)) or list(SECTIONS)
    began = time.monotonic()
    sections = asyncio.run(_measure(names))
    verdicts = [row.met(side) for section in sections for row in section.rows for side in row.targets]
    said = (
        f"{verdicts.count(True)} targets met, {verdicts.count(False)} not met, {verdicts.count(None)} without reference"
    )
    print(f"\n{said}; {time.monotonic() - began:.0f} s; figures in .bench/bench.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
