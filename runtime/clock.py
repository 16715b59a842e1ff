"""Time: the one place that reads a clock or sleeps, so that everything else can be given the time as a value."""

from __future__ import annotations

import asyncio
import time
from typing import Final

now_ns: Final = (
    time.time_ns
)  # the wall clock in nanoseconds since 1970, UTC; no call of ours around it, as frames read it


monotonic: Final = time.monotonic  # seconds on a clock that never goes back; only differences mean anything


async def sleep(seconds: float) -> None:
    """Let other tasks run for so many seconds; negative counts as zero."""
    await asyncio.sleep(max(0.0, seconds))
