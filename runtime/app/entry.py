"""What the end of a `python -m …` looks like: a status, and no traceback where somebody stopped reading."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TextIO


def run(main: Callable[[list[str]], int]) -> int:
    """Give the status of `main` over the command line; 0 where the reader of its output has gone, as `head` does.

    Until `main` takes signals itself, Ctrl-C ends the process at once, without a traceback.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
        return 0
    return status


def abandon(stream: TextIO) -> None:
    """Give what is still buffered to the null device: the reader is gone, and the flush at exit must not fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
