"""Starts the Bot API test server: `python -m bot.simulator --port 8081 --ready-file PATH`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from runtime.app import entry

if __name__ == "__main__":
    entry.begin()

import uvloop

from bot.simulator.web.app import serving
from bot.simulator.world import USERNAME, Options


def read_arguments(argv: list[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bot.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--token", help="the only token that is accepted; without it any is")
    parser.add_argument("--username", default=USERNAME, help="the bot's @name")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of the limits' clock in a real second")
    parser.add_argument("--no-privacy", action="store_true", help="the bot sees every message of groups")
    parser.add_argument("--no-limits", action="store_true", help="nothing is refused for coming too early")
    parser.add_argument("--ready-file", type=Path, help='gets {"port": ...} once connections are accepted')
    given = parser.parse_args(argv)
    if given.speed <= 0:
        parser.error("--speed must be more than 0")
    return given


async def serve(given: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    options = Options(
        token=given.token, username=given.username, privacy=not given.no_privacy, limits=not given.no_limits
    )
    async with serving(options, host=given.host, port=given.port, speed=given.speed) as (_, url):
        if given.ready_file is not None:
            _write_ready(given.ready_file, int(url.rpartition(":")[2]))
        print(json.dumps({"url": url}), flush=True)
        await stop.wait()


def _write_ready(path: Path, port: int) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps({"port": port}), encoding="utf-8")
    draft.replace(path)


def main(arguments: list[str]) -> int:
    """Serve; 1 where the port is taken."""
    given = read_arguments(arguments)
    try:
        uvloop.run(serve(given))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(entry.run(main))
