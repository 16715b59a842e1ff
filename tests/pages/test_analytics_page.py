"""/admin/analytics in a real Chromium: asks for a key, shows what was requested, says which key may not."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from api.analytics import recorder
from runtime.nats.bus import Bus, BusOptions
from runtime.servers.embedded import NatsServer
from tests.api.world import ADMIN_KEY, READ_KEY, Start, Store
from tests.consumers.analytics.test_on_the_bus import consuming
from tests.pages.world import opened, serious_faults

pytestmark = [pytest.mark.nats, pytest.mark.browser, pytest.mark.xdist_group("product"), pytest.mark.timeout(240)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_figures_are_shown_to_an_admin_only(
    store: Store,
    start: Start,
    browser: Browser,
    api_nats: NatsServer,
    documents_url: str,
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
) -> None:
    monkeypatch.setattr(recorder, "FLUSH_SECONDS", 0.1)
    await store.put_ticker("binance", "BTC/USDT", "91000.5")
    api = await start()
    bus = await Bus(BusOptions(servers=(api_nats.url,), name="test")).connect()
    async with consuming(bus, documents_url, f"test_analytics_page_{scheme}"):
        for _ in range(3):
            await api.get("/gpt/raw?symbol=BTC")
        async with opened(browser, f"{api.url}/admin/analytics", color_scheme=scheme) as page:
            await page.page.fill("#key-field", READ_KEY)
            await page.page.click("#key-form button")
            await page.shows_text("#notice", "scope admin")
            await page.page.click("#forget-key")
            await page.page.fill("#key-field", ADMIN_KEY)
            await page.page.click("#key-form button")
            await page.shows_text("#endpoints", "GET /gpt/raw")
            await page.shows_text("#symbols", "BTC")
            await page.shows_text("#slow", "GET /")
            await page.shows_text("#load-text", "Requests in each 15 min")
            await page.shows_text("#times-text", "slowest")
            assert await page.page.locator("#load canvas").count() > 0
            assert await serious_faults(page) == []
            assert page.hosts == {f"127.0.0.1:{api.port}"}
    await bus.close()
