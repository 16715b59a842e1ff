"""A bus with the streams of the contracts, the API on it, and a real browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.api.conftest import api_nats, start, store
from tests.pages.chromium import NoBrowserError, find_chromium

__all__ = ["api_nats", "start", "store"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; installed by the system's packages where that is allowed."""
    try:
        return find_chromium()
    except NoBrowserError as error:
        pytest.skip(str(error))


@pytest_asyncio.fixture
async def browser(chromium: str) -> AsyncGenerator[Browser]:
    """A browser of one test."""
    async with async_playwright() as driver:
        launched = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        await launched.close()
