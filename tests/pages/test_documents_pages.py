"""/docs and /asyncapi in a real Chromium, without internet."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from api.__main__ import read_asyncapi
from tests.api.world import Start, Store
from tests.pages.world import opened, serious_faults

pytestmark = [pytest.mark.nats, pytest.mark.browser, pytest.mark.xdist_group("product"), pytest.mark.timeout(240)]


async def test_docs_shows_every_route(store: Store, start: Start, browser: Browser) -> None:
    api = await start()
    async with opened(browser, f"{api.url}/docs") as page:
        await page.shows("#operations-market-getMarketSnapshot")
        await page.page.click("#operations-market-getMarketSnapshot button")
        await page.shows_text("#operations-market-getMarketSnapshot", "Full snapshot of a symbol")
        assert len(await page.texts(".opblock")) >= 20
        assert page.wrong == []
        assert page.hosts == {f"127.0.0.1:{api.port}"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_asyncapi_shows_every_subject(store: Store, start: Start, browser: Browser, scheme: str) -> None:
    api = await start({"asyncapi": read_asyncapi})
    async with opened(browser, f"{api.url}/asyncapi", color_scheme=scheme) as page:
        await page.page.fill("#find", "md.v1.trade")
        await page.page.click("details:not([hidden]) summary")
        await page.shows_text("details:not([hidden]) td", "price")
        assert await serious_faults(page) == []
        assert page.wrong == []
        assert page.hosts == {f"127.0.0.1:{api.port}"}
