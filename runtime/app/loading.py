"""How a `python -m …` loads: called before anything that takes its time is imported."""

from __future__ import annotations

import gc
import signal


def begin() -> None:
    """Let Ctrl-C end the process without a traceback while it loads, and collect no garbage: there is none yet.

    To look through everything again and again while it is made takes a fifth of the time; `entry.run` collects again.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()
