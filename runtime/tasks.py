"""The end of tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_AGAIN_SECONDS: Final = 5.0  # what tidies up has been done by then


async def end_tasks(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks and return when they have ended; how they ended is not looked at.

    A task that is still there after five seconds is cancelled again: what it waits for may have kept the cancellation
    to itself, as `asyncio.wait_for` of Python 3.11 does, which libraries use.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
