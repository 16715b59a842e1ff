"""The whole product on simulated exchanges for an hour: no part's memory grows and nothing falls behind: `make soak`.

Prints a line for each part: memory at the begin and the end, its slope after the first ten minutes (or a third of a
shorter run), processors. Ends with 0 where every slope stays below its bar and the bus carries as much at the end as
before. `--bar-mib` and `--bar-cores` judge the sum of all parts but the simulated exchanges and Telegram.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from tests.e2e.conftest import NO_LIMITS, Copy
from tests.soak.measuring import MIB, SIMULATED, Part, sample

WARM_SECONDS: Final = 600.0
SLOPE: Final = 1.0  # MiB an hour
START_SECONDS: Final = 300
EACH_SECONDS: Final = 5.0
DRIFT: Final = 0.8  # the share of its rate that the bus has at the end at least


def streamed(monitor: str) -> int:
    """Return how many messages all streams have taken."""
    with urllib.request.urlopen(f"{monitor}/jsz?accounts=true&streams=true", timeout=10) as answer:
        told: dict[str, Any] = json.load(answer)
    accounts = told.get("account_details", [])
    streams = [one for account in accounts for one in account.get("stream_detail", [])]
    return sum(one["state"]["last_seq"] for one in streams if not one["name"].startswith("KV_"))


def answers(api: str, key: str) -> bool:
    """Return whether the API shows a whale: the first is on the screen then."""
    request = urllib.request.Request(f"{api}/gpt/whale?symbol=BTC", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(json.load(answer)["data"].get("whales"))
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def observe(copy: Copy, seconds: float) -> tuple[dict[str, Part], list[tuple[float, int]], float | None]:
    """Sample a running copy; return its parts, how much the bus took by when, and when the first whale was shown."""
    parts: dict[str, Part] = {}
    carried: list[tuple[float, int]] = []
    began, whale = time.monotonic(), None
    api, monitor = copy.facts["api"], copy.facts["nats"]["monitor_url"]
    while (at := time.monotonic() - began) < seconds:
        if copy.process.poll() is not None:
            raise SystemExit(f"the copy ended: {copy.log.read_text()[-2000:]}")
        sample(parts, copy.pids(), at)
        carried.append((at, streamed(monitor)))
        if whale is None and answers(api["url"], api["key"]):
            whale = at
        time.sleep(EACH_SECONDS)
    return parts, carried, whale


def rate(carried: list[tuple[float, int]]) -> float:
    """Return messages a second over some samples."""
    return (carried[-1][1] - carried[0][1]) / max(1e-9, carried[-1][0] - carried[0][0]) if carried else 0.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--rate", type=float, default=5.0, help="of the simulated exchanges")
    parser.add_argument("--symbols", default="", help="default: those of the settings")
    parser.add_argument("--bar-mib", type=float, help="of all parts together")
    parser.add_argument("--bar-cores", type=float, help="of all parts together")
    asked = parser.parse_args(arguments)
    symbols = {"HYDROPHONE_SYMBOLS": asked.symbols} if asked.symbols else {}
    with tempfile.TemporaryDirectory(prefix="soak", ignore_cleanup_errors=True) as folder:
        named = {"HYDROPHONE_SIMULATOR_RATE": f"{asked.rate:g}", **symbols, **NO_LIMITS}
        copy = Copy("demo", Path(folder) / "data", named)
        try:
            copy.wait_ready(START_SECONDS)
            parts, carried, whale = observe(copy, asked.seconds)
        finally:
            copy.stop()
    return report(asked, parts, carried, whale)


def report(
    asked: argparse.Namespace, parts: dict[str, Part], carried: list[tuple[float, int]], whale: float | None
) -> int:
    """Print the tables; return the status."""
    warm = min(WARM_SECONDS, asked.seconds / 3)
    judged = asked.seconds >= 2 * WARM_SECONDS  # before, what is filled once looks like growth
    good = True
    print(
        f"\n{asked.seconds:.0f} s, {os.cpu_count()} cores, load {os.getloadavg()[2]:.1f}; slopes from {warm:.0f} s on"
    )
    print("| part | MiB at the begin | at the end | MiB/h | cores |\n|---|---|---|---|---|")
    for name, part in sorted(parts.items()):
        slope = part.slope(warm)
        bad = judged and slope >= SLOPE and name not in SIMULATED
        good = good and not bad
        first, last = part.samples[0][1] / MIB, part.samples[-1][1] / MIB
        grows = " **grows**" if bad else ""
        print(f"| {name} | {first:.1f} | {last:.1f} | {slope:+.2f}{grows} | {part.cores(warm):.2f} |")
    ours = [part for name, part in parts.items() if name not in SIMULATED]
    mib, cores = sum(part.samples[-1][1] for part in ours) / MIB, sum(part.cores(warm) for part in ours)
    print(f"| all but what is simulated | | {mib:.0f} | {sum(part.slope(warm) for part in ours):+.2f} | {cores:.2f} |")
    after = [one for one in carried if one[0] >= warm]
    half = len(after) // 2
    before, now = rate(after[: half + 1]), rate(after[half:])
    print(f"\nmessages into streams: {before:.0f}/s, then {now:.0f}/s; first whale after {whale or float('nan'):.0f} s")
    if not judged:
        print(f"no slope is judged: below {2 * WARM_SECONDS:.0f} s what is filled once counts as growth")
    for found, bar in ((mib, asked.bar_mib), (cores, asked.bar_cores)):
        good = good and (bar is None or found <= bar)
    return int(not good or now < DRIFT * before)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
