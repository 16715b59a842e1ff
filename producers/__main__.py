"""`python -m producers [venue …]` holds the venues' sockets; `decode`, `record` and `replay` are for recordings."""

from __future__ import annotations

import importlib
import sys
from typing import Final

from runtime.app import entry

if __name__ == "__main__":
    entry.begin()


COMMANDS: Final = {
    "decode": "producers.recording.decode_command",
    "record": "producers.recording.record_command",
    "replay": "producers.recording.replay_command",
}


def main(arguments: list[str]) -> int:
    """Run what the command line asks for, loading no more than that needs; gives the exit status."""
    command = arguments[0] if arguments else ""
    if command in COMMANDS:
        return importlib.import_module(COMMANDS[command]).main(arguments[1:])
    with entry.importing(without=entry.EXTRAS):
        process = importlib.import_module("producers.process")
    return process.main(arguments)


if __name__ == "__main__":
    sys.exit(entry.run(main))
