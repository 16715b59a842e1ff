"""The whole product on simulated exchanges for an hour: no part's memory grows and nothing falls behind: `make soak`.

Prints a line for each part: memory at the begin and the end, its slope after the first ten minutes (or a third of a
shorter run) and in the second half of that, by the least of its own memory in each minute, and processors. Ends with 0
where no slope is above its bar by more than its noise (±, twice its standard error) and the bus carries as much at the
end as before. What is known to be kept is shown by kind, and the rest is judged: of consumers what they say that they
keep for long (`hydrophone_consumer_kept_bytes`), of the bus the blocks of streams that are in its memory, as its own
profile says. The streams are kept small (`--scale`), so that most are full when the slopes begin: until then grows
what a server remembers of what it stores. The cache of the document server is filled before the first sample
(`--documents`), for the same reason. Each sample is written to a file as it is taken: `--table FILE` prints the table
of a run that was ended, and so does Ctrl-C. `--bar-mib` and `--bar-cores` judge the sum of all parts but the simulated
exchanges and Telegram.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from runtime.config.settings import load
from runtime.servers.embedded import free_port
from tests.e2e.conftest import NO_LIMITS, Copy
from tests.soak.filling import DOCUMENTS, fill_documents
from tests.soak.measuring import MIB, SIMULATED, Part
from tests.soak.observing import Samples, observe, read_samples, wait_whale

WARM_SECONDS: Final = 600.0
SLOPE: Final = 1.0  # MiB an hour
START_SECONDS: Final = 300
DRIFT: Final = 0.8  # the share of its rate that the bus has at the end at least
SAMPLES: Final = Path(__file__).resolve().parents[2] / ".bench" / "soak.jsonl"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=5.0, help="of the simulated exchanges")
    parser.add_argument("--symbols", default="", help="default: those of the settings")
    parser.add_argument("--scale", type=float, default=0.05, help="of the streams' bytes (HYDROPHONE_STREAM_SCALE)")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="that fill the document server's cache")
    parser.add_argument("--bar-mib", type=float, help="of all parts together")
    parser.add_argument("--bar-cores", type=float, help="of all parts together")
    parser.add_argument("--samples", type=Path, default=SAMPLES, help=f"default: {SAMPLES}")
    parser.add_argument("--table", type=Path, metavar="FILE", help="print the table of these samples, run nothing")
    asked = parser.parse_args(arguments)
    if asked.table is not None:
        return report(asked, read_samples(asked.table))
    samples = Samples(asked.samples)
    samples.begin()
    try:
        run(asked, samples)
    except KeyboardInterrupt:
        print("ended before its time: the table of what was measured")
    return report(asked, samples)


def run(asked: argparse.Namespace, samples: Samples) -> None:
    """Start a copy, sample it, and stop it."""
    symbols, ports = asked.symbols or ",".join(load().venues.symbols), (free_port(), free_port())
    named = {
        "HYDROPHONE_SIMULATOR_RATE": f"{asked.rate:g}",
        "HYDROPHONE_SYMBOLS": symbols,
        "HYDROPHONE_STREAM_SCALE": f"{asked.scale:g}",
        "HYDROPHONE_METRICS_PORT": str(ports[0]),
        "HYDROPHONE_BUS_PROFILE_PORT": str(ports[1]),
        **NO_LIMITS,
    }
    with tempfile.TemporaryDirectory(prefix="soak", ignore_cleanup_errors=True) as folder:
        started = time.monotonic()
        copy = Copy("demo", Path(folder) / "data", named)
        try:
            copy.wait_ready(START_SECONDS)
            whale = wait_whale(copy, started, START_SECONDS)
            print(f"filling the document server's cache: {asked.documents} documents", flush=True)
            fill_documents(copy.facts["documents"]["url"], asked.documents)
            for sample in observe(copy, asked.seconds, whale, ports):
                samples.add(sample)
        finally:
            copy.stop()


def report(asked: argparse.Namespace, samples: Samples) -> int:
    """Print the tables; return the status."""
    if not samples.all:
        print("no samples")
        return 1
    lasted = samples.all[-1].at
    warm = min(WARM_SECONDS, lasted / 3)
    judged = lasted >= 2 * WARM_SECONDS  # before, what is filled once looks like growth
    good = True
    print(f"\n{lasted:.0f} s, {os.cpu_count()} cores, load {os.getloadavg()[2]:.1f}; slopes from {warm:.0f} s on")
    print("| part | MiB at the begin | at the end | MiB/h | in the second half | cores |\n|---|---|---|---|---|---|")
    parts, since = samples.parts(), (warm, (warm + lasted) / 2)
    for name, part in sorted(parts.items()):
        rest = samples.rest(name)
        bad = judged and (rest if rest.own else part).slope(warm).is_from(SLOPE) and name not in SIMULATED
        good = good and not bad
        print(row(name, part.samples, part, since, grows=bad and not rest.own) + f" {part.cores(warm):.2f} |")
        if rest.own:
            print(row(f"{name}, beyond what is kept", rest.own, rest, since, grows=bad) + " |")
    ours = [part for name, part in parts.items() if name not in SIMULATED]
    mib, cores = sum(part.samples[-1][1] for part in ours) / MIB, sum(part.cores(warm) for part in ours)
    all_of = [sum(part.slope(begin).mib for part in ours) for begin in since]
    print(f"| all but what is simulated | | {mib:.0f} | {all_of[0]:+.2f} | {all_of[1]:+.2f} | {cores:.2f} |")
    for name, part in sorted(samples.kept().items()):
        print(row(f"kept: {name}", part.own, part, since) + " |")
    if not judged:
        print(f"no slope is judged: below {2 * WARM_SECONDS:.0f} s what is filled once counts as growth")
    for found, bar in ((mib, asked.bar_mib), (cores, asked.bar_cores)):
        good = good and (bar is None or found <= bar)
    return int(not flows(samples, warm) or not good)


def row(name: str, sizes: list[tuple[float, int]], part: Part, since: tuple[float, float], grows: bool = False) -> str:
    """Return a row of the table but for its last column: the first and the last size, and slopes since two moments."""
    slopes = " | ".join(str(part.slope(begin)) for begin in since) + (" **grows**" if grows else "")
    return f"| {name} | {sizes[0][1] / MIB:.1f} | {sizes[-1][1] / MIB:.1f} | {slopes} |"


def flows(samples: Samples, warm: float) -> bool:
    """Print what the bus carried; return whether it was as much in the second half as in the first."""
    middle = (warm + samples.all[-1].at) / 2
    named = (("published by producers", "published"), ("into streams", "streamed"))
    rates = [(text, samples.rate(name, warm, middle), samples.rate(name, middle)) for text, name in named]
    whale = samples.all[-1].whale
    shown = "no whale was shown" if whale is None else f"first whale {whale:.0f} s after the start"
    print(
        "\nmessages " + "; ".join(f"{text}: {then:.0f}/s, then {now:.0f}/s" for text, then, now in rates) + f"; {shown}"
    )
    return all(now >= DRIFT * then for _, then, now in rates)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
