"""Runs a function in a fork, limited by the processor time that it uses, and says what became of it.

A limit by the clock would count a change as noticed because the machine is busy.
"""

from __future__ import annotations

import math
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

KILLED: Final = "killed"
SURVIVED: Final = "survived"
TIMEOUT: Final = "timeout"  # took many times the processor time that the tests need; counts as killed
ASLEEP: Final = "asleep"  # waited many times that long while it wanted no processor; counts as killed
RELOAD: Final = "reload"  # to be tried in a process that loads the files again
MOST_MEMORY: Final = 4 << 30
MORE_SECONDS: Final = 5  # times those of a processor that the tests need without a change
LEAST_SECONDS: Final = 10.0  # of a processor
LOOK_SECONDS: Final = 0.25
ASLEEP_SECONDS: Final = 10  # in which it wants no processor, for each that it may have of one
_STATES: Final = {0: SURVIVED, 1: KILLED, 3: RELOAD}


def limit_of(seconds: float) -> float:
    """Return how many processor seconds a change may take whose tests take that many without it."""
    return max(LEAST_SECONDS, MORE_SECONDS * seconds)


def begin_fork(child: Callable[[], int], seconds: float | None = None) -> int:
    """Run a function in a fork and return its process id; after that many processor seconds SIGXCPU ends it."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        if seconds is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds) + 5))
        state = child()
    except BaseException as error:  # noqa: BLE001  # of a fork nothing may come back
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
        state = 1
    os._exit(state)


def fork(child: Callable[[], int], seconds: float) -> tuple[str, float]:
    """Run a function in a fork whose output nobody sees; return what became of it and its processor seconds.

    Its state is 0, 1 or 3. It may take that many processor seconds, and sleep for `ASLEEP_SECONDS` times as many: time
    in which it waits for a busy processor does not count.
    """

    def quiet() -> int:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        return child()

    pid = begin_fork(quiet, seconds)
    handle = os.pidfd_open(pid)
    try:
        ended = _ends(pid, handle, ASLEEP_SECONDS * seconds)
    finally:
        os.close(handle)
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(pid, signal.SIGKILL)
    _, status, used = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    state = TIMEOUT if code == -signal.SIGXCPU else _STATES.get(code, KILLED)
    return state if ended else ASLEEP, used.ru_utime + used.ru_stime


def _ends(pid: int, handle: int, seconds: float) -> bool:
    """Wait for the end of a process; return whether it came before it was found asleep for that many seconds."""
    asleep = 0.0
    while asleep < seconds:
        if select.select([handle], [], [], LOOK_SECONDS)[0]:
            return True
        if not _wants_processor(pid):
            asleep += LOOK_SECONDS
    return False


def _wants_processor(pid: int) -> bool:
    """Whether a thread of a process runs, or waits for a processor or for a disk."""
    try:
        states = [one.read_text().rpartition(") ")[2][:1] for one in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:  # a thread ended meanwhile
        return True
    return any(state in "RD" for state in states)
