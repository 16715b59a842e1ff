"""`python -m api.mcp`: the tools over stdio, asked of the bus that the settings name with their credentials."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from io import TextIOWrapper
from typing import Any, Final

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, without a traceback

import anyio
from mcp.server.stdio import stdio_server
from prometheus_client import CollectorRegistry

from api.mcp.numbers import unmark
from api.mcp.server import ToolServer
from runtime.app.entry import take_arguments
from runtime.clients.market_client import MarketClient
from runtime.config import settings
from runtime.config.options import bus_options
from runtime.logging import logs
from runtime.metrics import BusMetrics
from runtime.nats.bus import Bus, BusOptions

USAGE: Final = "usage: python -m api.mcp (everything is a setting: docs/settings.md)"


def main(arguments: list[str]) -> int:
    """Serve until standard input ends; 2 when the settings or the command line are wrong."""
    if arguments:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        found = settings.load()
        bus = bus_options(found.bus, "api")
    except (settings.SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    config = logs.LogConfig("mcp", found.logs.level, found.logs.directory, found.secrets())
    logs.configure(config, sys.stderr)  # standard output is the protocol's
    asyncio.run(serve(bus))
    return 0


async def serve(options: BusOptions) -> None:
    """Answer what comes on standard input; the bus is connected meanwhile."""
    bus = Bus(options, metrics=BusMetrics(CollectorRegistry()))
    market = MarketClient(bus)
    connecting = asyncio.create_task(bus.connect())
    server = ToolServer(market).make()
    try:
        async with stdio_server(stdout=exact_output()) as (read, write):
            await server.run(read, write, server.create_initialization_options())
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await market.close()
        await bus.close(timeout=3.0)


class ExactOutput(TextIOWrapper):
    """Standard output, written with the numbers in the place of their marks."""

    def write(self, text: str, /) -> int:
        """Write a text."""
        return super().write(unmark(text))


def exact_output() -> anyio.AsyncFile[str]:
    """Return the protocol's way out; whatever else is printed goes to standard error."""
    own = os.dup(1)
    os.dup2(2, 1)
    out: Any = ExactOutput(os.fdopen(own, "wb"), encoding="utf-8")
    return anyio.wrap_file(out)


if __name__ == "__main__":
    sys.exit(main(take_arguments()))
