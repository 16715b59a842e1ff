"""Play many seeded runs over the adapters: `python -m tests.consumers.execution.seeded --runs 100000`.

`--venue bybit --seed 123 --runs 1` plays one again. The status is 1 where a run has failed.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

import structlog
import uvloop

from tests.consumers.execution.seeded.runs import SHARES, Counted, count, opened_runs

EACH = 2000  # runs a line


async def main(arguments: argparse.Namespace) -> int:
    """Return the status; prints a line for each venue's EACH runs and one for all."""
    until = None if arguments.seconds is None else time.monotonic() + arguments.seconds
    venues = {arguments.venue: 1.0} if arguments.venue else SHARES
    total = Counted()
    for name, share in venues.items():
        seeds = range(arguments.seed, arguments.seed + round(arguments.runs * share))
        async with opened_runs(name) as run:
            for begin in range(0, len(seeds), EACH):
                counted = await count(run, seeds[begin : begin + EACH], until)
                show(f"{name} {seeds[begin]}..", counted)
                total.add(counted)
    show("all", total)
    return 1 if total.failed else 0


def show(name: str, counted: Counted) -> None:
    """Print what some runs came to."""
    each = counted.cpu / counted.runs * 1000 if counted.runs else 0.0
    said = f"{counted.runs} runs, {counted.struck} faults, {len(counted.failed)} failed, {each:.1f} ms CPU a run"
    print(f"{name:16} {said}", flush=True)
    for seed, reason in counted.failed.items() if name != "all" else ():
        print(f"                 seed {seed}: {reason}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.consumers.execution.seeded", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="in all (100000)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--venue", choices=list(SHARES), help="only this one")
    parser.add_argument("--seconds", type=float, help="begin no run after so long")
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.exit(uvloop.run(main(parser.parse_args())))
