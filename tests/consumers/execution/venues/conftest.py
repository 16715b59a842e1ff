"""An exchange for the tests of a file, new for each."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.consumers.execution.venues.world import VENUES, World, opened


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=VENUES)
async def served(request: pytest.FixtureRequest) -> AsyncGenerator[World]:
    """One exchange on loopback."""
    async with opened(request.param) as world:
        yield world


@pytest.fixture
def world(served: World) -> World:
    """The exchange with a new account."""
    served.reset()
    return served
