"""GraphiQL in a real browser: only where debugging is on, and with nothing from another host."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from api.pages.assets import read_assets
from tests.api.world import READ_KEY, Start, Store

pytestmark = [pytest.mark.nats, pytest.mark.browser, pytest.mark.xdist_group("product"), pytest.mark.timeout(180)]
HTML = "text/html"
SCRIPTS = ("graphiql/graphiql.min.js", "react/react.production.min.js", "react-dom/react-dom.production.min.js")


async def test_the_page_is_there_only_in_debug(start: Start) -> None:
    api = await start()
    assert (await api.get("/graphql", accept=HTML)).status_code == 400  # a query is missing
    debugging = await start(GPT_API_DEBUG=True)
    page = await debugging.get("/graphql", key=None, accept=HTML)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await debugging.get("/graphql", key=None)).status_code == 401
    addresses = read_assets().addresses()
    for name, _, file in (script.partition("/") for script in SCRIPTS):
        address = f"{addresses[name]}/{file}"
        assert address in page.text
        answer = await debugging.get(address, key=None)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True), address


async def test_a_query_is_run_in_a_browser_without_another_host(store: Store, start: Start, browser: Browser) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.10")
    api = await start(GPT_API_DEBUG=True)
    asked: list[str] = []
    faults: list[str] = []
    page = await browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.set_extra_http_headers({"Authorization": f"Bearer {READ_KEY}"})
    await page.goto(f"{api.url}/graphql")
    await page.get_by_role("button", name="Execute query").click(timeout=60_000)
    await expect(page.locator(".result-window")).to_contain_text("91000.1", timeout=60_000)
    assert not faults
    assert not [url for url in asked if not url.startswith((api.url, "data:", "blob:"))]
