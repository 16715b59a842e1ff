"""`python -m consumers [name …]` runs the named consumers in one process, all when none is named."""

from __future__ import annotations

import sys

from runtime.app import entry

if __name__ == "__main__":
    entry.begin(without=entry.EXTRAS)

import uvloop

from consumers.app import Process, chosen, configure_logs
from runtime.config.settings import SettingsError, load


def main(arguments: list[str]) -> int:
    """Run what the command line names: 2 where it or the settings cannot be understood, 1 where one did not stop."""
    try:
        settings = load()
        process = Process(settings, chosen(settings, arguments))
    except (SettingsError, ValueError, LookupError) as error:
        print(error, file=sys.stderr)
        return 2
    configure_logs(settings)
    uvloop.run(process.app.run())
    return 1 if process.late else 0


if __name__ == "__main__":
    sys.exit(entry.run(main))
