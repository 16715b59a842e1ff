"""A running simulator for each test, quick enough that data comes at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from producers.simulator.config import SimulatorConfig
from producers.simulator.server import Simulator

StartSimulator = Callable[..., Awaitable[Simulator]]


@pytest.fixture
async def start() -> AsyncIterator[StartSimulator]:
    """Starts simulators that end with the test, by venue names and settings."""
    async with AsyncExitStack() as stack:

        async def begin(*venues: str, **settings: Any) -> Simulator:
            chosen: dict[str, Any] = {"seed": 7, "venues": venues, "rate": 16.0, "bases": ("BTC", "ETH"), **settings}
            return await stack.enter_async_context(Simulator(SimulatorConfig(**chosen)))

        yield begin
