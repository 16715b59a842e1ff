"""How a `python -m …` begins and ends: imports out of the collector, a status, no traceback for who stops it."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Final, TextIO

DEBUG: Final = "--debug"
LEVELS: Final = ("HYDROPHONE_LOG_LEVEL", "GPT_API_LOG_LEVEL")
"""The settings that say from which level on is logged."""


def begin() -> None:
    """Before anything is imported that takes its time: let Ctrl-C end the process without a traceback meanwhile.

    Nothing is collected until `run`, as there is no garbage yet: to look through everything again and again while it is
    made takes a fifth of the time.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()


def run(main: Callable[[list[str]], int]) -> int:
    """Give the status of `main` over the command line; 0 where the reader of its output has gone, as `head` does.

    Until `main` takes signals itself, Ctrl-C ends the process at once, without a traceback.
    """
    freeze_imports()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        status = main(take_arguments())
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
        return 0
    return status


def take_arguments() -> list[str]:
    """Return the command line without `--debug`, which every `python -m …` takes: all it says and starts logs DEBUG."""
    given = sys.argv[1:]
    if DEBUG in given:
        os.environ.update(dict.fromkeys(LEVELS, "DEBUG"))
    return [argument for argument in given if argument != DEBUG]


def freeze_imports() -> None:
    """Leave what is there by now out of garbage collections: to look through all of it again takes 100 ms."""
    gc.freeze()
    gc.enable()  # `begin` stopped it


def abandon(stream: TextIO) -> None:
    """Give what is still buffered to the null device: the reader is gone, and the flush at exit must not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
