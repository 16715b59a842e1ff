"""The thread that pictures are drawn in: never on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Drawing:
    """Draws in a thread of its own, one picture at a time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="charts")

    async def draw(self, how: Callable[..., bytes], *what: Any) -> bytes:
        """Return the picture that a function draws."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: how(*what))

    def close(self) -> None:
        """End the thread; what waits is not drawn."""
        self._thread.shutdown(wait=False, cancel_futures=True)
