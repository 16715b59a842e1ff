"""The ticks of a service: something to do every so often until it stops, or until what it needs fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any


async def ticks(stop: asyncio.Event, seconds: float, *failing: asyncio.Future[Any]) -> AsyncGenerator[None]:
    """Yield every `seconds` until `stop`; the error of the first of `failing` that ends with one is raised."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        while not stop.is_set():
            await asyncio.wait({stopped, *failing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            for future in failing:
                if future.done():
                    future.result()
            if not stop.is_set():
                yield
    finally:
        stopped.cancel()
