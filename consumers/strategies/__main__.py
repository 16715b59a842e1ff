"""`python -m consumers.strategies backtest KIND SYMBOL --from … --balance USDT=10000`: one, without documents."""

from __future__ import annotations

import sys
from typing import Final

from runtime.app import entry

if __name__ == "__main__":
    entry.begin()

from runtime.backtests import command_line
from runtime.config.options import bus_options
from runtime.config.settings import SettingsError, load

PROGRAM: Final = "python -m consumers.strategies"
COMMAND: Final = "backtest"


def main(arguments: list[str]) -> int:
    """Run what the command line asks for; gives the exit status."""
    if arguments[:1] != [COMMAND]:
        print(f"usage: {PROGRAM} {COMMAND} …; {PROGRAM} {COMMAND} --help lists the rest", file=sys.stderr)
        return 2
    options = command_line.parse(f"{PROGRAM} {COMMAND}", arguments[1:])
    try:
        settings = load()
        bus = bus_options(settings.bus, "backtest")
    except (SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return command_line.run(options, bus, settings.trading.strategies)


if __name__ == "__main__":
    sys.exit(entry.run(main))
