"""GraphiQL in a real browser: only where debugging is on, and with nothing from another host."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from playwright.async_api import async_playwright, expect

from api.graphql.playground import FILES, VENDOR
from tests.api.world import READ_KEY, Start, Store

pytestmark = [pytest.mark.nats, pytest.mark.timeout(180)]
HTML = "text/html"


async def test_the_page_is_there_only_in_debug(start: Start) -> None:
    api = await start()
    assert (await api.get("/graphql", accept=HTML)).status_code == 400  # a query is missing
    debugging = await start(GPT_API_DEBUG=True)
    page = await debugging.get("/graphql", key=None, accept=HTML)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await debugging.get("/graphql", key=None)).status_code == 401
    for address in FILES:
        answer = await debugging.get(f"/assets/{address}", key=None)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True), address
        assert address.partition("@")[0] in page.text
    assert (await debugging.get("/assets/react@0/react.production.min.js", key=None)).status_code == 404


def test_the_libraries_are_what_their_sums_say() -> None:
    lines = (VENDOR / "SHA256SUMS").read_text().splitlines()
    sums = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    for path, digest in sums.items():
        assert hashlib.sha256((VENDOR / path).read_bytes()).hexdigest() == digest, path
    assert {f"{path.parent.name}/{path.name}" for path in FILES.values()} == set(sums)


@pytest.mark.browser
async def test_a_query_is_run_in_a_browser_without_another_host(store: Store, start: Start) -> None:
    await store.put_ticker("binance", "BTC/USDT", "91000.10")
    api = await start(GPT_API_DEBUG=True)
    asked: list[str] = []
    faults: list[str] = []
    async with async_playwright() as playwright:
        path = shutil.which("chromium") or playwright.chromium.executable_path
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = await browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.set_extra_http_headers({"Authorization": f"Bearer {READ_KEY}"})
        await page.goto(f"{api.url}/graphql")
        await page.get_by_role("button", name="Execute query").click(timeout=60_000)
        await expect(page.locator(".result-window")).to_contain_text("91000.1", timeout=60_000)
        await browser.close()
    assert not faults
    assert not [url for url in asked if not url.startswith((api.url, "data:", "blob:"))]
