"""How a `python -m …` begins and ends: imports out of the collector, a status, no traceback for who stops it.

What a library only imports because it is installed, and that the part never calls, is left out of its memory.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import Final, TextIO

DEBUG: Final = "--debug"
LEVELS: Final = ("HYDROPHONE_LOG_LEVEL", "GPT_API_LOG_LEVEL")
"""The settings that say from which level on is logged."""

EXTRAS: Final = frozenset({"rich", "pygments", "tornado", "aiohttp", "nacl", "uvicorn", "click", "watchfiles"})
"""What structlog, tenacity, nats-py and FastStream import where it is installed, and do without where it is not."""
HTTP_SERVER: Final = frozenset({"uvicorn", "click"})
TERMINAL: Final = frozenset({"rich", "pygments"})
_left_out: Final[set[str]] = set()


def begin(without: Collection[str] = ()) -> None:
    """Before anything is imported that takes its time: let Ctrl-C end the process without a traceback meanwhile.

    `without`: those of EXTRAS that cannot be imported until `run`, as if they were not installed.

    Nothing is collected until `run`, as there is no garbage yet: to look through everything again and again while it is
    made takes a fifth of the time.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()
    _left_out.update(_leave_out(without))


@contextmanager
def importing(without: Collection[str]) -> Generator[None]:
    """The same for what is imported within the block."""
    left_out = _leave_out(without)
    try:
        yield
    finally:
        _allow(left_out)


def _leave_out(names: Collection[str]) -> list[str]:
    """Let imports of these packages fail as if they were not installed; return those that were not loaded yet."""
    found = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(found))  # type: ignore[arg-type]  # None is Python's own mark of that
    return found


def _allow(names: Collection[str]) -> None:
    for name in names:
        del sys.modules[name]


def run(main: Callable[[list[str]], int]) -> int:
    """Give the status of `main` over the command line; 0 where the reader of its output has gone, as `head` does.

    Until `main` takes signals itself, Ctrl-C ends the process at once, without a traceback.
    """
    _allow(_left_out)
    _left_out.clear()
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
