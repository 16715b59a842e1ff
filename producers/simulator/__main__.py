"""Starts a simulator: `python -m producers.simulator --venues binance,okx --seed 7 --ready-file PATH`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while this loads and connects ends it without a traceback

import uvloop

from producers.simulator.config import DEFAULT_BASES, SimulatorConfig
from producers.simulator.registry import VENUES
from producers.simulator.server import Simulator


def read_arguments(argv: list[str]) -> tuple[SimulatorConfig, Path | None]:
    """Return the configuration and the ready file that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m producers.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--venues", default=",".join(VENUES))
    parser.add_argument("--bases", default=",".join(DEFAULT_BASES))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1.0, help="0.1 to 50: multiplies every event rate")
    parser.add_argument("--ready-file", type=Path, help='gets {"port": ...} once connections are accepted')
    parser.add_argument("--debug", action="store_true", help="as everywhere; there is no log here")
    given = parser.parse_args(argv)
    try:
        config = SimulatorConfig(
            seed=given.seed,
            venues=tuple(given.venues.split(",")),
            bases=tuple(given.bases.split(",")),
            rate=given.rate,
            host=given.host,
            port=given.port,
        )
    except ValueError as error:
        parser.error(str(error))
    return config, given.ready_file


async def run(config: SimulatorConfig, ready_file: Path | None) -> None:
    """Serve until SIGINT or SIGTERM, or until the market fails."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Simulator(config) as simulator:
        if ready_file is not None:
            _write_ready(ready_file, simulator.port)
        print(json.dumps({"port": simulator.port, "venues": config.venues}), flush=True)
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({waiting, simulator.runner}, return_when=asyncio.FIRST_COMPLETED)
        if simulator.runner.done():
            simulator.runner.result()
        waiting.cancel()


def _write_ready(path: Path, port: int) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"port": port}), encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    settings, ready = read_arguments(sys.argv[1:])
    try:
        uvloop.run(run(settings, ready))
    except BrokenPipeError:  # nobody reads the output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
